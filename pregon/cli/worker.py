"""`pregon worker`: one worker in this process."""

from __future__ import annotations

import click
import uvloop

from pregon.worker import main

READY = "worker: listo"  # `pregon run` waits for this line


@click.command()
def worker() -> None:
    """Envía los mensajes y hace las tareas en segundo plano, hasta Ctrl-C."""
    uvloop.run(main.run(ready=lambda: click.echo(READY)))
