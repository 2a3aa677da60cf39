"""`pregon worker`: one worker in this process."""

from __future__ import annotations

from gettext import gettext as _

import click
import uvloop
from django.db import Error as DatabaseFailure
from django.db import connection

from pregon.lib.crypto import DecryptionError
from pregon.whatsapp.models import Number
from pregon.worker import main

READY = "worker: listo"  # `pregon run` waits for this line


@click.command()
def worker() -> None:
    """Envía los mensajes y hace las tareas en segundo plano, hasta Ctrl-C."""
    _require_installation()
    uvloop.run(main.run(ready=lambda: click.echo(READY)))


def _require_installation() -> None:
    """On another machine than the first, the tables and the key of the tokens must be those of the installation."""
    try:
        newest = Number.objects.order_by("-id").first()
        if newest:
            str(newest.token)
    except DatabaseFailure as failure:
        raise click.ClickException(_("No se puede usar la base de datos: %(why)s") % {"why": failure}) from None
    except DecryptionError:
        raise click.ClickException(
            _(
                "Esta copia no tiene la clave con que se guardaron los números. "
                "Copia la carpeta «secrets» de la instalación, o da la misma PREGON_SECRET_KEY."
            )
        ) from None
    connection.close()  # the loop's threads have their own
