"""The sending protocol under everything that may happen to it, in any order: nobody gets a message twice, the books agree
after every step, and everybody has an honest end.

Two numbers with two workers each, people who withdraw, batches that are paused and cancelled, a Meta that answers, refuses,
falls silent, is wrong, limits the people of a day and reports in any order, workers that die or wake up late, and a clock that
jumps. Rules are the program's own functions on a real PostgreSQL, each worker in a database session of its own.
"""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pregon.accounts.models import Account
from pregon.contacts.models import Consent
from pregon.sending import outbox, statuses, sweep
from pregon.sending.models import Batch
from tests.sending.protocol import sessions
from tests.sending.protocol.holder import Holder
from tests.sending.protocol.network import ANSWERS, FATES
from tests.sending.protocol.world import World

WORKERS, BATCHES = 2, 3
MINUTE, HOUR, DAY = 60, 3_600, 86_400
# more often what moves things forward
choices = st.sampled_from(["send", "send", "flush", "flush", "answer", "lease"])
answers = st.sampled_from(["accepted"] * 4 + list(ANSWERS))
fates = st.sampled_from(list(FATES))
workers = st.integers(0, 2 * WORKERS - 1)
batches = st.integers(0, BATCHES - 1)
picks = st.lists(st.integers(0, 30), min_size=1, max_size=6)


