"""A broadcast before it is sent: prepared, its audience and its choices changed, discarded, prepared again for a retry.

ClosedError     it is launched or discarded: it no longer changes
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import User
from pregon.contacts.models import Segment
from pregon.promotions import approvals, audiences, lines
from pregon.promotions.audiences import Definition
from pregon.promotions.models import Broadcast, Promotion
from pregon.promotions.stages import OPEN, ClosedError, lock, locked

__all__ = [
    "ClosedError",
    "change_audience",
    "choose_quota",
    "discard",
    "follow_segment",
    "lock",
    "prepare",
    "see_omissions",
]


def prepare(promotion: Promotion, actor: User | None, *, definition: Definition | None = None) -> Broadcast:
    """A draft that sends the promotion's latest version to `definition` (default: everybody)."""
    version = promotion.versions.select_related("template").latest("number")
    return Broadcast.objects.create(
        account=promotion.account,
        promotion=promotion,
        version=version,
        number=lines.choose(promotion.account, version),
        audience=audiences.write(definition or Definition()),
        created_by=actor,
    )


@transaction.atomic
def change_audience(broadcast: Broadcast, definition: Definition) -> None:
    """Another list: what was reviewed and signed no longer holds. Raises `ClosedError`."""
    found = lock(broadcast)
    if audiences.read(found.audience) == definition:
        return
    found.audience = audiences.write(definition)
    found.omissions_seen_at = None
    found.save(update_fields=["audience", "omissions_seen_at"])
    approvals.undo(found, approvals.at(_("Cambiaste la lista el %(when)s"), found.account))


@transaction.atomic
def follow_segment(segment: Segment) -> None:
    """Its rules changed: so did the list of whatever it was chosen for and has not left yet."""
    definition = audiences.of_segment(segment)
    chosen = {"audience__kind": audiences.Kind.SEGMENT, "audience__ids": [segment.pk]}
    for broadcast in Broadcast.objects.filter(account=segment.account_id, status__in=OPEN, **chosen).order_by("id"):
        try:
            change_audience(broadcast, definition)
        except ClosedError:
            continue  # it left meanwhile, for whom it was signed


@transaction.atomic
def choose_quota(broadcast: Broadcast, choice: Broadcast.Choice) -> None:
    """What to do when the quota does not reach everybody. Raises `ClosedError`."""
    found = lock(broadcast)
    if found.quota_choice == choice:
        return
    found.quota_choice = choice
    found.save(update_fields=["quota_choice"])
    approvals.undo(found, _("Cambiaste qué hacer si el cupo no alcanza: ya no son las mismas personas"))


def see_omissions(broadcast: Broadcast) -> None:
    """Someone opened the list of who is left out: the first tick of the checklist."""
    now = timezone.now()
    Broadcast.objects.filter(pk=broadcast.pk, omissions_seen_at=None).update(omissions_seen_at=now)
    broadcast.omissions_seen_at = broadcast.omissions_seen_at or now


@transaction.atomic
def discard(broadcast: Broadcast) -> None:
    """It will not be sent. Raises `ClosedError` once it was; discarding twice changes nothing."""
    found = locked(broadcast)
    if found.status == Broadcast.Status.DISCARDED:
        return
    if found.status not in OPEN:
        raise ClosedError
    found.status, found.scheduled_for = Broadcast.Status.DISCARDED, None
    found.save(update_fields=["status", "scheduled_for"])
