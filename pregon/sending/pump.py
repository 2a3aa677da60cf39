"""Sends what is queued for one number: one pump per number, in whichever worker holds its lease.

    pump ── lease ──▶ chunks in hand ── advance ──▶ ready ── workers ──▶ Meta
      ▲                                                         │
      └───────────────── flush: settle, advance, finish ◀── results

A flush is one transaction: it renews the lease, writes the results, moves the horizons and so allows the next messages.
Between what may have left and what is written there are never more than `concurrency + flush` messages.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected

from pregon.sending import books, leases, marks, outbox, references, verdicts
from pregon.sending.models import Batch, Status
from pregon.sending.outbox import Advance, Leased, Row
from pregon.sending.pacing import Pace
from pregon.sending.verdicts import Halt, Verdict
from pregon.whatsapp.cloud import payloads
from pregon.whatsapp.cloud.client import Client
from pregon.whatsapp.cloud.codes import N_, Mark
from pregon.whatsapp.models import Number

log = logging.getLogger(__name__)
T = TypeVar("T")

FLUSH_SECONDS = 0.05  # results wait no longer than this to be written
RENEW_SECONDS = 2.0
IDLE_SECONDS = 1.0  # without work for so long, the number is given up
POLL_SECONDS = 0.25
MARGIN_SECONDS = 1.0  # stop sending this long before the lease ends
STOP_SECONDS = 0.25  # how soon a waiting sender notices that it should stop
UNREACHABLE_SECONDS = 5.0  # how long the whole number waits when Meta cannot be reached
PUT_BACK = Verdict(Status.QUEUED)
UNWRITABLE = Verdict(Status.FAILED, Halt.BATCH, reason=N_("El mensaje no se pudo armar con los datos de una persona"))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a number may be in doubt at once."""

    concurrency: int  # requests in flight
    flush: int  # messages allowed beyond those in flight

    @classmethod
    def of(cls, mps: int) -> "Limits":
        """Enough in flight for 400 ms of latency at full pace, and beyond it for the time that a flush takes."""
        return cls(concurrency=min(400, max(16, mps * 2 // 5)), flush=min(1_000, max(8, mps // 10)))


@dataclass(slots=True)
class Holding:
    """A chunk in hand."""

    leased: Leased
    render: payloads.Render
    slots: list[str]
    cleared: int = 0  # rows that may leave, or have left
    unsettled: int = 0  # of those, without a written result

    @property
    def waiting(self) -> int:
        return len(self.leased.rows) - self.cleared

    @property
    def finished(self) -> bool:
        return not self.waiting and not self.unsettled

    def drop(self) -> None:
        """Its batch may not go on: forget the rows that were not cleared; they stay queued."""
        del self.leased.rows[self.cleared :]


@dataclass(slots=True)
class Step:
    """What one flush writes."""

    results: list[dict[str, Any]]
    batches: set[int]
    advances: list[Advance]
    finished: list[int]
    pauses: dict[int, str]  # batch → reason
    stop: str  # reason to stop the number
    marks: list[tuple[int, Mark]]  # what an answer told about a person: message → mark
    omitted: set[int] = field(default_factory=set)
    halted: set[int] = field(default_factory=set)

    @property
    def empty(self) -> bool:
        return not (self.results or self.advances or self.finished)


class Pump:
    """Pumps one number until it has been idle for a while, is told to stop, or loses its lease."""

    def __init__(self, number: Number, limits: Limits | None = None, *, idle: float = IDLE_SECONDS) -> None:
        self.number = number
        self.limits = limits or Limits.of(number.mps)
        self.idle = idle
        self.pace = Pace(number.mps)
        self.chunk_size = min(outbox.MAX_CHUNK, max(1, number.mps))
        self.token = 0
        self.deadline = 0.0  # of the loop's clock: nothing leaves after it
        self.look_at = 0.0  # when to look for work again
        self.stopping = False
        self.holdings: list[Holding] = []
        self.ready: asyncio.Queue[tuple[Holding, Row]] = asyncio.Queue()
        self.results: list[tuple[Holding, Row, Verdict]] = []
        self.turn = asyncio.Lock()
        self.wake = asyncio.Event()
        self.renders: dict[int, tuple[payloads.Render, list[str]]] = {}
        self.database = ThreadPoolExecutor(1, thread_name_prefix=f"pump-{number.pk}")  # its connection holds the lock

    async def run(self) -> bool:
        """False when another holder lives. Raises `leases.Fenced` when the lease is lost, database errors as they are."""
        try:
            token = await self._in_database(partial(leases.acquire, self.number.pk))
            if token is None:
                return False
            self.token = token
            await self._take_over()
            await self._pump()
            await self._in_database(partial(leases.release, self.number.pk))
            return True
        finally:
            await self._in_database(_close_connection)
            self.database.shutdown()

    def stop(self) -> None:
        """Finish what is in flight, put the rest back, and return."""
        self.stopping = True
        self.wake.set()

    async def _take_over(self) -> None:
        doubtful = await self._in_database(partial(outbox.recover, self.number.pk))
        if doubtful:
            log.warning("number %s taken over: %s messages unconfirmed", self.number.pk, doubtful)

    async def _pump(self) -> None:
        number = self.number
        async with (
            Client(number.graph_url, number.phone_number_id, number.token, connections=self.limits.concurrency) as line,
            asyncio.TaskGroup() as group,
        ):
            self.deadline = asyncio.get_running_loop().time() + leases.SECONDS - MARGIN_SECONDS
            senders = [group.create_task(self._send(line)) for _ in range(self.limits.concurrency)]
            await self._flush_until_idle()
            for sender in senders:
                sender.cancel()

    async def _send(self, line: Client) -> None:
        loop = asyncio.get_running_loop()
        while True:
            async with self.turn:  # only one waits for its departure: whoever is not near to leaving is not in doubt
                holding, row = await self.ready.get()
                self._look_after_ready()
                await self._depart()
            if loop.time() > self.deadline:
                raise leases.Fenced(self.number.pk)
            verdict = PUT_BACK if self.stopping else await self._exchange(line, holding, row)
            self.results.append((holding, row, verdict))
            if len(self.results) * 2 >= self.limits.flush:
                self.wake.set()

    def _look_after_ready(self) -> None:
        """Half of what is ready has left: time to allow more."""
        if self.ready.qsize() * 2 < self.limits.flush and any(holding.waiting for holding in self.holdings):
            self.wake.set()

    async def _depart(self) -> None:
        """Wait for this message's turn; no longer than a moment once the pump was told to stop."""
        delay = self.pace.delay()
        while delay > 0 and not self.stopping:
            await asyncio.sleep(min(delay, STOP_SECONDS))
            delay -= STOP_SECONDS

    async def _exchange(self, line: Client, holding: Holding, row: Row) -> Verdict:
        try:
            values = dict(zip(holding.slots, row.values, strict=True))
            body = holding.render(row.to, values, references.make(row.id))
        except (KeyError, ValueError):
            log.exception("message %s does not fit its payload", row.id)
            return UNWRITABLE
        verdict = verdicts.judge(await line.send(body), row.attempts)
        self._heed(verdict)
        return verdict

    def _heed(self, verdict: Verdict) -> None:
        match verdict.halt:
            case Halt.NOBODY:
                self.pace.recover()
            case Halt.PACE:
                self.pace.slow_down()
                self.pace.hold(1.0)
            case Halt.LINE | Halt.NUMBER:
                self.pace.hold(UNREACHABLE_SECONDS)

    async def _flush_until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        busy = flushed = loop.time()
        while True:
            await self._nap()
            if self.stopping:
                self._put_back()
            else:
                await self._lease_more()
            step = self._step()
            if not step.empty or loop.time() - flushed > RENEW_SECONDS:
                await self._flush(step)
                flushed = loop.time()
            if self.holdings:
                busy = loop.time()
            elif self.stopping or loop.time() - busy > self.idle:
                return

    async def _nap(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), FLUSH_SECONDS if self.holdings else POLL_SECONDS)
        except TimeoutError:
            pass
        self.wake.clear()

    def _put_back(self) -> None:
        """Stopping: what is cleared and not yet sent returns to the queue."""
        for holding in self.holdings:
            holding.drop()
        while not self.ready.empty():
            holding, row = self.ready.get_nowait()
            self.results.append((holding, row, PUT_BACK))

    async def _lease_more(self) -> None:
        """Keep one chunk waiting behind the one that is leaving."""
        now = asyncio.get_running_loop().time()
        if now < self.look_at or sum(holding.waiting for holding in self.holdings) >= self.chunk_size:
            return
        leased = await self._in_database(self._lease)
        if leased is None:
            self.look_at = now + POLL_SECONDS
            return
        batch_id = leased.batch_id
        if batch_id not in self.renders:
            self.renders[batch_id] = await self._in_database(partial(_compile, batch_id))
        self.holdings.append(Holding(leased, *self.renders[batch_id]))

    @transaction.atomic
    def _lease(self) -> Leased | None:
        leases.renew(self.number.pk, self.token)
        return outbox.lease(self.number.pk, self.chunk_size)

    async def _flush(self, step: Step) -> None:
        started = asyncio.get_running_loop().time()
        await self._in_database(partial(self._write, step))
        if step.marks:  # apart: contacts are locked by others in another order
            await self._in_database(partial(marks.note, step.marks))
        self.deadline = started + leases.SECONDS - MARGIN_SECONDS
        self._clear(step)
        self.holdings = [holding for holding in self.holdings if holding.leased.id not in step.finished]

    def _step(self) -> Step:
        settled, self.results = self.results, []
        for holding, _row, _verdict in settled:
            holding.unsettled -= 1
        advances = self._advances()
        moving = {advance.chunk_id for advance in advances}
        return Step(
            results=[_result(row, verdict) for _holding, row, verdict in settled],
            batches={holding.leased.batch_id for holding in self.holdings},
            advances=advances,
            finished=[h.leased.id for h in self.holdings if h.finished and h.leased.id not in moving],
            pauses={h.leased.batch_id: v.reason for h, _row, v in settled if v.halt is Halt.BATCH},
            stop=next((v.reason for _holding, _row, v in settled if v.halt is Halt.NUMBER), ""),
            marks=[(row.id, v.mark) for _holding, row, v in settled if v.mark],
        )

    def _advances(self) -> list[Advance]:
        """The next positions that may leave, so that about one flush is always ready."""
        outstanding = sum(holding.unsettled for holding in self.holdings)
        room = min(self.limits.flush - self.ready.qsize(), self.limits.concurrency + self.limits.flush - outstanding)
        advances = []
        for holding in self.holdings:
            count = min(room, holding.waiting)
            if count > 0:
                rows = holding.leased.rows[holding.cleared : holding.cleared + count]
                room -= count
                advances.append(
                    Advance(holding.leased.id, holding.leased.batch_id, rows[0].position, rows[-1].position + 1)
                )
        return advances

    def _write(self, step: Step) -> None:
        """A deadlock rolls all of it back, so it may be written again; nobody is in doubt because of one."""
        try:
            self._commit(step)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            self._commit(step)

    @transaction.atomic
    def _commit(self, step: Step) -> None:
        leases.renew(self.number.pk, self.token)
        books.lock(step.batches)
        outbox.settle(step.results)
        for batch_id, reason in step.pauses.items():
            outbox.pause(batch_id, _(reason))
        if step.stop:
            outbox.stop_number(self.number.pk, _(step.stop))
        step.omitted, step.halted = outbox.advance(step.advances)
        outbox.finish(step.finished)

    def _clear(self, step: Step) -> None:
        """The commit is done: hand the allowed rows to the senders."""
        ends = {advance.chunk_id: advance.end for advance in step.advances}
        for holding in self.holdings:
            if holding.leased.id in step.halted:
                holding.drop()
            elif holding.leased.id in ends:
                self._release_rows(holding, ends[holding.leased.id], step.omitted)

    def _release_rows(self, holding: Holding, end: int, omitted: set[int]) -> None:
        rows = holding.leased.rows
        while holding.waiting and rows[holding.cleared].position < end:
            row = rows[holding.cleared]
            holding.cleared += 1
            if row.id not in omitted:
                holding.unsettled += 1
                self.ready.put_nowait((holding, row))

    async def _in_database(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.database, function)


def _compile(batch_id: int) -> tuple[payloads.Render, list[str]]:
    batch = Batch.objects.only("payload", "slots").get(pk=batch_id)
    return payloads.compile(batch.payload), batch.slots


def _close_connection() -> None:
    connection.close()  # looked up in the thread that calls it: each has its own


def _result(row: Row, verdict: Verdict) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": verdict.status,
        "code": verdict.code,
        "details": verdict.details,
        "trace": verdict.trace,
        "wamid": verdict.wamid,
        "wait": verdict.wait,
    }
