"""CSV and its relatives: any common delimiter, read line by line."""

import contextlib
import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from pregon.lib.spreadsheets import encodings
from pregon.lib.spreadsheets.table import Raw, RowProblem, SpreadsheetError, Table, not_a_table

_LONGEST = 1_000_000
_LINES, _LETTERS = 40, 100_000  # what is looked at to find the delimiter
_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE).fullmatch


def read(file: BinaryIO) -> Table:
    """The table of a text file; raises SpreadsheetError."""
    problems: list[RowProblem] = []
    lines = _Lines(encodings.lines(file, _LONGEST), problems)
    first = lines.take_first()
    _check_readable("".join(first))
    delimiter = _delimiter(first)
    told = bool(first and _SEP_LINE(first[0]))
    return Table(itertools.islice(_parsed(lines, delimiter), int(told), None), problems)


def _check_readable(text: str) -> None:
    """One control character in twenty, and nobody has typed it."""
    odd = sum(character < " " and character not in "\t\n\v\f\r\x1a\x1b" for character in text)
    if odd * 20 > len(text):
        raise not_a_table()


class _Lines:
    """Lines on their way to `csv`: without NULs, and counted, for it closes an open cell without a word."""

    def __init__(self, lines: Iterable[str], problems: list[RowProblem]) -> None:
        self._lines = iter(lines)
        self._problems = problems
        self._first: list[str] = []
        self.quotes = 0
        """Since the last row's end: even in every well-formed row."""
        self.letters = 0
        """Since the last row's end: a row is bounded, for its cells are all in memory."""

    def take_first(self) -> list[str]:
        """Lines enough to see what the file is like; they will come again."""
        for line in itertools.islice(self._lines, _LINES):
            self._first.append(line)
            if sum(map(len, self._first)) > _LETTERS:
                break
        return [line.replace("\0", "") for line in self._first]

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(itertools.chain(self._first, self._lines), 1):
            self.letters += len(line)
            if self.letters >= _LONGEST:
                raise SpreadsheetError(
                    _("Este archivo no es una tabla: una sola línea ocupa más de un millón de letras.")
                )
            self.quotes += line.count('"')
            yield self._without_nul(number, line) if "\0" in line else line

    def _without_nul(self, number: int, line: str) -> str:
        if not self._problems:
            self._problems.append(RowProblem(number, _("El archivo tenía caracteres vacíos (NUL): los quitamos.")))
        return line.replace("\0", "")


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


def _parsed(lines: _Lines, delimiter: str) -> Iterator[Raw]:
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if lines.quotes % 2 and reader.line_num > line:
                raise _unclosed(line)
            lines.quotes = lines.letters = 0
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:  # a cell above csv's limit of 128 kB
        raise _unclosed(line) from error


def _unclosed(line: int) -> SpreadsheetError:
    return SpreadsheetError(
        _("La línea %(n)s abre unas comillas que no se cierran: corrígela y sube el archivo otra vez.") % {"n": line}
    )
