"""A broadcast before it leaves: prepared, reviewed, approved, sent now or at an hour."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import finding, tally
from pregon.contacts.models import Contact
from pregon.lib import spreadsheets
from pregon.panel import downloads, modules, wording
from pregon.panel.forms import broadcasts as forms
from pregon.panel.views import broadcasts_seen as seen
from pregon.panel.views import control_seen, results
from pregon.panel.views.broadcasts_found import back, find, key
from pregon.promotions import approvals, audiences, forecast, launch, stages
from pregon.promotions import broadcasts as drafts
from pregon.promotions.models import Broadcast
from pregon.sending.models import Omission
from pregon.subscriptions import changes, renewals
from pregon.subscriptions.models import Module

PAGE = 25
FOUND = 30  # people that a search shows


@require_GET
@access.member(Role.VIEWER)
def broadcasts(request: access.Request) -> HttpResponse:
    """All of them, newest first; `before` is the page's key."""
    before = key(request.GET.get("before", ""))
    rows = request.account.broadcasts.exclude(status=Broadcast.Status.DISCARDED).select_related(
        "promotion", "number", "batch", "recurrence"
    )
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-id")[: PAGE + 1])
    tags = audiences.tag_names(request.account)
    context = {
        "rows": [seen.row(broadcast, tags) for broadcast in found[:PAGE]],
        "next_url": f"{request.path}?before={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "first_url": request.path if before else "",
        "included": changes.has_module(request.account, Module.WHATSAPP),
    }
    return render(request, "panel/broadcasts/broadcasts.html", context)


@require_POST
@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def broadcast_new(request: access.Request) -> HttpResponse:
    """A draft of a promotion's latest version, for everybody until another list is chosen."""
    promotion = access.get(request.account.promotions.filter(archived_at=None), key(request.POST.get("promotion", "")))
    return back(drafts.prepare(promotion, request.user))


@require_GET
@access.member(Role.VIEWER)
def broadcast(request: access.Request, pk: int) -> HttpResponseBase:
    """The review until it is launched, then how far that is, then its result."""
    found = find(request, pk)
    if found.batch:
        return results.result(request, found)
    if found.status == Broadcast.Status.LAUNCHING:
        return render(request, "panel/broadcasts/launching.html", seen.launching(request, found))
    return review(request, found)


@require_GET
@access.member(Role.VIEWER)
def broadcast_progress(request: access.Request, pk: int) -> HttpResponse:
    """How far the launch is, every second; once it is over, the browser loads the page again."""
    found = find(request, pk)
    if found.status != Broadcast.Status.LAUNCHING:
        return HttpResponseClientRefresh()
    return render(request, "panel/broadcasts/progress.html", seen.launching(request, found))


@require_POST
@access.member(Role.MANAGER)
def broadcast_call_off(request: access.Request, pk: int) -> HttpResponse:
    """Stop it while it is being launched. Too late: then its page says how to stop what is on its way."""
    found = find(request, pk)
    if not launch.call_off(found):
        messages.info(request, _("Ya no se está preparando: aquí ves cómo quedó."))
    return back(found)


def review(request: access.Request, broadcast: Broadcast, status: int = 200, **wrong: Any) -> HttpResponse:
    """The review page; `wrong` is what went wrong: `sign_error` (a sentence) or `schedule_form`."""
    renewals.ensure_period(request.account)
    context = seen.review(request, broadcast)
    context["doc"]["error"] = wrong.pop("sign_error", "")
    return render(request, "panel/broadcasts/review.html", context | wrong, status=status)


@access.member(Role.EDITOR)
def broadcast_audience(request: access.Request, pk: int) -> HttpResponse:
    """Who it is for. `act=search` looks for people and keeps what is marked; works without a script."""
    found = find(request, pk)
    form = forms.AudienceForm(request.account, audiences.read(found.audience), request.POST or None)
    if request.method == "POST" and request.POST.get("act") != "search" and form.is_valid():
        return _act(request, found, lambda: drafts.change_audience(found, form.cleaned_data["definition"]))
    return render(request, "panel/broadcasts/audience.html", _audience(request, found, form))


def _audience(request: access.Request, broadcast: Broadcast, form: forms.AudienceForm) -> dict[str, Any]:
    searching = request.POST.get("act") == "search"
    query = request.POST.get("q", "").strip()[:80]
    chosen = list(request.account.contacts.filter(pk__in=form.picked()).order_by("search", "id")[: forms.MOST])
    return {
        "broadcast": broadcast,
        "form": form,
        "kind": form["kind"].value(),
        "show_errors": not searching,
        "query": query,
        "chosen": chosen,
        "found": _matching(request, query, chosen) if searching or form["kind"].value() == "contacts" else [],
        "everybody": tally.of(request.account).total,
    }


def _matching(request: access.Request, query: str, chosen: Sequence[Contact]) -> list[Contact]:
    """The first people whom the search finds, without those chosen already."""
    found, rows = finding.of(request.account, query), list[Contact]()
    page = finding.page(found)
    rows += [person for person in page.rows if person not in chosen]
    while len(rows) < FOUND and page.after:
        page = finding.page(found, page.count, after=page.after)
        rows += [person for person in page.rows if person not in chosen]
    return rows[:FOUND]


