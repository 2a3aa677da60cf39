"""Several workers on one database: they share the numbers, and follow each other within a moment."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from pregon.sending.models import Batch, Message, Status
from pregon.worker import peers
from pregon.worker.pumps import Pumps
from pregon.worker.threads import DatabaseThread
from tests.sending import line, rows
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = 6


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


@pytest.fixture
def batches() -> list[Batch]:
    """One broadcast per number, none of which ends during a test."""
    return [rows.launch(rows.business(people=120, mps=10)) for _number in range(NUMBERS)]


@asynccontextmanager
async def working(**options: float) -> AsyncIterator[Pumps]:
    """A worker, as far as its pumps go."""
    stop, pumps = asyncio.Event(), Pumps(**options)
    task = asyncio.create_task(pumps.run(stop))
    try:
        yield pumps
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def held(*workers: Pumps) -> list[int]:
    """How many numbers each worker pumps: those whose lease it holds."""
    return [
        sum(bool(pump.token) and not pump.stopping for pump, _task in worker.running.values()) for worker in workers
    ]


def check(batches: list[Batch], meta: line.Meta) -> None:
    """Nobody twice; what was heard of is what was written."""
    for batch in batches:
        assert_balanced(batch)
    assert set(meta.received.values()) == {1}
    assert not Message.objects.filter(status=Status.UNCONFIRMED).exists()
    assert sum(batch.accepted for batch in batches) == len(meta.received)


def test_two_workers_that_start_together_share_the_numbers(batches: list[Batch], meta: line.Meta) -> None:
    async def run() -> None:
        async with working() as one, working() as two:
            await until(lambda: sum(held(one, two)) == NUMBERS)
            await until(lambda: held(one, two) == [3, 3], 5)
            await asyncio.sleep(1.0)
            assert held(one, two) == [3, 3]

    asyncio.run(run())
    check(batches, meta)


def test_a_worker_that_comes_later_gets_its_share_and_leaves_it_behind(batches: list[Batch], meta: line.Meta) -> None:
    async def run() -> None:
        async with working() as one:
            await until(lambda: held(one) == [NUMBERS])
            async with AsyncExitStack() as stack:
                two, three = [await stack.enter_async_context(working()) for _newcomer in range(2)]
                await until(lambda: held(one, two, three) == [2, 2, 2])
            await until(lambda: held(one) == [NUMBERS])

    asyncio.run(run())
    check(batches, meta)


def test_numbers_that_another_worker_leaves_alone_are_taken(batches: list[Batch], meta: line.Meta) -> None:
    """It looks, and so has a share, but takes nothing."""

    async def look(thread: DatabaseThread, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await thread.run(peers.look)
            await asyncio.sleep(0.1)

    async def run() -> None:
        stop, thread = asyncio.Event(), DatabaseThread("peer")
        await thread.run(peers.look)
        peer = asyncio.create_task(look(thread, stop))
        async with working() as worker:
            await until(lambda: len(worker.running) == NUMBERS // 2)
            await until(lambda: held(worker) == [NUMBERS], 5)
            stop.set()
            await peer
        await thread.run(peers.leave)

    asyncio.run(run())
    check(batches, meta)


def test_a_peer_counts_while_it_looks_and_lives() -> None:
    with ThreadPoolExecutor(1) as other, ThreadPoolExecutor(1) as third:
        wait_for_workers(1)
        assert other.submit(peers.look).result().workers == 2
        assert peers.look().workers == 2
        time.sleep(peers.FRESH_SECONDS + 0.1)  # as one that is frozen: its session stays
        assert peers.look().workers == 1
        assert third.submit(peers.look).result().workers == 2
        third.submit(peers.leave).result()
        wait_for_workers(1, seconds=peers.FRESH_SECONDS / 2)
        other.submit(peers.leave).result()


def wait_for_workers(count: int, seconds: float = 10) -> None:
    """The server forgets a session a moment after it was closed."""
    deadline = time.monotonic() + seconds
    while peers.look().workers != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@given(workers=st.integers(1, 50), numbers=st.integers(0, 500))
def test_the_shares_hold_every_number_and_no_worker_has_two_more_than_it_must(workers: int, numbers: int) -> None:
    share = peers.Scene(workers, held=numbers // 2).share(free=numbers - numbers // 2)
    assert share * workers >= numbers > (share - 1) * workers or numbers == share == 0
