"""From a reviewed broadcast to messages on their way: once, whole, and only as was approved.

    Refused         nothing was sent; the sentence says why and what to do
    ├── Short       the quota does not reach everybody, and nobody chose what to do then
    ├── Grown       many more people than were approved
    └── NotApproved

A short list is frozen within the click that asks for it. A long one takes seconds: the broadcast becomes LAUNCHING and a
worker freezes it, while its page tells how far that is.

Locks, in this order: its recurrence, the broadcast (two clicks; not while a long list is frozen, so that nobody waits for
that), the account (the frequency cap counts what others launch), the month (`freezing`).
"""

from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from pregon.accounts.models import Account, User
from pregon.promotions import approvals, audiences, freezing, lines, problems, progress, stages
from pregon.promotions.freezing import Grown, Refused, Short
from pregon.promotions.models import Broadcast, Recurrence
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

__all__ = ["Grown", "Refused", "Short"]

SMALL = 5_000  # people of a list that is frozen at once, in about a tenth of a second
PATIENCE = "1s"  # how long a click waits for another launch of the same business
FARTHEST = timedelta(days=366)

asked = Signal()  # sent with `account` before a launch: whoever is above may answer with a sentence that refuses it


class NotApproved(Refused):
    """Nobody signed this message and this list."""

    def __init__(self) -> None:
        super().__init__(_("Falta aprobar la vista previa. Revísala y fírmala."))


def launch(broadcast: Broadcast, actor: User | None) -> Batch | None:
    """Send it now. A second call returns the same batch; None while a worker still makes it.

    Raises `Refused`, `stages.ClosedError`. After `Grown` the approval is undone.
    """
    try:
        return _launch(broadcast, actor)
    except Grown as grown:
        approvals.undo(broadcast, str(grown))
        raise


@transaction.atomic
def _launch(broadcast: Broadcast, actor: User | None) -> Batch | None:
    found = stages.locked(broadcast)
    if found.batch or found.status == Broadcast.Status.LAUNCHING:
        return found.batch
    if found.status not in stages.OPEN:
        raise stages.ClosedError
    number = _check(found)
    if _small(found) and _lock_account(found.account_id, PATIENCE):
        return _freeze(found, number, actor)
    Broadcast.objects.filter(pk=found.pk).update(**LAUNCHING, launched_by=actor)
    defer(found.pk)
    return None


LAUNCHING = {"status": Broadcast.Status.LAUNCHING, "frozen": 0, "to_freeze": 0, "wait_reason": "", "told_of": ""}


def _small(broadcast: Broadcast) -> bool:
    people = audiences.people(broadcast.account, audiences.read(broadcast.audience))
    return people[: SMALL + 1].count() <= SMALL


def _freeze(broadcast: Broadcast, number: Number, actor: User | None) -> Batch:
    """The account is locked. Raises `progress.CalledOff` when the broadcast changed meanwhile."""
    long = broadcast.status == Broadcast.Status.LAUNCHING and not _small(broadcast)
    with progress.telling(broadcast) if long else nullcontext(lambda _people: None) as tell:
        batch = freezing.freeze(broadcast, number, tell)
    signed = broadcast.approved_at  # not called off, changed, signed and sent again meanwhile
    unchanged = Broadcast.objects.filter(pk=broadcast.pk, status=broadcast.status, approved_at=signed)
    launched = {"status": Broadcast.Status.LAUNCHED, "launched_at": batch.created_at, "launched_by": actor}
    if not unchanged.update(**launched, batch=batch, number=number, wait_reason="", told_of=""):
        raise progress.CalledOff
    return batch


def defer(broadcast_id: int) -> None:
    """Have a worker `launch_due` it, one after another for a business. One that waits for that already is enough."""
    account_id = Broadcast.objects.values_list("account_id", flat=True).get(pk=broadcast_id)
    lock, once = f"promotions.account:{account_id}", f"promotions.launch:{broadcast_id}"
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            task = app.configure_task("promotions:launch_one", lock=lock, queueing_lock=once)
            task.defer(broadcast_id=broadcast_id)
    except AlreadyEnqueued:
        pass


def call_off(broadcast: Broadcast) -> bool:
    """Stop launching: it is a draft again, still approved, and what repeats pauses.

    False when it was too late: it is launched, or waits.
    """
    called_off = _call_off(broadcast)
    approvals.message_changed(broadcast.promotion)
    return called_off


@transaction.atomic
def _call_off(broadcast: Broadcast) -> bool:
    stages.lock_recurrence(broadcast)
    found = Broadcast.objects.filter(pk=broadcast.pk, status=Broadcast.Status.LAUNCHING)
    if not found.update(status=Broadcast.Status.DRAFT, scheduled_for=None):
        return False
    _pause(broadcast)
    return True


def _pause(broadcast: Broadcast) -> None:
    """Its repetition, so that it stands where everybody sees it instead of waiting for a draft without an hour."""
    active = Recurrence.objects.filter(occurrences=broadcast, status=Recurrence.Status.ACTIVE)
    active.update(status=Recurrence.Status.PAUSED)


