"""What pages say of a broadcast that rests, stopped by itself, or repeats."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.panel import wording
from pregon.panel.forms.recurrences import RecurrenceForm
from pregon.panel.views import plans_seen
from pregon.promotions import lines, quiet, recurrences, stages
from pregon.promotions.models import Broadcast, Recurrence
from pregon.sending.models import Batch


def waiting_hours(broadcast: Broadcast) -> str:
    """When it would begin to leave, if not at its own hour: it falls into the quiet hours."""
    moment = broadcast.scheduled_for or timezone.now()
    if broadcast.number and broadcast.number.practice:
        return ""
    leaves = quiet.leaves_at(broadcast.account, moment)
    return plans_seen.at(leaves) if leaves != moment else ""


def repeats(broadcast: Broadcast) -> dict[str, Any] | None:
    """Of one that repeats: the rule in words, and what one may do with it."""
    found = broadcast.recurrence
    if found is None:
        return None
    return {
        "recurrence": found,
        "rule": recurrences.describe(found),
        "ends": _ends(found),
        "open": broadcast.status in stages.OPEN,
        "ended": found.status == Recurrence.Status.ENDED,
        "paused": found.status == Recurrence.Status.PAUSED,
    }


def _ends(recurrence: Recurrence) -> str:
    if recurrence.until:
        return _("Hasta el %(day)s.") % {"day": wording.written(recurrence.until, "full")}
    if recurrence.times:
        return _("%(n)s veces en total.") % {"n": wording.number(recurrence.times)}
    return ""


def review(broadcast: Broadcast) -> dict[str, Any]:
    """For the review page."""
    return {
        "quiet": waiting_hours(broadcast),
        "risk": lines.risk(broadcast, broadcast.number),
        "repeats": repeats(broadcast),
        "repeat_form": RecurrenceForm(broadcast.account),
    }


def card(broadcast: Broadcast, batch: Batch) -> dict[str, Any]:
    """For the live card."""
    template = broadcast.version.template
    return {
        "pause_reason": wording.told(batch.pause_reason),
        "ends": plans_seen.at(batch.ends_at),
        "frame_stopped": template is not None and not template.approved,
        "risk": batch.status == Batch.Status.PAUSED and lines.risk(broadcast, broadcast.number),
        "stopped": broadcast.number.stop_reason if broadcast.number and broadcast.number.stopped_at else "",
    }
