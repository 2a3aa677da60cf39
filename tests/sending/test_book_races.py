"""Whoever moves messages of a batch waits for whoever does: what both read is what stands when they write."""

from datetime import timedelta

import pytest
from django.db import transaction

from pregon.sending import outbox, statuses
from pregon.sending.models import Delivery, Omission, Status
from pregon.sending.outbox import Advance
from tests.sending import clock, rows
from tests.sending.books import assert_balanced, assert_closed
from tests.sending.protocol import sessions
from tests.sending.test_outbox import come_back, lease
from tests.sending.test_statuses import answered, batch_of, event, only

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_flush_allows_is_not_withdrawn_beside_it() -> None:
    batch = rows.launch(rows.business(people=1))
    leased = lease(batch)
    with sessions.meanwhile(lambda: outbox.withdraw(batch.pk, Omission.EXPIRED)):
        rows.flush(batch, advances=[Advance(leased.id, batch.pk, 0, 1)])
    assert only(batch).status == Status.QUEUED
    rows.flush(batch, results=[answered(only(batch).pk, "accepted")], finished=[leased.id])
    batch.refresh_from_db()
    assert batch.accepted == 1
    assert_closed(batch)


def test_a_flush_sees_what_is_reported_beside_it_and_sends_it_no_more() -> None:
    """Meta said that it was busy, and took the message all the same."""
    batch = rows.launch(rows.business(people=1))
    come_back(batch, lease(batch))
    clock.later(timedelta(minutes=2))
    again, allowed = lease(batch), []
    advance = Advance(again.id, batch.pk, 0, 1)
    with sessions.meanwhile(lambda: allowed.append(rows.flush(batch, advances=[advance]))):
        statuses.apply([event(only(batch), "delivered")])
    assert allowed[0].refused == {only(batch).pk}


def test_the_same_report_read_twice_at_once_counts_once() -> None:
    with transaction.atomic():
        batch = batch_of(1)
    with sessions.meanwhile(lambda: statuses.apply([event(only(batch), "delivered")])):
        statuses.apply([event(only(batch), "delivered")])
    assert only(batch).delivery == Delivery.DELIVERED
    assert_balanced(batch)
