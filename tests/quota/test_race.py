"""Many at once over what is left: the limit holds, and it is the lock that makes it hold."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import F

from pregon.quota import ledger
from pregon.quota.models import Period
from tests import make

THREADS, EACH, LIMIT = 8, 30, 100  # three fit

pytestmark = pytest.mark.django_db(transaction=True)
Reserve = Callable[[int, int, str], None]


def all_at_once(reserve: Reserve, period: Period) -> int:
    """How many of the threads got what they asked for."""
    start = threading.Barrier(THREADS)

    def one(n: int) -> bool:
        try:
            start.wait(10)
            reserve(period.pk, EACH, f"batch:{n}")
        except ledger.NotEnough:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(one, range(THREADS)))


@pytest.fixture
def without_constraints() -> Iterator[None]:
    """The table as if the database did not know the limit."""
    constraints = [
        c for c in Period._meta.constraints if c.name in {"quota_within_limit", "period_lapses_before_it_lends"}
    ]
    with connection.schema_editor() as editor:
        for constraint in constraints:
            editor.remove_constraint(Period, constraint)
    yield
    Period.objects.all().delete()
    with connection.schema_editor() as editor:
        for constraint in constraints:
            editor.add_constraint(Period, constraint)


def test_the_limit_holds_when_many_reserve_at_once() -> None:
    period = make.period(make.account(), limit=LIMIT)
    assert all_at_once(ledger.reserve, period) == LIMIT // EACH
    period.refresh_from_db()
    assert period.reserved == LIMIT // EACH * EACH
    assert period.entries.filter(reserved_delta=EACH).count() == LIMIT // EACH


@pytest.mark.usefixtures("without_constraints")
def test_the_lock_holds_the_limit_even_without_the_constraint() -> None:
    period = make.period(make.account(), limit=LIMIT)
    assert all_at_once(ledger.reserve, period) == LIMIT // EACH


@pytest.mark.usefixtures("without_constraints")
def test_control_the_same_threads_break_the_limit_without_the_lock() -> None:
    period = make.period(make.account(), limit=LIMIT)
    everyone_has_read = threading.Barrier(THREADS)

    def read_decide_save(period_id: int, amount: int, reference: str) -> None:
        if Period.objects.get(pk=period_id).remaining < amount:
            raise ledger.NotEnough(0)
        everyone_has_read.wait(10)
        Period.objects.filter(pk=period_id).update(reserved=F("reserved") + amount)

    assert all_at_once(read_decide_save, period) == THREADS
    period.refresh_from_db()
    assert period.reserved > period.limit


def test_many_who_charge_again_never_pass_the_limit() -> None:
    period = make.period(make.account(), limit=LIMIT)

    def recharge(period_id: int, amount: int, reference: str) -> None:
        ledger.recharge(period_id, amount, reference)

    all_at_once(recharge, period)
    period.refresh_from_db()
    assert (period.used, period.reserved) == (LIMIT, 0)