class Protocol(RuleBasedStateMachine):
    """Whatever a rule names that is not there yet changes nothing."""

    @initialize(number=st.integers(0, 1), most=st.sampled_from([None, 2]))
    def start(self, number: int, most: int | None) -> None:
        self.world = World(most)
        self.holders = [Holder(self.world, number) for number in self.world.numbers for _worker in range(WORKERS)]
        self.world.launch(self.world.numbers[number])

    # workers

    @rule(worker=workers, steps=st.lists(st.tuples(choices, answers, fates), min_size=2, max_size=12))
    def work(self, worker: int, steps: list[tuple[str, str, str]]) -> None:
        for step in steps:
            self.holders[worker].go_on(*step)

    @rule(worker=workers, steps=st.lists(st.tuples(choices, answers, fates), max_size=6))
    def kill(self, worker: int, steps: list[tuple[str, str, str]]) -> None:
        """Wherever it stands; the other of its number may follow at once."""
        self.work(worker, steps)
        self.holders[worker].die()
        self.work(worker ^ 1, [("lease", "accepted", "silence")])

    @rule(worker=workers, moment=st.sampled_from(["taking over", "between", "before", "after"]))
    def kill_while_it_writes(self, worker: int, moment: str) -> None:
        holder = self.holders[worker]
        if holder.pump is None and moment == "taking over":
            holder.take(dies=True)
        elif holder.pump is None:
            holder.take_alone()
        elif holder.pump.hand.holdings:
            holder.flush(dies=moment)

    @rule(worker=workers, steps=st.lists(st.tuples(choices, answers, fates), min_size=2, max_size=6))
    def freeze(self, worker: int, steps: list[tuple[str, str, str]]) -> None:
        """Past its lease; it wakes when another has gone on with its number, and finds out when it writes."""
        if self.holders[worker].pump is not None:
            self.world.pass_time(12)
            self.work(worker ^ 1, steps)
            self.work(worker, [("flush", "accepted", "silence")])

    @rule(worker=workers)
    def knock(self, worker: int) -> None:
        """The other of its number wants it, again and again, while this one writes in time."""
        if self.holders[worker].pump is not None:
            for _knock in range(3):
                self.world.pass_time(6)
                self.work(worker, [("flush", "accepted", "silence")])
                self.work(worker ^ 1, [("flush", "accepted", "silence")] * 2)

    @rule(worker=workers)
    def lose_session(self, worker: int) -> None:
        self.holders[worker].lose_session()

    @rule(worker=workers)
    def stop(self, worker: int) -> None:
        self.holders[worker].stop()

    # people

    @precondition(lambda self: len(self.world.batches) < BATCHES)
    @rule(number=st.integers(0, 1))
    def launch(self, number: int) -> None:
        self.world.launch(self.world.numbers[number])

    @rule(
        n=batches,
        act=st.sampled_from([outbox.resume, outbox.cancel, lambda batch_id: outbox.pause(batch_id, "a mano")]),
    )
    def control(self, n: int, act: Callable[[int], object]) -> None:
        for batch in self.world.batches[n : n + 1]:
            act(batch.pk)

    @rule(n=batches, seconds=st.sampled_from([30, HOUR]))
    def hold(self, n: int, seconds: int) -> None:
        until = timezone.now() + timedelta(seconds=seconds)
        for batch in self.world.batches[n : n + 1]:
            Batch.objects.filter(pk=batch.pk).update(held_until=until, hold=Batch.Hold.QUIET)

    @rule(person=st.integers(0, 4), consent=st.sampled_from([Consent.WITHDRAWN, Consent.UNKNOWN, Consent.GRANTED]))
    def consent(self, person: int, consent: Consent) -> None:
        self.world.set_consent(person, consent)

    @rule(suspended=st.booleans())
    def suspend(self, suspended: bool) -> None:
        at = timezone.now() if suspended else None
        Account.objects.filter(pk=self.world.numbers[0].account_id).update(suspended_at=at)

    @rule()
    def mend(self) -> None:
        self.world.mend()

    # Meta and the clock

    @rule(picks=picks)
    def report(self, picks: list[int]) -> None:
        """In any order, again, and perhaps before the answer to the request was written."""
        events = self.world.network.events
        statuses.apply([events[pick % len(events)] for pick in picks if events])

    @rule(seconds=st.sampled_from([5, 5, 12, 12, 5 * MINUTE, 20 * MINUTE, 73 * HOUR, 8 * DAY]))
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @rule()
    def sweep(self) -> None:
        sweep.expire()
        sweep.close()

    # Two at once

    @rule(worker=workers, second=st.sampled_from(["report", "cancel", "sweep", "rival"]), picks=picks, n=batches)
    def write_while(self, worker: int, second: str, picks: list[int], n: int) -> None:
        """Another session writes before a flush has committed."""
        holder, rival = self.holders[worker], self.holders[worker ^ 1]
        if holder.pump is not None and holder.pump.hand.holdings:
            acts = {
                "report": lambda: self.report(picks),
                "cancel": lambda: self.control(n, outbox.cancel),
                "sweep": self.sweep,
                "rival": lambda: rival.take() if rival.pump is None else None,
            }
            holder.flush(acts[second])

    @rule(first=picks, second=picks, n=batches, cancel=st.booleans())
    def report_while(self, first: list[int], second: list[int], n: int, cancel: bool) -> None:
        """Two readers of webhooks, or one and a person who cancels."""
        with sessions.meanwhile(lambda: self.report(second)), transaction.atomic():
            self.control(n, outbox.cancel) if cancel else self.report(first)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        """Unless it failed: all is mended, sent, reported and swept, and everybody must have come to an honest end."""
        if not hasattr(self, "world"):
            return
        try:
            if sys.exc_info()[0] is None:
                self._drain()
                self.world.check_the_end()
        finally:
            for holder in self.holders:
                holder.die()

    def _drain(self) -> None:
        self.suspend(suspended=False)
        for holder in self.holders:
            holder.die()
        going = Batch.objects.filter(pk__in=[batch.pk for batch in self.world.batches], ends_at__gt=timezone.now())
        going.update(ends_at=timezone.now() + timedelta(days=30))  # or whoever is forgotten would just run out of time
        for _round in range(60):
            self.world.pass_time(20 * MINUTE if self.world.most is None else 6 * HOUR)
            self.world.mend()
            for holder in self.holders[::WORKERS]:
                self._send_all(holder)
            if not self.world.waiting():
                break
        self.sweep()  # what comes back to a cancelled batch, and what ran out of time
        assert not self.world.waiting(), "nobody sends them any more"
        self.world.check()
        statuses.apply(self.world.network.events[::2])
        self.world.pass_time(8 * DAY)
        self.sweep()
        self.world.check()
        for event in reversed(self.world.network.events):  # one by one: of those that come together the highest counts
            statuses.apply([event])

    def _send_all(self, holder: Holder) -> None:
        """All that is due now; a dead predecessor's doubts are looked after even where nothing is."""
        for _step in range(30):
            holder.go_on("send", "accepted", "delivered")
            if holder.idle:
                return


def run(examples: int, steps: int) -> None:
    try:
        run_state_machine_as_test(
            Protocol,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE accounts_account, whatsapp_portfolio CASCADE")


@pytest.mark.timeout(600)  # a failure is first made small
@pytest.mark.django_db(transaction=True)
def test_nothing_twice_and_nobody_lost() -> None:
    run(examples=30, steps=25)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.django_db(transaction=True)
def test_nothing_twice_and_nobody_lost_for_long() -> None:
    run(examples=2_000, steps=60)
