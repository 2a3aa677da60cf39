"""Acts for many people: the list of them, how far each is, its end, its way back, its file."""

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import bulk, export_files
from pregon.contacts.bulk import Kind
from pregon.contacts.models import Task
from pregon.panel.views import tasks_told

PAGE = 25


@require_GET
@access.member(Role.EDITOR)
def tasks(request: access.Request) -> HttpResponse:
    """The latest first; `antes` is the page's key."""
    rows = request.account.tasks.select_related("created_by").order_by("-id")
    before = request.GET.get("antes", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "rows": [tasks_told.row(task) for task in found[:PAGE]],
        "next_url": f"{request.path}?antes={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "first_url": request.path if before else "",
    }
    return render(request, "panel/tasks/tasks.html", context)


@require_GET
@access.member(Role.EDITOR)
def task(request: access.Request, pk: int) -> HttpResponse:
    """How far it is; once it has ended, what it did and whether it can be taken back."""
    found = _of(request, pk)
    context: dict[str, Any] = {
        "title": tasks_told.title(found),
        "whom": tasks_told.whom(found),
        "did": tasks_told.did(found),
    }
    if found.status in bulk.UNDERWAY:
        return render(request, "panel/tasks/underway.html", context | tasks_told.progress(found))
    context |= {
        "task": found,
        "unchanged": found.done - found.changed,
        "left": max(0, found.total - found.done),
        "never_undone": bulk.never_undone(found.kind),
        "may_not_undo": bulk.may_not_undo(found),
        "undo_until": found.finished_at and found.finished_at + bulk.UNDO,
        "expires_at": export_files.expires_at(found),
        "may_download": request.member.may(Role.MANAGER),
    }
    return render(request, "panel/tasks/task.html", context)


@require_GET
@access.member(Role.EDITOR)
def task_progress(request: access.Request, pk: int) -> HttpResponse:
    """How far it is, every second; once it is over, the browser loads the page again."""
    found = _of(request, pk)
    if found.status not in bulk.UNDERWAY:
        return HttpResponseClientRefresh()
    return render(request, "panel/tasks/progress.html", tasks_told.progress(found))


@require_POST
@access.member(Role.EDITOR)
def task_stop(request: access.Request, pk: int) -> HttpResponse:
    found = _of(request, pk)
    try:
        bulk.stop(found)
    except bulk.Refused as refusal:
        messages.warning(request, str(refusal))
    return redirect("panel:task", pk)


@require_POST
@access.member(Role.EDITOR)
def task_undo(request: access.Request, pk: int) -> HttpResponse:
    found = _of(request, pk)
    try:
        bulk.undo(found, request.user)
        bulk.go_on(found)
    except bulk.Refused as refusal:
        messages.warning(request, str(refusal))
    return redirect("panel:task", pk)


@require_GET
@access.member(Role.MANAGER)
def task_file(request: access.Request, pk: int) -> HttpResponseBase:
    """What was exported, while it is kept."""
    found = _of(request, pk)
    if found.kind != Kind.EXPORT:
        raise Http404
    path = Path(found.file.path) if export_files.expires_at(found) else None
    if path is None or not path.exists():
        messages.warning(request, _("El archivo ya no está: pídelo otra vez."))
        return redirect("panel:task", pk)
    day = timezone.localdate(found.created_at)
    name = f"{slugify(request.account.name) or 'contactos'}-{day:%Y-%m-%d}.{found.args['format']}"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name)


def _of(request: access.Request, pk: int) -> Task:
    return access.get(request.account.tasks.select_related("account", "created_by", "undone_by"), pk)
