"""A worker is frozen (SIGSTOP) past its lease, another one takes the number over, and the first one wakes (SIGCONT).

Every second time it is frozen in the middle of a transaction that keeps the broadcast locked.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import connection, transaction

from pregon.sending.models import Lease
from tests.chaos.arena import Arena, persist
from tests.chaos.processes import Process, wait_until
from tests.chaos.wire import Wire

AWAKE = 2.0  # seconds of watching what the woken one does
# One request may stand between the look at the lease and the socket when it is frozen. It is in doubt like all others
# under way, and nobody sends it again.
ON_ITS_WAY = 1

WEBHOOKS_ONLY = "SELECT id FROM sending_message WHERE batch_id = %s AND status = 'accepted' AND delivery < 4 FOR UPDATE"
WAITS_FOR_US = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def strike(arena: Arena, blows: int) -> dict[str, Any]:
    """Each worker has a wire of its own, which counts what it sends."""
    wire = arena.wire()
    worker = arena.worker(wire.url)
    silences, late = [], 0
    for left in arena.rounds(blows):
        arena.let_it_send(left)
        arena.blow()
        with _caught(arena) if left % 2 else nullcontext():
            os.kill(worker.pid, signal.SIGSTOP)
        next_wire = arena.wire()
        successor = arena.worker(next_wire.url)
        silences.append(_silence(arena))
        late += _wake(arena, worker, wire)
        arena.kill(worker)
        worker, wire = successor, next_wire
    return {"longest_silence_s": round(max(silences), 2), "sent_after_waking": late}


@contextmanager
def _caught(arena: Arena) -> Iterator[None]:
    """The worker's inbox waits for us, and the broadcast is locked by it: what it writes to is ours until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WEBHOOKS_ONLY, [arena.batch.pk])
        wait_until(lambda: cursor.execute(WAITS_FOR_US).fetchone()[0] > 0)
        yield


def _silence(arena: Arena) -> float:
    """Seconds until messages leave again, or none is left."""
    began, before = time.monotonic(), arena.queued()
    token = _token(arena)

    def on_their_way() -> bool:
        left = arena.queued()
        return left == 0 or (_token(arena) > token and left < before - len(arena.doubted()))

    wait_until(on_their_way)
    return time.monotonic() - began


def _wake(arena: Arena, worker: Process, wire: Wire) -> int:
    """It may neither send nor write: not even the answers that waited for it. Returns how many requests it sent."""
    doubted, asked, token = arena.doubted(), wire.asked, _token(arena)
    os.kill(worker.pid, signal.SIGCONT)
    time.sleep(AWAKE)
    late = wire.asked - asked
    if late > ON_ITS_WAY:
        arena.objections.append(f"the woken worker sent {late} messages")
    if written := doubted - arena.doubted():
        arena.objections.append(f"the woken worker wrote what became of {len(written)} messages")
    if _token(arena) != token:
        arena.objections.append("the number changed hands when the frozen worker woke")
    return late


def _token(arena: Arena) -> int:
    return persist(lambda: Lease.objects.get(number=arena.batch.number_id).token)
