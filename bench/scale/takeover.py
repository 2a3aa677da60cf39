"""Two workers share eight numbers; one is killed with -9, again and again, then its cable is pulled. Who waits, and how long?

Counted where the messages arrive: a number's gap is the longest silence that began around the event.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import processes
from bench.figures import Figure, at_most
from bench.scale import fleet, machines
from bench.scale.debian import Server
from bench.scale.machines import Machine
from pregon.sending import leases, references
from pregon.sending.hand import Limits
from pregon.sending.models import Batch, Message, Status
from tests.sending.books import assert_balanced

NUMBERS = 8
MPS = 80  # Meta's own default for a number
LATENCY_MS = 150  # at random between 90 and 240
KILLS = 4
REST_SECONDS = 2.0  # before the killed one comes back
SECONDS = 45  # how long the broadcasts last at full pace
BEGINS_WITHIN = 0.5  # a silence that an event causes begins this soon after it: what is in flight still arrives


@dataclass(frozen=True)
class Loss:
    """A machine was lost at a time (of the wall clock), with the numbers that it pumped."""

    at: float
    numbers: list[str]  # Meta's ids


class Arrival(NamedTuple):
    """A message as the stub heard of it."""

    at: float
    number: str
    reference: str


def measure(server: Server, home: Path, host: str) -> list[Figure]:
    with ExitStack() as stack:
        url, _pid = stack.enter_context(fleet.stub(host, LATENCY_MS))
        pair = [stack.enter_context(machines.machine(n, home, server.url(f"machine{n}"), url)) for n in (1, 2)]
        batches = fleet.launch(NUMBERS, MPS * SECONDS, MPS)
        for machine in pair:
            machine.start()
        for machine in pair:
            machine.wait_ready()
        fleet.begin(batches)
        kills = [_kill(pair, pair[n % 2]) for n in range(KILLS)]
        cuts = [_cut_off(pair, pair[1])] if pair[1].has_cable else []
        fleet.wait_until(lambda: fleet.finished(batches), "the broadcasts end", SECONDS * 2)
        arrivals = [Arrival(*arrival) for arrival in processes.ask(f"{url}/arrivals")]
    return [*_gaps(arrivals, kills, cuts), *_books(batches, arrivals, [*kills, *cuts])]


def _kill(pair: Sequence[Machine], victim: Machine) -> Loss:
    _wait_shared(pair)
    numbers = fleet.holders()[victim.name]
    loss = Loss(victim.kill(), [number.phone_number_id for number in numbers])
    time.sleep(REST_SECONDS)
    victim.start()
    return loss


def _cut_off(pair: Sequence[Machine], victim: Machine) -> Loss:
    _wait_shared(pair)
    numbers = fleet.holders()[victim.name]
    loss = Loss(victim.cable("down"), [number.phone_number_id for number in numbers])
    survivor = next(machine for machine in pair if machine is not victim)
    fleet.wait_until(lambda: fleet.shared([survivor.name], NUMBERS), "the survivor takes all", leases.SECONDS * 3)
    time.sleep(REST_SECONDS)
    victim.cable("up")
    _wait_shared(pair)
    return loss


def _wait_shared(pair: Sequence[Machine]) -> None:
    names = [machine.name for machine in pair]
    fleet.wait_until(lambda: fleet.shared(names, NUMBERS), f"{' and '.join(names)} share the numbers")
    time.sleep(random.uniform(0.5, 1.5))  # no event falls together with another


def _gaps(arrivals: Sequence[Arrival], kills: Sequence[Loss], cuts: Sequence[Loss]) -> list[Figure]:
    after_kills = [gap for loss in kills for gap in _silences(arrivals, loss)]
    figures = [
        Figure("takeover.after_kill_median_s", round(median(after_kills), 3), "s"),
        at_most("takeover.after_kill_max_s", max(after_kills), "s", 1.0),
        Figure("takeover.handed_over_max_s", round(_longest_otherwise(arrivals, [*kills, *cuts]), 3), "s"),
    ]
    after_cuts = [gap for loss in cuts for gap in _silences(arrivals, loss)]
    if after_cuts:
        figures.append(at_most("takeover.after_cut_max_s", max(after_cuts), "s", leases.SECONDS + 1.5))
    return figures


def _silences(arrivals: Sequence[Arrival], loss: Loss) -> list[float]:
    """The longest silence of each lost number that the loss explains."""
    return [
        max(end - start for start, end in pairs if _explains(loss, start, end))
        for number, pairs in _pairs(arrivals).items()
        if number in loss.numbers
    ]


def _longest_otherwise(arrivals: Sequence[Arrival], losses: Sequence[Loss]) -> float:
    """Of any number, when it was handed from one living worker to the other, or for no reason."""
    return max(
        end - start
        for number, pairs in _pairs(arrivals).items()
        for start, end in pairs
        if not any(number in loss.numbers and _explains(loss, start, end) for loss in losses)
    )


def _explains(loss: Loss, start: float, end: float) -> bool:
    return start <= loss.at + BEGINS_WITHIN and end >= loss.at


def _pairs(arrivals: Sequence[Arrival]) -> dict[str, list[tuple[float, float]]]:
    """Each two consecutive times of a number."""
    times: dict[str, list[float]] = defaultdict(list)
    for arrival in arrivals:
        times[arrival.number].append(arrival.at)
    return {number: list(pairwise(sorted(its))) for number, its in times.items()}


def _books(batches: Sequence[Batch], arrivals: Sequence[Arrival], losses: Sequence[Loss]) -> list[Figure]:
    for batch in batches:
        assert_balanced(batch)
    status = dict(Message.objects.filter(batch__in=batches).values_list("id", "status"))
    taken = Counter(references.read(arrival.reference) for arrival in arrivals)
    doubtful = Counter(
        Message.objects.filter(batch__in=batches, status=Status.UNCONFIRMED).values_list(
            "batch__number__phone_number_id", flat=True
        )
    )
    limits = Limits.of(MPS)
    times_lost = Counter(number for loss in losses for number in loss.numbers)
    per_loss = max((doubt / times_lost[number] for number, doubt in doubtful.items()), default=0.0)
    without_a_word = [
        message
        for message, word in status.items()
        if not (taken[message] or word in (Status.UNCONFIRMED, Status.FAILED))
    ]
    return [
        Figure("takeover.messages", len(status), ""),
        at_most("takeover.duplicates", sum(count - 1 for count in taken.values()), "", 0),
        at_most("takeover.missing", len(without_a_word), "", 0),
        at_most("takeover.in_doubt_per_loss", per_loss, "per number", limits.concurrency + limits.flush),
    ]
