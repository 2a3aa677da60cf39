"""The queue of cases, and one case with what one needs to answer it."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pregon.accounts import access
from pregon.promotions import results
from pregon.promotions.models import Broadcast
from pregon.staff import forms, pages
from pregon.subscriptions import changes
from pregon.support import attachments, cases, threads
from pregon.support.models import Case, Module

BESIDE = 12  # cases of the queue that stand beside the one that is read
LABELS = {
    Case.Status.OPEN: (gettext_lazy("Sin responder"), "waiting", "clock"),
    Case.Status.ANSWERED: (gettext_lazy("Esperan al negocio"), "accepted", "message-2"),
    Case.Status.CLOSED: (gettext_lazy("Cerrados"), "omitted", "circle-check"),
}


@require_GET
@access.staff
def queue(request: access.Request) -> HttpResponse:
    """Those that wait for us, the longest first. `estado` is a status or «todos», `modulo` a module, `q` words."""
    status = request.GET.get("estado", Case.Status.OPEN)
    sought = _sought(request.GET.get("q", ""), request.GET.get("modulo", ""))
    counted = sought.aggregate(**{name: Count("id", filter=Q(status=name)) for name in Case.Status.values})
    page = pages.cut(_ordered(sought, status).select_related("account"), request)
    facets, total = _facets(request, counted, status)
    context = {
        "cases": page.rows,
        "page": page,
        "facets": facets,
        "total": total,
        "status": status,
        "modules": Module.choices,
    }
    return render(request, "staff/queue.html", context | {"here": "cases"})


def _sought(query: str, module: str) -> QuerySet[Case]:
    """By number, e-mail, business or words of the detail."""
    rows = Case.objects.all()
    query = query.replace("\x00", "").strip()[:80]
    if query:
        found = Q(email__icontains=query) | Q(account__name__icontains=query) | Q(detail__icontains=query)
        number = query.removeprefix("#")
        rows = rows.filter(found | Q(pk=int(number)) if number.isdecimal() and len(number) < 19 else found)
    return rows.filter(module=module) if module in Module.values else rows


def _ordered(rows: QuerySet[Case], status: str) -> QuerySet[Case]:
    if status in Case.Status.values:
        rows = rows.filter(status=status)
    return rows.order_by("updated_at", "id") if status == Case.Status.OPEN else rows.order_by("-updated_at", "-id")


def _facets(
    request: access.Request, counted: dict[str, int], status: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    kept = {name: request.GET[name] for name in ("q", "modulo") if request.GET.get(name)}

    def item(value: str, figure: int, label: str) -> dict[str, Any]:
        url = f"{reverse('staff:cases')}?{urlencode({'estado': value, **kept})}"
        return {"figure": figure, "label": label, "url": url, "current": status == value}

    items = [
        item(value, counted[value], str(label)) | {"tone": tone, "icon": icon}
        for value, (label, tone, icon) in LABELS.items()
    ]
    return items, item("todos", sum(counted.values()), _("Todos"))


@require_http_methods(["GET", "POST"])
@access.staff
def case(request: access.Request, pk: int) -> HttpResponse:
    """POST answers: `act` is «close» to close it with the answer."""
    found = access.get(Case.objects.select_related("account", "created_by"), pk)
    form = forms.AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return _answer(request, found, form)
    queue = Case.objects.filter(status=Case.Status.OPEN).exclude(pk=pk).select_related("account")
    context = {
        "case": found,
        "form": form,
        "posts": threads.posts(found, reverse("staff:case", args=[pk]) + "archivos/"),
        "about": threads.about(found),
        "queue": queue.order_by("updated_at", "id")[:BESIDE],
        "plan": changes.plan(found.account) if found.account else None,
        **_sending(found),
    }
    with pages.clock_of(found.account):
        return render(request, "staff/case.html", context | {"here": "cases"}, status=422 if form.errors else 200)


def _answer(request: access.Request, found: Case, form: forms.AnswerForm) -> HttpResponse:
    cases.answer(found, form.cleaned_data["body"], author=request.user, files=form.cleaned_data["attached"])
    if request.POST.get("act") == "close":
        cases.close(found)
    words = _("Respondiste el caso %(n)s. Le avisamos a %(email)s por correo.")
    messages.success(request, words % {"n": found.pk, "email": found.email})
    return redirect("staff:case", found.pk)


def _sending(found: Case) -> dict[str, Any]:
    """The broadcast that the case is about, with its figures: only one of the case's own business."""
    pk = found.context.get("broadcast")
    rows = Broadcast.objects.filter(account=found.account_id, pk=pk if isinstance(pk, int) else 0)
    broadcast = rows.select_related("promotion", "batch").first()
    return {"broadcast": broadcast, "tally": results.tally(broadcast.batch) if broadcast and broadcast.batch else None}


@require_POST
@access.staff
def close(request: access.Request, pk: int) -> HttpResponse:
    cases.close(access.get(Case.objects.all(), pk))
    messages.success(request, _("Cerraste el caso %(n)s.") % {"n": pk})
    return redirect("staff:cases")


@require_POST
@access.staff
def reopen(request: access.Request, pk: int) -> HttpResponse:
    cases.reopen(access.get(Case.objects.all(), pk))
    messages.success(request, _("El caso %(n)s está abierto otra vez.") % {"n": pk})
    return redirect("staff:case", pk)


@require_GET
@access.staff
def file(request: access.Request, pk: int, file: int) -> HttpResponseBase:
    found = access.get(Case.objects.all(), pk)
    return attachments.download(access.get(found.attachments, file))
