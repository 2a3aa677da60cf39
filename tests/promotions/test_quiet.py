"""Quiet hours: when they are, across midnight and changed clocks, and what they do to a broadcast."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import assume, given
from hypothesis import strategies as st

from pregon.accounts.models import Account
from pregon.promotions import launch, quiet
from pregon.promotions.models import Broadcast
from pregon.sending import reach
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number, Portfolio
from tests import make

NIGHT = {"quiet_from": time(21), "quiet_until": time(9)}


def account(zone: str = "America/Mexico_City", start: time | None = time(21), end: time | None = time(9)) -> Account:
    return Account(time_zone=zone, quiet_from=start, quiet_until=end)


def at(text: str, zone: str = "America/Mexico_City") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        ("2026-11-23T20:59:59", "2026-11-23T20:59:59"),
        ("2026-11-23T21:00:00", "2026-11-24T09:00:00"),
        ("2026-11-23T23:59:59", "2026-11-24T09:00:00"),
        ("2026-11-24T00:00:00", "2026-11-24T09:00:00"),
        ("2026-11-24T08:59:59", "2026-11-24T09:00:00"),
        ("2026-11-24T09:00:00", "2026-11-24T09:00:00"),
    ],
)
def test_overnight(moment: str, leaves: str) -> None:
    assert quiet.leaves_at(account(), at(moment)) == at(leaves)


def test_within_one_day() -> None:
    siesta = account(start=time(13), end=time(15, 30))
    assert quiet.leaves_at(siesta, at("2026-11-23T14:00")) == at("2026-11-23T15:30")
    assert quiet.leaves_at(siesta, at("2026-11-23T23:00")) == at("2026-11-23T23:00")


def test_without_quiet_hours_nothing_waits() -> None:
    never = account(start=None, end=None)
    assert quiet.span(never, at("2026-11-23T03:00")) is None
    assert quiet.leaves_at(never, at("2026-11-23T03:00")) == at("2026-11-23T03:00")


SANTIAGO, MADRID = "America/Santiago", "Europe/Madrid"
CHANGED_CLOCKS = [  # zone, from, until, some moment in it, its length in hours
    (SANTIAGO, time(21), time(9), "2026-09-05T22:00", 11),  # at midnight it is one o'clock
    (SANTIAGO, time(21), time(9), "2026-04-04T22:00", 13),  # the hour before midnight comes twice
    (SANTIAGO, time(0), time(6), "2026-09-06T02:00", 6),  # midnight does not exist: the longer reading, 23:00 to 6:00
    (SANTIAGO, time(20), time(23, 30), "2026-04-04T22:00", 4.5),  # 23:30 comes twice: until the second
    (MADRID, time(22), time(2, 30), "2026-03-28T23:00", 4.5),  # 2:30 does not exist
    (MADRID, time(22), time(2, 30), "2026-10-24T23:00", 5.5),
]


@pytest.mark.parametrize(("zone", "start", "end", "moment", "hours"), CHANGED_CLOCKS)
def test_when_the_clock_changes_the_silence_is_the_longer_one(
    zone: str, start: time, end: time, moment: str, hours: float
) -> None:
    night = quiet.span(account(zone, start, end), at(moment, zone))
    assert night is not None
    assert night.start <= at(moment, zone) < night.end
    assert night.end - night.start == timedelta(hours=hours)


CLOCKS = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
MOMENTS = st.integers(1_577_836_800, 1_900_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(
    zone=st.sampled_from([SANTIAGO, MADRID, "America/Mexico_City", "America/Asuncion", "America/Havana"]),
    moment=MOMENTS,
    start=CLOCKS,
    end=CLOCKS,
)
def test_whatever_the_wall_clock_says_is_obeyed(zone: str, moment: datetime, start: time, end: time) -> None:
    """A clock on the wall of the shop that shows a quiet hour: nothing leaves. It is awake for three hours at least."""
    assume((start.hour * 60 + start.minute - end.hour * 60 - end.minute) % 1440 >= 180)
    shop = account(zone, start, end)
    wall = moment.astimezone(shop.zone).time()
    shows_quiet = start <= wall < end if start < end else wall >= start or wall < end
    night = quiet.span(shop, moment)
    assert night is not None
    assert night.end > moment
    if shows_quiet:
        assert night.start <= moment
    assert quiet.leaves_at(shop, quiet.leaves_at(shop, moment)) == quiet.leaves_at(shop, moment)


# What a broadcast does then


def during(account: Account) -> dict[str, Any]:
    """Quiet hours of this business that hold now, for an hour at least on either side."""
    local = timezone.now().astimezone(account.zone)
    return {"quiet_from": (local - timedelta(hours=1)).time(), "quiet_until": (local + timedelta(hours=1)).time()}


def set_hours(account: Account, hours: dict[str, Any]) -> None:
    Account.objects.filter(pk=account.pk).update(**hours)
    account.refresh_from_db()


@pytest.fixture
def owner(db):
    member = make.business()
    make.contact(member.account)
    return member


@pytest.fixture
def held(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    set_hours(owner.account, during(owner.account))
    launch.launch(broadcast, owner.user)
    broadcast.refresh_from_db()
    return broadcast


def test_on_by_default_for_a_new_business(db):
    assert (Account().quiet_from, Account().quiet_until) == (time(21), time(9))


def test_launched_in_quiet_hours_it_waits_until_they_end(owner, held):
    assert (held.batch.status, held.batch.hold, held.batch.held) == ("running", "quiet", True)
    assert held.batch.held_until == quiet.leaves_at(owner.account, timezone.now())
    assert owner.account.periods.get().reserved == 1


def test_launched_by_day_it_will_rest_at_night(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    now = timezone.now().astimezone(owner.account.zone)
    later = {"quiet_from": (now + timedelta(hours=2)).time(), "quiet_until": (now + timedelta(hours=5)).time()}
    set_hours(owner.account, later)
    batch = launch.launch(broadcast, owner.user)
    assert not batch.held
    assert batch.held_from and timedelta(hours=1) < batch.held_from - timezone.now() <= timedelta(hours=2)


def test_virtual_phones_do_not_sleep(owner):
    set_hours(owner.account, during(owner.account))
    broadcast = make.broadcast(owner.account)
    assert quiet.rest(broadcast, Number(practice=True), timezone.now()) == quiet.Rest()
    assert quiet.rest(broadcast, Number(practice=False), timezone.now()).hold == Batch.Hold.QUIET


def test_turned_off_it_goes_on(owner, held):
    set_hours(owner.account, {"quiet_from": None, "quiet_until": None})
    assert quiet.hold(owner.account.batches.all()) == 1
    held.batch.refresh_from_db()
    assert (held.batch.hold, held.batch.held_from, held.batch.held_until) == ("", None, None)
    assert quiet.hold(owner.account.batches.all()) == 0


def test_changed_hours_move_the_end(owner, held):
    before = held.batch.held_until
    hours = during(owner.account)
    local = timezone.now().astimezone(owner.account.zone)
    set_hours(owner.account, hours | {"quiet_until": (local + timedelta(hours=3)).time()})
    quiet.hold(owner.account.batches.all())
    held.batch.refresh_from_db()
    assert timedelta(hours=1) < held.batch.held_until - before < timedelta(hours=4)


def test_the_job_writes_the_next_night_once_the_last_is_over(owner, held):
    morning = held.batch.held_until + timedelta(minutes=1)
    assert quiet.hold(Batch.objects.all(), held.batch.held_until - timedelta(seconds=1)) == 0
    assert quiet.hold(Batch.objects.all(), morning) == 1
    held.batch.refresh_from_db()
    assert held.batch.held_from > morning
    assert held.batch.held_until - morning < timedelta(hours=27)


def test_a_person_sends_it_all_the_same_and_the_next_night_counts_again(owner, held):
    night = held.batch.held_until
    quiet.waive(held, owner.user)
    quiet.waive(held, owner.user)
    held.refresh_from_db()
    assert (held.quiet_waived_until, held.quiet_waived_by) == (night, owner.user)
    assert not held.batch.held
    assert held.batch.held_from >= night
    assert quiet.hold(Batch.objects.all()) == 0, "the job leaves it alone"


def test_nothing_is_waived_by_day(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    quiet.waive(broadcast, owner.user)
    broadcast.refresh_from_db()
    assert broadcast.quiet_waived_until is None


def test_metas_limit_that_ends_at_night_waits_for_the_morning(owner, held):
    in_the_night = timezone.now() + timedelta(minutes=10)
    Batch.objects.update(held_from=None, held_until=in_the_night, hold=Batch.Hold.LIMIT)
    Portfolio.objects.update(daily_limit=0)
    quiet.hold(Batch.objects.all())
    batch = Batch.objects.get()
    assert (batch.hold, batch.held_until) == ("limit", quiet.leaves_at(owner.account, timezone.now()))
    by_day = batch.held_until + timedelta(hours=2)
    Batch.objects.update(held_until=by_day)
    assert quiet.hold(Batch.objects.all()) == 0
    Portfolio.objects.update(daily_limit=None)  # Meta raised it: only the quiet hours are left
    assert quiet.hold(Batch.objects.all()) == 1
    assert Batch.objects.get().hold == Batch.Hold.QUIET


def test_it_looks_as_often_for_three_held_batches_as_for_one(owner, held, django_assert_num_queries):
    limit = {"held_from": None, "held_until": timezone.now() + timedelta(hours=4), "hold": Batch.Hold.LIMIT}
    Portfolio.objects.update(daily_limit=0)
    Batch.objects.update(**limit)
    with CaptureQueriesContext(connection) as one:
        quiet.hold(Batch.objects.all())
    for _ in range(2):
        another = make.broadcast(owner.account)
        Broadcast.objects.filter(pk=another.pk).update(batch=make.batch(owner.account, another.promotion))
    Batch.objects.update(**limit)
    with django_assert_num_queries(len(one)):
        assert quiet.hold(Batch.objects.all()) == 0


def test_what_the_pump_wrote_meanwhile_stays(owner, held):
    """The pump finds Meta's limit between the job's look and its word."""
    read_before = Batch.objects.select_related("broadcast__account", "number").get()
    Account.objects.update(quiet_from=None, quiet_until=None)
    read_before.broadcast.account.refresh_from_db()
    Batch.objects.update(held_until=timezone.now() + timedelta(hours=9), hold=Batch.Hold.LIMIT)
    assert not quiet._write(read_before, timezone.now(), reach.full)
    assert Batch.objects.get().hold == Batch.Hold.LIMIT


def test_single_messages_are_not_held(owner):
    set_hours(owner.account, during(owner.account))
    make.batch(owner.account)
    assert quiet.hold(Batch.objects.all()) == 0
    assert Broadcast.objects.count() == 0
