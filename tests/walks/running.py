"""`pregon run` as anyone starts it: its own folder, its own ports, its own PostgreSQL; stopped by SIGTERM."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests import ports

START_SECONDS = 300  # on a busy machine; a quiet one needs about ten
STOP_SECONDS = 90
READY = re.compile(r"Listo: abre (?P<address>\S+) y entra con (?P<user>\S+), contraseña (?P<password>\S+)")
PROVIDER = "proveedor@pregon.example"  # the demo's staff, with the same password


class Running:
    """One copy. A context manager; `start` and `stop` may follow each other as often as one likes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = ports.free_port(3)
        self.simulator = f"http://127.0.0.1:{self.port + 2}"
        self.webhooks = f"http://127.0.0.1:{self.port + 1}/webhooks/meta"
        self.log = home / "run.log"
        self.address = self.user = self.password = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if self._process:
            self.stop()
        if kind is not None:
            print(self.log.read_text()[-6_000:])

    def start(self) -> None:
        """Until the line with address, user and password."""
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "pregon", "run"]
            self._process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            said = wait(self._announced, START_SECONDS)
        except BaseException:
            self.stop()
            print(self.log.read_text()[-6_000:])
            raise
        self.address, self.user, self.password = said.group("address", "user", "password")

    def stop(self) -> int:
        """SIGTERM, as from any service manager; the exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None

    @property
    def environment(self) -> dict[str, str]:
        """A stranger's: nothing of the tests' own. Meta is the practice one, also for numbers connected by hand."""
        ours = ("PREGON_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {"PREGON_HOME": str(self.home), "PORT": str(self.port), "PREGON_GRAPH_URL": self.simulator}

    def pregon(self, *arguments: str, fails: bool = False) -> str:
        """What `pregon …` prints beside the running copy."""
        command = [sys.executable, "-m", "pregon", *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        assert "Traceback" not in done.stderr + done.stdout, done
        assert bool(done.returncode) == fails, done
        return done.stderr if fails else done.stdout

    def ask(self, path: str, body: Any = None) -> Any:
        """A call of the simulator's `/_sim/…`."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.simulator}/_sim/{path}", data, timeout=60) as answer:
            return json.load(answer)

    def _announced(self) -> re.Match[str] | None:
        assert self._process and self._process.poll() is None, "pregon run ended while it started"
        return READY.search(self.log.read_text())


def wait(look: Callable[[], Any], seconds: float = 120) -> Any:
    """What `look` finds, as soon as that is something. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(look)
        time.sleep(0.1)
    return found
