"""Whether a broadcast of a million leaves as fast as one of ten thousand, from a worker that needs no more memory for it.

BENCH_GROWTH=100000 in the environment makes the million smaller, for a look.
"""

import os
from pathlib import Path
from statistics import median

from django.db.models import Min

from bench import processes
from bench.figures import Figure, at_least, at_most
from bench.scale import fleet
from pregon.sending.models import Batch
from tests.sending.books import assert_closed

SMALL, LARGE = 10_000, int(os.environ.get("BENCH_GROWTH", "1000000"))
SMALL_ROUNDS = 5
UNPACED = 1_000_000  # messages per second: as fast as it goes


def measure() -> list[Figure]:
    small, large = fleet.launch(SMALL_ROUNDS, SMALL, UNPACED), fleet.launch(1, LARGE, UNPACED)
    with processes.stub() as url, processes.running("pregon", "worker", PREGON_GRAPH_URL=url) as worker:
        before = median(_rate(batch) for batch in small)
        memory = _peak(worker.pid)
        rate = _rate(large[0])
        growth = _peak(worker.pid) / memory
    for batch in (*small, *large):
        assert_closed(batch)
    return [
        at_least("send.growth", rate / before, "", 0.9),
        at_most("send.memory_growth", growth, "", 1.1),
        Figure("send.memory_mib", round(memory), "MiB"),
        Figure("send.msgs_per_s_10k", round(before), "msg/s"),
        Figure(f"send.msgs_per_s_{LARGE // 1_000}k", round(rate), "msg/s"),
    ]


def _rate(batch: Batch) -> float:
    """Messages per second, from the first lease to the last written result."""
    fleet.begin([batch])
    fleet.wait_until(lambda: fleet.finished([batch]), "the broadcast ends", 600)
    batch.refresh_from_db()
    began = batch.chunks.aggregate(at=Min("leased_at"))["at"]
    assert batch.finished_at is not None
    return float(batch.people / (batch.finished_at - began).total_seconds())


def _peak(pid: int) -> float:
    """The most memory that the process ever had at once, in MiB, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
