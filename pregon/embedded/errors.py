"""What can go wrong before there is a database.

EmbeddedError          a sentence for whoever typed the command; nothing to retry by itself
└── Busy               another process holds this home; `holder` tells which
"""

from __future__ import annotations

from dataclasses import dataclass
from gettext import gettext as _


class EmbeddedError(Exception):
    """Carries one sentence in Spanish that says what happened and what to do next."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock. ``url`` is empty until its database answers; ``shared`` says whether others may join."""

    pid: int = 0
    url: str = ""
    shared: bool = False


class Busy(EmbeddedError):
    """Another process holds the lock."""

    def __init__(self, home: object, holder: Holder) -> None:
        self.holder = holder
        super().__init__(
            _("Otro Pregón (proceso %(pid)s) ya usa %(home)s. Detenlo, o elige otra carpeta con PREGON_HOME.")
            % {"pid": holder.pid or "?", "home": home}
        )
