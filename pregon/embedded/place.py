"""Where the server's files live.

``$PREGON_HOME/postgres/`` holds ``data/``, ``socket/`` and ``start.log``, owned by whoever runs PostgreSQL.
As root, under a folder that only root may enter, that entry is a link to ``/var/lib/pregon/<hash>/postgres``,
so that a home that is moved still finds its data.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from urllib.parse import quote

from pregon.embedded import aside, binaries, owner
from pregon.embedded.errors import EmbeddedError
from pregon.embedded.owner import Owner

SHORT = Path("/tmp")  # noqa: S108  for sockets only: a private folder inside, checked below
PORT = 5432  # only a part of the socket's name: the server never listens on TCP
SOCKET_PATH_LIMIT = 103  # bytes: sun_path of macOS; Linux has 107


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one server: ``root`` holds the data and the log of starting, ``programs`` the binaries."""

    owner: Owner
    root: Path
    sockets: Path
    programs: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "start.log"

    def url(self, database: str) -> str:
        """An address that libpq and dj-database-url both understand, whatever PGPORT and the like say."""
        return f"postgresql://pregon@{quote(str(self.sockets), safe='')}:{PORT}/{database}"


def arrange(home: Path) -> Place:
    """Make the folders of ``home``'s server. Raises EmbeddedError with what stands in the way."""
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    entry = home / "postgres"
    who = owner.choose(entry)
    root = _root(entry, who)
    who.own(root)
    sockets = _sockets(root, who)
    who.own(sockets)
    return Place(who, root, sockets, binaries.usable(who, home))


def _root(entry: Path, who: Owner) -> Path:
    if entry.exists():
        return _reached(entry.resolve(), who)
    if who.can_enter(entry.parent):
        return entry
    root = aside.make(entry.parent) / "postgres"
    if root.exists():  # of an earlier home of this name, deleted since: not ours, and not ours to delete
        root.rename(root.with_name(f"postgres.{time.time_ns()}"))
    root.mkdir()
    entry.unlink(missing_ok=True)
    entry.symlink_to(root)
    return root


def _reached(root: Path, who: Owner) -> Path:
    if who.can_enter(root.parent):
        return root
    raise EmbeddedError(
        _("PostgreSQL, que no corre como root, no puede entrar en %(folder)s. Abre el paso con chmod o+x.")
        % {"folder": root.parent}
    )


def _sockets(root: Path, who: Owner) -> Path:
    sockets = root / "socket"
    if len(os.fsencode(sockets / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
        return sockets
    short = SHORT / f"pregon-{aside.digest(root)}"
    if short.is_symlink() or (short.exists() and short.stat().st_uid != who.uid):
        raise EmbeddedError(
            _("%(folder)s ya existe y es de otra cuenta. Elige una carpeta de ruta más corta con PREGON_HOME.")
            % {"folder": short}
        )
    return short
