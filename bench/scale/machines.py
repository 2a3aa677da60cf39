"""Machines for workers: network namespaces with a cable each where root may make them, else plain processes.

The whole measurement then runs in a namespace without any way out, where PostgreSQL and the stub have an address; each
machine is a namespace of its own behind a pair of virtual interfaces. All of it vanishes with the processes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

READY = "worker: listo"  # what a worker says when it has begun
INSIDE = "--inside"
LOOPBACK = "127.0.0.1"
LAB = "10.77.0.1"  # of the namespace's bridge
START_SECONDS = 60


def enter() -> None:
    """Begin again in a namespace of our own, where that is possible. Returns inside, or where it is not."""
    if INSIDE in sys.argv or not _possible():
        return
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-m", "bench.scale", *sys.argv[1:], INSIDE])


def _possible() -> bool:
    programs = all(shutil.which(name) for name in ("unshare", "nsenter", "ip"))
    return programs and os.geteuid() == 0 and not subprocess.run(["unshare", "--net", "true"], check=False).returncode


@contextmanager
def lab() -> Iterator[str]:
    """The address that servers listen on."""
    if INSIDE not in sys.argv:
        yield LOOPBACK
        return
    for command in ("link set lo up", "link add lab type bridge", f"address add {LAB}/24 dev lab", "link set lab up"):
        _ip(command)
    yield LAB


@dataclass
class Machine:
    """One worker with a home of its own that shares the installation's secrets."""

    name: str
    home: Path
    environment: dict[str, str]
    within: Sequence[str] = ()  # what a command begins with to run there
    worker: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.home / "worker.log"

    def start(self) -> None:
        """Returns at once: `wait_ready` tells when it works."""
        command = [*self.within, sys.executable, "-m", "pregon", "worker"]
        with self.log.open("wb") as log:
            self.worker = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while READY not in self.log.read_text():
            if time.monotonic() > deadline or self.worker is None or self.worker.poll() is not None:
                sys.exit(f"{self.name} does not start:\n{self.log.read_text()[-2_000:]}")
            time.sleep(0.02)

    def kill(self) -> float:
        """As the kernel does when memory runs out. Returns the time of it."""
        assert self.worker is not None
        at = time.time()
        self.worker.kill()
        self.worker.wait()
        self.worker = None
        return at

    def cable(self, state: str) -> float:
        """`down` or `up`. Returns the time of it."""
        at = time.time()
        _ip(f"link set {self.name} {state}")
        return at

    @property
    def has_cable(self) -> bool:
        return bool(self.within)


@contextmanager
def machine(number: int, folder: Path, url: str, graph_url: str) -> Iterator[Machine]:
    """`number` from 1. `folder` is the installation's home, whose secrets are copied; nothing else is shared."""
    name = f"machine{number}"
    home = folder / name
    shutil.copytree(folder / "secrets", home / "secrets", dirs_exist_ok=True)
    environment = os.environ | {"DATABASE_URL": url, "PREGON_HOME": str(home), "PREGON_GRAPH_URL": graph_url}
    with _place(number, name) as within:
        box = Machine(name, home, environment, within)
        try:
            yield box
        finally:
            if box.worker is not None:
                box.worker.terminate()
                box.worker.wait(30)


@contextmanager
def _place(number: int, name: str) -> Iterator[Sequence[str]]:
    if INSIDE not in sys.argv:
        yield ()
        return
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        _wait_apart(holder.pid)
        within = ("nsenter", "--net", "--target", str(holder.pid))
        _ip(f"link add {name} master lab up type veth peer name eth0 netns {holder.pid}")
        for command in ("link set lo up", f"address add 10.77.0.{10 + number}/24 dev eth0", "link set eth0 up"):
            _ip(command, within)
        yield within
    finally:
        holder.kill()
        holder.wait()


def _wait_apart(pid: int) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == ours:
        time.sleep(0.005)


def _ip(command: str, within: Sequence[str] = ()) -> None:
    subprocess.run([*within, "ip", *command.split()], check=True)
