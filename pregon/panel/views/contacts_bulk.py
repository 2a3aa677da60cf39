"""What one does with many people: first a page that says what it does, in figures, then a task that does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access, clients
from pregon.accounts.models import Role
from pregon.contacts import bulk, review
from pregon.contacts.bulk import Kind
from pregon.contacts.bulk_people import Chosen
from pregon.contacts.models import Task
from pregon.panel.forms.contacts import ConsentForm, ExportForm, TagsForm
from pregon.panel.views import contacts_review, contacts_sought, tasks_told

MOST = 1_000  # boxes in one form; "all of the sentence" has no bound


@dataclass(frozen=True)
class Asked:
    """The act, and the people picked, or all whom the list's sentence finds, or all of a kind under review."""

    kind: str
    chosen: Chosen
    hidden: list[tuple[str, str]]
    """What the page of the act sends again."""
    back: str
    """The address of the list."""


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def contacts_bulk(request: access.Request) -> HttpResponse:
    """`act` is a kind of task; `pick` are ids, or `todas` stands for the sentence. Begun only with `confirmed`."""
    if request.method == "GET":  # the address of the question, from the browser's history
        return redirect("panel:contacts")
    kind = request.POST.get("act", "")
    if kind not in Kind.values:
        raise Http404
    if kind == Kind.EXPORT and not request.member.may(Role.MANAGER):
        raise PermissionDenied(_("Tu papel en este negocio no permite esto. Pídelo a quien lo administra."))
    return _answer(request, _asked(request, kind, request.POST), confirmed=request.POST.get("confirmed") == "1")


@require_GET
@access.member(Role.MANAGER)
def contacts_export(request: access.Request) -> HttpResponse:
    """Asks how to download the people of the sentence."""
    asked = _asked(request, Kind.EXPORT, {**request.GET.dict(), "todas": "1"})
    return _answer(request, asked, confirmed=False)


def _asked(request: access.Request, kind: str, data: Mapping[str, str]) -> Asked:
    if under_review := contacts_review.kind_of(request):
        return _reviewed(request, kind, under_review)
    sought = contacts_sought.read(data)
    sentence = [*sought.hidden, *([("q", sought.query)] if sought.query else [])]
    if data.get("todas"):
        rules = contacts_sought.rules_of(request.account, sought)
        chosen = Chosen(request.account, None, sought.query, rules)
        return Asked(kind, chosen, [*sentence, ("todas", "1")], sought.url())
    picked = _picked(request)
    hidden = sentence + [("pick", str(pk)) for pk in picked]
    return Asked(kind, Chosen(request.account, picked), hidden, sought.url())


def _reviewed(request: access.Request, kind: str, under_review: review.Kind) -> Asked:
    """Of those under review all means these, for the page offers it only as long as one form holds them."""
    rows = review.people(request.account, under_review).people.order_by("id").values_list("id", flat=True)
    picked = list(rows[:MOST]) if request.POST.get("todas") else _picked(request)
    hidden = [(contacts_review.KEY, str(under_review)), *(("pick", str(pk)) for pk in picked)]
    return Asked(kind, Chosen(request.account, picked), hidden, reverse("panel:review_kind", args=[under_review]))


def _picked(request: access.Request) -> list[int]:
    return [int(pk) for pk in request.POST.getlist("pick")[:MOST] if pk.isdecimal() and len(pk) < 19]


def _form(asked: Asked, data: Mapping[str, Any] | None) -> Any:
    match asked.kind:
        case Kind.TAG:
            return TagsForm(asked.chosen.account, data)
        case Kind.CONSENT:
            return ConsentForm(data)
        case Kind.EXPORT:
            return ExportForm(data)
    return None


def _answer(request: access.Request, asked: Asked, *, confirmed: bool) -> HttpResponse:
    form = _form(asked, request.POST if confirmed else None)
    try:
        if confirmed and (form is None or form.is_valid()):
            return _begin(request, asked, form)
        return _ask(request, asked, form)
    except bulk.Refused as refusal:
        messages.warning(request, str(refusal))
        return redirect(asked.back)


def _ask(request: access.Request, asked: Asked, form: forms.Form | None) -> HttpResponse:
    """The page that says what the act does, and to how many."""
    count = bulk.count(asked.chosen, asked.kind)
    context = {
        "act": asked.kind,
        "counts": count.chosen,
        "affected": count.able,
        "form": form,
        "hidden": asked.hidden,
        "back": asked.back,
        "everyone": asked.chosen.ids is None,
        "by_parts": count.able > bulk.SMALL,
        "never_undone": bulk.never_undone(asked.kind),
        "undo_days": bulk.UNDO.days,
    }
    return render(request, "panel/contacts/bulk.html", context)


def _begin(request: access.Request, asked: Asked, form: Any) -> HttpResponse:
    """A few people are done: back to the list, with the way back. Else the task's page tells how far it is."""
    args = form.args() if form is not None else {}
    task = bulk.start(asked.chosen, asked.kind, args, request.user, ip=clients.address(request))
    bulk.go_on(task)
    if task.status != Task.Status.DONE or task.kind == Kind.EXPORT:
        return redirect("panel:task", task.pk)
    words = _("Ver detalles") if bulk.may_not_undo(task) else _("Ver o deshacer")
    link = format_html('<a href="{}">{}</a>', tasks_told.url(task), words)
    messages.success(request, format_html("{} {}", tasks_told.did(task), link))
    return redirect(asked.back)
