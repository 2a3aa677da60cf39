"""The data directory: made once, freed of whatever an earlier run left behind."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from gettext import gettext as _
from pathlib import Path

import psutil
import psycopg

from pregon.embedded import binaries
from pregon.embedded.errors import EmbeddedError
from pregon.embedded.place import Place

# Written to postgresql.conf once, by initdb: whoever knows better edits that file.
SETTINGS = {
    "max_connections": "100",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",  # our queries are short: compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A week of logs, written by PostgreSQL itself. Neither statements nor the detail of an error: both hold mobiles.
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


def init(place: Place) -> None:
    """Make the data directory unless it is there; an interrupted attempt leaves nothing half made."""
    if place.data.exists():
        _check_version(place)
    else:
        _make(place)


def _make(place: Place) -> None:
    partial = place.root / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    done = subprocess.run(
        [place.programs / "initdb", *_initdb_options(), "-D", partial],
        check=False,
        cwd=place.root,
        capture_output=True,
        text=True,
        **place.owner.popen(),
    )
    if done.returncode:
        raise EmbeddedError(_("No se pudo preparar la base de datos: %(why)s") % {"why": done.stderr.strip()[-500:]})
    partial.rename(place.data)


def _initdb_options() -> Iterable[str]:
    # The socket's folder is closed to everyone else, so whoever reaches it is trusted. The builtin provider
    # knows upper and lower case of all letters on every system (the wheel has no ICU).
    yield from ("-U", "pregon", "-A", "trust", "-E", "UTF8")
    yield from ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    buffers = _buffers()
    # What is written ahead has room, too: else those who save a file wait for the disk at the same time.
    for name, value in {**SETTINGS, "shared_buffers": f"{buffers}MB", "wal_buffers": f"{buffers // 16}MB"}.items():
        yield from ("-c", f"{name}={value}")


def _buffers() -> int:
    """Megabytes: an eighth of the machine's memory, or of the container's; enough for a million contacts with their indexes."""
    memory = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):  # not Linux, or "max"
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(max(memory // 8 // 2**20, 128), 1024)


def _check_version(place: Place) -> None:
    version = (place.data / "PG_VERSION").read_text().strip()
    if version != binaries.MAJOR:
        raise EmbeddedError(
            _("Los datos de %(data)s son de PostgreSQL %(old)s y este Pregón trae %(new)s. Expórtalos con el anterior.")
            % {"data": place.data, "old": version, "new": binaries.MAJOR}
        )


def end_leftovers(place: Place) -> None:
    """Stop what an earlier, killed run left running on this data, and forget its pid file.

    The lock of the home is ours, so a server still there has no supervisor. PostgreSQL would refuse to start
    beside it; and a pid file whose number went to another program would stop it for ever.
    """
    for order, patience in ((signal.SIGINT, 30.0), (signal.SIGKILL, 5.0)):
        for process in _processes(place):
            _signal(process, order)
        _wait_until_gone(place, patience)
    (place.data / "postmaster.pid").unlink(missing_ok=True)


def _wait_until_gone(place: Place, patience: float) -> None:
    # Looked up each time: a zombie that nobody reaps (usual in containers) would seem alive to `psutil.wait_procs`.
    deadline = time.monotonic() + patience
    while _processes(place) and time.monotonic() < deadline:
        time.sleep(0.02)


def _processes(place: Place) -> list[psutil.Process]:
    """The postmaster and its backends: all of them stand in the data directory."""
    return [process for process in psutil.process_iter() if _stands_in(process, str(place.data.resolve()))]


def _stands_in(process: psutil.Process, folder: str) -> bool:
    try:
        return process.name() == "postgres" and process.cwd() == folder
    except psutil.Error:  # gone meanwhile, or someone else's
        return False


def _signal(process: psutil.Process, order: signal.Signals) -> None:
    try:
        process.send_signal(order)
    except psutil.NoSuchProcess:
        pass


def create_database(place: Place, name: str) -> None:
    """Create the database unless it is there."""
    with psycopg.connect(place.url("postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
