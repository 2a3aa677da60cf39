"""A broadcast of which most fails pauses by itself, with the reason, and goes on when a person says so."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from pregon.sending import health, outbox, references, statuses
from pregon.sending.models import Batch, Message, Status
from pregon.sending.pump import Pump
from pregon.whatsapp.cloud.events import StatusEvent
from tests.sending import line, rows
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


def pump(batch: Batch) -> None:
    asyncio.run(Pump(batch.number, idle=0.1).run())
    batch.refresh_from_db()


def refusing(one_in: int, of: int) -> Any:
    """The first `one_in` of every `of` requests are refused."""
    asked = iter(range(10**9))
    return lambda message, n: line.refuse(131009) if next(asked) % of < one_in else line.accept(message, n)


def test_most_of_the_last_failed(meta: line.Meta) -> None:
    batch = rows.launch(rows.business(people=400, mps=200))
    meta.answer = refusing(2, of=3)
    pump(batch)
    assert batch.status == Batch.Status.PAUSED and "Falló más de la mitad" in batch.pause_reason
    assert batch.pause_cause == Batch.Cause.ENGINE
    assert batch.queued > 100  # the rest did not follow
    assert_balanced(batch)


def test_the_log_says_by_how_much(meta: line.Meta, caplog: pytest.LogCaptureFixture) -> None:
    batch = rows.launch(rows.business(people=400, mps=200))
    meta.answer = refusing(2, of=3)
    pump(batch)
    [told] = told_of_pauses(caplog)
    assert {"batch": batch.pk, "number": batch.number_id}.items() <= told.__dict__.items()
    assert health.SHARE < told.__dict__["share"] < 0.8
    assert health.FEWEST <= told.__dict__["window"] <= health.WINDOW
    mobiles = Message.objects.filter(batch=batch).values_list("mobile", flat=True)
    assert not any(mobile.lstrip("+") in str(told.__dict__) for mobile in mobiles)


def test_nothing_is_told_of_a_pause_that_was_undone(caplog: pytest.LogCaptureFixture) -> None:
    batch = failing(people=60)
    with transaction.atomic():
        health.watch({batch.pk})
        transaction.set_rollback(True)
    assert not told_of_pauses(caplog)
    for _time in range(2):
        health.watch({batch.pk})
    [told] = told_of_pauses(caplog)
    assert {"share": 1.0, "window": 60}.items() <= told.__dict__.items()


def failing(people: int) -> Batch:
    """All of it has left, and all failed."""
    batch = rows.launch(rows.business(people=people))
    Message.objects.filter(batch=batch).update(status=Status.FAILED)
    Batch.objects.filter(pk=batch.pk).update(cursor=people)
    return batch


def told_of_pauses(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == health.__name__]


def test_less_than_half_goes_on(meta: line.Meta) -> None:
    batch = rows.launch(rows.business(people=200, mps=200))
    meta.answer = refusing(1, of=3)
    pump(batch)
    assert batch.status == Batch.Status.FINISHED and batch.failed > 60


def test_a_few_say_nothing(meta: line.Meta) -> None:
    batch = rows.launch(rows.business(people=health.FEWEST - 1, mps=200))
    meta.answer = refusing(1, of=1)
    pump(batch)
    assert batch.status == Batch.Status.FINISHED


def test_resumed_it_looks_at_what_follows(meta: line.Meta) -> None:
    batch = rows.launch(rows.business(people=400, mps=200))
    meta.answer = refusing(1, of=1)
    pump(batch)
    assert batch.status == Batch.Status.PAUSED
    outbox.resume(batch.pk)
    meta.answer = line.accept
    pump(batch)
    assert batch.status == Batch.Status.FINISHED and batch.queued == 0


def test_what_is_reported_undelivered_counts(meta: line.Meta) -> None:
    number = rows.business(people=400, mps=200)
    batch = rows.launch(number)
    first = list(Message.objects.filter(batch=batch).order_by("position")[:150])
    asyncio.run(_for_a_second(number))
    reported = [message for message in first if Message.objects.get(pk=message.pk).status == Status.ACCEPTED][:120]
    statuses.apply([_undelivered(number.phone_number_id, message.pk) for message in reported])
    batch.refresh_from_db()
    assert batch.status == Batch.Status.PAUSED
    assert_balanced(batch)


async def _for_a_second(number: Any) -> None:
    pump = Pump(number)
    task = asyncio.create_task(pump.run())
    await asyncio.sleep(1)
    pump.stop()
    await task


def _undelivered(phone: str, message_id: int) -> StatusEvent:
    return StatusEvent(phone, "", "failed", timezone.now(), reference=references.make(message_id), error_code=131026)
