"""Plans of a business: what starts it, what a change does now, and months that open once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pregon.accounts import signup
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.subscriptions import changes, jobs, renewals
from pregon.subscriptions.models import Module, Plan, Subscription
from tests import make
from tests.quota import charges

NOON = datetime(2026, 11, 19, 18, tzinfo=UTC)  # in Mexico


@pytest.mark.django_db
def test_a_new_business_begins_with_the_first_plan() -> None:
    make.plan("starter")
    account = signup.open_account(make.user(), name="Taquería El Sol", country="PE")
    period = ledger.current(account)
    assert period is not None
    assert changes.plan(account) == make.plan("starter")
    assert (period.limit, period.remaining) == (500, 500)
    assert account.subscription.anchor_day == timezone.now().astimezone(account.zone).day


@pytest.mark.django_db
def test_without_an_initial_plan_it_begins_without_any() -> None:
    Plan.objects.update(is_initial=False)
    account = signup.open_account(make.user(), name="Taquería El Sol", country="PE")
    assert changes.plan(account) is None
    assert renewals.ensure_period(account) is None
    assert not changes.has_module(account, Module.CONTACTS)


@pytest.mark.django_db
def test_the_first_month_counts_from_today_in_the_zone_of_the_business() -> None:
    account = make.account(time_zone="America/Mexico_City")
    changes.start(account, make.plan("starter"), datetime(2026, 12, 1, 3, tzinfo=UTC))  # still 30 November there
    period = Period.objects.get(account=account)
    assert period.starts_at == datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert period.ends_at == datetime(2026, 12, 30, 6, tzinfo=UTC)


@pytest.mark.django_db
def test_a_new_month_brings_the_plans_quota_and_nothing_carries_over() -> None:
    account = make.account()
    changes.start(account, make.plan("starter"), NOON)
    first = Period.objects.get(account=account)
    ledger.reserve(first.pk, 20, "batch:1")
    second = renewals.ensure_period(account, NOON + timedelta(days=40))
    assert second is not None
    assert (second.starts_at, second.limit, second.used, second.reserved) == (first.ends_at, 500, 0, 0)
    assert renewals.ensure_period(account, NOON) == first


@pytest.mark.django_db
def test_after_months_of_silence_the_month_of_today_opens_on_the_same_grid() -> None:
    account = make.account()
    changes.start(account, make.plan("starter"), NOON)
    period = renewals.ensure_period(account, NOON + timedelta(days=200))
    assert period is not None
    assert period.starts_at.astimezone(account.zone).day == 19
    assert period.starts_at <= NOON + timedelta(days=200) < period.ends_at


@pytest.mark.django_db
def test_a_changed_zone_counts_from_the_next_month() -> None:
    account = make.account(time_zone="Europe/Madrid")
    changes.start(account, make.plan("starter"), NOON)
    first = Period.objects.get(account=account)
    account.time_zone = "America/Mexico_City"
    account.save()
    assert renewals.ensure_period(account, NOON + timedelta(days=5)) == first
    second = renewals.ensure_period(account, first.ends_at)
    assert second is not None
    assert second.starts_at == first.ends_at
    assert second.ends_at.astimezone(account.zone).isoformat() == "2027-01-19T00:00:00-06:00"


@pytest.mark.django_db
def test_a_larger_plan_gives_the_difference_at_once() -> None:
    account = make.business("starter").account
    changes.change(account, make.plan("premium"))
    period = ledger.current(account)
    assert period is not None
    assert period.limit == 10_000
    assert changes.plan(account) == make.plan("premium")


@pytest.mark.django_db
def test_a_smaller_plan_never_goes_below_what_is_used_and_reserved() -> None:
    account = make.business("premium").account
    period = Period.objects.get(account=account)
    ledger.reserve(period.pk, 800, "batch:1")
    charges.consume(period.pk, 600)
    changes.change(account, make.plan("starter"))
    period.refresh_from_db()
    assert (period.limit, period.remaining, period.lapsing) == (800, 0, 300)
    charges.release(period.pk, 200)
    period.refresh_from_db()
    assert (period.limit, period.remaining, period.lapsing) == (600, 0, 100)
    changes.change(account, make.plan("premium"))
    period.refresh_from_db()
    assert (period.limit, period.used, period.lapsing) == (10_000, 600, 0)


@pytest.mark.django_db
def test_modules_are_those_of_the_plan() -> None:
    account = make.business("basico").account
    assert changes.modules(account) == {Module.CONTACTS}
    assert not changes.has_module(account, "whatsapp")
    changes.change(account, make.plan("profesional"))
    assert changes.has_module(account, Module.WHATSAPP)


@pytest.mark.django_db
def test_the_hourly_job_opens_every_month_once() -> None:
    accounts = [make.account() for _ in range(3)]
    for account in accounts:
        make.subscription(account)
    jobs.renew(timestamp=0)
    jobs.renew(timestamp=3600)
    assert Period.objects.filter(account__in=accounts).count() == 3
    assert {period.limit for period in Period.objects.filter(account__in=accounts)} == {2_000}


@pytest.mark.django_db(transaction=True)
def test_many_readers_at_once_open_one_month() -> None:
    account = make.account()
    make.subscription(account)

    def read(_: int) -> int:
        try:
            period = renewals.ensure_period(account)
            return period.pk if period else 0
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(read, range(8)))
    period = Period.objects.get(account=account)
    assert found == {period.pk}
    assert (period.limit, period.entries.count()) == (2_000, 1)
    assert Subscription.objects.filter(account=account).exists()
