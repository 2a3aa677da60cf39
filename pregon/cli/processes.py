"""The processes of `pregon run`: started one after the other, started again when they crash, stopped in reverse."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from gettext import gettext as _
from typing import Self

from pregon.cli.leftovers import Roll

Log = Callable[[str, str], None]  # (name of the process, line)

START_SECONDS = 60
STOP_SECONDS = 15  # a worker gives its jobs ten
PAUSES = (0.5, 1, 2, 5, 15, 30)  # seconds before each start after a crash; the last one from then on
CALM_SECONDS = 60  # a process that lived this long starts again from the first pause


class Failed(Exception):
    """A process did not do what the next one needs. Carries the sentence."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive. It is ready once it prints a line with ``says``, or once ``answers`` says so."""

    name: str
    command: Sequence[str]
    says: str = ""
    answers: Callable[[], Awaitable[bool]] | None = None


class Crew:
    """All processes of one run. Use as an async context manager: leaving it stops them, the last one first."""

    def __init__(self, environment: Mapping[str, str], roll: Roll, log: Log, *, patience: float = STOP_SECONDS) -> None:
        """``patience``: seconds between the request to stop and force."""
        self.environment = environment
        self.patience = patience
        self.roll = roll
        self.log = log
        self._keepers: list[Keeper] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in reversed(self._keepers):
            await keeper.stop()

    async def once(self, child: Child) -> None:
        """Run a process to its end. Raises Failed when it ends badly."""
        keeper = Keeper(child, self)
        self._keepers.append(keeper)
        code = await keeper.run()
        if code:
            raise Failed(_("%(name)s terminó con el código %(code)s.") % {"name": child.name, "code": code})

    async def start(self, child: Child) -> None:
        """Start a process, keep it alive, and wait until it is ready. Raises Failed after START_SECONDS."""
        keeper = Keeper(child, self)
        self._keepers.append(keeper)
        keeper.start()
        try:
            await asyncio.wait_for(keeper.ready(), START_SECONDS)
        except TimeoutError:
            words = {"name": child.name, "seconds": START_SECONDS}
            raise Failed(_("%(name)s no estuvo listo en %(seconds)s segundos.") % words) from None


class Keeper:
    """Keeps one child alive, and passes on what it prints."""

    def __init__(self, child: Child, crew: Crew) -> None:
        self.child = child
        self.crew = crew
        self._said = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._relaying: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def ready(self) -> None:
        if self.child.answers is None:
            await self._said.wait()
            return
        while self._process is None or self._process.returncode is not None or not await self.child.answers():
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Ask the child to end, wait, then end its whole group by force."""
        if self._task:
            self._task.cancel()
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(_end(self._process), self.crew.patience)
        except TimeoutError:
            self._say(_("no terminó a tiempo y se cierra a la fuerza"))
        await self._leave_nothing(self._process.pid)

    async def run(self) -> int:
        """Run the child once, to its end; its exit code."""
        process = await asyncio.create_subprocess_exec(
            *self.child.command,
            env=self.crew.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and a group can be ended whole
        )
        self._process = process
        self.crew.roll.add(process.pid)
        assert process.stdout  # PIPE was asked for
        self._relaying = asyncio.create_task(self._relay(process.stdout))
        code = await _end(process)
        await self._leave_nothing(process.pid)
        return code

    async def _leave_nothing(self, pid: int) -> None:
        _end_group(pid)
        if self._relaying:  # the last lines; a second is enough unless somebody outside the group holds the pipe
            await asyncio.wait([self._relaying], timeout=1)

    async def _keep(self) -> None:
        crashes = 0
        while True:
            began = time.monotonic()
            code = await self.run()
            crashes = 0 if time.monotonic() - began > CALM_SECONDS else crashes
            pause = PAUSES[min(crashes, len(PAUSES) - 1)]
            crashes += 1
            words = {"code": code, "pause": pause}
            self._say(_("terminó (código %(code)s) y vuelve a arrancar en %(pause)s s") % words)
            await asyncio.sleep(pause)

    async def _relay(self, output: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await output.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._say(line.decode(errors="replace"))
        if rest:
            self._say(rest.decode(errors="replace"))

    def _say(self, line: str) -> None:
        if self.child.says and self.child.says in line:
            self._said.set()
        self.crew.log(self.child.name, line)


async def _end(process: asyncio.subprocess.Process) -> int:
    """The exit code, at once. In some Pythons `wait` also waits for grandchildren that hold the pipe."""
    while process.returncode is None:
        await asyncio.sleep(0.02)
    return process.returncode


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # nobody was left
        pass


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module with this very Python."""
    return (sys.executable, "-m", module, *arguments)
