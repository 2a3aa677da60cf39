"""The pump under control: held, fair, and told the same thing twice."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from pregon.sending import outbox
from pregon.sending.models import Batch, Message, Omission
from pregon.sending.pump import Pump
from pregon.whatsapp.models import Number
from pregon.worker.pumps import Pumps
from tests import make
from tests.promotions.test_launch import together
from tests.sending import line, rows
from tests.sending.books import assert_balanced, assert_closed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


def pump(number: Number) -> None:
    asyncio.run(Pump(number, idle=0.1).run())


def hold(batch: Batch, start: float | None, end: float) -> None:
    """From and until so many seconds from now."""
    now = timezone.now()
    held_from = None if start is None else now + timedelta(seconds=start)
    Batch.objects.filter(pk=batch.pk).update(held_from=held_from, held_until=now + timedelta(seconds=end))


# Held


@pytest.mark.parametrize("start", [None, -5.0])
def test_nothing_leaves_while_held_and_all_of_it_after(meta: line.Meta, start: float | None) -> None:
    number = rows.business(people=20)
    batch = rows.launch(number)
    hold(batch, start, 60)
    assert outbox.numbers_with_work() == []
    pump(number)
    assert meta.requests == []
    hold(batch, start, -1)
    assert outbox.numbers_with_work() == [number.pk]
    pump(number)
    assert len(meta.requests) == 20
    batch.refresh_from_db()
    assert_closed(batch)


def test_a_hold_that_begins_while_it_runs_stops_it_and_it_goes_on(meta: line.Meta) -> None:
    number = rows.business(people=120, mps=40)
    batch = rows.launch(number)
    hold(batch, 0.7, 1.7)
    times = []
    meta.answer = lambda message, n: (times.append(timezone.now()), line.accept(message, n))[1]
    asyncio.run(Pump(number, idle=2.0).run())
    batch.refresh_from_db()
    assert batch.held_from and batch.held_until
    allowed = timedelta(seconds=1.0)  # what was cleared to leave when it began: a fifth of a second at this pace
    assert not [at for at in times if batch.held_from + allowed <= at < batch.held_until]
    before = sum(at < batch.held_until for at in times)
    assert 0 < before < 80, "some before the hold, most of them after"
    assert len(times) == 120
    assert sorted(meta.received.values()) == [1] * 120
    assert_closed(batch)


def test_others_of_the_number_are_not_held(meta: line.Meta) -> None:
    number = rows.business(people=10)
    held, free = rows.launch(number), rows.launch(number)
    hold(held, None, 60)
    pump(number)
    held.refresh_from_db()
    free.refresh_from_db()
    assert (held.queued, free.queued, free.accepted) == (10, 0, 10)


# Fair: one second of the number's pace is what one chunk may take


def departures(meta: line.Meta) -> list[int]:
    """The batch of each message, in the order in which they arrived at Meta."""
    of = dict(Message.objects.values_list("id", "batch_id"))
    return [of[int(message["biz_opaque_callback_data"].rsplit(":", 1)[1])] for message in meta.requests]


def single(number: Number) -> Batch:
    """As a test message: a batch of one, added while the other runs."""
    from django.db import connection

    try:
        return rows.launch(number, chosen=make.contact(number.account).pk)  # someone whom the large one does not reach
    finally:
        connection.close()


async def with_a_late_one(number: Number, after: int, add: Callable[[], Batch], meta: line.Meta) -> tuple[Batch, int]:
    """Pump; once `after` messages have left, add another batch; until that one has left. How many had left when it was added."""
    running = Pump(number)
    task = asyncio.create_task(running.run())
    while len(meta.requests) < after:
        await asyncio.sleep(0.01)
    late = await asyncio.to_thread(add)
    before = len(meta.requests)
    while not (await asyncio.to_thread(has_left, late)):
        await asyncio.sleep(0.05)
    running.stop()
    await task
    return late, before


def has_left(batch: Batch) -> bool:
    from django.db import connection

    try:
        return Batch.objects.get(pk=batch.pk).queued == 0
    finally:
        connection.close()


@pytest.mark.parametrize("after", [1, 45, 85, 130])
def test_a_test_message_waits_less_than_two_seconds_of_pace_behind_2000(meta: line.Meta, after: int) -> None:
    number = rows.business(people=0, mps=80, limit=10_000)
    rows.add_people(number, 2_000)
    large = rows.launch(number)
    late, before = asyncio.run(with_a_late_one(number, after, lambda: single(number), meta))
    order = departures(meta)
    assert order.index(late.pk) - before <= 2 * number.mps
    large.refresh_from_db()
    assert large.queued > 1_000, "the large one was far from its end"
    assert_balanced(large)


def test_a_small_broadcast_is_through_long_before_a_large_one(meta: line.Meta) -> None:
    number = rows.business(people=0, mps=1_000, limit=20_000)
    rows.add_people(number, 6_000)
    large = rows.launch(number)
    small = rows.launch(number, chosen=make.contact(number.account).pk)
    pump(number)
    order = departures(meta)
    assert len(order) == 6_001
    assert order.index(small.pk) <= 2 * number.mps
    assert order[-1] == large.pk


def test_tenants_of_one_worker_do_not_wait_for_each_other(meta: line.Meta) -> None:
    """The worker's own supervision, two businesses: while one sends 3,000, the other's ten go at its number's own pace."""
    large = rows.business(people=0, mps=300, limit=10_000)
    rows.add_people(large, 3_000)
    rows.launch(large)
    small = rows.business(people=10, mps=80)
    batch = rows.launch(small)

    async def work() -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(Pumps().run(stop))
        while not await asyncio.to_thread(has_left, batch):
            await asyncio.sleep(0.05)
        stop.set()
        await task

    asyncio.run(work())
    order = departures(meta)
    last = max(at for at, owner in enumerate(order) if owner == batch.pk)
    assert order[:last].count(batch.pk) == 9
    assert last <= 2 * (large.mps + small.mps)


