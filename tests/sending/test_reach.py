"""Meta's limit of people in 24 hours: who counts, for how long, and that no business passes it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from pregon.sending import reach
from pregon.sending.models import Batch, Message, Reached, ReachedMinute, Reply, Status, Window
from pregon.whatsapp.models import Number, Portfolio
from tests import make
from tests.sending import clock, rows

pytestmark = pytest.mark.django_db


def business(people: int, most: int | None, **fields: object) -> Batch:
    """A launched batch of a number whose Meta business may write to `most` in a day."""
    number = rows.business(people, **fields)
    limit(number, most)
    return rows.launch(number)


def limit(number: Number, most: int | None) -> None:
    Portfolio.objects.filter(pk=number.portfolio_id).update(daily_limit=most)


def reserve(batch: Batch, first: int = 0, end: int = 100) -> int:
    with transaction.atomic():
        return reach.reserve(batch.number_id, batch.pk, first, end)


def used(batch: Batch) -> int:
    """Counted twice over: the people are the sum of their minutes."""
    counted = sum(people for _leave, people in reach.minutes(batch.number.portfolio_id, timezone.now()))
    since = timezone.now() - reach.SPAN
    assert Reached.objects.filter(portfolio=batch.number.portfolio_id, minute__gt=since).count() == counted
    return counted


def test_a_chunk_is_cut_where_the_people_no_longer_fit() -> None:
    batch = business(people=10, most=7)
    assert reserve(batch, 0, 5) == 5
    assert reserve(batch, 5, 10) == 7
    assert reserve(batch, 7, 10) == 7
    assert used(batch) == 7


def test_whoever_is_counted_is_free_until_the_day_is_over() -> None:
    batch = business(people=5, most=5)
    assert reserve(batch) == 100
    again = rows.launch(batch.number)
    assert reserve(again) == 100
    assert used(batch) == 5


def test_a_second_message_moves_the_person_to_its_own_time() -> None:
    batch = business(people=2, most=2)
    reserve(batch)
    clock.later(timedelta(hours=20))
    assert reserve(rows.launch(batch.number), 0, 1) == 1
    clock.later(timedelta(hours=5))
    assert used(batch) == 1
    clock.later(timedelta(hours=20))
    assert used(batch) == 0


def test_all_numbers_of_a_meta_business_share_it_and_others_do_not() -> None:
    batch = business(people=4, most=6)
    sister = business(people=4, most=6, portfolio=batch.number.portfolio)
    stranger = business(people=4, most=6)
    assert [reserve(each, 0, 4) for each in (batch, sister, stranger)] == [4, 2, 4]


def test_the_same_mobile_counts_once_for_two_accounts_of_one_business() -> None:
    first, second = make.account(), make.account()
    portfolio = Portfolio.objects.create(meta_id="una", daily_limit=1)
    batches = []
    for account in (first, second):
        make.period(account)
        make.contact(account, mobile="+522225550142")
        batches.append(rows.launch(rows.number(account, portfolio=portfolio)))
    assert [reserve(batch) for batch in batches] == [100, 100]
    assert used(batches[0]) == 1


def test_whoever_wrote_to_this_number_today_is_free() -> None:
    batch = business(people=3, most=1)
    other = rows.number(batch.account)
    here, there, _nobody = Message.objects.filter(batch=batch).order_by("position")
    for person, number, hours in ((here, batch.number, 3), (there, other, 3), (there, batch.number, 24)):
        Reply.objects.create(
            wamid=f"wamid.{number.pk}.{hours}", account=batch.account, number=number, contact=person.contact,
            received_at=timezone.now() - timedelta(hours=hours),
        )  # fmt: skip
    assert reserve(batch) == 2
    assert used(batch) == 1


def test_without_a_limit_nothing_is_written() -> None:
    batch = business(people=3, most=None)
    assert reserve(batch) == 100
    assert not Reached.objects.exists() and not ReachedMinute.objects.exists() and not Window.objects.exists()


def test_a_limit_that_comes_later_counts_what_was_sent_before_it() -> None:
    batch = business(people=6, most=None)
    sent = Message.objects.filter(batch=batch, position__lt=4)
    sent.update(status=Status.ACCEPTED, attempts=1, settled_at=timezone.now() - timedelta(hours=3))
    Batch.objects.update(leased_at=timezone.now() - timedelta(hours=3))
    limit(batch.number, 5)
    assert reserve(batch, 4, 6) == 5
    assert used(batch) == 5
    limit(batch.number, None)
    assert reserve(batch, 5, 6) == 6
    limit(batch.number, 7)
    clock.later(timedelta(hours=1))
    assert reserve(batch, 5, 6) == 6
    assert used(batch) == 5  # the four that were sent, and this one: who was counted and never written to is forgotten


def test_it_waits_until_the_first_people_leave_the_day() -> None:
    batch = business(people=4, most=2)
    reserve(batch, 0, 1)
    clock.later(timedelta(hours=5))
    reserve(batch, 1, 4)
    reach.hold(batch.pk, None)
    batch.refresh_from_db()
    assert batch.hold == Batch.Hold.LIMIT and batch.held_until
    assert abs(batch.held_until - timezone.now() - (reach.SPAN - timedelta(hours=5))) <= timedelta(minutes=1)
    clock.later(batch.held_until - timezone.now() + clock.MINUTE)
    assert reserve(batch, 2, 4) == 3


def test_a_lowered_limit_waits_until_enough_have_left() -> None:
    batch = business(people=3, most=3)
    for position in range(3):
        reserve(batch, position, position + 1)
        clock.later(timedelta(hours=1))
    limit(batch.number, 2)
    reach.hold(batch.pk, None)
    batch.refresh_from_db()
    assert batch.held_until
    clock.later(batch.held_until - timezone.now() + clock.MINUTE)
    assert used(batch) == 1


@pytest.mark.parametrize(("most", "full"), [(2, True), (3, False), (None, False)])
def test_a_raised_limit_is_not_full_any_more(most: int | None, full: bool) -> None:
    batch = business(people=4, most=2)
    reserve(batch)
    limit(batch.number, most)
    assert reach.full(Portfolio.objects.get(pk=batch.number.portfolio_id)) == full


def test_yesterdays_people_are_forgotten() -> None:
    batch = business(people=3, most=3)
    reserve(batch, 0, 2)
    clock.later(timedelta(hours=20))
    reserve(batch, 2, 3)
    clock.later(timedelta(hours=5))
    reach.prune()
    assert Reached.objects.count() == 1
    assert used(batch) == 1


class TestRaces:
    """Two numbers of one Meta business lease at the same moment."""

    pytestmark = pytest.mark.django_db(transaction=True)
    THREADS, EACH, MOST = 4, 30, 70

    def at_once(self, *, lock: bool) -> int:
        """How many people were let through by all of them together."""
        portfolio = Portfolio.objects.create(meta_id=f"carrera-{lock}", daily_limit=self.MOST)
        batches = [rows.launch(rows.business(self.EACH, portfolio=portfolio)) for _thread in range(self.THREADS)]
        Window.objects.create(portfolio=portfolio)
        start = threading.Barrier(self.THREADS)

        def one(batch: Batch) -> int:
            try:
                with transaction.atomic():
                    start.wait(10)
                    if lock:
                        return reach.reserve(batch.number_id, batch.pk, 0, self.EACH)
                    places = {"number": batch.number_id, "batch": batch.pk, "first": 0, "end": self.EACH}
                    return int(reach._one(reach.RESERVE, portfolio=portfolio.pk, limit=self.MOST, **places)[0])
            finally:
                connection.close()

        with ThreadPoolExecutor(self.THREADS) as pool:
            return sum(pool.map(one, batches))

    def test_they_never_pass_the_limit_together(self) -> None:
        assert self.at_once(lock=True) == self.MOST
        assert Reached.objects.count() == self.MOST

    def test_control_without_the_lock_they_do(self) -> None:
        assert self.at_once(lock=False) > self.MOST
