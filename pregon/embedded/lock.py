"""One holder per file, by ``flock``: the kernel lets go when the holder dies, however it dies."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gettext import gettext as _
from pathlib import Path
from typing import IO

from pregon.embedded.errors import Busy, EmbeddedError, Holder


@contextmanager
def hold(path: Path) -> Iterator[Callable[[Holder], None]]:
    """Hold ``path`` for as long as the block lasts; yields a function that publishes more about the holder.

    Raises Busy, with what the present holder published, or EmbeddedError when the folder cannot be written.
    """
    with _open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(path.parent, _read(file)) from None
        _write(file, Holder(pid=os.getpid()))
        yield lambda holder: _write(file, holder)


def _open(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+")
    except OSError as error:
        words = {"folder": path.parent, "why": error.strerror}
        raise EmbeddedError(
            _("No se puede escribir en %(folder)s (%(why)s). Cambia sus permisos o elige otra con PREGON_HOME.") % words
        ) from None


def _write(file: IO[str], holder: Holder) -> None:
    file.seek(0)
    file.truncate()
    file.write(json.dumps(dataclasses.asdict(holder)))
    file.flush()


def _read(file: IO[str]) -> Holder:
    file.seek(0)
    try:
        return Holder(**json.loads(file.read()))
    except ValueError:  # caught between its truncate and its write
        return Holder()