# Told the same thing twice, at once


def test_race_cancelled_twice_omits_and_releases_once() -> None:
    number = rows.business(people=30)
    batch = rows.launch(number)
    counts = together([lambda: outbox.cancel(batch.pk)] * 4)
    assert sorted(counts) == [0, 0, 0, 30]  # type: ignore[type-var]
    batch.refresh_from_db()
    assert set(batch.messages.values_list("omission", flat=True)) == {Omission.CANCELLED}
    assert batch.period.reserved == 0
    assert_closed(batch)


def test_race_paused_and_resumed_by_many(meta: line.Meta) -> None:
    number = rows.business(people=30)
    batch = rows.launch(number)
    together([lambda: outbox.pause(batch.pk, "uno"), lambda: outbox.pause(batch.pk, "dos")])
    batch.refresh_from_db()
    assert (batch.status, batch.pause_reason in ("uno", "dos")) == (Batch.Status.PAUSED, True)
    together([lambda: outbox.resume(batch.pk)] * 4)
    batch.refresh_from_db()
    assert (batch.status, batch.pause_reason, batch.pause_cause) == (Batch.Status.RUNNING, "", "")
    pump(number)
    assert sorted(meta.received.values()) == [1] * 30


def test_race_cancelled_while_it_runs(meta: line.Meta) -> None:
    number = rows.business(people=200, mps=100)
    batch = rows.launch(number)

    async def cancelled() -> None:
        task = asyncio.create_task(Pump(number, idle=0.3).run())
        await asyncio.sleep(0.6)
        counts = await asyncio.to_thread(together, [lambda: outbox.cancel(batch.pk)] * 3)
        assert sorted(count > 0 for count in counts) == [False, False, True]  # type: ignore[operator]
        await task

    asyncio.run(cancelled())
    batch.refresh_from_db()
    assert batch.accepted == len(meta.received) > 0
    assert batch.omitted == 200 - batch.accepted > 0
    assert_closed(batch)


def test_what_is_finished_is_neither_paused_nor_cancelled(meta: line.Meta) -> None:
    number = rows.business(people=3)
    batch = rows.launch(number)
    pump(number)
    outbox.pause(batch.pk, "tarde")
    outbox.resume(batch.pk)
    assert outbox.cancel(batch.pk) == 0
    batch.refresh_from_db()
    assert (batch.status, batch.accepted) == (Batch.Status.FINISHED, 3)
