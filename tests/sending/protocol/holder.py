"""A worker that pumps a number, one step at a time: the pump's own bookkeeping and transactions without its clock and wire."""

from collections.abc import Callable

import pytest
from django.db import InterfaceError, OperationalError, transaction

from pregon.sending import leases, marks, outbox, pump, verdicts
from pregon.sending.outbox import Allowed, Row
from pregon.sending.pump import Holding, Limits, Pump
from pregon.sending.verdicts import Verdict
from pregon.whatsapp.models import Number
from tests.sending.protocol import sessions
from tests.sending.protocol.sessions import Session
from tests.sending.protocol.world import World

LIMITS = Limits(concurrency=2, flush=2)
CHUNK = 3
LEASE_SECONDS = leases.SECONDS - pump.MARGIN_SECONDS


class Killed(Exception):
    """The process dies here."""


class Holder:
    """Idle until `go_on` gets hold of the number, and again after it died."""

    def __init__(self, world: World, number: Number) -> None:
        self.world = world
        self.number = number
        self.session = Session()
        self.pump: Pump | None = None
        self.idle = False  # found nothing to do
        self.in_flight: list[tuple[Holding, Row, Verdict]] = []

    def take(self, *, dies: bool = False) -> None:
        """Take the number over, if nobody lives there; `dies` before it has looked after its predecessor's doubts."""
        with self.session.speaking():
            token = leases.acquire(self.number.pk)
            if token:
                self._begin(token)
            doubtful = outbox.recover(self.number.pk) if token and not dies else 0
        assert doubtful <= LIMITS.concurrency + LIMITS.flush
        if dies or not token:
            self.die()
            self.world.wait_for_ended_sessions(self.number)

    def _begin(self, token: int) -> None:
        self.pump = self.world.owners[self.number.pk] = Pump(self.number, LIMITS)
        self.pump.token, self.pump.chunk_size = token, CHUNK
        self.pump.deadline = self.world.clock + LEASE_SECONDS

    def take_alone(self) -> None:
        """And nobody else writes meanwhile: in doubt are exactly those that its predecessors might have sent."""
        waiting, might_have_left = self.world.waiting(), self.world.open[self.number.pk]
        self.take()
        if self.pump is not None:
            assert waiting - self.world.waiting() == might_have_left
            might_have_left.clear()

    def go_on(self, choice: str, answer: str, fate: str) -> None:
        """What is chosen where it can be done, else what a pump would do next."""
        if self.pump is None:
            self.take_alone()
        elif choice == "lease" and sum(holding.waiting for holding in self.pump.holdings) < CHUNK:
            self.lease()
        elif choice == "send" and self.pump.ready and self.world.clock <= self.pump.deadline:
            self.send(answer, fate)
        elif choice == "answer" and self.in_flight:
            self.pump.results.append(self.in_flight.pop(0))
        elif not self.pump.holdings:
            self.lease()
        else:
            if choice != "flush":
                self._hear_all()
            self.flush()

    def _hear_all(self) -> None:
        """Meta answers whatever is in flight."""
        self.pump.results += self.in_flight
        self.in_flight = []

    def lease(self) -> None:
        found: list[Holding | None] = []
        if self._attempt(lambda: found.append(self.pump._lease())):
            self.pump.holdings += filter(None, found)
            self.idle = not self.pump.holdings

    def _attempt(self, act: Callable[[], object]) -> bool:
        """Whether it could; else it is dead. It is refused exactly when another took the number over."""
        stale, fenced = self.world.owners[self.number.pk] is not self.pump, False
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
            self.pump.results.append(self.in_flight.pop(0))
        holding, row = self.pump.ready.popleft()
        self.world.assert_would_not_leave_twice(row.id)
        outcome = self.world.network.receive(self.number, row, answer, fate)
        self.in_flight.append((holding, row, verdicts.judge(outcome, row.attempts)))

    def flush(self, second: Callable[[], object] | None = None, *, dies: str = "") -> None:
        """`second` happens in another session before this one commits; `dies` "before" or "after" the commit."""
        may_send, consenting = self.world.may_send(), self.world.consenting()
        step, allowed = self.pump._step(self.world.clock), []
        if self._attempt(lambda: allowed.append(self._commit(step, second, dies))):
            self._after(step, allowed[0], may_send, consenting)
            if dies == "after" or not self._note_marks(step):
                self.die()

    def _commit(self, step: pump.Step, second: Callable[[], object] | None, dies: str) -> Allowed:
        with sessions.meanwhile(second) if second else transaction.atomic():
            allowed = self.pump._commit(step)
            if dies == "before":
                raise Killed
        return allowed

    def _after(self, step: pump.Step, allowed: Allowed, may_send: set[int], consenting: set[int]) -> None:
        known = len(self.pump.ready)
        self.pump._clear(step.flush, allowed)
        released = [(holding.leased.batch_id, row.id) for holding, row in list(self.pump.ready)[known:]]
        self._note_open({message_id for _batch, message_id in released}, step)
        stopped = set(step.pauses) | ({batch_id for batch_id, _message in released} if step.stop else set())
        assert {batch_id for batch_id, _message in released} <= may_send - stopped
        assert self.world.contacts_of([message_id for _batch, message_id in released]) <= consenting
        self.pump.holdings = [h for h in self.pump.holdings if h.leased.id not in step.flush.finished]
        self.pump.deadline = self.world.clock + LEASE_SECONDS
        self.world.pass_time(0.1)  # what was put back untried is due again

    def _note_marks(self, step: pump.Step) -> bool:
        """False when a successor ended the session just after the commit."""
        try:
            with self.session.speaking():
                marks.note(step.marks)
        except (OperationalError, InterfaceError):
            return False
        return True

    def _note_open(self, released: set[int], step: pump.Step) -> None:
        self.world.allowed |= released
        self.world.open[self.number.pk] |= released
        self.world.open[self.number.pk] -= {result["id"] for result in step.flush.results}

    def stop(self) -> None:
        """It is told to stop: what has not left returns to the queue, and the number is free."""
        if self.pump is None:
            return
        self._hear_all()
        self.pump._put_back()
        self.flush()
        if self.pump is not None:
            assert not self.pump.holdings
            with self.session.speaking():
                leases.release(self.number.pk)
            self.die()

    def die(self) -> None:
        """As with kill -9: the server ends the session, and what was in memory is gone."""
        self.session.close()
        if self.pump is not None:
            self.pump.database.shutdown()
        self.pump, self.in_flight, self.idle = None, [], False
