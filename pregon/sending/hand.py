"""What a pump has in hand: chunks, rows that may leave, and what became of those that did. It knows no clock, wire or database.

A row is *waiting* until a committed horizon covers it, then *ready*; once taken it is *unsettled* until its result is
written. What is ready may be put back at any time: it has not left.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from pregon.sending import journal
from pregon.sending.journal import Told
from pregon.sending.models import Status
from pregon.sending.outbox import Advance, Allowed, Flush, Leased, Row
from pregon.sending.verdicts import Halt, Verdict
from pregon.whatsapp.cloud import payloads
from pregon.whatsapp.cloud.codes import Mark

PUT_BACK = Verdict(Status.QUEUED)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a number may be in doubt at once."""

    concurrency: int  # requests in flight
    flush: int  # messages allowed beyond those in flight

    @classmethod
    def of(cls, mps: int) -> "Limits":
        """Enough in flight for 400 ms of latency at full pace, and beyond it for the time that a flush takes."""
        return cls(concurrency=min(400, max(16, mps * 2 // 5)), flush=min(1_000, max(8, mps // 4)))


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


Result = tuple[Holding, Row, Verdict]


@dataclass(slots=True)
class Step:
    """One turn of the pump at the database."""

    flush: Flush
    pauses: dict[int, str]  # batch → reason
    stop: str  # reason to stop the number
    marks: list[tuple[int, Mark]]  # what an answer told about a person: message → mark
    told: list[Told]  # for the log
    due: bool  # something is to be written, were it only the lease's renewal
    wants_more: bool  # lease another chunk


class Hand:
    """The senders take from `ready` and add to `results`; each turn begins with `step` and ends with `clear`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.holdings: list[Holding] = []
        self.waiting = 0  # rows in hand that may not leave yet
        self.ready: deque[tuple[Holding, Row]] = deque()  # may leave
        self.results: list[Result] = []  # not yet written

    def put_back(self, wait: float = 0.0) -> None:
        """Nothing more may leave: what has not returns to the queue."""
        for holding in self.holdings:
            holding.drop()
        self.return_ready(wait)

    def return_ready(self, wait: float) -> None:
        """What may leave and has not is queued again, for at least so many seconds."""
        self.results += [(holding, row, PUT_BACK._replace(wait=wait)) for holding, row in self.ready]
        self.ready.clear()

    def step(self, *, held: bool, renewing: bool, wants_more: bool) -> Step:
        """Takes the results. `held`: nothing leaves for a while, so nobody is asked for permission before it is over."""
        settled, self.results = self.results, []
        for holding, _row, _verdict in settled:
            holding.unsettled -= 1
        flush = self._flush(settled, [] if held else self._advances())
        return Step(
            flush,
            pauses={h.leased.batch_id: v.reason for h, _row, v in settled if v.halt is Halt.BATCH},
            stop=next((v.reason for _holding, _row, v in settled if v.halt is Halt.NUMBER), ""),
            marks=[(row.id, v.mark) for _holding, row, v in settled if v.mark],
            told=journal.refused(flush.results),
            due=renewing or not flush.empty,
            wants_more=wants_more,
        )

    def _flush(self, settled: list[Result], advances: list[Advance]) -> Flush:
        return Flush(
            batches={holding.leased.batch_id for holding in self.holdings},
            results=[_result(row, verdict) for _holding, row, verdict in settled],
            advances=advances,
            finished=[holding.leased.id for holding in self.holdings if holding.finished],
        )

    def _advances(self) -> list[Advance]:
        """The next positions that may leave, so that about one flush is always ready."""
        room = self.limits.flush - len(self.ready)
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

    def clear(self, flush: Flush, allowed: Allowed) -> None:
        """The commit is done: what it allowed is ready, what it finished is out of hand."""
        ends = {advance.chunk_id: advance.end for advance in flush.advances}
        for holding in self.holdings:
            if holding.leased.id in allowed.halted:
                holding.drop()
            elif holding.leased.id in ends:
                self._release(holding, ends[holding.leased.id], allowed.refused)
        self.holdings = [holding for holding in self.holdings if holding.leased.id not in flush.finished]
        self._count()

    def _release(self, holding: Holding, end: int, refused: Collection[int]) -> None:
        rows = holding.leased.rows[holding.cleared :]
        count = bisect_left(rows, end, key=_position)
        allowed = [(holding, row) for row in rows[:count] if row.id not in refused]
        holding.cleared += count
        holding.unsettled += len(allowed)
        self.ready += allowed

    def take(self, holding: Holding) -> None:
        """One more chunk."""
        self.holdings.append(holding)
        self._count()

    def _count(self) -> None:
        self.waiting = sum(holding.waiting for holding in self.holdings)


_position = attrgetter("position")


def _result(row: Row, verdict: Verdict) -> dict[str, Any]:
    if verdict.status is Status.ACCEPTED:
        return {"id": row.id, "wamid": verdict.wamid}
    return {
        "id": row.id,
        "status": verdict.status,
        "code": verdict.code,
        "details": verdict.details,
        "trace": verdict.trace,
        "wait": verdict.wait,
    }
