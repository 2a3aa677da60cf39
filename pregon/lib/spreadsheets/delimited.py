"""CSV and its relatives: any common delimiter and encoding, read line by line."""

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from pregon.lib.spreadsheets.table import Row, RowProblem, SpreadsheetError, Table, not_a_table

_CHUNK = 1 << 20
_SAMPLE = 64 * 1024
_LONGEST_LINE = 1_000_000
_LINES = 40
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE).fullmatch


def read(file: BinaryIO) -> Table:
    """The table of a text file; raises SpreadsheetError."""
    encoding = _encoding(file)
    file.seek(0)
    problems: list[RowProblem] = []
    lines = _without_nul(_decoded(file, encoding), problems)
    first = list(itertools.islice(lines, _LINES))
    _check_readable("".join(first))
    delimiter = _delimiter(first)
    told = bool(first and _SEP_LINE(first[0]))
    rows = _parsed(itertools.chain(first, lines), delimiter)
    return Table(itertools.islice(rows, 1, None) if told else rows, problems)


def _check_readable(text: str) -> None:
    """One control character in twenty, and nobody has typed it."""
    odd = sum(character < " " and character not in "\t\n\v\f\r\x1a\x1b" for character in text)
    if odd * 20 > len(text):
        raise not_a_table()


def _encoding(file: BinaryIO) -> str:
    """By its mark, by the NULs of UTF-16, by being valid UTF-8 to the end; else Windows' western one, or Latin-1."""
    head = file.read(_SAMPLE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    return _utf16_without_mark(head) or _first_that_decodes(file, ("utf-8", "cp1252")) or "latin-1"


def _utf16_without_mark(head: bytes) -> str | None:
    """Western text in UTF-16 has a NUL in nearly every second byte, and next to none in the others."""
    pairs = len(head) // 2 or 1
    even, odd = head[::2].count(0) / pairs, head[1::2].count(0) / pairs
    if odd > 0.6 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 and odd < 0.1 else None


def _first_that_decodes(file: BinaryIO, names: Iterable[str]) -> str | None:
    return next((name for name in names if _decodes(file, name)), None)


def _decodes(file: BinaryIO, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Lines with their ends; the file itself is left open. Bounded: 50 MB may be one line."""
    wrapper = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    try:
        while line := wrapper.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise SpreadsheetError(
                    _("Este archivo no es una tabla: una sola línea ocupa más de un millón de letras.")
                )
            yield line
    finally:
        if not file.closed:
            wrapper.detach()


def _without_nul(lines: Iterable[str], problems: list[RowProblem]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            if not problems:
                problems.append(RowProblem(number, _("El archivo tenía caracteres vacíos (NUL): los quitamos.")))
            line = line.replace("\0", "")
        yield line


def _delimiter(lines: list[str]) -> str:
    """What `sep=;` says, else the delimiter that splits most lines into the same number of cells, more than one."""
    if lines and (told := _SEP_LINE(lines[0])):
        return told[1]
    return max(_DELIMITERS, key=lambda delimiter: _regularity(lines, delimiter))


def _regularity(lines: list[str], delimiter: str) -> tuple[float, int]:
    rows = _tolerant(lines, delimiter)
    widths = Counter(len(row) for row in rows if any(row))
    if not widths:
        return 0.0, 0
    width, times = max(widths.items(), key=lambda item: (item[1] if item[0] > 1 else 0, item[0]))
    return (times / widths.total(), width) if width > 1 else (0.0, 0)


def _tolerant(lines: list[str], delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # a cell without end: what was read before it decides
        rows.extend(csv.reader(lines, delimiter=delimiter))
    return rows


def _parsed(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    counted = _CountedQuotes(lines)
    reader = csv.reader(counted, delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            odd = counted.take() % 2
            if odd and reader.line_num > line:
                raise _unclosed(line)
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:  # a cell above csv's limit of 128 kB
        raise _unclosed(line) from error


class _CountedQuotes:
    """Lines on their way to `csv`, which at the end of the file closes an open cell without a word."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._quotes = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._quotes += line.count('"')
            yield line

    def take(self) -> int:
        """Quotes since the last call: even in every well-formed row."""
        quotes, self._quotes = self._quotes, 0
        return quotes


def _unclosed(line: int) -> SpreadsheetError:
    return SpreadsheetError(
        _("La línea %(n)s abre unas comillas que no se cierran: corrígela y sube el archivo otra vez.") % {"n": line}
    )
