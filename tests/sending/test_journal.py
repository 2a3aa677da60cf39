"""Lines of the log about what Meta did not take: found by any id, bounded, and without people."""

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pregon.promotions.models import Broadcast
from pregon.sending import journal, statuses
from pregon.sending.journal import Told
from pregon.sending.models import Message
from tests import make
from tests.sending.test_statuses import batch_of, event, only

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "pregon.sending")
    return caplog


def test_a_reported_failure_names_its_broadcast(lines: pytest.LogCaptureFixture) -> None:
    batch = batch_of(1)
    message = only(batch)
    broadcast = make.broadcast(batch.account)
    Broadcast.objects.filter(pk=broadcast.pk).update(batch=batch)
    statuses.apply([event(message, "failed", code=131026)])
    [line] = lines.records
    assert line.getMessage() == f"message {message.pk} reported failed: code 131026"
    ids = {
        "broadcast": broadcast.pk,
        "batch": batch.pk,
        "number": batch.number_id,
        "message_id": message.pk,
        "code": 131026,
    }
    assert ids.items() <= line.__dict__.items()
    statuses.apply([event(message, "failed", code=131026), event(message, "delivered")])
    assert len(lines.records) == 1  # a repetition says nothing new


def test_a_flush_that_all_fails_is_told_by_its_numbers(lines: pytest.LogCaptureFixture) -> None:
    batch = batch_of(journal.LINES + 5)
    messages = list(Message.objects.filter(batch=batch).order_by("id").values_list("id", flat=True))
    with CaptureQueriesContext(connection) as queries:
        journal.note([Told(message, "failed", 131009) for message in messages])
    assert len(queries) == 1
    *single, rest = lines.records
    assert len(single) == journal.LINES
    assert rest.__dict__["message_ids"] == messages[journal.LINES :]


def test_only_what_meta_refused(lines: pytest.LogCaptureFixture) -> None:
    base = {"code": None, "details": "", "trace": "", "wait": 0}
    results = [
        {"id": 1, "wamid": "w"},
        base | {"id": 2, "status": "queued"},  # put back, not tried
        base | {"id": 3, "status": "queued", "code": 131016},
        base | {"id": 4, "status": "unconfirmed", "details": "timeout"},
    ]
    assert [told.message for told in journal.refused(results)] == [3, 4]
    journal.note([])
    assert not lines.records
