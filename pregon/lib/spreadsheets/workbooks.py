"""XLSX, XLS and ODS, read by a process of its own with bounds on memory and time (see `workbook_child`)."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.lib.spreadsheets.table import RowProblem, SpreadsheetError, Table

_MEMORY: Final = 1 << 30
"""Bytes of address space: a sheet of a million rows and five columns takes about half."""
_SECONDS: Final = 60
"""Of processor time."""
_PATIENCE: Final = 120.0
"""Seconds that we wait for the child in all, whatever keeps it; the time that our reader takes is not counted."""
_TRACEBACK: Final = 1
"""Exit status of a Python that raised; a child out of bounds is killed by a signal."""
_CHILD: Final = Path(__file__).with_name("workbook_child.py")


def read(file: BinaryIO, *, patience: float = _PATIENCE) -> Table:
    """The first visible sheet that holds something; raises SpreadsheetError."""
    file.seek(0)
    messages = _messages(file, patience)
    book = next(messages)
    problems: list[RowProblem] = []
    if book["others"]:
        problems.append(RowProblem(0, _one_sheet(book["sheet"], book["others"])))
    table = Table(enumerate(messages, book["line"]), problems)
    table.exact = True
    return table


def _messages(file: BinaryIO, patience: float) -> Iterator[Any]:
    """What the child tells, up to its closing null; one that dies before that was out of bounds, or met a broken file."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        child = _start(copy)
    try:
        for line in _lines(child, patience):
            message = json.loads(line)
            if message is None:
                return
            if isinstance(message, dict) and "error" in message:
                raise _error(message["error"])
            yield message
        raise _error("broken" if child.wait() == _TRACEBACK else "too_big")
    finally:
        child.kill()
        child.communicate()


def _lines(child: subprocess.Popen[bytes], patience: float) -> Iterator[bytearray]:
    """Whole lines of what the child writes."""
    held = bytearray()
    for block in _blocks(child, patience):
        held += block
        if b"\n" in block:
            *lines, held = held.split(b"\n")
            yield from lines


def _blocks(child: subprocess.Popen[bytes], patience: float) -> Iterator[bytes]:
    assert child.stdout is not None
    while True:
        began = time.monotonic()
        ready, _w, _x = select.select([child.stdout], [], [], patience)
        patience = max(0.0, patience - (time.monotonic() - began))
        if not ready:
            raise _error("too_slow")
        if not (block := os.read(child.stdout.fileno(), 1 << 16)):
            return
        yield block


def _start(copy: IO[bytes]) -> subprocess.Popen[bytes]:
    """Isolated (`-I`) and without our environment: a hostile file meets no secret."""
    return subprocess.Popen(
        [sys.executable, "-I", str(_CHILD), str(_MEMORY), str(_SECONDS)],
        stdin=copy,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )


def _one_sheet(name: str, others: int) -> str:
    sentence = ngettext(
        "Leímos la hoja «%(name)s»; hay %(n)s más que no se lee.",
        "Leímos la hoja «%(name)s»; hay %(n)s más que no se leen.",
        others,
    )
    return sentence % {"name": name, "n": others}


def _error(kind: str) -> SpreadsheetError:
    return SpreadsheetError(
        {
            "password": _("El libro tiene contraseña: guárdalo sin ella y súbelo otra vez."),
            "too_big": _("La hoja es demasiado grande para leerla así: guárdala como CSV y sube ese archivo."),
            "too_slow": _("El libro tarda demasiado en abrirse: guárdalo como CSV y sube ese archivo."),
            "empty": _("El libro no tiene hojas con datos: revisa que sea el que tiene tus contactos."),
            "broken": _("No pudimos abrir esta hoja de cálculo: guárdala otra vez como XLSX o CSV y sube ese archivo."),
        }[kind]
    )
