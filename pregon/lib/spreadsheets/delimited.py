"""CSV and its relatives: any common delimiter, read line by line."""

import contextlib
import csv
import itertools
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from pregon.lib.spreadsheets import encodings
from pregon.lib.spreadsheets.table import BLOCK, Raw, RowProblem, SpreadsheetError, Table, Turns, not_a_table

_LONGEST = 1_000_000
_LINES, _LETTERS = 40, 100_000  # what is looked at to find the delimiter
_FEW = 100  # lines, however long, that are in memory at once
_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE).fullmatch


def read(file: BinaryIO) -> Table:
    """The table of a text file; raises SpreadsheetError."""
    problems: list[RowProblem] = []
    turns = Turns()
    lines = encodings.lines(file, _LONGEST)
    first = _first(lines)
    plain = [line.replace("\0", "") for line in first]
    _check_readable("".join(plain))
    rows = _Rows(itertools.chain(first, lines), _delimiter(plain), problems, turns)
    told = bool(plain and _SEP_LINE(plain[0]))
    return Table(itertools.islice(rows, int(told), None), problems, turns)


def _check_readable(text: str) -> None:
    """One control character in twenty, and nobody has typed it."""
    odd = sum(character < " " and character not in "\t\n\v\f\r\x1a\x1b" for character in text)
    if odd * 20 > len(text):
        raise not_a_table()


class _Rows:
    """Rows of `csv`, whose lines come in blocks: one without quotes, nearly all, has a row in each line, and needs no care."""

    def __init__(self, lines: Iterator[str], delimiter: str, problems: list[RowProblem], turns: Turns) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._problems = problems
        self._turns = turns
        self._quotes = 0
        """Since the last row's end: even in every well-formed row."""
        self._letters = 0
        """Since the last row's end: a row is bounded, for its cells are all in memory."""
        self._within = False
        """Whether `csv` has asked for a line and not given its row yet: it closes an open cell without a word."""

    def __iter__(self) -> Iterator[Raw]:
        line = 1
        while block := self._block(BLOCK - line % BLOCK):
            if not _plain("".join(block)):
                line = yield from self._carefully(block, line)
                continue
            if self._turns.mine(line):
                yield from self._parsed(block, line)
            line += len(block)

    def _block(self, most: int) -> list[str]:
        """So many lines at most; fewer, if they are long."""
        block: list[str] = []
        letters = 0
        while letters < _LONGEST and (more := [*itertools.islice(self._lines, min(_FEW, most - len(block)))]):
            block += more
            letters += sum(map(len, more))
        return block

    def _parsed(self, lines: Iterable[str], first: int) -> Iterator[Raw]:
        reader = csv.reader(lines, delimiter=self._delimiter)
        try:
            yield from enumerate(reader, first)
        except csv.Error as error:  # a cell above csv's limit of 128 kB
            raise _unclosed(first + reader.line_num - 1) from error

    def _carefully(self, block: list[str], first: int) -> Generator[Raw, None, int]:
        """These lines, and more of them until a row ends. Returns the next one."""
        reader = csv.reader(self._fed(block, first), delimiter=self._delimiter)
        line = first
        try:
            for cells in reader:
                if self._quotes % 2 and first + reader.line_num > line + 1:
                    raise _unclosed(line)
                self._quotes = self._letters = 0
                self._within = False
                yield line, cells
                line = first + reader.line_num
        except csv.Error as error:
            raise _unclosed(line) from error
        return line

    def _fed(self, block: list[str], first: int) -> Iterator[str]:
        """Lines on their way to `csv`: without NULs, and counted."""
        for number, line in enumerate(itertools.chain(block, self._rest()), first):
            self._letters += len(line)
            if self._letters >= _LONGEST:
                raise SpreadsheetError(
                    _("Este archivo no es una tabla: una sola línea ocupa más de un millón de letras.")
                )
            self._quotes += line.count('"')
            self._within = True
            yield self._without_nul(number, line) if "\0" in line else line

    def _rest(self) -> Iterator[str]:
        """What a row that a block has begun still needs."""
        while self._within and (line := next(self._lines, None)) is not None:
            yield line

    def _without_nul(self, number: int, line: str) -> str:
        if not self._problems:
            self._problems.append(RowProblem(number, _("El archivo tenía caracteres vacíos (NUL): los quitamos.")))
        return line.replace("\0", "")


def _plain(text: str) -> bool:
    return len(text) < _LONGEST and '"' not in text and "\0" not in text


def _first(lines: Iterator[str]) -> list[str]:
    """Lines enough to see what the file is like."""
    first: list[str] = []
    for line in itertools.islice(lines, _LINES):
        first.append(line)
        if sum(map(len, first)) > _LETTERS:
            break
    return first


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


def _unclosed(line: int) -> SpreadsheetError:
    return SpreadsheetError(
        _("La línea %(n)s abre unas comillas que no se cierran: corrígela y sube el archivo otra vez.") % {"n": line}
    )
