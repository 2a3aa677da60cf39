"""Which commands there are. Each lives in the package that owns the work and is imported when it is called.

To add one: write a click command in ``<package>/cli.py`` and name it in `TABLE`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from gettext import gettext as _
from typing import cast

import click

from pregon.cli import environment


@dataclass(frozen=True, slots=True)
class Entry:
    """``target`` is ``module:function``; with ``database``, Django is set up on a running one before the import."""

    target: str
    help: str
    database: bool = True


TABLE = {
    "run": Entry("pregon.cli.run:run", _("Pone todo en marcha en este equipo."), False),
    "worker": Entry("pregon.cli.worker:worker", _("Envía los mensajes y hace las tareas en segundo plano.")),
    "simulator": Entry("pregon.simulator.cli:simulator", _("WhatsApp de práctica: nada sale a Meta."), False),
    "import": Entry("pregon.contacts.cli:import_contacts", _("Carga contactos desde una hoja.")),
    "send": Entry("pregon.promotions.cli:send", _("Envía una promoción.")),
    "results": Entry("pregon.promotions.cli:results", _("Muestra el resultado de un envío.")),
    "webhooks": Entry("pregon.webhooks.cli:webhooks", _("Avisos de Meta que se guardaron: léelos de nuevo.")),
    "manage": Entry("pregon.cli.manage:manage", _("Órdenes de Django (migrate, shell, …).")),
}


class Forward(click.Command):
    """Stands for a command whose module is imported only when it is called, with all that was typed after its name."""

    def __init__(self, name: str, entry: Entry) -> None:
        self.entry = entry
        super().__init__(
            name,
            params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
            callback=self._call,
            help=entry.help,
            add_help_option=False,
            context_settings={"ignore_unknown_options": True},
        )

    def _call(self, arguments: Sequence[str]) -> object:
        with ExitStack() as stack:
            if self.entry.database:
                stack.enter_context(environment.django_ready())
            module, function = self.entry.target.split(":")
            command = cast(click.Command, getattr(importlib.import_module(module), function))
            return command.main(list(arguments), prog_name=f"pregon {self.name}", standalone_mode=False)


@click.group(help=_("Pregón: promociones de WhatsApp para tu negocio."))
def pregon() -> None:
    """The group; its commands are those of `TABLE`."""


for name, entry in TABLE.items():
    pregon.add_command(Forward(name, entry))
