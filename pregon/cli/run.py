"""`pregon run`: everything, with one command.

PostgreSQL, then what prepares it, then the processes, each when the one before is ready; the panel comes last, so
its ``/healthz`` answers only once all the others do.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from gettext import gettext as _
from pathlib import Path

import click

from pregon.cli import environment, leftovers, ports, processes
from pregon.cli.environment import Site
from pregon.cli.processes import Child, Crew
from pregon.embedded import lock, server
from pregon.embedded.errors import EmbeddedError

FRONT_END = Path(__file__).parents[1] / "panel" / "static" / "vendor"
DEMO_EMAIL = "lucia@laespiga.example"


@click.command()
@click.option("--demo/--no-demo", default=True, help=_("Crea el negocio de ejemplo, conectado a la práctica."))
def run(demo: bool) -> None:
    """Pone todo en marcha hasta Ctrl-C."""
    logging.basicConfig(format="%(message)s", handlers=[_LogHandler()])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until asyncio listens: the same as Ctrl-C
    try:
        _run(environment.site(), demo)
    except KeyboardInterrupt:
        log("pregon", _("Detenido."))
    except processes.Failed as failure:
        raise click.ClickException(str(failure)) from None


def _run(here: Site, demo: bool) -> None:
    with lock.hold(here.home / "run.lock"):
        (here.home / ".gitignore").write_text("*\n")  # a home inside a clone holds secrets and people
        leftovers.end(here.home / "run.json")
        ports.require_free([here.panel, here.webhooks, here.simulator])
        _require_front_end()
        environment.check()
        with _database(here.home) as url:
            crew = Crew(environment.for_children(here, url), leftovers.Roll(here.home / "run.json"), log)
            asyncio.run(until_stopped(crew, _start(here, crew, demo)))


def _require_front_end() -> None:
    if not FRONT_END.is_dir():
        raise EmbeddedError(_("Faltan los archivos del panel. Prepáralos con «make front» y vuelve a intentarlo."))


@contextmanager
def _database(home: Path) -> Iterator[str]:
    if url := environment.given_database():
        yield url
        return
    log("pregon", _("Arranca la base de datos."))
    with server.running(home, shared=True) as url:
        yield url


async def until_stopped(crew: Crew, start: Coroutine[None, None, None]) -> None:
    """Start the crew and keep it until a signal comes. Raises KeyboardInterrupt then, Failed when a start fails."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with crew:
        work = asyncio.create_task(start)
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait([work, stop], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            await stop
        work.cancel()
        log("pregon", _("Se detiene todo."))
    raise KeyboardInterrupt


async def _start(here: Site, crew: Crew, demo: bool) -> None:
    await crew.once(Child("prepara", processes.python("pregon.cli.prepare")))
    for child in _services(here, practice=environment.practises()):
        await crew.start(child)
    demo = demo and environment.practises()  # the demo business has no other WhatsApp
    if demo:
        await crew.once(Child("ejemplo", processes.python("django", "seed_demo")))
    await crew.start(_panel(here))
    _announce(here, demo)


def _services(here: Site, *, practice: bool) -> Iterator[Child]:
    uvicorn = ("--host", ports.HOST, "--log-level", "warning", "--timeout-graceful-shutdown", "3")
    if practice:
        yield Child("practica", _pregon("simulator"), answers=functools.partial(ports.listens, here.simulator))
    yield Child(
        "avisos",
        processes.python("uvicorn", "pregon.webhooks.app:application", "--port", str(here.webhooks), *uvicorn),
        answers=functools.partial(ports.answers, here.webhooks, "/healthz"),
    )
    yield Child("envios", _pregon("worker"), says="worker: listo")


def _panel(here: Site) -> Child:
    # Two workers with one thread each: more threads cost a fifth of the pages per second. A worker that is
    # still starting does not listen to SIGTERM; without the time-out granian would wait for it for ever.
    size = ("--workers", "2", "--blocking-threads", "1", "--respawn-failed-workers", "--workers-kill-timeout", "5")
    where = ("--interface", "wsgi", "--host", ports.HOST, "--port", str(here.panel))
    command = processes.python("granian", *where, *size, "--log-level", "warning", "pregon.wsgi:application")
    return Child("panel", command, answers=functools.partial(ports.answers, here.panel, "/healthz"))


def _pregon(command: str) -> tuple[str, ...]:
    return processes.python("pregon", command)


def _announce(here: Site, demo: bool) -> None:
    words = {"address": here.address, "user": DEMO_EMAIL}
    if not demo:
        return log("pregon", _("Listo: abre %(address)s") % words)
    password = (here.home / "secrets" / "demo_password").read_text().strip()
    entry = _("Listo: abre %(address)s y entra con %(user)s, contraseña %(password)s")
    return log("pregon", entry % {**words, "password": password})


def log(name: str, line: str) -> None:
    """One line of the common log: when, who, what. As JSON, a line that is an object already stays as it is."""
    if os.environ.get("PREGON_LOG_FORMAT") != "json":
        line = f"{time.strftime('%H:%M:%S')} {name:<8} | {line}"
    elif not line.startswith("{"):
        line = json.dumps({"time": datetime.now(UTC).isoformat(), "logger": f"pregon.run.{name}", "message": line})
    try:
        print(line, flush=True)
    except BrokenPipeError:  # whoever read the log has gone; that stops nothing
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  for the rest of the run


class _LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log("pregon", record.getMessage())
