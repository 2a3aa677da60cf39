"""Sends what is queued for one number: one pump per number, in whichever worker holds its lease.

    pump ── lease ──▶ chunks in hand ── advance ──▶ ready ── workers ──▶ Meta
      ▲                                                         │
      └───────────────── flush: settle, advance, finish ◀── results

A flush is one transaction: it renews the lease, writes the results, moves the horizons and so allows the next messages.
Between what may have left and what is written there are never more than `concurrency + flush` messages.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected

from pregon.sending import books, journal, leases, locks, marks, outbox, pacing, references, verdicts
from pregon.sending.hand import PUT_BACK, Hand, Holding, Limits, Step
from pregon.sending.models import Batch, Status
from pregon.sending.outbox import Allowed, Row
from pregon.sending.pacing import Pace, Pairs
from pregon.sending.verdicts import Halt, Verdict
from pregon.whatsapp.cloud import payloads
from pregon.whatsapp.cloud.client import Client
from pregon.whatsapp.cloud.codes import N_, Mark
from pregon.whatsapp.models import Number

log = logging.getLogger(__name__)
T = TypeVar("T")

FLUSH_SECONDS = 0.2  # results wait no longer than this to be written
RENEW_SECONDS = 2.0
# Without work for so long, the number is given up: nobody whom it wrote to has to wait by then.
IDLE_SECONDS = pacing.PAIR_SECONDS + 1
POLL_SECONDS = 0.25
MARGIN_SECONDS = 1.0  # stop sending this long before the lease ends
GRAIN_SECONDS = 0.004  # a sender sleeps no shorter: at full pace, those whose turn comes meanwhile leave with it
UNREACHABLE_SECONDS = 5.0  # how long the whole number waits when Meta cannot be reached
UNWRITABLE = Verdict(Status.FAILED, Halt.BATCH, reason=N_("El mensaje no se pudo armar con los datos de una persona"))


class Pump:
    """Pumps one number until it has been idle for a while, is told to stop, or loses its lease."""

    def __init__(self, number: Number, limits: Limits | None = None, *, idle: float = IDLE_SECONDS) -> None:
        self.number = number
        self.limits = limits or Limits.of(number.mps)
        self.hand = Hand(self.limits)
        self.idle = idle
        self.pace = Pace(number.mps)
        self.pairs = Pairs()
        # Half a second of pace: a small batch waits for two of them.
        self.chunk_size = min(outbox.MAX_CHUNK, max(1, number.mps // 2))
        self.token = 0
        self.deadline = 0.0  # of the loop's clock: nothing leaves after it
        self.look_at = 0.0  # when to look for work again
        self.stopping = False
        self.in_flight = 0  # requests that Meta has not answered
        self.tally = Counter[str]()  # results that were written, by status
        self.half = self.limits.flush / 2  # of a flush: when it is time for the next
        self.filled = asyncio.Event()  # something is ready
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
        line = Client(
            number.graph_url,
            number.phone_number_id,
            number.token,
            connections=self.limits.concurrency,
            departures=self.pace,
        )
        async with line, asyncio.TaskGroup() as group:
            self.deadline = asyncio.get_running_loop().time() + leases.SECONDS - MARGIN_SECONDS
            senders = [group.create_task(self._send(line)) for _ in range(self.limits.concurrency)]
            await self._flush_until_idle()
            for sender in senders:
                sender.cancel()

    async def _send(self, line: Client) -> None:
        loop, hand = asyncio.get_running_loop(), self.hand
        while True:
            holding, row = self._next_due() or await self._wait_for_turn()
            late = loop.time() > self.deadline  # somebody else may send it: the next flush finds out
            verdict = PUT_BACK if late or self.stopping else await self._exchange(line, holding, row)
            hand.results.append((holding, row, verdict))
            if late or len(hand.results) >= self.half:
                self.wake.set()

    def _next_due(self) -> tuple[Holding, Row] | None:
        """What may leave this moment, where nobody waits before us: at full speed it spares the lock."""
        if self.turn.locked() or not self.hand.ready or self.pace.wait() > 0:
            return None
        self.pace.book()
        return self._take()

    async def _wait_for_turn(self) -> tuple[Holding, Row]:
        """One is taken when it leaves, no sooner: what returns to the queue meanwhile is asked again. It is booked then, not
        when it should have left: what is late counts later."""
        async with self.turn:
            while (wait := self.pace.wait()) > 0 or not self.hand.ready:
                if wait > 0:
                    await asyncio.sleep(max(wait, GRAIN_SECONDS))
                else:
                    self.filled.clear()
                    await self.filled.wait()
            self.pace.book()
            return self._take()

    def _take(self) -> tuple[Holding, Row]:
        hand = self.hand
        leaving = hand.ready.popleft()
        if hand.waiting and len(hand.ready) < self.half:
            self.wake.set()  # half of what was ready has left: time to allow more
        return leaving

    async def _exchange(self, line: Client, holding: Holding, row: Row) -> Verdict:
        if wait := self.pairs.book(row.to):
            return PUT_BACK._replace(wait=wait)
        try:
            values = dict(zip(holding.slots, row.values, strict=True))
            body = holding.render(row.to, values, references.make(row.id))
        except (KeyError, ValueError):
            log.exception("message %s does not fit its payload", row.id)
            return UNWRITABLE
        self.in_flight += 1
        outcome = await line.send(body)
        self.in_flight -= 1
        verdict = verdicts.judge(outcome, row.attempts)
        if verdict.halt:
            self._heed(verdict.halt)
        else:
            self.pace.recover()
        return verdict

    def _heed(self, halt: Halt) -> None:
        match halt:
            case Halt.PACE:
                self.pace.slow_down()
            case Halt.LINE:
                self.pace.hold(UNREACHABLE_SECONDS)
                self.hand.return_ready(UNREACHABLE_SECONDS)  # asked again before they leave: it may take long
            case Halt.NUMBER:
                self.pace.hold(UNREACHABLE_SECONDS)
                self.hand.put_back(UNREACHABLE_SECONDS)

    async def _flush_until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        busy = loop.time()
        self.wake.set()
        while True:
            await self._nap()
            if self.stopping:
                self.hand.put_back()
            step = self._step(loop.time())
            if step.due or step.wants_more:
                await self._turn_over(step)
            if self.hand.holdings:
                busy = loop.time()
            elif self.stopping or loop.time() - busy > self.idle:
                return

    async def _nap(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), FLUSH_SECONDS if self.hand.holdings else POLL_SECONDS)
        except TimeoutError:
            pass
        self.wake.clear()

    async def _turn_over(self, step: Step) -> None:
        started = asyncio.get_running_loop().time()
        allowed, holding = await self._in_database(partial(self._write, step))
        if allowed.access not in ((), self.number.access):
            self.stop()  # a new token or pace: the next pump of the number has it
        if step.due:
            self.deadline = started + leases.SECONDS - MARGIN_SECONDS
        self.tally.update(result.get("status", Status.ACCEPTED) for result in step.flush.results)
        self.hand.clear(step.flush, allowed)
        if self.hand.ready:
            self.filled.set()
        if step.told:
            await self._in_database(partial(journal.note, step.told))
        if holding:
            self.hand.take(holding)
        elif step.wants_more:
            self.look_at = started + POLL_SECONDS
        if holding or self._wants_more(started):
            self.wake.set()

    def _step(self, now: float) -> Step:
        return self.hand.step(
            held=self.pace.held,
            renewing=now > self.deadline - leases.SECONDS + MARGIN_SECONDS + RENEW_SECONDS,
            wants_more=self._wants_more(now),
        )

    def _wants_more(self, now: float) -> bool:
        """One chunk is kept waiting behind the one that is leaving."""
        return not self.stopping and now >= self.look_at and self.hand.waiting < self.chunk_size

    def _write(self, step: Step) -> tuple[Allowed, Holding | None]:
        """All that a turn has for the database, in one visit: the way back from its thread costs more than a statement.

        Marks go before what became of their messages, which nobody looks at again: no kill comes between a message that is
        settled and the person's no. They are apart from it because others lock contacts in another order.
        """
        if step.marks:
            _again(partial(heed, step.marks))
        allowed = _again(partial(self._commit, step)) if step.due else Allowed()
        return allowed, self._lease() if step.wants_more else None

    @transaction.atomic
    def _commit(self, step: Step) -> Allowed:
        if step.pauses or step.stop:
            books.lock(step.flush.batches)
        for batch_id, reason in step.pauses.items():
            outbox.pause(batch_id, _(reason))
        if step.stop:
            outbox.stop_number(self.number.pk, _(step.stop))
        return outbox.flush(self.number.pk, self.token, step.flush)

    def _lease(self) -> Holding | None:
        with transaction.atomic():
            leases.renew(self.number.pk, self.token)
            leased = outbox.lease(self.number.pk, self.chunk_size)
        if leased is None:
            return None
        if leased.batch_id not in self.renders:
            self.renders[leased.batch_id] = _compile(leased.batch_id)
        return Holding(leased, *self.renders[leased.batch_id])

    async def _in_database(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.database, function)


@transaction.atomic
def heed(found: Sequence[tuple[int, Mark]]) -> None:
    """What Meta's answers about messages (ids) tell of people. Each mark alone has its people in order, all together have not."""
    locks.take_failed(found)
    marks.note(found)


def _again(write: Callable[[], T]) -> T:
    """A deadlock rolls all of it back, so it may be written again; nobody is in doubt because of one."""
    try:
        return write()
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        return write()


def _compile(batch_id: int) -> tuple[payloads.Render, list[str]]:
    batch = Batch.objects.only("payload", "slots").get(pk=batch_id)
    return payloads.compile(batch.payload), batch.slots


def _close_connection() -> None:
    connection.close()  # looked up in the thread that calls it: each has its own
