"""A running server: started, waited for, started again when it crashes, stopped."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from gettext import gettext as _
from pathlib import Path

import psycopg

from pregon.embedded import cluster, lock, place
from pregon.embedded.errors import Busy, EmbeddedError, Holder
from pregon.embedded.place import Place

DATABASE = "pregon"
START_SECONDS = 120  # recovery after a crash replays up to max_wal_size
PAUSES = (0.1, 1, 5, 30)  # seconds before each start after a crash; the last one from then on
CALM_SECONDS = 60  # a server that lived this long starts again from the first pause

logger = logging.getLogger(__name__)


@contextmanager
def running(home: Path, *, shared: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run PostgreSQL on the data of ``home`` for as long as the block lasts; yields its DATABASE_URL.

    ``shared`` lets other processes join through `reachable`. ``settings`` are extra PostgreSQL settings.
    Raises Busy when another process runs it, EmbeddedError when it cannot start.
    """
    with lock.hold(home / "postgres.lock") as publish:
        where = place.arrange(home)
        cluster.end_leftovers(where)
        cluster.init(where)
        guard = Guard(where, settings or {})
        guard.start()
        try:
            cluster.create_database(where, DATABASE)
            publish(Holder(os.getpid(), where.url(DATABASE), shared))
            yield where.url(DATABASE)
        finally:
            guard.stop()


@contextmanager
def reachable(home: Path, *, patience: float = 60) -> Iterator[str]:
    """The DATABASE_URL of ``home``'s server: of the one that runs, else of one started for the block.

    Waits ``patience`` seconds for a server that is starting, or that another command keeps to itself; then Busy.
    """
    deadline = time.monotonic() + patience
    with ExitStack() as stack:
        while not (url := _join_or_start(home, stack, deadline)):
            time.sleep(0.1)
        yield url


def _join_or_start(home: Path, stack: ExitStack, deadline: float) -> str:
    try:
        return stack.enter_context(running(home))
    except Busy as busy:
        if time.monotonic() > deadline:
            raise
        return busy.holder.url if busy.holder.shared else ""


class Guard:
    """Keeps one server process alive until told to stop. ``start`` and ``stop`` are called once each."""

    def __init__(self, where: Place, settings: Mapping[str, str]) -> None:
        self._place = where
        self._settings = settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="postgres", daemon=True)
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        self._process = _launch(self._place, self._settings)
        try:
            _wait_ready(self._place, self._process)
        except BaseException:  # Ctrl-C as well: nothing stays behind
            _end(self._process)
            raise
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        _end(self._process)
        self._thread.join()

    def _watch(self) -> None:
        crashes = 0
        while True:
            began = time.monotonic()
            code = self._process.wait()
            crashes = 0 if time.monotonic() - began > CALM_SECONDS else crashes
            pause = PAUSES[min(crashes, len(PAUSES) - 1)]
            if self._stopping.wait(pause):
                return
            crashes += 1
            logger.warning(_("PostgreSQL terminó (código %s) y vuelve a arrancar."), code)
            try:
                self._restart()
            except OSError as error:  # a full disk, say: try again after the next pause
                logger.warning(_("PostgreSQL no arranca: %s"), error)

    def _restart(self) -> None:
        cluster.end_leftovers(self._place)
        self._process = _launch(self._place, self._settings)
        if self._stopping.is_set():  # `stop` may have looked at the process before this one
            _end(self._process)


def _launch(where: Place, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    fixed = {"listen_addresses": "", "port": str(place.PORT), "unix_socket_directories": str(where.sockets)}
    options = [f"--{name}={value}" for name, value in {**fixed, **settings}.items()]
    command: list[str | Path] = [where.programs / "postgres", "-D", where.data, *options]
    with where.log.open("wb") as log:
        return subprocess.Popen[bytes](command, cwd=where.root, stdout=log, stderr=log, **where.owner.popen())


def _wait_ready(where: Place, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(where):
        if process.poll() is not None or time.monotonic() > deadline:
            why = where.log.read_text(errors="replace").strip()[-500:]
            raise EmbeddedError(_("PostgreSQL no arranca: %(why)s") % {"why": why})
        time.sleep(0.02)


def _answers(where: Place) -> bool:
    try:
        psycopg.connect(where.url("postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (open transactions roll back), then immediate, then the kernel's."""
    for order, patience in ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        process.send_signal(order)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
