"""XLSX, XLS and ODS, read by a process of its own with bounds on memory and time (see `workbook_child`)."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.lib.spreadsheets.table import Row, RowProblem, SpreadsheetError, Table

_MEMORY: Final = 1 << 30
"""Bytes of address space: a sheet of a million rows and five columns takes about half."""
_SECONDS: Final = 60
"""Of processor time."""
_CHILD: Final = Path(__file__).with_name("workbook_child.py")


def read(file: BinaryIO) -> Table:
    """The first visible sheet that holds something; raises SpreadsheetError."""
    messages = _messages(file)
    book = next(messages)
    if "error" in book:
        raise _error(book["error"])
    problems: list[RowProblem] = []
    if book["others"]:
        problems.append(RowProblem(0, _one_sheet(book["sheet"], book["others"])))
    return Table((Row(line, cells) for line, cells in enumerate(messages, book["line"])), problems)


def _messages(file: BinaryIO) -> Iterator[Any]:
    """What the child tells, up to its closing null; a child that dies before that was out of bounds."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        child = _start(copy)
    try:
        assert child.stdout is not None
        for line in child.stdout:
            message = json.loads(line)
            if message is None:
                return
            yield message
        raise _error("too_big")
    finally:
        child.kill()
        child.communicate()


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
            "empty": _("El libro no tiene hojas con datos: revisa que sea el que tiene tus contactos."),
            "broken": _("No pudimos abrir esta hoja de cálculo: guárdala otra vez como XLSX o CSV y sube ese archivo."),
        }[kind]
    )
