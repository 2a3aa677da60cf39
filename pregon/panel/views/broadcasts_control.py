"""What a person decides about a broadcast that rests, was stopped, or repeats. Each may be clicked twice."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.panel import modules
from pregon.panel.forms.recurrences import RecurrenceForm
from pregon.panel.views import broadcasts
from pregon.panel.views.broadcasts_found import back, find
from pregon.promotions import halts, launch, quiet, recurrences, stages
from pregon.promotions.models import Recurrence
from pregon.subscriptions.models import Module


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_waive(request: access.Request, pk: int) -> HttpResponse:
    """Send it in these quiet hours all the same."""
    found = find(request, pk)
    quiet.waive(found, request.user)
    return back(found)


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_accept(request: access.Request, pk: int) -> HttpResponse:
    """Go on although Meta rates the number low."""
    found = find(request, pk)
    try:
        halts.accept_quality(found, request.user)
    except launch.Refused as refused:
        messages.error(request, str(refused))
    return back(found, "" if found.batch else "#firma")


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def broadcast_repeat(request: access.Request, pk: int) -> HttpResponse:
    """Send it again and again, beginning with the next day of the rule."""
    found, form = find(request, pk), RecurrenceForm(request.account, request.POST)
    if not form.is_valid():
        return broadcasts.review(request, found, 422, repeat_form=form)
    try:
        recurrence = recurrences.start(found, form.rule(), request.user)
    except (stages.ClosedError, launch.NotApproved) as closed:
        messages.error(request, str(closed))
        return back(found)
    except launch.Refused as refused:
        form.add_error(None, str(refused))
        return broadcasts.review(request, found, 422, repeat_form=form)
    messages.success(request, _("Se repite %(rule)s.") % {"rule": recurrences.describe(recurrence)})
    return back(found, "#firma")


@require_POST
@access.member(Role.MANAGER)
def recurrence_pause(request: access.Request, pk: int) -> HttpResponse:
    return _act(request, pk, recurrences.pause)


@require_POST
@access.member(Role.MANAGER)
@modules.needs_module(Module.WHATSAPP)
def recurrence_resume(request: access.Request, pk: int) -> HttpResponse:
    return _act(request, pk, recurrences.resume)


@require_POST
@access.member(Role.MANAGER)
def recurrence_end(request: access.Request, pk: int) -> HttpResponse:
    """For good: what was planned is discarded, what was sent stays."""
    return _act(request, pk, recurrences.end)


def _act(request: access.Request, pk: int, act: Callable[[Recurrence], None]) -> HttpResponse:
    found = find(request, pk)
    if found.recurrence is None:
        raise Http404
    act(found.recurrence)
    return back(found)
