"""`pregon simulator`: the practice WhatsApp on PORT + 2, telling the webhook receiver on PORT + 1."""

import os
import secrets
from gettext import gettext as _
from pathlib import Path

import click
import uvloop

from pregon.simulator import app, server

CALLBACK_PATH = "/webhooks/meta"


@click.command(help=_("WhatsApp de práctica: nada sale a Meta."))
@click.option("--port", type=click.IntRange(0, 65535), help=_("Puerto; si no, PORT + 2."))
@click.option("--callback", help=_("Dirección que recibe los avisos; si no, el puerto PORT + 1."))
@click.option(
    "--setup",
    "given",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=_("Números, plantillas y celulares (JSON)."),
)
def simulator(port: int | None, callback: str | None, given: Path | None) -> None:
    """Run until told to stop."""
    panel = int(os.environ.get("PORT") or 8000)
    home = Path(os.environ.get("PREGON_HOME") or "var").resolve()
    made = app.create_app(given, state=Path(os.environ.get("SIMULATOR_STATE") or home / "simulator.json"))
    made.world.settings.app_secret = _secret(home / "secrets" / "simulator_app_secret")
    made.world.settings.callback = callback or f"http://127.0.0.1:{panel + 1}{CALLBACK_PATH}"
    wanted = panel + 2 if port is None else port
    try:
        here = server.Server(made, port=wanted)
    except OSError:
        click.echo(_("El puerto %(port)s está ocupado. Elige otro con --port o con PORT.") % {"port": wanted}, err=True)
        raise SystemExit(2) from None
    click.echo(_("Celulares de práctica: http://127.0.0.1:%(port)s/") % {"port": here.port})
    uvloop.run(here.serve_here())


def _secret(path: Path) -> str:
    """The app secret that panel and simulator share: whoever comes first makes it (`os.link` lets only one win)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        draft.unlink()
    return path.read_text().strip()
