"""A worker that pumps a number, one step at a time: the pump's own bookkeeping and transactions without its clock and wire."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.db import InterfaceError, OperationalError, transaction

from pregon.sending import leases, marks, outbox, pump, verdicts
from pregon.sending.hand import Holding, Limits, Step
from pregon.sending.outbox import Allowed, Row
from pregon.sending.pump import Pump
from pregon.sending.verdicts import Verdict
from pregon.whatsapp.models import Number
from tests.sending.protocol import sessions
from tests.sending.protocol.sessions import Session
from tests.sending.protocol.world import World

LIMITS = Limits(concurrency=2, flush=2)
CHUNK = 3
LEASE_SECONDS = leases.SECONDS - pump.MARGIN_SECONDS


class Before(NamedTuple):
    """What a flush finds."""

    clock: float
    may_send: set[int]  # batches
    consenting: set[int]  # contacts
    reported: set[int]  # messages


class Killed(Exception):
    """The process dies here."""


class Holder:
    """Idle until `go_on` gets hold of the number, and again after it died."""

    def __init__(self, world: World, number: Number) -> None:
        self.world = world
        self.number = number
        self.session = Session()
        self.pump: Pump | None = None
        self.cut_off = False  # its session was ended, which it does not know yet
        self.idle = False  # found nothing to do
        self.in_flight: list[tuple[Holding, Row, Verdict]] = []

    def take(self, *, dies: bool = False) -> None:
        """Take the number over, if nobody lives there; `dies` before it has looked after its predecessor's doubts."""
        began = self.world.clock
        with self.session.speaking():
            token = leases.acquire(self.number.pk)
            if token:
                self._begin(token, began)
            doubtful = outbox.recover(self.number.pk) if token and not dies else 0
        assert doubtful <= LIMITS.concurrency + LIMITS.flush
        if dies or not token:
            self.die()
            self.world.wait_for_ended_sessions(self.number)

    def _begin(self, token: int, began: float) -> None:
        last = self.world.owners[self.number.pk]
        assert last is None or not last.holds(began), "taken from a living holder"
        self.world.owners[self.number.pk] = self
        self.pump, self.cut_off = Pump(self.number, LIMITS), False
        self.pump.token, self.pump.chunk_size = token, CHUNK
        self.pump.deadline = began + LEASE_SECONDS

    def holds(self, clock: float) -> bool:
        """Nobody may have taken its number over by then."""
        return self.pump is not None and not self.cut_off and clock <= self.pump.deadline

    def take_alone(self) -> None:
        """And nobody else writes meanwhile: in doubt are exactly those that its predecessors might have sent."""
        waiting, might_have_left = self.world.waiting(), self.world.open[self.number.pk]
        self.take()
        if self.pump is not None:
            settled = waiting - self.world.waiting()
            assert might_have_left <= settled <= might_have_left | self.world.reported()
            might_have_left.clear()

    def go_on(self, choice: str, answer: str, fate: str) -> None:
        """What is chosen where it can be done, else what a pump would do next."""
        if self.pump is None:
            self.take_alone()
        elif choice == "lease" and self.pump.hand.waiting < CHUNK:
            self.lease()
        elif choice == "send" and self.pump.hand.ready and self.world.clock <= self.pump.deadline:
            self.send(answer, fate)
        elif choice == "answer" and self.in_flight:
            self.pump.hand.results.append(self.in_flight.pop(0))
        elif not self.pump.hand.holdings:
            self.lease()
        else:
            if choice != "flush":
                self._hear_all()
            self.flush()

    def _hear_all(self) -> None:
        """Meta answers whatever is in flight."""
        self.pump.hand.results += self.in_flight
        self.in_flight = []

    def lease(self) -> None:
        found: list[Holding | None] = []
        if self._attempt(lambda: found.append(self.pump._lease())):
            for holding in filter(None, found):
                self.pump.hand.take(holding)
                self.world.reach(row.to for row in holding.leased.rows)
            self.idle = not self.pump.hand.holdings

    def _attempt(self, act: Callable[[], object]) -> bool:
        """Whether it could; else it is dead. It is refused exactly when another took the number over."""
        stale, fenced = self.world.owners[self.number.pk] is not self, False
        try:
            with self.session.speaking():
                act()
        except leases.Fenced:
            fenced = True
        except (OperationalError, InterfaceError, Killed):
            if stale:
                self._knock_again(act)
            self.die()
            return False
        assert fenced == stale, "refused although nobody took over" if fenced else "a holder wrote with an old token"
        if fenced:
            self.die()
        return not fenced

    def _knock_again(self, act: Callable[[], object]) -> None:
        """A successor ended its session; through a new one it is refused for its token."""
        self.session.connection.close()
        with self.session.speaking(), pytest.raises(leases.Fenced):
            act()

    def send(self, answer: str, fate: str) -> None:
        """One message leaves. With `concurrency` in flight the pump waits for an answer first."""
        if len(self.in_flight) == LIMITS.concurrency:
            self.pump.hand.results.append(self.in_flight.pop(0))
        holding, row = self.pump.hand.ready.popleft()
        self.world.assert_would_not_leave_twice(row.id)
        outcome = self.world.network.receive(self.number, row, answer, fate)
        self.in_flight.append((holding, row, verdicts.judge(outcome, row.attempts)))

    def flush(self, second: Callable[[], object] | None = None, *, dies: str = "") -> None:
        """`second` happens in another session before this one commits; `dies` "between" the marks and it, "before" or "after"."""
        before = Before(self.world.clock, self.world.may_send(), self.world.consenting(), self.world.reported())
        step, allowed = self.pump._step(self.world.clock), []
        if self._attempt(lambda: allowed.append(self._commit(step, second, dies))):
            self._after(step, allowed[0], before)
            if dies == "after":
                self.die()

    def _commit(self, step: Step, second: Callable[[], object] | None, dies: str) -> Allowed:
        marks.note(step.marks)
        if dies == "between":
            raise Killed
        with sessions.meanwhile(second) if second else transaction.atomic():
            allowed = self.pump._commit(step)
            if dies == "before":
                raise Killed
        return allowed

    def _after(self, step: Step, allowed: Allowed, before: Before) -> None:
        known = len(self.pump.hand.ready)
        self.pump.hand.clear(step.flush, allowed)
        released = [(holding.leased.batch_id, row.id) for holding, row in list(self.pump.hand.ready)[known:]]
        batches, messages = ({batch_id for batch_id, _id in released}, {message_id for _batch, message_id in released})
        self._note_open(messages, step)
        assert batches <= before.may_send - set(step.pauses) - (batches if step.stop else set())
        assert self.world.contacts_of(messages) <= before.consenting
        assert not messages & before.reported, "Meta has them already"
        self.pump.deadline = before.clock + LEASE_SECONDS
        self.world.pass_time(0.1)  # what was put back untried is due again

    def _note_open(self, released: set[int], step: Step) -> None:
        self.world.allowed |= released
        self.world.open[self.number.pk] |= released
        self.world.open[self.number.pk] -= {result["id"] for result in step.flush.results}

    def stop(self) -> None:
        """It is told to stop: what has not left returns to the queue, and the number is free."""
        if self.pump is None:
            return
        self._hear_all()
        self.pump.hand.put_back()
        self.flush()
        if self.pump is not None:
            assert not self.pump.hand.holdings
            with self.session.speaking():
                leases.release(self.number.pk)
            self.die()

    def lose_session(self) -> None:
        self.session.end()
        self.cut_off = True

    def die(self) -> None:
        """As with kill -9: the server ends the session, and what was in memory is gone."""
        self.session.close()
        if self.pump is not None:
            self.pump.database.shutdown()
        self.pump, self.in_flight, self.idle = None, [], False
