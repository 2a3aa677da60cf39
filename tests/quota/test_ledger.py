"""The month's quota: what each change does to the counters, and that the ledger's sums are the counters."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from pregon.quota import ledger
from pregon.quota.models import Kind, LedgerEntry, Period
from tests import make
from tests.quota import charges


def counters(period: Period) -> tuple[int, int, int, int]:
    period.refresh_from_db()
    return period.limit, period.used, period.reserved, period.lapsing


def sums(period: Period) -> tuple[int, int, int, int]:
    names = ("limit_delta", "used_delta", "reserved_delta", "lapsing_delta")
    total = period.entries.aggregate(**{name: Sum(name, default=0) for name in names})
    limit, used, reserved, lapsing = (total[name] for name in names)
    return limit, used, reserved, lapsing


@pytest.fixture
def period(db: None) -> Period:
    return make.period(make.account(), limit=100)


def test_a_message_goes_from_reserved_to_used(period: Period) -> None:
    ledger.reserve(period.pk, 10, "batch:1")
    charges.consume(period.pk, 7)
    charges.release(period.pk, 3)
    assert counters(period) == (100, 7, 0, 0) == sums(period)


def test_what_was_given_back_is_charged_again_as_far_as_it_fits(period: Period) -> None:
    ledger.reserve(period.pk, 60, "batch:1")
    charges.consume(period.pk, 60)
    charges.refund(period.pk, 10)
    ledger.reserve(period.pk, 46, "batch:2")
    assert ledger.recharge(period.pk, 10, "batch:1") == 4
    assert counters(period) == (100, 54, 46, 0) == sums(period)
    assert period.entries.get(kind=Kind.UNCHARGED).amount == 6


def test_too_many_are_refused_with_what_remains_and_change_nothing(period: Period) -> None:
    ledger.reserve(period.pk, 90, "batch:1")
    with pytest.raises(ledger.NotEnough) as refusal:
        ledger.reserve(period.pk, 11, "batch:2")
    assert refusal.value.remaining == 10
    assert "10" in str(refusal.value)
    assert counters(period) == (100, 0, 90, 0) == sums(period)


def test_a_withdrawn_limit_lapses_as_messages_come_back(period: Period) -> None:
    ledger.reserve(period.pk, 80, "batch:1")
    ledger.withdraw(period.pk, 70, "plan:starter")  # 20 remain, 50 more are owed
    assert counters(period) == (80, 0, 80, 50)
    charges.consume(period.pk, 50)
    charges.release(period.pk, 30)
    assert counters(period) == (50, 50, 0, 20)
    charges.refund(period.pk, 25)
    assert counters(period) == (30, 25, 0, 0) == sums(period)
    assert period.remaining == 5


def test_a_grant_first_makes_good_what_lapses(period: Period) -> None:
    ledger.reserve(period.pk, 80, "batch:1")
    ledger.withdraw(period.pk, 70, "plan:starter")
    ledger.grant(period.pk, 70, "plan:premium")
    assert counters(period) == (100, 0, 80, 0) == sums(period)


def test_nothing_leaves_no_row(period: Period) -> None:
    before = LedgerEntry.objects.count()
    for act in (
        ledger.grant,
        ledger.withdraw,
        ledger.reserve,
        charges.consume,
        charges.release,
        charges.refund,
        ledger.recharge,
    ):
        act(period.pk, 0, "batch:1")
    assert LedgerEntry.objects.count() == before


@pytest.mark.parametrize(
    "change", [{"used": 101}, {"reserved": 101}, {"used": 60, "reserved": 41}, {"used": -1}, {"lapsing": 1}]
)
def test_the_database_itself_refuses(period: Period, change: dict[str, int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Period.objects.filter(pk=period.pk).update(**change)


def test_negative_amounts_are_refused(period: Period) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.reserve(period.pk, -5, "batch:1")
    assert counters(period) == (100, 0, 0, 0)


def test_no_two_periods_share_a_day(period: Period) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Period.objects.create(
            account=period.account, starts_at=period.starts_at.replace(year=2020), ends_at=period.ends_at
        )
    Period.objects.create(account=make.account(), starts_at=period.starts_at, ends_at=period.ends_at)
    assert ledger.current(period.account) == period


ACTS = (
    ledger.grant,
    ledger.withdraw,
    ledger.reserve,
    charges.consume,
    charges.release,
    charges.refund,
    ledger.recharge,
)


class LedgerProperty(TestCase):
    """Whatever happens, in whatever order."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 60)), max_size=25))
    def test_sums_are_the_counters_and_the_limit_holds(self, acts: list[tuple[type(ledger.grant), int]]) -> None:  # type: ignore[valid-type]
        period = make.period(make.account(), limit=100)
        granted = 100
        for act, amount in acts:
            try:
                with transaction.atomic():
                    act(period.pk, amount, "test")
            except (ledger.NotEnough, IntegrityError):
                continue  # more than is reserved, used or left: refused as a whole
            granted += {ledger.grant: amount, ledger.withdraw: -amount}.get(act, 0)
        limit, used, reserved, lapsing = counters(period)
        assert (limit, used, reserved, lapsing) == sums(period)
        assert used + reserved <= limit
        assert limit - lapsing == granted
        assert not Period.objects.filter(pk=period.pk, lapsing__gt=0, limit__gt=F("used") + F("reserved")).exists()
