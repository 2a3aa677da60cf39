"""Twenty numbers at once at Meta's default pace: what a message costs when flushes are small, and a number its session."""

import time
from contextlib import ExitStack
from pathlib import Path

import psutil
from django.db import connection

from bench import processes
from bench.figures import Figure
from bench.scale import fleet, machines
from bench.scale.debian import Server
from bench.scale.rates import Use
from pregon.sending import outbox
from tests.sending.books import assert_balanced

NUMBERS = 20
MPS = 80
SECONDS = 12  # of sending; the first ones and the last ones are not looked at
MEASURED = 8
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def measure(server: Server, home: Path, host: str) -> list[Figure]:
    with ExitStack() as stack:
        url, stub = stack.enter_context(fleet.stub(host, 150))
        machine = stack.enter_context(machines.machine(1, home, server.url("machine1"), url))
        batches = fleet.launch(NUMBERS, MPS * SECONDS * 2, MPS)
        machine.start()
        machine.wait_ready()
        assert machine.worker is not None
        process = psutil.Process(machine.worker.pid)
        idle, idle_sessions = process.memory_info().rss, _sessions()
        fleet.begin(batches)
        fleet.wait_until(lambda: fleet.shared([machine.name], NUMBERS), "all numbers are pumped")
        time.sleep(2)
        before, since = Use.now([machine], server, stub), time.time()
        time.sleep(MEASURED)
        used, until = Use.now([machine], server, stub).since(before, 1), time.time()
        memory, sessions = process.memory_info().rss - idle, _sessions() - idle_sessions
        for batch in batches:
            outbox.cancel(batch.pk)
        fleet.wait_until(lambda: fleet.finished(batches), "the broadcasts end")
        arrivals = processes.ask(f"{url}/arrivals")
    for batch in batches:
        assert_balanced(batch)
    sent = sum(since <= at <= until for at, _number, _reference in arrivals)
    rate = sent / (until - since)
    return [
        Figure("many.of_the_pace", round(rate / (NUMBERS * MPS), 3), ""),
        Figure("many.worker_us", round(used.workers / (until - since) / rate * 1e6, 1), "µs of a core per message"),
        Figure("many.postgres_us", round(used.postgres / (until - since) / rate * 1e6, 1), "µs of a core per message"),
        Figure("many.sessions_per_number", sessions / NUMBERS, ""),
        Figure("many.worker_mb_per_number", round(memory / NUMBERS / 2**20, 2), "MB"),
    ]


def _sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS)
        return int(cursor.fetchone()[0])