def _check(broadcast: Broadcast) -> Number:
    check_account(broadcast.account)
    if not approvals.valid(broadcast):
        raise NotApproved
    if found := problems.find(broadcast.version):
        raise Refused(" ".join(found))
    number = usable(lines.of(broadcast))
    if risk := lines.risk(broadcast, number):
        raise Refused(risk)
    return number


def check_account(account: Account) -> None:
    """Raises `Refused` for a suspended business, or one whose plan lacks the module."""
    if account.suspended_at:
        raise Refused(_("Tu negocio está en pausa: %(why)s") % {"why": account.suspension_reason or _("escríbenos")})
    for _receiver, sentence in asked.send(Broadcast, account=account):
        if sentence:
            raise Refused(sentence)


def usable(number: Number | None) -> Number:
    """The number, if something may leave through it now. Raises `Refused`."""
    if number is None:
        raise Refused(_("Aún no conectas un número de WhatsApp. Hazlo en Ajustes."))
    if number.practice != number.account.practice:
        mode = _("modo práctica encendido") if number.practice else _("modo práctica apagado")
        raise Refused(
            _("Este envío se preparó con el %(mode)s, y ya no está así. Prepáralo otra vez.") % {"mode": mode}
        )
    if number.stopped_at:
        why = number.stop_reason or _("revísalo en Ajustes")
        raise Refused(_("El número %(number)s está detenido: %(why)s") % {"number": number.display, "why": why})
    return number


def _lock_account(account_id: int, patience: str = "0") -> bool:
    """One launch of a business at a time: who already received is known only once the other is committed.

    False when another one takes longer than `patience` ("0": waits for ever).
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{patience}'")
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('launch', %s))", [account_id])
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError:
        return False
    return True


@transaction.atomic
def schedule(broadcast: Broadcast, at: datetime) -> None:
    """Launch it at that moment; nothing is reserved until then. Raises `Refused`, `stages.ClosedError`."""
    found = stages.lock(broadcast)
    if not timezone.now() < at < timezone.now() + FARTHEST:
        raise Refused(_("Elige una hora que no haya pasado, de aquí a un año."))
    if not approvals.valid(found):
        raise NotApproved
    found.status, found.scheduled_for = Broadcast.Status.SCHEDULED, at
    found.wait_reason = found.told_of = ""
    found.save(update_fields=["status", "scheduled_for", "wait_reason", "told_of"])


@transaction.atomic
def unschedule(broadcast: Broadcast) -> None:
    """Back to a draft, still approved; what repeats pauses. Raises `stages.ClosedError`."""
    _pause(broadcast)
    found = stages.lock(broadcast)
    found.status, found.scheduled_for = Broadcast.Status.DRAFT, None
    found.save(update_fields=["status", "scheduled_for"])


def due(now: datetime | None = None) -> list[int]:
    """Ids of scheduled broadcasts whose time has come, and of those that a worker is to launch."""
    come = Q(status=Broadcast.Status.SCHEDULED, scheduled_for__lte=now or timezone.now())
    rows = Broadcast.objects.filter(come | Q(status=Broadcast.Status.LAUNCHING))
    return list(rows.order_by("scheduled_for", "id").values_list("id", flat=True))


def launch_due(broadcast_id: int) -> bool:
    """Launch one that is `due`, or let it wait with the reason. False when it is not due any more: someone was faster.

    Whatever dies meanwhile leaves it LAUNCHING, and nothing of it behind: it is due until this has come to its end.
    """
    came = Broadcast.objects.filter(
        pk=broadcast_id, status=Broadcast.Status.SCHEDULED, scheduled_for__lte=timezone.now()
    )
    came.update(**LAUNCHING, launched_by=F("approved_by"))
    try:
        check_account(stages.read(broadcast_id).account)  # what that opens or holds is free again before the long work
        return _launch_due(broadcast_id)
    except progress.CalledOff:
        return False
    except Refused as refused:
        _wait(broadcast_id, refused)
        return True


@transaction.atomic
def _launch_due(broadcast_id: int) -> bool:
    _lock_account(Broadcast.objects.values_list("account_id", flat=True).get(pk=broadcast_id))
    found = stages.read(broadcast_id)
    if found.status != Broadcast.Status.LAUNCHING:
        return False
    _freeze(found, _check(found), found.launched_by)
    return True


@transaction.atomic
def _wait(broadcast_id: int, refused: Refused) -> None:
    lost = approvals.LOST | {"approval_lost": str(refused)[:200]} if isinstance(refused, Grown) else {}
    waiting = {"status": Broadcast.Status.WAITING, "scheduled_for": None, "wait_reason": str(refused)[:300]}
    found = Broadcast.objects.filter(pk=broadcast_id, status=Broadcast.Status.LAUNCHING)
    if found.update(**lost | waiting):
        approvals.message_changed(Broadcast.objects.select_related("promotion__account").get(pk=broadcast_id).promotion)
