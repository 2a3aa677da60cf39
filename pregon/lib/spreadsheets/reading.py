"""From an uploaded file to a table: refuses what is none, and picks the reader for what is one."""

import io
from pathlib import PurePath
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from pregon.lib.spreadsheets import address_books, delimited, vcards, workbooks
from pregon.lib.spreadsheets.table import SpreadsheetError, Table, not_a_table

MAX_WORKBOOK: Final = 50_000_000
"""A workbook of this size or more is refused: it is held in memory."""
MAX_TEXT: Final = 500_000_000
"""Text is read line by line, so that only patience bounds it."""
_HEAD = 4096
_WORKBOOKS = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")
_SOMETHING_ELSE = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"RIFF",
    b"II*\x00",
    b"MM\x00*",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x7fELF",
    b"MZ",
    b"SQLite format 3",
    b"{\\rtf",
    b"OggS",
    b"ID3",
    b"\x00\x00\x00",
)


def open(file: BinaryIO, name: str) -> Table:  # noqa: A001 (called as spreadsheets.open)
    """Reads a CSV, TSV, vCard, XLSX, XLS or ODS file; `file` must be seekable and stay open until the rows are read.

    What the file is, its bytes tell; `name` only helps to explain. Raises SpreadsheetError.
    """
    file.seek(0)
    head = file.read(_HEAD)
    if head.startswith(_WORKBOOKS):
        _check_size(file, MAX_WORKBOOK)
        return address_books.tidy(workbooks.read(file))
    _check_size(file, MAX_TEXT)
    _check_text(head, PurePath(name).suffix.lower())
    return vcards.read(file) if vcards.begins(head) else address_books.tidy(delimited.read(file))


def _check_size(file: BinaryIO, max_bytes: int) -> None:
    file.seek(0, io.SEEK_END)
    size = file.tell()
    if size == 0:
        raise SpreadsheetError(_("El archivo está vacío: revisa que sea el que tiene tus contactos."))
    if size >= max_bytes:
        raise SpreadsheetError(
            _("El archivo pesa %(size)s MB y debe pesar menos de %(most)s MB: divídelo y súbelo por partes.")
            % {"size": -(-size // 1_000_000), "most": max_bytes // 1_000_000}
        )
    file.seek(0)


def _check_text(head: bytes, suffix: str) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<", b"mime-version:")):
        raise SpreadsheetError(
            _("Es una página web guardada con otro nombre: ábrela en tu hoja de cálculo y guárdala como CSV o XLSX.")
        )
    if start.startswith((b"{", b"[")) and suffix not in (".csv", ".tsv", ".txt"):
        raise not_a_table()
    if head.startswith(_SOMETHING_ELSE):
        raise not_a_table()
