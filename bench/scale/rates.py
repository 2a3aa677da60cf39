"""How fast one and two workers send together, and what a message costs each part: seconds of a core, bytes of WAL, commits.

All parts share this machine's cores, so the rate says little about several machines. The cost per message does: from it
follow how many workers one PostgreSQL feeds, and where it ends.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from django.db import connection

from bench import processes, webhook
from bench.figures import Figure
from bench.scale import fleet, machines
from bench.scale.debian import Server
from bench.scale.machines import Machine
from pregon.sending.models import Batch
from pregon.webhooks.models import Arrival
from tests.sending.books import assert_closed

NUMBERS = 4
MESSAGES = 10_000  # of each number
UNPACED = 1_000_000
WORDS = ("sent", "delivered", "read")
GROUP_COMMIT = 30  # arrivals of one commit, as the receiver has it at some thousands per second
COUNTERS = """
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), xact_commit FROM pg_stat_database WHERE datname = current_database()
"""


@dataclass(frozen=True)
class Use:
    """What was used up so far: seconds of a core, bytes, commits."""

    workers: float
    postgres: float
    stub: float
    wal: float
    commits: float

    @classmethod
    def now(cls, pool: list[Machine], server: Server, stub: int) -> Self:
        time.sleep(1.1)  # the sessions tell their counters once a second
        with connection.cursor() as cursor:
            cursor.execute(COUNTERS)
            wal, commits = cursor.fetchone()
        workers = sum(_cpu(machine.worker.pid) for machine in pool if machine.worker)
        return cls(workers, _cpu(server.process.pid), _cpu(stub), float(wal), float(commits))

    def since(self, before: Self, messages: int) -> "Use":
        """Per message."""
        pairs = zip(vars(self).values(), vars(before).values(), strict=True)
        return Use(*((now - then) / messages for now, then in pairs))


def measure(server: Server, home: Path, host: str) -> list[Figure]:
    return [figure for workers in (1, 2) for figure in _measure(workers, server, home, host)]


def _measure(workers: int, server: Server, home: Path, host: str) -> list[Figure]:
    with ExitStack() as stack:
        url, stub = stack.enter_context(fleet.stub(host, 0))
        pool = [
            stack.enter_context(machines.machine(n, home, server.url(f"machine{n}"), url))
            for n in range(1, workers + 1)
        ]
        batches = fleet.launch(NUMBERS, MESSAGES, UNPACED)
        for machine in pool:
            machine.start()
        for machine in pool:
            machine.wait_ready()
        time.sleep(1)
        before = Use.now(pool, server, stub)
        fleet.begin(batches)
        fleet.wait_until(lambda: fleet.finished(batches), "the broadcasts end", 120)
        used = Use.now(pool, server, stub).since(before, NUMBERS * MESSAGES)
        times = [at for at, _number, _reference in processes.ask(f"{url}/arrivals")]
        _check(batches, times)
        figures = _figures(workers, (len(times) - 1) / (max(times) - min(times)), used)
        return figures if workers > 1 else [*figures, *_reports(batches[0], pool, server, stub)]


def _check(batches: list[Batch], times: list[float]) -> None:
    assert len(times) == NUMBERS * MESSAGES, len(times)
    for batch in batches:
        assert_closed(batch)


def _figures(workers: int, rate: float, used: Use) -> list[Figure]:
    name = f"rates.{workers}_worker{'s' * (workers > 1)}"
    return [
        Figure(f"{name}.msgs_per_s", round(rate), "msg/s"),
        Figure(f"{name}.worker_us", round(used.workers * 1e6, 1), "µs of a core per message"),
        Figure(f"{name}.postgres_us", round(used.postgres * 1e6, 1), "µs of a core per message"),
        Figure(f"{name}.stub_us", round(used.stub * 1e6, 1), "µs of a core per message"),
        Figure(f"{name}.wal_bytes", round(used.wal), "bytes per message"),
        Figure(f"{name}.msgs_per_commit", round(1 / used.commits, 1), ""),
    ]


def _reports(batch: Batch, pool: list[Machine], server: Server, stub: int) -> list[Figure]:
    """The same for a status webhook, from the row that keeps it to the message that it moves; without the receiver's own."""
    posts = webhook.Posts(batch)
    bodies = [request.partition(b"\r\n\r\n")[2] for word in WORDS for request in posts.single(word)]
    before = Use.now(pool, server, stub)
    for first in range(0, len(bodies), GROUP_COMMIT):
        Arrival.objects.bulk_create(Arrival(body=body) for body in bodies[first : first + GROUP_COMMIT])
    fleet.wait_until(lambda: not Arrival.objects.filter(processed_at=None).exists(), "the arrivals are read", 120)
    used = Use.now(pool, server, stub).since(before, len(bodies))
    batch.refresh_from_db()
    assert batch.read == batch.accepted == MESSAGES, (batch.read, batch.accepted)
    return [
        Figure("rates.status.worker_us", round(used.workers * 1e6, 1), "µs of a core per status"),
        Figure("rates.status.postgres_us", round(used.postgres * 1e6, 1), "µs of a core per status"),
        Figure("rates.status.wal_bytes", round(used.wal), "bytes per status"),
    ]


def _cpu(pid: int) -> float:
    """Seconds of a process and its children, of those that ended too."""
    process = psutil.Process(pid)
    living = process.children()  # PostgreSQL's sessions have no children of their own
    times = [process.cpu_times(), *(child.cpu_times() for child in living)]
    ended = process.cpu_times().children_user + process.cpu_times().children_system
    return sum(each.user + each.system for each in times) + float(ended)
