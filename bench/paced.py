"""How well a worker keeps the pace of its numbers, without ever going beyond it, when Meta takes 90 to 240 ms to answer.

The stub refuses with 130429 whatever is more than the pace in any one second. The shares are counted where the messages arrive.
"""

import time
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

import psutil

from bench import processes
from bench.figures import Figure, at_least, at_most
from bench.scale import fleet
from pregon.sending.pacing import WARM_UP
from tests.sending.books import assert_closed

LATENCY_MS = 150  # at random from 0.6 to 1.6 times this
SECONDS = 30  # at full pace


@dataclass(frozen=True)
class Run:
    """`share`: of its pace, the slowest number's. `core`: of one processor, the worker's. `refused`: by Meta's 130429."""

    share: float
    core: float
    refused: int


def measure() -> list[Figure]:
    slow, fast, four = _run(1, 80), _run(1, 1_000), _run(4, 1_000)
    return [
        at_least("send.paced_80", slow.share, "of the pace", 0.98),
        at_least("send.paced_1000", fast.share, "of the pace", 0.98),
        at_most("send.paced_core", fast.core, "core", 0.35),
        at_least("send.four_numbers", four.share, "of the pace", 0.98),
        Figure("send.four_numbers_core", round(four.core, 3), "core"),
        at_most("send.rate_refusals", slow.refused + fast.refused + four.refused, "", 0),
    ]


def _run(numbers: int, mps: int) -> Run:
    """So many numbers of one worker, each with one broadcast, all at once."""
    batches = fleet.launch(numbers, mps * SECONDS, mps)
    with (
        processes.stub(LATENCY_MS, "--log", "--limit", str(mps)) as url,
        processes.running("pregon", "worker", PREGON_GRAPH_URL=url) as worker,
    ):
        fleet.begin(batches)
        fleet.wait_until(lambda: processes.ask(f"{url}/count")["messages"] > 0, "the worker starts")
        started, spent = time.perf_counter(), _cpu(worker.pid)
        fleet.wait_until(lambda: fleet.finished(batches), "the broadcasts end")
        core = (_cpu(worker.pid) - spent) / (time.perf_counter() - started)
        share = min(_rates(url)) / mps
        refused = processes.ask(f"{url}/refused")["refused"]
    for batch in batches:
        assert_closed(batch)
    return Run(share, core, refused)


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _rates(url: str) -> list[float]:
    """Messages per second of each number, from when its connections are open to its last."""
    times = defaultdict(list)
    for at, number, _reference in processes.ask(f"{url}/arrivals"):
        times[number].append(at)
    return [_rate(sorted(its)) for its in times.values()]


def _rate(times: list[float]) -> float:
    steady = times[bisect_left(times, times[0] + WARM_UP) :]
    return (len(steady) - 1) / (steady[-1] - steady[0])
