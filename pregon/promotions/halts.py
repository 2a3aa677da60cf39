"""What stops a broadcast by itself, and what it takes to go on.

    template   Meta paused or disabled it: its broadcasts rest until it is approved again
    quality    Meta rates the number low: they rest until someone goes on knowingly
    number     payment, permission, a blocked account: nothing leaves through it (`outbox.stop_number`) until it is mended

`check` looks at the state, not at what changed: whoever learned it (a webhook, the hourly sync), and however often, the
end is the same. Errors and failures that the pump meets while sending are its own (`outbox.pause`).
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import User
from pregon.promotions import launch, lines, stages
from pregon.promotions.models import Broadcast
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Quality

STOPPED = ("PAUSED", "DISABLED", "REJECTED", "DELETED", "PENDING_DELETION", "LOCKED")  # Meta's words for a template


def check() -> int:
    """Pause what should not go on. Returns how many broadcasts."""
    running = Broadcast.objects.filter(batch__status=Batch.Status.RUNNING).select_related("version__template", "number")
    broken = running.filter(version__template__status__in=STOPPED)
    risky = running.filter(number__quality=Quality.RED, quality_accepted_at=None)
    for broadcast in broken:
        outbox.pause(_batch_id(broadcast), template_reason(broadcast), Batch.Cause.TEMPLATE)
    for broadcast in risky:
        outbox.pause(_batch_id(broadcast), lines.risk(broadcast, broadcast.number), Batch.Cause.QUALITY)
    return len(broken) + len(risky)


@transaction.atomic
def resume(broadcast: Broadcast) -> None:
    """Go on where it stood; people are told if it stops again. Raises `launch.Refused` while what stopped it lasts."""
    launch.check_account(broadcast.account)
    template = broadcast.version.template
    if template and not template.approved:
        raise launch.Refused(
            _("%(why)s Puedes seguir cuando Meta la apruebe otra vez.") % {"why": template_reason(broadcast)}
        )
    if risk := lines.risk(broadcast, broadcast.number):
        raise launch.Refused(risk)
    Broadcast.objects.filter(pk=broadcast.pk).update(told_of="")
    outbox.resume(_batch_id(broadcast))


@transaction.atomic
def accept_quality(broadcast: Broadcast, actor: User) -> None:
    """Someone sends it although Meta rates the number low: that is noted, and what rested for it goes on."""
    found = stages.locked(broadcast)
    if found.quality_accepted_at is None:
        found.quality_accepted_at, found.quality_accepted_by = timezone.now(), actor
        found.save(update_fields=["quality_accepted_at", "quality_accepted_by"])
    if found.batch and found.batch.pause_cause == Batch.Cause.QUALITY:
        resume(found)


def template_reason(broadcast: Broadcast) -> str:
    template = broadcast.version.template
    assert template is not None
    words = {
        "PAUSED": _("Meta puso en pausa la plantilla «%(name)s»."),
        "DISABLED": _("Meta desactivó la plantilla «%(name)s»."),
    }
    return words.get(template.status, _("Meta ya no acepta la plantilla «%(name)s».")) % {"name": template.name}


def _batch_id(broadcast: Broadcast) -> int:
    assert broadcast.batch_id is not None
    return broadcast.batch_id
