"""The real processes of an installation, to be killed."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.ports import free_port

Process = subprocess.Popen[bytes]


class Installation:
    """Simulator, receiver and workers on the database of `home`; a context manager that ends whatever it started."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.home = home
        self.port = free_port(3)
        self.simulator_url = f"http://127.0.0.1:{self.port + 2}"
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "pregon.settings",
            "PORT": str(self.port),
            "PREGON_HOME": str(home),
            "PREGON_SIMULATOR_URL": self.simulator_url,
        }
        self.logs = home / "processes"
        self.logs.mkdir()
        self.running: list[Process] = []
        self._logs: dict[int, Path] = {}

    def __enter__(self) -> Self:
        self.start_simulator()
        self.start("uvicorn", "--port", str(self.port + 1), "--log-level", "warning", "pregon.webhooks.app:application")
        wait_until(lambda: answers(f"http://127.0.0.1:{self.port + 1}/healthz"))
        return self

    def __exit__(self, *_error: object) -> None:
        for process in list(self.running):
            self.kill(process)

    def start(self, *command: str, **environment: str) -> Process:
        path = self.logs / f"{len(self._logs):04}-{command[-1]}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self.environment | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.running.append(process)
        self._logs[process.pid] = path
        return process

    def says(self, process: Process, words: str) -> bool:
        return words in self._logs[process.pid].read_text()

    def start_simulator(self) -> None:
        """It goes on from what the last one kept."""
        self.simulator = self.start("pregon", "simulator")
        wait_until(lambda: answers(f"{self.simulator_url}/healthz"))

    def kill(self, process: Process) -> None:
        """With -9, whatever it is doing, also when it is frozen."""
        process.kill()
        process.wait()
        self.running.remove(process)

    def postmaster(self) -> int:
        """The number of PostgreSQL's first process."""
        return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def ask(self, path: str, body: Any = None) -> Any:
        return ask(f"{self.simulator_url}/_sim/{path}", body)


def ask(url: str, body: Any = None) -> Any:
    request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition.__qualname__} within {seconds} s")
        time.sleep(0.05)
