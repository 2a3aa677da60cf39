"""A pump in a thread, and what a test does to it meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection, transaction

from pregon.sending.pump import Pump
from pregon.whatsapp.models import Number


@contextmanager
def pumping(number: Number) -> Iterator["Future[bool]"]:
    """Until it has been idle for a moment, which the end waits for."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(lambda: asyncio.run(Pump(number, idle=0.3).run()))


@contextmanager
def locked(table: str, pk: int) -> Iterator[None]:
    """Nobody else writes to this row; what waited for it goes on at the end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [pk])
        yield


def waiting() -> int | None:
    """The database process that waits for us, if one does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        row = cursor.fetchone()
        return row[0] if row else None


def cut_off() -> None:
    """End the session of whoever waits for us, as the death of its process does: nothing of what it holds is written."""
    until(lambda: waiting() is not None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [waiting()])


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
