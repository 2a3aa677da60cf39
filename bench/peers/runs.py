"""The peers, and one run of one of them."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from bench import processes
from bench.peers import around
from bench.peers.result import Row
from bench.scale import fleet
from bench.send import PAYLOAD
from pregon.sending.models import Batch
from tests.sending.books import assert_closed

SECONDS = 25  # a run that takes longer is cut off
AT_ONCE = "50"  # of those whose concurrency is an option and costs little


@dataclass(frozen=True)
class Peer:
    """`fill` puts messages into its queue; `command` is the program that sends them, or its own, {messages} filled in."""

    name: str
    messages: Mapping[int, int]  # by latency (ms), so many that a run takes a few seconds at the peer's own speed
    command: Sequence[str]
    fill: Callable[[int], object] = lambda _messages: None  # where there is no queue, the program has its list
    check: Callable[[], None] = lambda: None  # of its own books, when it has any


def _launch(messages: int) -> None:
    fleet.begin(fleet.launch(1, messages, 1_000_000, payload=PAYLOAD))


def _audit() -> None:
    for batch in Batch.objects.all():
        assert_closed(batch)


def _fill(peer: str) -> Callable[[int], object]:
    return lambda messages: around.python("-c", f"from bench.peers import {peer}; {peer}.fill({messages})")


def _pywa(way: str) -> list[str]:
    return [str(around.PYTHON), "-m", "bench.peers.with_pywa", way, "{messages}"]


def _celery(pool: str, at_once: str) -> list[str]:
    worker = ["-m", "celery", "-A", "bench.peers.with_celery", "worker", "--loglevel", "WARNING"]
    return [str(around.PYTHON), *worker, "--pool", pool, "--concurrency", at_once]


PROCRASTINATE = ["-m", "procrastinate", "--app", "bench.peers.with_procrastinate.app", "worker"]
PEERS = (
    Peer("Pregón", {0: 30_000, 150: 12_000}, [sys.executable, "-m", "pregon", "worker"], _launch, _audit),
    Peer("pywa, one after the other", {0: 8_000, 150: 40}, _pywa("sync")),
    Peer("pywa async, 50 at once", {0: 1_500, 150: 1_500}, _pywa("some")),
    Peer("pywa async, all at once", {0: 1_000, 150: 1_000}, _pywa("all")),
    Peer("Celery, 8 processes", {0: 2_000, 150: 240}, _celery("prefork", "8"), _fill("with_celery")),
    Peer("Celery, 50 threads", {0: 1_000, 150: 1_000}, _celery("threads", AT_ONCE), _fill("with_celery")),
    Peer("Celery, 50 greenlets", {0: 1_500, 150: 1_500}, _celery("gevent", AT_ONCE), _fill("with_celery")),
    Peer(
        "procrastinate, 50 jobs at once",
        {0: 1_500, 150: 1_500},
        [str(around.PYTHON), *PROCRASTINATE, "--concurrency", AT_ONCE],
        _fill("with_procrastinate"),
    ),
)


def measure(peer: Peer, latency_ms: int, url: str) -> Row:
    """One run against the stub at `url`, which writes down when each message arrives."""
    messages = peer.messages[latency_ms]
    processes.ask(f"{url}/reset", "POST")
    peer.fill(messages)
    with tempfile.TemporaryFile() as log:
        _send([part.format(messages=messages) for part in peer.command], messages, url, log)
        count = processes.ask(f"{url}/count")
        if count["messages"] < messages:
            print(_end_of(log))
    peer.check()
    times = sorted(at for at, _number, _reference in processes.ask(f"{url}/arrivals"))
    twice = count["messages"] - count["distinct"]
    return Row(peer.name, latency_ms, messages, count["distinct"], twice, _per_second(times))


def _send(command: Sequence[str], messages: int, url: str, log: IO[bytes]) -> None:
    """Until all have arrived, the program has ended, or its time is over; and a second more, for what it has to write."""
    process = subprocess.Popen(command, stdout=log, stderr=log)
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if processes.ask(f"{url}/count")["messages"] >= messages:
            break
        time.sleep(0.05)
    time.sleep(1)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def _per_second(times: Sequence[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def _end_of(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-1_000:]
