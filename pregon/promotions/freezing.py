"""A broadcast's people become messages and the quota is reserved for them: together, or not at all.

    Refused         nothing was sent; the sentence says why and what to do
    ├── Short       the quota does not reach everybody, and nobody chose what to do then
    └── Grown       many more people than were approved

Joins the caller's transaction. What remains of the month is held only at its end; where the choice was to send to as many
as fit, whoever was frozen beyond that by then is left out again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.promotions import forecast, plan, preview, quiet
from pregon.promotions.models import Broadcast
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending import intake
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

SIZE = 25_000  # people of one statement, a fraction of a second: then it tells how far it is
GROWTH = 1.10  # beyond this many times the approved people, it asks again
END = timedelta(hours=72)  # what has not left by then is omitted as `vencido`
SPARE = timedelta(hours=24)  # where Meta's limit makes it take longer: beyond the end that is planned


class Refused(Exception):
    """Nothing was sent."""


class Short(Refused):
    """Fewer messages remain than people would get it."""


class Grown(Refused):
    """The list grew since it was approved."""


def freeze(broadcast: Broadcast, number: Number, tell: Callable[[int], None]) -> Batch:
    """The batch with its messages, reserved. `tell` hears how many people are done; what it raises undoes all. Raises `Refused`."""
    now = timezone.now()
    period = _period(broadcast, now)
    batch = _batch(broadcast, number, period, now)
    _add_people(batch, broadcast, period, tell)
    if broadcast.quota_choice == Broadcast.Choice.FIT:
        _fit(batch)
    _agree(broadcast, batch.queued)
    _give_time(batch, broadcast)
    _reserve(batch)
    intake.close(batch)
    return batch


def _period(broadcast: Broadcast, now: datetime) -> Period:
    period = ledger.current(broadcast.account, now)
    if period is None:
        raise Short(_("Tu plan no tiene cupo este mes. Mira Mi suscripción."))
    return period


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
        **quiet.rest(broadcast, number, now)._asdict(),
    )


def _add_people(batch: Batch, broadcast: Broadcast, period: Period, tell: Callable[[int], None]) -> None:
    """In parts by contact id, so that neither memory nor a statement grows with the list."""
    room = forecast.room(broadcast, period)
    sql, params = forecast.rows(broadcast, batch.created_at, room)
    after: int | None = 0
    while after is not None:
        left = None if room is None else room - batch.queued
        part = intake.add(batch, sql, params | {"after": after, "size": SIZE, "room": left})
        tell(batch.queued + batch.omitted)
        after = part.last if part.people == SIZE else None


def _fit(batch: Batch) -> None:
    """The month's row, held from here on: others may have reserved since its rest was looked up."""
    period = Period.objects.select_for_update(no_key=True).get(pk=batch.period_id)
    if batch.queued > period.remaining:
        intake.trim(batch, period.remaining)


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


def _give_time(batch: Batch, broadcast: Broadcast) -> None:
    planned = plan.of(broadcast, batch.number, plan.Crowd(batch.queued), batch.created_at, batch=batch)
    batch.ends_at = max(batch.ends_at, planned.finishes + SPARE)
    batch.save(update_fields=["ends_at"])


def _reserve(batch: Batch) -> None:
    try:
        ledger.reserve(batch.period_id, batch.queued, f"batch:{batch.pk}")
    except ledger.NotEnough as short:
        raise Short(
            _("Te quedan %(remaining)s y este envío necesita %(needed)s. Decide si lo envías hasta donde alcance.")
            % {"remaining": short.remaining, "needed": batch.queued}
        ) from short
