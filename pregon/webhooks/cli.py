"""`pregon webhooks …`: what Meta told us, as it was kept."""

from datetime import UTC, datetime

import click
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.webhooks import replay as replays
from pregon.webhooks.replay import Choice, Outcome

LARGEST = 2**63 - 1


@click.group(help=_("Avisos de Meta, tal como llegaron."))
def webhooks() -> None:
    """The group."""


@webhooks.command(help=_("Lee de nuevo avisos que se guardaron. Repetirlo no cambia nada."))
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    help=_("Los que llegaron desde ese día o esa hora (UTC)."),
)  # fmt: skip
@click.option("--id", "number", type=click.IntRange(1, LARGEST), help=_("Solo el aviso con ese número."))
@click.option("--failed", is_flag=True, help=_("Solo los que no se pudieron leer."))
@click.option("--dry-run", is_flag=True, help=_("Dice cuántos son y no lee ninguno."))
def replay(since: datetime | None, number: int | None, *, failed: bool, dry_run: bool) -> None:
    """Prints how many were read; what was kept and cannot be read ends with one sentence."""
    if not (since or number or failed):
        raise click.UsageError(_("Di cuáles: --since, --id o --failed."))
    choice = Choice(id=number, since=since and since.replace(tzinfo=UTC), failed=failed)
    found = replays.count(choice)
    if not found:
        words = _("No hay avisos así. Se guardan %(days)s días, y los que aún esperan se leen solos.")
        raise click.ClickException(words % {"days": settings.ARRIVALS_DAYS})
    if dry_run:
        click.echo(
            ngettext("Se leería de nuevo %(n)s aviso.", "Se leerían de nuevo %(n)s avisos.", found) % {"n": found}
        )
    else:
        _tell(replays.replay(choice))


def _tell(outcome: Outcome) -> None:
    words = ngettext("Se leyó de nuevo %(n)s aviso.", "Se leyeron de nuevo %(n)s avisos.", outcome.read)
    click.echo(words % {"n": outcome.read})
    if outcome.failed:
        words = ngettext(
            "%(n)s no se pudo leer: queda guardado con su error.",
            "%(n)s no se pudieron leer: quedan guardados con su error.",
            outcome.failed,
        )
        raise click.ClickException(words % {"n": outcome.failed})
