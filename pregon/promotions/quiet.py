"""Quiet hours: promotions rest while people sleep, and go on by themselves.

A batch carries its next quiet hours as a hold from one moment to another, so that the pump obeys them to the second;
a job looks every minute whose hold is over and writes the next. Replies and test messages are not held: only broadcasts are.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pregon.accounts.models import Account, User
from pregon.promotions import stages
from pregon.promotions.models import Broadcast
from pregon.sending import reach
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number, Portfolio

Full = Callable[[Portfolio], bool]
OPEN = (Batch.Status.RUNNING, Batch.Status.PAUSED)


class Span(NamedTuple):
    """One night's quiet hours."""

    start: datetime
    end: datetime


class Rest(NamedTuple):
    """What a batch says of it; the names are the batch's own fields."""

    held_from: datetime | None = None
    held_until: datetime | None = None
    hold: Batch.Hold = Batch.Hold.NONE


def span(account: Account, moment: datetime) -> Span | None:
    """The quiet hours that `moment` lies in, else the next ones; None where the business has none."""
    if account.quiet_from is None or account.quiet_until is None:
        return None
    day = moment.astimezone(account.zone).date() - timedelta(days=1)
    return next(found for found in _nights(account, day) if found.end > moment)


def leaves_at(account: Account, moment: datetime) -> datetime:
    """When what is launched at `moment` begins to leave: then, or as soon as the quiet hours end."""
    night = span(account, moment)
    return night.end if night and night.start <= moment else moment


def rest(broadcast: Broadcast, number: Number, now: datetime) -> Rest:
    """The hold of a broadcast at that time. Virtual phones do not sleep."""
    waived = broadcast.quiet_waived_until
    night = None if number.practice else span(broadcast.account, max(now, waived) if waived else now)
    return Rest(*night, Batch.Hold.QUIET) if night else Rest()


def hold(batches: QuerySet[Batch], now: datetime | None = None) -> int:
    """Write the holds of those of the batches that are open broadcasts. Returns how many changed."""
    moment = now or timezone.now()
    rows = batches.filter(status__in=OPEN, broadcast__isnull=False)
    found = rows.select_related("broadcast__account", "number__portfolio").order_by("id")
    full = cache(reach.full)  # a Meta business is asked about once
    return sum(_write(batch, moment, full) for batch in found)


@transaction.atomic
def waive(broadcast: Broadcast, actor: User) -> None:
    """Send it in these quiet hours all the same; the next ones count again. A second click changes nothing."""
    found = stages.locked(broadcast)
    batch = found.batch
    if batch is None or batch.hold != Batch.Hold.QUIET or not batch.held:
        return
    found.quiet_waived_until, found.quiet_waived_by = batch.held_until, actor
    found.save(update_fields=["quiet_waived_until", "quiet_waived_by"])
    hold(Batch.objects.filter(pk=batch.pk))


def _write(batch: Batch, now: datetime, full: Full) -> bool:
    before = Rest(batch.held_from, batch.held_until, Batch.Hold(batch.hold))
    after = _limited(batch, now, full) or rest(batch.broadcast, batch.number, now)
    if after == before:
        return False
    unchanged = Batch.objects.filter(pk=batch.pk, held_until=before.held_until, hold=before.hold)
    return bool(unchanged.update(**after._asdict()))  # the pump may just have written another


def _limited(batch: Batch, now: datetime, full: Full) -> Rest | None:
    """Meta's own limit holds it: until then, or until the quiet hours that follow are over. No longer once it was raised."""
    if batch.hold != Batch.Hold.LIMIT or batch.held_until is None or batch.held_until <= now:
        return None
    if not full(batch.number.portfolio):
        return None
    until = batch.held_until
    end = until if batch.number.practice else leaves_at(batch.broadcast.account, until)
    return Rest(batch.held_from, end, Batch.Hold.LIMIT)


def _nights(account: Account, day: date) -> Iterator[Span]:
    assert account.quiet_from is not None and account.quiet_until is not None
    overnight = timedelta(days=account.quiet_until <= account.quiet_from)
    while True:
        start = min(_both(day, account.quiet_from, account.zone))
        yield Span(start, max(_both(day + overnight, account.quiet_until, account.zone)))
        day += timedelta(days=1)


def _both(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """The moments that a wall clock may mean: two where it is set back or forward, so that the silence is the longer one."""
    return [datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
