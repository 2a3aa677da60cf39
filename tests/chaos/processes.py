"""The real processes of an installation, to be killed."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.ports import free_port


class Installation:
    """Simulator, receiver and worker on a database; a context manager that ends whatever it started."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.port = free_port(3)
        self.simulator_url = f"http://127.0.0.1:{self.port + 2}"
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "pregon.settings",
            "PORT": str(self.port),
            "PREGON_HOME": str(home),
            "PREGON_SIMULATOR_URL": self.simulator_url,
        }
        self.log = (home / "processes.log").open("ab")
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.start("pregon", "simulator")
        self.start("uvicorn", "pregon.webhooks.app:application", "--port", str(self.port + 1), "--log-level", "warning")
        wait_until(lambda: answers(f"{self.simulator_url}/_sim/state"))
        wait_until(lambda: answers(f"http://127.0.0.1:{self.port + 1}/healthz"))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.log.close()
        if kind is not None:
            print(Path(self.log.name).read_text()[-4_000:])

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=self.environment, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.running.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("pregon", "worker")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.running.remove(process)

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


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        time.sleep(0.05)
