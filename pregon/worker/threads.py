"""Django's database calls from an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from pregon.sending import leases

T = TypeVar("T")


def tune_sessions() -> None:
    """From now on, every database session of this process is set as a worker needs it."""
    connection_created.connect(_tune)


def _tune(connection: BaseDatabaseWrapper, **_signal: object) -> None:
    with connection.cursor() as cursor:
        # No transaction keeps its locks while this process is frozen: not for longer than a lease.
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{leases.SECONDS}s'")
        # A worker finds its rows by index. With the default of 4, and before the first ANALYZE, PostgreSQL reads a whole
        # table of 12,000 messages to settle five.
        cursor.execute("SET random_page_cost = 1.1")


class DatabaseThread:
    """One thread with a connection of its own, opened again after it broke."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._call, function)

    def _call(self, function: Callable[[], T]) -> T:
        close_old_connections()
        return function()
