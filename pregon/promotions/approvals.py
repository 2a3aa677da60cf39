"""The approval of the preview: an act of one person, for one version of the message and one list.

NotReady        the message cannot be sent as it is; `problems` say why
"""

import zlib
from datetime import datetime

from django.db import transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.promotions import audiences, forecast, lines, problems, stages
from pregon.promotions.models import Broadcast, Promotion, Recurrence

LOST = {"approved_at": None, "approved_by": None, "approved_count": None, "scheduled_for": None}


class NotReady(Exception):
    """What must be mended before anybody can approve it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


@transaction.atomic
def approve(broadcast: Broadcast, actor: User, *, seen: str) -> None:
    """Record who approved, when, and for how many people. `seen` is the `mark` of what was on the screen.

    Raises `NotReady`, `stages.ClosedError`.
    """
    recurrence, found = stages.lock_recurrence(broadcast), stages.lock(broadcast)
    if mark(found) != seen:
        raise NotReady([_("El mensaje o la lista cambiaron mientras los veías. Míralos otra vez antes de firmar.")])
    found.number = lines.of(found)
    recipients = forecast.forecast(found).recipients
    if obstacles := problems_of(found, recipients):
        raise NotReady(obstacles)
    found.scheduled_for = _planned(found, recurrence)
    found.status = Broadcast.Status.SCHEDULED if found.scheduled_for else Broadcast.Status.DRAFT
    found.wait_reason = found.approval_lost = found.told_of = ""
    found.approved_at, found.approved_by, found.approved_count = timezone.now(), actor, recipients
    found.save()


def _planned(broadcast: Broadcast, recurrence: Recurrence | None) -> datetime | None:
    """The hour that its repetition gave it, while that is to come."""
    if recurrence is None or recurrence.status != Recurrence.Status.ACTIVE or broadcast.occurrence is None:
        return None
    return broadcast.occurrence if broadcast.occurrence > timezone.now() else None


def mark(broadcast: Broadcast) -> str:
    """Tells one message and list from another: what an approval is for."""
    definition = audiences.read(broadcast.audience)
    return f"{broadcast.version_id}-{zlib.crc32(repr(definition).encode()):08x}"


def problems_of(broadcast: Broadcast, recipients: int) -> list[str]:
    """Why nobody can approve this yet, in sentences; empty when someone can."""
    nobody = _("Con esta lista nadie recibe el mensaje. Mira por qué se omiten o cambia la lista.")
    return problems.find(broadcast.version) + ([] if recipients else [nobody])


@transaction.atomic
def undo(broadcast: Broadcast, reason: str) -> None:
    """The approval no longer holds, nor does a planned hour; the reason is shown. Unapproved ones stay as they are.

    What repeats asks for a new one: nothing follows until it has it.
    """
    signed = Broadcast.objects.filter(pk=broadcast.pk, status__in=stages.OPEN, approved_at__isnull=False)
    lost = LOST | {"approval_lost": reason[:200]}
    asks = f"{reason.rstrip('.')}. " + _("Fírmalo otra vez para que se siga repitiendo.")
    repeating = signed.filter(recurrence__status=Recurrence.Status.ACTIVE)
    if not repeating.update(**lost, status=Broadcast.Status.WAITING, wait_reason=asks[:300]):
        signed.update(**lost, status=Broadcast.Status.DRAFT)


@transaction.atomic
def message_changed(promotion: Promotion) -> None:
    """The promotion has a new version: what was not launched yet takes it, and needs a new approval."""
    latest = promotion.versions.latest("number")
    behind = promotion.broadcasts.filter(status__in=stages.OPEN).exclude(version=latest)
    reason = at(_("Cambiaste el mensaje el %(when)s"), promotion.account)
    for broadcast in behind.filter(approved_at__isnull=False):
        undo(broadcast, reason)
    behind.update(version=latest)


def valid(broadcast: Broadcast) -> bool:
    """Whether someone approved exactly what would be sent."""
    latest = broadcast.promotion.versions.latest("number")
    return broadcast.approved_at is not None and latest.pk == broadcast.version_id


def at(sentence: str, account: Account) -> str:
    """The sentence with `%(when)s` filled: now, as the business's clock shows it."""
    local = timezone.localtime(timezone.now(), account.zone)
    return sentence % {"when": formats.date_format(local, "j b, G:i")}
