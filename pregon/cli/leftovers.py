"""What an earlier `pregon run` left behind when it was killed outright: its processes, known by number and birth."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import psutil

BIRTH_TOLERANCE = 2  # seconds: the clock may have been set meanwhile
PATIENCE = 5  # seconds from the request to the end


class Roll:
    """The processes of the present run, kept in a file for the next one. One line per name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._births: dict[int, float] = {}

    def add(self, pid: int) -> None:
        """Remember a process that leads a group of its own."""
        self._births = {known: birth for known, birth in self._births.items() if psutil.pid_exists(known)}
        self._births[pid] = psutil.Process(pid).create_time()
        self._path.write_text(json.dumps(self._births))


def end(path: Path) -> None:
    """Stop what is left of the run that wrote ``path``, with all that it had started."""
    alive = [pid for pid, birth in _read(path).items() if _lives(pid, birth)]
    for pid in alive:
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while any(_group_lives(pid) for pid in alive) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in filter(_group_lives, alive):
        os.killpg(pid, signal.SIGKILL)
    path.unlink(missing_ok=True)


def _read(path: Path) -> dict[int, float]:
    try:
        return {int(pid): birth for pid, birth in json.loads(path.read_text()).items()}
    except (FileNotFoundError, ValueError):  # ValueError: killed while it wrote
        return {}


def _lives(pid: int, birth: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - birth) < BIRTH_TOLERANCE and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _group_lives(pid: int) -> bool:
    return any(_belongs(process, pid) for process in psutil.process_iter())


def _belongs(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
