"""The pump against a real HTTP server and a real PostgreSQL: who gets it, what is written, what it costs."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from pregon.contacts.models import Consent, Contact
from pregon.quota.models import LedgerEntry, Period
from pregon.sending import outbox
from pregon.sending.models import Batch, Chunk, Lease, Message, Omission, Status, Wamid
from pregon.sending.pump import Pump
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import line, rows
from tests.sending.books import assert_balanced, assert_closed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


def pump(batch: Batch, idle: float = 0.1) -> bool:
    sent = asyncio.run(Pump(batch.number, idle=idle).run())
    batch.refresh_from_db()
    return sent


async def pump_for(seconds: float, number: Number) -> None:
    """As a worker that is told to stop."""
    pump = Pump(number)
    task = asyncio.create_task(pump.run())
    await asyncio.sleep(seconds)
    pump.stop()
    await task


def test_everybody_with_permission_gets_it_once(meta: line.Meta) -> None:
    number = rows.business(people=250)
    make.contact(number.account, consent=Consent.UNKNOWN)
    batch = rows.launch(number)

    assert pump(batch)

    assert (batch.accepted, batch.omitted, batch.queued, batch.status) == (250, 1, 0, Batch.Status.FINISHED)
    assert sorted(meta.received.values()) == [1] * 250
    assert Wamid.objects.count() == 250
    assert_closed(batch)
    assert (batch.period.used, batch.period.reserved) == (250, 0)


def test_values_fill_the_payload(meta: line.Meta) -> None:
    number = rows.business(people=0)
    make.contact(number.account, "Ana «la de la esquina» Núñez", mobile="+522225550142")
    pump(rows.launch(number))
    [message] = meta.requests
    assert message["to"] == "+522225550142"
    assert message["text"]["body"] == "Hola Ana «la de la esquina» Núñez"


def test_whoever_withdraws_after_launch_is_left_out(meta: line.Meta) -> None:
    number = rows.business(people=40)
    batch = rows.launch(number)
    gone = Contact.objects.filter(account=number.account).order_by("-id").first()
    assert gone is not None
    Contact.objects.filter(pk=gone.pk).update(consent=Consent.WITHDRAWN)

    pump(batch)

    assert Message.objects.get(contact=gone).omission == Omission.OPT_OUT
    assert batch.omitted == 1 and batch.accepted == 39
    assert gone.mobile not in {message["to"] for message in meta.requests}
    assert_closed(batch)


def test_a_deleted_person_is_left_out(meta: line.Meta) -> None:
    number = rows.business(people=3)
    batch = rows.launch(number)
    Contact.objects.order_by("id").first().delete()  # type: ignore[union-attr]
    pump(batch)
    assert (batch.accepted, batch.omitted) == (2, 1)
    assert_closed(batch)


def test_refusals_fail_and_give_the_quota_back(meta: line.Meta) -> None:
    number = rows.business(people=10)
    meta.answer = lambda message, n: (
        line.refuse(131009, details="bad number") if message["to"].endswith("5") else line.accept(message, n)
    )
    batch = rows.launch(number)
    pump(batch)
    failed = Message.objects.filter(status=Status.FAILED)
    assert failed.count() == batch.failed == 1
    assert {(m.error_code, m.error_details, m.trace_id) for m in failed} == {(131009, "bad number", "Atrace")}
    assert_closed(batch)


def test_what_meta_did_not_answer_is_unconfirmed_and_not_sent_again(meta: line.Meta) -> None:
    number = rows.business(people=10)
    meta.answer = lambda message, n: None if message["to"].endswith("3") else line.accept(message, n)
    batch = rows.launch(number)
    pump(batch)
    assert (batch.unconfirmed, batch.accepted) == (1, 9)
    assert sorted(meta.received.values()) == [1] * 10
    assert_balanced(batch)
    assert batch.period.reserved == 1  # kept until it is settled

    pump(batch)
    assert sorted(meta.received.values()) == [1] * 10


def test_a_busy_meta_is_asked_again(meta: line.Meta) -> None:
    number = rows.business(people=5)
    meta.answer = lambda message, n: line.refuse(131016, 500) if n == 1 else line.accept(message, n)
    batch = rows.launch(number)
    pump(batch)
    Chunk.objects.update(due_at=timezone.now())
    Message.objects.update(not_before=timezone.now())
    pump(batch)
    assert batch.accepted == 5
    assert set(Message.objects.values_list("attempts", flat=True)) == {2}
    assert_closed(batch)


def test_nobody_is_lost_while_meta_is_down(settings: Settings) -> None:
    settings.GRAPH_URL = "http://127.0.0.1:9"
    number = rows.business(people=30)
    batch = rows.launch(number)
    asyncio.run(pump_for(1.5, number))
    batch.refresh_from_db()
    assert batch.queued == 30
    assert set(Chunk.objects.values_list("state", flat=True)) == {Chunk.State.WAITING}
    assert_balanced(batch)


def test_a_broken_template_pauses_the_batch(meta: line.Meta) -> None:
    number = rows.business(people=400, mps=80)
    meta.answer = lambda message, n: line.refuse(132001, 404)
    batch = rows.launch(number)
    pump(batch)
    assert batch.status == Batch.Status.PAUSED
    assert batch.pause_reason
    assert 0 < batch.failed < 100
    assert batch.failed + batch.queued == 400
    assert_balanced(batch)


def test_a_bad_token_stops_the_number_and_fails_nobody(meta: line.Meta) -> None:
    number = rows.business(people=30)
    meta.answer = lambda message, n: line.refuse(190, 401)
    batch = rows.launch(number)
    pump(batch)
    number.refresh_from_db()
    assert number.stopped_at is not None and number.stop_reason
    assert (batch.queued, batch.failed) == (30, 0)
    assert outbox.numbers_with_work() == []


def test_a_suspended_business_sends_nothing(meta: line.Meta) -> None:
    number = rows.business(people=3)
    batch = rows.launch(number)
    number.account.suspended_at = timezone.now()
    number.account.save()
    pump(batch)
    assert meta.requests == [] and batch.queued == 3


def test_cancelling_omits_what_has_not_left(meta: line.Meta) -> None:
    number = rows.business(people=20)
    batch = rows.launch(number)
    assert outbox.cancel(batch.pk) == 20
    assert outbox.cancel(batch.pk) == 0
    pump(batch)
    assert meta.requests == []
    assert set(Message.objects.values_list("omission", flat=True)) == {Omission.CANCELLED}
    assert_closed(batch)


def test_paused_and_resumed(meta: line.Meta) -> None:
    number = rows.business(people=20)
    batch = rows.launch(number)
    outbox.pause(batch.pk, "Se pausó a mano")
    pump(batch)
    assert meta.requests == []
    outbox.resume(batch.pk)
    pump(batch)
    assert batch.accepted == 20


def test_batches_of_a_number_take_turns(meta: line.Meta) -> None:
    number = rows.business(people=60, mps=20)
    first, second = rows.launch(number, half=0), rows.launch(number, half=1)
    meta_order = []
    meta.answer = lambda message, n: (meta_order.append(message["biz_opaque_callback_data"]), line.accept(message, n))[
        1
    ]
    pump(first)
    owners = [Message.objects.get(pk=int(reference.rsplit(":", 1)[1])).batch_id for reference in meta_order]
    assert owners[:40].count(first.pk) == owners[:40].count(second.pk) == 20


def test_a_crashed_pump_leaves_doubt_only_below_the_horizon(meta: line.Meta) -> None:
    number = rows.business(people=50)
    batch = rows.launch(number)
    with transaction.atomic():
        leased = outbox.lease(number.pk, 30)
    assert leased is not None
    rows.flush(batch, advances=[outbox.Advance(leased.id, batch.pk, 0, 12)])

    pump(batch)  # the successor

    assert (batch.unconfirmed, batch.accepted) == (12, 38)
    assert set(Message.objects.filter(status=Status.UNCONFIRMED).values_list("position", flat=True)) == set(range(12))
    assert_balanced(batch)


def test_one_holder_at_a_time(meta: line.Meta) -> None:
    number = rows.business(people=400, mps=80)
    batch = rows.launch(number)

    async def two() -> list[bool]:
        return await asyncio.gather(Pump(number, idle=0.1).run(), Pump(number, idle=0.1).run())

    assert sorted(asyncio.run(two())) == [False, True]
    assert sorted(meta.received.values()) == [1] * 400
    batch.refresh_from_db()
    assert_closed(batch)


def test_a_stopped_pump_puts_the_rest_back(meta: line.Meta) -> None:
    number = rows.business(people=100, mps=20)
    batch = rows.launch(number)
    asyncio.run(pump_for(1.0, number))
    batch.refresh_from_db()
    assert 0 < batch.accepted < 60
    assert batch.accepted + batch.queued == 100
    assert_balanced(batch)
    assert sorted(meta.received.values()) == [1] * batch.accepted


def test_a_number_that_somebody_pumps_is_left_alone(meta: line.Meta) -> None:
    number = rows.business(people=60, mps=20)
    rows.launch(number)
    assert outbox.numbers_with_work() == [number.pk]

    async def looking() -> list[int]:
        pump = Pump(number)
        task = asyncio.create_task(pump.run())
        await asyncio.sleep(0.6)
        found = await asyncio.to_thread(look)
        pump.stop()
        await task
        return found

    assert asyncio.run(looking()) == []
    assert outbox.numbers_with_work() == [number.pk]


def look() -> list[int]:
    try:
        return outbox.numbers_with_work()
    finally:
        connection.close()


def test_the_pace_is_kept(meta: line.Meta) -> None:
    number = rows.business(people=50, mps=40)
    started = timezone.now()
    pump(rows.launch(number))
    assert timezone.now() - started > timedelta(seconds=50 / 40 - 0.1)


def take_over(number_id: int) -> None:
    Lease.objects.filter(number=number_id).update(token=99)
    connection.close()


def test_an_old_token_writes_nothing(meta: line.Meta) -> None:
    number = rows.business(people=50, mps=20)
    batch = rows.launch(number)
    meta.latency = 0.2

    async def overtaken() -> None:
        task = asyncio.create_task(Pump(number).run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(take_over, number.pk)
        await task

    with pytest.raises(ExceptionGroup):
        asyncio.run(overtaken())
    written = Message.objects.exclude(status=Status.QUEUED).count()
    pump(batch, idle=1)  # the rows of who was overtaken may still be locked for a moment
    assert sorted(meta.received.values()) == [1] * len(meta.received)
    assert written + batch.unconfirmed <= 50
    assert batch.accepted + batch.unconfirmed == 50
    assert_balanced(batch)


def test_ledger_rows_per_flush_not_per_message(meta: line.Meta) -> None:
    number = rows.business(people=600, mps=100_000)
    pump(rows.launch(number))
    assert LedgerEntry.objects.count() < 40
    assert Period.objects.get().used == 600
