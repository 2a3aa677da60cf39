"""Several processes' database sessions, spoken through one after the other by a single thread."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection, connections, transaction

from tests.sending.background import until, waiting


class Session:
    """A database session as a process of its own has it: Django's functions use it within `speaking`."""

    def __init__(self) -> None:
        self.connection = connections.create_connection("default")
        self.connection.inc_thread_sharing()

    @contextmanager
    def speaking(self) -> Iterator[None]:
        before = connections["default"]
        connections["default"] = self.connection
        try:
            yield
        finally:
            connections["default"] = before

    def end(self) -> None:
        """The server ends it, as when its process was killed; whoever speaks next through it finds out."""
        if self.connection.connection is None:
            return
        pid = self.connection.connection.info.backend_pid
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            while True:  # its locks fall a moment later
                cursor.execute("SELECT 1 FROM pg_stat_get_activity(%s)", [pid])
                if cursor.fetchone() is None:
                    return

    def close(self) -> None:
        self.end()
        self.connection.close()


@contextmanager
def meanwhile(second: Callable[[], object]) -> Iterator[None]:
    """Do `second` in a session of its own before the caller's transaction ends; what waits for it goes on after that.

    with meanwhile(second), transaction.atomic(): first()     # second starts when first has written, before it commits
    """
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        yield
        other = pool.submit(_alone, second)
        until(lambda: other.done() or waiting())
    other.result()


def _alone(function: Callable[[], object]) -> None:
    try:
        function()
    finally:
        connection.close()
