"""From a reviewed broadcast to messages on their way, in one transaction, once.

    Refused         nothing was sent; the sentence says why and what to do
    ├── Short       the quota does not reach everybody, and nobody chose what to do then
    ├── Grown       many more people than were approved
    └── NotApproved

Locks, in this order: the broadcast (two clicks), the account (the frequency cap counts what others launch), the period
(only `ledger.reserve`, or from the start where the rest of the quota decides who gets it).
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.promotions import approvals, forecast, lines, preview, problems, stages
from pregon.promotions.models import Broadcast
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

GROWTH = 1.10  # beyond this many times the approved people, it asks again
END = timedelta(hours=72)  # what has not left by then is omitted as `vencido`
FARTHEST = timedelta(days=366)

asked = Signal()  # sent with `account` before a launch: whoever is above may answer with a sentence that refuses it


class Refused(Exception):
    """Nothing was sent."""


class Short(Refused):
    """Fewer messages remain than people would get it."""


class Grown(Refused):
    """The list grew since it was approved."""


class NotApproved(Refused):
    """Nobody signed this message and this list."""

    def __init__(self) -> None:
        super().__init__(_("Falta aprobar la vista previa. Revísala y fírmala."))


def launch(broadcast: Broadcast, actor: User | None) -> Batch:
    """Freeze the audience, reserve the quota, hand over to the pump. A second call returns the same batch.

    Raises `Refused`, `stages.ClosedError`. After `Grown` the approval is undone.
    """
    try:
        return _launch_once(broadcast, actor)
    except Grown as grown:
        approvals.undo(broadcast, str(grown))
        raise


@transaction.atomic
def _launch_once(broadcast: Broadcast, actor: User | None) -> Batch:
    found = stages.locked(broadcast)
    if found.batch:
        return found.batch
    if found.status not in stages.OPEN:
        raise stages.ClosedError
    number = _check(found)
    _lock_account(found.account_id)
    return _freeze(found, number, _period(found), actor)


def _check(broadcast: Broadcast) -> Number:
    check_account(broadcast.account)
    if not approvals.valid(broadcast):
        raise NotApproved
    if found := problems.find(broadcast.version):
        raise Refused(" ".join(found))
    return _usable(lines.of(broadcast))


def check_account(account: Account) -> None:
    """Raises `Refused` for a suspended business, or one whose plan lacks the module."""
    if account.suspended_at:
        raise Refused(_("Tu negocio está en pausa: %(why)s") % {"why": account.suspension_reason or _("escríbenos")})
    for _receiver, sentence in asked.send(Broadcast, account=account):
        if sentence:
            raise Refused(sentence)


def _usable(number: Number | None) -> Number:
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


def _period(broadcast: Broadcast) -> Period:
    """The month's quota, its row held where what remains decides who gets the message."""
    period = ledger.current(broadcast.account)
    if period is None:
        raise Short(_("Tu plan no tiene cupo este mes. Mira Mi suscripción."))
    if broadcast.quota_choice == Broadcast.Choice.FIT:
        return Period.objects.select_for_update(no_key=True).get(pk=period.pk)
    return period


def _lock_account(account_id: int) -> None:
    """One launch of a business at a time: who already received is known only once the other is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('launch', %s))", [account_id])


def _freeze(broadcast: Broadcast, number: Number, period: Period, actor: User | None) -> Batch:
    now = timezone.now()
    batch = _batch(broadcast, number, period, now)
    sql, params = forecast.rows(broadcast, now, forecast.room(broadcast, period))
    queued = outbox.enqueue(batch, sql, params).queued
    _agree(broadcast, queued)
    connection.check_constraints()  # seconds for a large list, which the commit would spend holding the month's row
    _reserve(period, queued, batch)
    broadcast.status, broadcast.wait_reason, broadcast.number = Broadcast.Status.LAUNCHED, "", number
    broadcast.batch, broadcast.launched_at, broadcast.launched_by = batch, now, actor
    broadcast.save()
    return batch


def _batch(broadcast: Broadcast, number: Number, period: Period, now: datetime) -> Batch:
    message, texts = preview.payload(broadcast.version)
    return Batch.objects.create(
        account=broadcast.account,
        number=number,
        period=period,
        promotion=broadcast.promotion_id,
        payload=message,
        slots=[f"v{index}" for index in range(len(texts))],  # see `preview.Payload`
        ends_at=now + END,
    )


def _agree(broadcast: Broadcast, queued: int) -> None:
    """Whether this is still what was approved."""
    approved = broadcast.approved_count or 0
    if queued == 0:
        raise Refused(_("Con esta lista nadie recibe el mensaje. Mira por qué se omiten o cambia la lista."))
    if queued > approved * GROWTH:
        raise Grown(
            _("La lista creció: aprobaste %(approved)s personas y ahora son %(now)s. Revísala y firma otra vez.")
            % {"approved": approved, "now": queued}
        )


def _reserve(period: Period, queued: int, batch: Batch) -> None:
    try:
        ledger.reserve(period.pk, queued, f"batch:{batch.pk}")
    except ledger.NotEnough as short:
        raise Short(
            _("Te quedan %(remaining)s y este envío necesita %(needed)s. Decide si lo envías hasta donde alcance.")
            % {"remaining": short.remaining, "needed": queued}
        ) from short


@transaction.atomic
def schedule(broadcast: Broadcast, at: datetime) -> None:
    """Launch it at that moment; nothing is reserved until then. Raises `Refused`, `stages.ClosedError`."""
    found = stages.lock(broadcast)
    if not timezone.now() < at < timezone.now() + FARTHEST:
        raise Refused(_("Elige una hora que no haya pasado, de aquí a un año."))
    if not approvals.valid(found):
        raise NotApproved
    found.status, found.scheduled_for, found.wait_reason = Broadcast.Status.SCHEDULED, at, ""
    found.save(update_fields=["status", "scheduled_for", "wait_reason"])


@transaction.atomic
def unschedule(broadcast: Broadcast) -> None:
    """Back to a draft, still approved. Raises `stages.ClosedError`."""
    found = stages.lock(broadcast)
    found.status, found.scheduled_for = Broadcast.Status.DRAFT, None
    found.save(update_fields=["status", "scheduled_for"])


def due(now: datetime | None = None) -> list[int]:
    """Ids of scheduled broadcasts whose time has come."""
    rows = Broadcast.objects.filter(status=Broadcast.Status.SCHEDULED, scheduled_for__lte=now or timezone.now())
    return list(rows.order_by("scheduled_for", "id").values_list("id", flat=True))


@transaction.atomic
def launch_due(broadcast_id: int) -> bool:
    """Launch a scheduled one, or let it wait with the reason. False when it is not due any more: someone was faster."""
    broadcast = stages.locked(Broadcast(pk=broadcast_id))
    planned = broadcast.scheduled_for
    if broadcast.status != Broadcast.Status.SCHEDULED or planned is None or planned > timezone.now():
        return False
    try:
        launch(broadcast, broadcast.approved_by)
    except Refused as refused:
        _wait(broadcast, str(refused))
    return True


def _wait(broadcast: Broadcast, reason: str) -> None:
    Broadcast.objects.filter(pk=broadcast.pk).update(
        status=Broadcast.Status.WAITING, scheduled_for=None, wait_reason=reason[:300]
    )
