"""Whom PostgreSQL runs as. It refuses to run as root, so root lends it to someone without rights."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from gettext import gettext as _
from pathlib import Path
from typing import Any

from pregon.embedded.errors import EmbeddedError

# `postgres` first: no daemon but PostgreSQL runs as it. `nobody` is everywhere, and shared.
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of the operating system; ``lent`` when it is not the one who runs us."""

    uid: int
    gid: int
    lent: bool

    def popen(self) -> Mapping[str, Any]:
        """Arguments of ``subprocess`` that start a process as this user, in a session of its own."""
        identity = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.lent else {}
        return {**identity, "start_new_session": True, "env": _environment(), "stdin": subprocess.DEVNULL}

    def can_enter(self, path: Path) -> bool:
        """Whether this user may enter the directory, or run the file (asked of the kernel, as that user)."""
        if not self.lent:
            return True
        return subprocess.run(["test", "-x", path], check=False, cwd="/", **self.popen()).returncode == 0

    def own(self, path: Path) -> None:
        """Make ``path`` a directory that only this user (and root) may enter."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.lent:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)


def choose(data: Path) -> Owner:
    """Whoever owns the data already, else ourselves, else (as root) the first candidate that exists.

    Raises EmbeddedError when the data belongs to someone whom we cannot become.
    """
    if os.geteuid():
        return _ourselves(data)
    if data.exists() and data.stat().st_uid:
        return Owner(data.stat().st_uid, data.stat().st_gid, lent=True)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in CANDIDATES:
        if name in known and known[name].pw_uid:
            return Owner(known[name].pw_uid, known[name].pw_gid, lent=True)
    raise EmbeddedError(
        _(
            "PostgreSQL no corre como root y aquí no existe ni «postgres» ni «nobody». "
            "Crea una de las dos cuentas del sistema, o usa DATABASE_URL."
        )
    )


def _ourselves(data: Path) -> Owner:
    if data.exists() and data.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            _(
                "La base de datos de %(data)s pertenece a otra cuenta del sistema. "
                "Entra con esa cuenta (o como root), o elige otra carpeta con PREGON_HOME."
            )
            % {"data": data}
        )
    return Owner(os.geteuid(), os.getegid(), lent=False)


def _environment() -> dict[str, str]:
    # Nothing of ours: a PGDATA, PGOPTIONS or LC_ALL of the caller would change the server.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
