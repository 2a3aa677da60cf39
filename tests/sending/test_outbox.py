"""What the outbox hands out again, and when: what Meta took meanwhile, and what has to wait, stays."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.db import transaction
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.contacts.models import Contact
from pregon.sending import outbox, statuses
from pregon.sending.models import Batch, Delivery, Message, Status
from pregon.sending.outbox import Advance, Leased
from pregon.whatsapp.models import Portfolio
from tests.sending import clock, rows
from tests.sending.books import assert_balanced, assert_closed
from tests.sending.test_statuses import event, only

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60.0, 3_600.0
DOUBT_AND_BACK = (Status.UNCONFIRMED, Status.QUEUED)


def lease(batch: Batch, size: int = 10) -> Leased:
    with transaction.atomic():
        leased = outbox.lease(batch.number_id, size)
    assert leased is not None
    return leased


def come_back(batch: Batch, leased: Leased, *, wait: float = MINUTE) -> None:
    """Meta was busy for all of a chunk; each has to wait a minute longer than the one before."""
    waits = count(wait, MINUTE)
    results = [{"id": row.id, "status": Status.QUEUED, "code": 131016, "wait": next(waits)} for row in leased.rows]
    rows.flush(batch, advances=[Advance(leased.id, batch.pk, leased.first, leased.end)])
    rows.flush(batch, results=results)
    rows.flush(batch, finished=[leased.id])


def test_a_chunk_waits_until_the_first_of_its_messages_is_due() -> None:
    batch = rows.launch(rows.business(people=2))
    come_back(batch, lease(batch))
    assert outbox.numbers_with_work() == [] and outbox.lease(batch.number_id, 10) is None
    clock.later(timedelta(seconds=90))
    assert [row.position for row in lease(batch).rows] == [0]


def test_what_is_leased_again_is_in_doubt_only_once_it_is_allowed_again() -> None:
    batch = rows.launch(rows.business(people=2))
    come_back(batch, lease(batch))
    clock.later(timedelta(minutes=5))
    lease(batch)
    assert outbox.recover(batch.number_id) == 0
    again = lease(batch)
    rows.flush(batch, advances=[Advance(again.id, batch.pk, 0, 1)])
    assert outbox.recover(batch.number_id) == 1
    assert Message.objects.get(status=Status.UNCONFIRMED).position == 0


def test_what_is_in_doubt_is_not_leased_again_with_the_rest_of_its_chunk() -> None:
    batch = rows.launch(rows.business(people=2))
    leased = lease(batch)
    doubt, back = [{"id": row.id, "status": status} for row, status in zip(leased.rows, DOUBT_AND_BACK, strict=True)]
    rows.flush(batch, advances=[Advance(leased.id, batch.pk, 0, 2)])
    rows.flush(batch, results=[doubt, back], finished=[leased.id])
    clock.later(timedelta(minutes=2))
    assert [row.position for row in lease(batch).rows] == [1]


def test_what_came_back_before_its_holder_died_is_in_no_doubt() -> None:
    batch = rows.launch(rows.business(people=2))
    leased = lease(batch)
    rows.flush(batch, advances=[Advance(leased.id, batch.pk, 0, 2)])
    rows.flush(batch, results=[{"id": leased.rows[0].id, "status": Status.QUEUED, "wait": MINUTE}])
    assert outbox.recover(batch.number_id) == 1
    assert Message.objects.get(status=Status.UNCONFIRMED).position == 1


@pytest.mark.parametrize(("report", "bucket"), [("delivered", "accepted"), ("failed", "failed")])
def test_what_is_reported_before_its_holder_died_is_in_no_doubt(report: str, bucket: str) -> None:
    batch = rows.launch(rows.business(people=1))
    leased = lease(batch)
    rows.flush(batch, advances=[Advance(leased.id, batch.pk, 0, 1)])
    statuses.apply([event(only(batch), report, code=131026 if report == "failed" else None)])
    assert outbox.recover(batch.number_id) == 0
    batch.refresh_from_db()
    assert getattr(batch, bucket) == 1
    assert_closed(batch)


def test_what_is_settled_is_not_settled_again() -> None:
    batch = rows.launch(rows.business(people=2))
    first, _second = lease(batch).rows
    rows.flush(batch, results=[{"id": first.id, "wamid": "wamid.1"}])
    rows.flush(batch, results=[{"id": first.id, "status": Status.FAILED, "code": 131026}])
    assert Message.objects.get(pk=first.id).status == Status.ACCEPTED
    assert_balanced(batch)


def test_what_is_reported_once_it_is_leased_again_does_not_leave_again() -> None:
    """Meta said that it was busy, and took the message all the same."""
    batch = rows.launch(rows.business(people=1))
    come_back(batch, lease(batch))
    clock.later(timedelta(minutes=2))
    again = lease(batch)
    assert [row.id for row in again.rows] == [only(batch).pk]
    statuses.apply([event(only(batch), "delivered")])
    allowed = rows.flush(batch, advances=[Advance(again.id, batch.pk, 0, 1)])
    assert allowed.refused == {only(batch).pk}
    assert only(batch).status == Status.QUEUED
    rows.flush(batch, finished=[again.id])
    message = only(batch)
    assert (message.status, message.delivery) == (Status.ACCEPTED, Delivery.DELIVERED)
    batch.refresh_from_db()
    assert_closed(batch)


def test_cancelling_does_not_take_back_what_is_reported() -> None:
    batch = rows.launch(rows.business(people=1))
    come_back(batch, lease(batch))
    clock.later(timedelta(minutes=2))
    again = lease(batch)
    statuses.apply([event(only(batch), "delivered")])
    assert outbox.cancel(batch.pk) == 0
    rows.flush(batch, finished=[again.id])
    batch.refresh_from_db()
    assert batch.accepted == 1
    assert_closed(batch)


def test_a_returned_chunk_without_room_does_not_keep_back_another_that_has_it() -> None:
    batch = rows.launch(rows.business(people=4))
    first, second = lease(batch, 2), lease(batch, 2)
    come_back(batch, first, wait=20 * HOUR)
    come_back(batch, second, wait=MINUTE)
    clock.later(timedelta(hours=10))
    again = lease(batch)
    assert again.id == second.id
    come_back(batch, again, wait=12 * HOUR)
    clock.later(timedelta(hours=15))  # the people of the first have left the day, those of the second have not
    Portfolio.objects.update(daily_limit=2)
    assert outbox.lease(batch.number_id, 10) is None
    assert lease(batch).id == second.id


def test_the_wait_for_room_is_not_taken_from_a_returned_chunks_time() -> None:
    batch = rows.launch(rows.business(people=2), promotion=1)
    come_back(batch, lease(batch), wait=25 * HOUR)
    clock.later(timedelta(hours=26))
    Batch.objects.update(ends_at=timezone.now() + timedelta(hours=1))
    Portfolio.objects.update(daily_limit=0)
    assert outbox.lease(batch.number_id, 10) is None
    batch.refresh_from_db()
    assert batch.ends_at > timezone.now() + timedelta(hours=23)


def test_a_returned_chunk_is_cut_where_the_people_do_not_fit_and_the_rest_follows() -> None:
    batch = rows.launch(rows.business(people=4))
    come_back(batch, lease(batch))
    clock.later(timedelta(hours=25))
    Portfolio.objects.update(daily_limit=2)
    assert [row.position for row in lease(batch).rows] == [0, 1]
    assert outbox.lease(batch.number_id, 10) is None
    clock.later(timedelta(hours=25))
    assert [row.position for row in lease(batch).rows] == [2, 3]


def test_whoever_is_counted_already_takes_no_room_from_who_is_new() -> None:
    number = rows.business(people=3, daily_limit=2)
    lease(rows.launch(number, chosen=Contact.objects.earliest("id").pk))
    assert [row.position for row in lease(rows.launch(number)).rows] == [0, 1]


def suspend(batch: Batch) -> None:
    Account.objects.filter(pk=batch.account_id).update(suspended_at=timezone.now())


def rest(batch: Batch) -> None:
    Batch.objects.update(hold=Batch.Hold.QUIET, held_until=timezone.now() + timedelta(hours=1))


def run_out(batch: Batch) -> None:
    """Of its time, which goes on while a flush waits for its turn."""
    Batch.objects.update(ends_at=timezone.now())


@pytest.mark.parametrize(
    "stop",
    [
        lambda batch: outbox.pause(batch.pk, "a mano"),
        lambda batch: outbox.cancel(batch.pk),
        lambda batch: outbox.stop_number(batch.number_id, "saldo"),
        suspend,
        rest,
        run_out,
    ],
    ids=["paused", "cancelled", "stopped", "suspended", "held", "over"],
)
def test_what_stops_a_batch_stops_what_is_in_hand_too(stop: Callable[[Batch], object]) -> None:
    batch = rows.launch(rows.business(people=2))
    leased = lease(batch, 1)
    stop(batch)
    assert outbox.lease(batch.number_id, 1) is None
    allowed = rows.flush(batch, advances=[Advance(leased.id, batch.pk, 0, 1)])
    assert allowed.halted == {leased.id}
