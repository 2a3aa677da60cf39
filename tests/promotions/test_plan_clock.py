"""The plan against days of real leasing, with time moved: what was planned is what leaves."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from pregon.promotions import forecast, launch
from pregon.promotions.models import Broadcast
from pregon.sending import outbox
from pregon.sending.models import Batch, Reached, ReachedMinute
from pregon.sending.outbox import Advance, Leased
from pregon.whatsapp.models import Portfolio
from tests import make
from tests.sending import clock, rows


def now() -> datetime:
    """The database's, which stands still within a test."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def at_noon(moment: datetime) -> str:
    """A time zone where midnight is far from that moment."""
    hours = 12 - moment.hour
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def approved(people: int, portfolio: Portfolio) -> Broadcast:
    account = make.account(time_zone=at_noon(now()), quiet_from=None, quiet_until=None)
    make.subscription(account)
    make.period(account)
    make.number(account, portfolio=portfolio)
    for _person in range(people):
        make.contact(account)
    return make.broadcast(account, approved_by=make.member(account).user)


def wrote_before(portfolio: Portfolio, used: Sequence[tuple[int, int]]) -> None:
    """(minutes ago, how many people) that it wrote to already."""
    minute = now().replace(second=0, microsecond=0)
    for ago, people in used:
        when = minute - timedelta(minutes=ago)
        ReachedMinute.objects.create(portfolio=portfolio, minute=when, people=people)
        Reached.objects.bulk_create(
            Reached(portfolio=portfolio, person=next(make.serial), minute=when) for _person in range(people)
        )


def send(batch: Batch, leased: Leased) -> None:
    """As a pump whose every message Meta accepts."""
    rows.flush(batch, advances=[Advance(leased.id, leased.batch_id, leased.first, leased.end)])
    rows.flush(batch, results=[{"id": row.id, "wamid": f"wamid.{row.id}"} for row in leased.rows], finished=[leased.id])


def waits(batches: Sequence[Batch]) -> timedelta:
    """Whole minutes until the first of them goes on."""
    ends = [batch.held_until for batch in batches if batch.held_until and batch.queued]
    return max(clock.MINUTE, -(-(min(ends) - now()) // clock.MINUTE) * clock.MINUTE)


def play(batches: Sequence[Batch], chunk: int) -> tuple[Counter[date], datetime]:
    """People a day of the first batch, and when it was over."""
    days, elapsed = Counter[date](), timedelta()
    while batches[0].queued:
        assert elapsed < timedelta(days=60)
        chunks = [outbox.lease(batch.number_id, chunk) for batch in batches]
        for batch, leased in zip(batches, chunks, strict=True):
            if leased is None:
                continue
            send(batch, leased)
            if batch == batches[0]:
                days[(now() + elapsed).astimezone(batches[0].account.zone).date()] += len(leased.rows)
        for batch in batches:
            batch.refresh_from_db()
        if not any(chunks):
            step = waits(batches)
            clock.later(step)
            elapsed += step
            for batch in batches:
                batch.refresh_from_db()
    return days, now() + elapsed


def launched(broadcast: Broadcast) -> Batch:
    batch = launch.launch(broadcast, broadcast.approved_by)
    assert batch is not None
    return batch


class TestAgainstTheClock(TestCase):
    """Each example is a Meta business of its own."""

    def planned_and_happened(self, own: Broadcast, beside: list[Batch], chunk: int) -> None:
        assert own.number is not None
        plan = forecast.forecast(own, now()).plan
        assert plan is not None
        batch = launched(own)
        days, end = play([batch, *beside], chunk)
        assert {day.day: day.people for day in plan.days} == dict(days)
        assert abs(plan.finishes - end) <= 2 * clock.MINUTE
        assert batch.omitted == 0  # nobody ran out of time

    @settings(max_examples=5, deadline=None)
    @given(
        people=st.integers(1, 16), limit=st.integers(3, 8), chunk=st.sampled_from([1, 4, 40]),
        used=st.dictionaries(st.integers(60, 480), st.integers(1, 5), max_size=3),
    )  # fmt: skip
    def test_alone(self, people: int, limit: int, chunk: int, used: dict[int, int]) -> None:
        portfolio = Portfolio.objects.create(meta_id=f"plan-{next(make.serial)}", daily_limit=limit)
        wrote_before(portfolio, list(used.items()))
        self.planned_and_happened(approved(people, portfolio), [], chunk)

    @settings(max_examples=5, deadline=None)
    @given(
        people=st.integers(1, 12), others=st.integers(1, 12), limit=st.integers(2, 4).map(lambda half: 2 * half),
        used=st.dictionaries(st.integers(60, 480), st.sampled_from([2, 4]), max_size=3),
    )  # fmt: skip
    def test_beside_a_sister_number(self, people: int, others: int, limit: int, used: dict[int, int]) -> None:
        """They take turns one by one here, so that what is even is shared evenly."""
        portfolio = Portfolio.objects.create(meta_id=f"plan-{next(make.serial)}", daily_limit=limit)
        wrote_before(portfolio, list(used.items()))
        own, sister = approved(people, portfolio), launched(approved(others, portfolio))
        self.planned_and_happened(own, [sister], 1)

    def test_the_same_people_again_need_no_room(self) -> None:
        portfolio = Portfolio.objects.create(meta_id="plan-otra-vez", daily_limit=5)
        first = approved(5, portfolio)
        play([launched(first)], 4)
        again = make.broadcast(first.account, make.promotion(first.account, "Otra"), approved_by=first.approved_by)
        self.planned_and_happened(again, [], 4)

    def test_without_room_for_a_while_the_end_is_later_than_three_days(self) -> None:
        portfolio = Portfolio.objects.create(meta_id="plan-largo", daily_limit=2)
        own = approved(12, portfolio)
        batch = launched(own)
        assert batch.ends_at - batch.created_at > timedelta(days=6)
