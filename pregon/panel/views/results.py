"""What became of a broadcast: the card while it runs and after, its buckets, the export."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.lib import spreadsheets
from pregon.panel import downloads, modules
from pregon.panel.views import results_seen as seen
from pregon.panel.views.broadcasts_found import launched
from pregon.promotions import checklist, halts, launch
from pregon.promotions import results as outcome
from pregon.promotions.models import Broadcast
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.subscriptions.models import Module


def result(request: access.Request, broadcast: Broadcast) -> HttpResponse:
    """The whole page. Opening it once nothing waits any more is what *resultado revisado* means."""
    checklist.see_result(broadcast)
    return render(request, "panel/results/result.html", seen.page(request, broadcast))


@require_GET
@access.member(Role.VIEWER)
def broadcast_card(request: access.Request, pk: int) -> HttpResponse:
    """The live card, every two seconds; at the end, or once it stands otherwise than `seen`, the browser loads the page."""
    found, batch = launched(request, pk)
    shown = seen.card(request, found)
    if checklist.ended(batch) or request.GET.get("seen", shown["state"].icon) != shown["state"].icon:
        return HttpResponseClientRefresh()
    return render(request, "panel/results/card.html", shown)


@require_GET
@access.member(Role.VIEWER)
def broadcast_sentence(request: access.Request, pk: int) -> HttpResponse:
    """The sentence that is read aloud, every ten seconds."""
    _found, batch = launched(request, pk)
    return render(request, "panel/results/sentence.html", {"tally": outcome.tally(batch)})


@require_POST
@access.member(Role.MANAGER)
def broadcast_pause(request: access.Request, pk: int) -> HttpResponse:
    reason = _("Lo pausó %(name)s") % {"name": request.user}
    return _act(request, pk, lambda batch: outbox.pause(batch.pk, reason, Batch.Cause.PERSON))


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_resume(request: access.Request, pk: int) -> HttpResponse:
    """Go on, unless what stopped it lasts."""
    found, _batch = launched(request, pk)
    try:
        halts.resume(found)
    except launch.Refused as refused:
        messages.error(request, str(refused))
    return redirect("panel:broadcast", pk)


@require_POST
@access.member(Role.MANAGER)
def broadcast_cancel(request: access.Request, pk: int) -> HttpResponse:
    """Stop for good, and release what did not leave."""
    return _act(request, pk, lambda batch: outbox.cancel(batch.pk))


def _act(request: access.Request, pk: int, act: Callable[[Batch], Any]) -> HttpResponse:
    _found, batch = launched(request, pk)
    act(batch)
    return redirect("panel:broadcast", pk)


@require_POST
@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def broadcast_retry(request: access.Request, pk: int) -> HttpResponse:
    """A new draft for those that a retry can help."""
    found, _batch = launched(request, pk)
    again = outcome.retry(found, request.user)
    if again is None:
        messages.info(request, _("No queda nadie a quien un reintento pueda servirle."))
        return redirect("panel:broadcast", pk)
    return redirect("panel:broadcast", again.pk)


@require_GET
@access.member(Role.VIEWER)
def broadcast_bucket(request: access.Request, pk: int, bucket: str) -> HttpResponse:
    """The people of a bucket, or of one of its reasons (`reason`), fifty at a time (`after` is a position)."""
    found, _batch = launched(request, pk)
    if bucket not in set(outcome.Bucket):
        raise Http404
    return render(request, "panel/results/bucket.html", seen.bucket(request, found, outcome.Bucket(bucket)))


@require_GET
@access.member(Role.MANAGER)
def broadcast_export(request: access.Request, pk: int) -> HttpResponseBase:
    """Everybody with what became of them, as a file."""
    found, _batch = launched(request, pk)
    return downloads.csv(spreadsheets.write_csv(outcome.export(found)), f"envio-{pk}-resultado.csv")


@require_GET
@access.member(Role.VIEWER)
def broadcast_poster(request: access.Request, pk: int) -> HttpResponse:
    """The card alone, to be shared: no personal data on it."""
    found, _batch = launched(request, pk)
    return render(request, "panel/results/poster.html", seen.poster(found))