@require_GET
@access.member(Role.MANAGER)
def broadcast_list(request: access.Request, pk: int) -> HttpResponseBase:
    """Everybody of the list with what would happen to them, as a file."""
    found = find(request, pk)
    rows = ((name, mobile, _reason(omission)) for name, mobile, omission in forecast.listing(found))
    content = spreadsheets.write_csv([(_("Nombre"), _("Celular"), _("Qué pasará")), *rows])
    return downloads.csv(content, f"envio-{found.pk}-lista.csv")


def _reason(omission: str) -> str:
    return str(Omission(omission).label) if omission else _("Lo recibe")


@require_GET
@access.member(Role.VIEWER)
def broadcast_omissions(request: access.Request, pk: int) -> HttpResponse:
    """Who would be left out and why: looking at it is what *contactos revisados* means."""
    found = find(request, pk)
    if found.batch or not request.htmx:
        drafts.see_omissions(found)
        return back(found, "#omitidos")
    drafts.see_omissions(found)
    return render(request, "panel/broadcasts/who_live.html", seen.review(request, found))


@require_GET
@access.member(Role.VIEWER)
def broadcast_omitted(request: access.Request, pk: int, reason: str) -> HttpResponse:
    """The people of one reason, fifty at a time (`after` is a contact's id); `reciben` are those who get it."""
    found = find(request, pk)
    if reason != "reciben" and reason not in Omission.values:
        raise Http404
    if found.batch:
        return redirect("panel:broadcast_bucket", found.pk, "omitted")
    drafts.see_omissions(found)
    return render(request, "panel/broadcasts/people.html", seen.people(request, found, reason.removeprefix("reciben")))


@require_POST
@access.member(Role.EDITOR)
def broadcast_quota(request: access.Request, pk: int) -> HttpResponse:
    """What to do when the quota does not reach everybody."""
    found = find(request, pk)
    choice = Broadcast.Choice.FIT if request.POST.get("choice") == "fit" else Broadcast.Choice.STOP
    return _act(request, found, lambda: drafts.choose_quota(found, choice))


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_approve(request: access.Request, pk: int) -> HttpResponse:
    """Sign: `seen` in the address is the mark of what was on the screen, in the form the box."""
    found = find(request, pk)
    if request.POST.get("seen") != "on":
        return review(request, found, 422, sign_error=_("Marca que viste el mensaje antes de firmar."))
    try:
        approvals.approve(found, request.user, seen=request.GET.get("seen", ""))
    except approvals.NotReady as not_ready:
        return review(request, find(request, pk), 422, sign_error=str(not_ready))
    except stages.ClosedError as closed:
        messages.error(request, str(closed))
    return back(found, "#firma")


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_launch(request: access.Request, pk: int) -> HttpResponse:
    """Send now. A second click finds it sent."""
    found = find(request, pk)
    renewals.ensure_period(request.account)
    return _act(request, found, lambda: launch.launch(found, request.user))


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_schedule(request: access.Request, pk: int) -> HttpResponse:
    """Send it at an hour of the business's own clock."""
    found, form = find(request, pk), forms.ScheduleForm(request.POST)
    if not form.is_valid():
        return review(request, found, 422, schedule_form=form)
    try:
        launch.schedule(found, form.cleaned_data["at"])
    except launch.Refused as refused:
        form.add_error("at", str(refused))
        return review(request, found, 422, schedule_form=form)
    except stages.ClosedError as closed:
        messages.error(request, str(closed))
        return back(found)
    messages.success(request, _scheduled(find(request, pk)))
    return back(found, "#firma")


def _scheduled(broadcast: Broadcast) -> str:
    assert broadcast.scheduled_for is not None
    when = wording.day_and_clock(broadcast.scheduled_for)
    if rests := control_seen.waiting_hours(broadcast):
        words = _("Lo programaste para el %(when)s, en tus horas de silencio: empieza a salir %(later)s.")
        return words % {"when": when, "later": rests}
    return _("Sale el %(when)s. Puedes cerrar esta página.") % {"when": when}


@require_POST
@access.member(Role.MANAGER)
def broadcast_unschedule(request: access.Request, pk: int) -> HttpResponse:
    found = find(request, pk)
    return _act(request, found, lambda: launch.unschedule(found), "#firma")


@require_POST
@access.member(Role.EDITOR)
def broadcast_discard(request: access.Request, pk: int) -> HttpResponse:
    """It will not be sent."""
    found = find(request, pk)
    try:
        drafts.discard(found)
    except stages.ClosedError as closed:
        messages.error(request, str(closed))
        return back(found)
    messages.success(request, _("Descartamos el envío. La promoción sigue guardada."))
    return redirect("panel:broadcasts")


def _act(request: access.Request, broadcast: Broadcast, act: Any, anchor: str = "") -> HttpResponse:
    """Do it and show the broadcast; a refusal becomes a note with its reason."""
    try:
        act()
    except (launch.Refused, stages.ClosedError) as refused:
        messages.error(request, str(refused))
    return back(broadcast, anchor)
