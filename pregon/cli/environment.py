"""What must be known before Django's settings can be read, and what the started processes are told."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path

from pregon.embedded import server
from pregon.embedded.errors import EmbeddedError

LAST_PORT = 65_535 - 2  # webhooks and simulator take the two that follow


@dataclass(frozen=True, slots=True)
class Site:
    """One installation: its folder and its three ports on 127.0.0.1."""

    home: Path
    panel: int

    @property
    def webhooks(self) -> int:
        return self.panel + 1

    @property
    def simulator(self) -> int:
        return self.panel + 2

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.panel}"


def site() -> Site:
    """Read PREGON_HOME and PORT. Raises EmbeddedError when PORT is not a usable number."""
    port = os.environ.get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise EmbeddedError(
            _("PORT es «%(port)s»; tiene que ser un número entre 1 y %(last)s.") % {"port": port, "last": LAST_PORT}
        )
    return Site(Path(os.environ.get("PREGON_HOME") or "var").resolve(), int(port))


def given_database() -> str:
    """The DATABASE_URL that somebody gave (or the content of DATABASE_URL_FILE); empty when there is none."""
    path = os.environ.get("DATABASE_URL_FILE")
    return Path(path).read_text().strip() if path else os.environ.get("DATABASE_URL", "")


def for_children(here: Site, database_url: str) -> Mapping[str, str]:
    """The environment of the processes of ``here``: ours, with what they must agree on."""
    defaults = {
        "PREGON_SIMULATOR_URL": f"http://127.0.0.1:{here.simulator}",
        "PREGON_PUBLIC_URL": here.address,
    }
    agreed = {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "pregon.settings",
        "PORT": str(here.panel),
        "PREGON_HOME": str(here.home),
        "PREGON_SUPERVISED": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return {**defaults, **os.environ, **agreed}


def practises() -> bool:
    """Whether this run has a simulator of its own: unless somebody named another one, or none."""
    return "PREGON_SIMULATOR_URL" not in os.environ


def check() -> None:
    """Raises ImproperlyConfigured when the settings do not understand the environment."""
    importlib.import_module("pregon.settings")


@contextmanager
def django_ready() -> Iterator[None]:
    """Set Django up on this home's database: the given one, one that `pregon run` runs, or one for the block."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the block is left in order
    if url := given_database():
        _setup(url)
        yield
        return
    with server.reachable(site().home) as url:
        _setup(url)
        yield


def _setup(database_url: str) -> None:
    os.environ["DATABASE_URL"] = database_url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pregon.settings")
    import django  # not above: the supervisor does without

    django.setup()
