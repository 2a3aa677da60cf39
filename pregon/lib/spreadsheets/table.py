"""Rows of raw cells become a table: where its head is, what its columns are called, what was odd about it."""

import collections
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from pregon.lib.spreadsheets import columns

MAX_COLUMNS: Final = 256
BLOCK: Final = 5_000
"""Lines that are read together."""
_SAMPLE: Final = 25
_MOST_BLANK: Final = 1 << 20  # as many rows as a sheet has
_MOST_PROBLEMS: Final = 1000

_ESCAPED = ("'=", "'+", "'-", "'@")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+").fullmatch
_NUMBER = re.compile(r"[+'(]?[0-9][0-9 ().,+\-]{5,}(?:[eE]\+?[0-9]+)?").fullmatch


class SpreadsheetError(Exception):
    """The file cannot be read; `str()` says what happened and what to do next, in the active language."""


def not_a_table() -> SpreadsheetError:
    return SpreadsheetError(_("Este archivo no es una tabla: guarda tus contactos como CSV o XLSX y súbelo otra vez."))


class RowProblem(NamedTuple):
    """Something the person should know, that did not stop the reading."""

    line: int
    """Line of the file or row of the sheet, from 1; 0 when it is about the whole file."""
    text: str


class Row(NamedTuple):
    """One row with something in it."""

    line: int
    """Line of the file or row of the sheet, from 1."""
    cells: list[str]
    """As many as the table has headers, outer spaces removed."""


Raw = tuple[int, list[str]]
"""A line and its cells, as the file has them."""


class Turns:
    """Which blocks of lines are read, when several read one file: all of them, unless `Table.stretches` says otherwise."""

    turn, of = 0, 1

    def mine(self, line: int) -> bool:
        return line // BLOCK % self.of == self.turn


class Table:
    """Headers and a stream of rows."""

    exact = False
    """Figures were figures in the file, and have a point before decimals."""

    def __init__(self, raw: Iterable[Raw], problems: list[RowProblem], turns: Turns | None = None) -> None:
        """`raw` gives rows of any width, blank ones included, of others' `turns` or not; raises SpreadsheetError."""
        self._turns = turns or Turns()
        rest = iter(raw)
        first = _narrow(itertools.islice(_not_blank(rest), _SAMPLE))
        head, body = _split(first, problems)
        self._begin(_name(head, max(map(_width, first)), problems), body, rest, problems)

    @classmethod
    def of(cls, headers: Sequence[str], raw: Iterable[Raw], problems: list[RowProblem]) -> "Table":
        """A table whose columns are known; raises SpreadsheetError."""
        rest, table = iter(raw), cls.__new__(cls)
        table._turns = Turns()
        table._begin([*headers], _narrow(itertools.islice(_not_blank(rest), _SAMPLE)), rest, problems)
        return table

    def _begin(self, headers: list[str], body: list[Row], rest: Iterator[Raw], problems: list[RowProblem]) -> None:
        self.problems = problems
        self.headers = headers
        """One name per column, never blank, never twice."""
        self.sample: list[list[str]] = [[_kept(cell) for cell in self._fit(row.cells)] for row in body]
        """Cells of the first rows, to guess what each column is; as JSON they may be kept."""
        self._body, self._rest = body, rest

    @functools.cached_property
    def rows(self) -> Iterator[Row]:
        """Can be read once."""
        return self._rows(itertools.chain(self._body, _not_blank(self._rest)))

    def stretches(self, turn: int = 0, of: int = 1) -> Iterator[list[Row]]:
        """Instead of `rows`: those of each block of lines together; of so many blocks one, while the others are passed over."""
        self._turns.turn, self._turns.of = turn, of
        body = (row for row in self._body if self._turns.mine(row.line))
        rest = self._rest if of == 1 else (raw for raw in self._rest if raw[0] // BLOCK % of == turn)
        rows = self._rows(itertools.chain(body, _not_blank(rest)))
        return (list(stretch) for _, stretch in itertools.groupby(rows, lambda row: row.line // BLOCK))

    def _rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        width = len(self.headers)
        for row in rows:
            if len(row.cells) == width:
                yield row
                continue
            if any(row.cells[width:]):
                tell(self.problems, row.line, _("La línea tiene más celdas que columnas: las que sobran no se leen."))
            yield Row(row.line, self._fit(row.cells))

    def _fit(self, cells: list[str]) -> list[str]:
        width = len(self.headers)
        return (cells + [""] * (width - len(cells)))[:width]


def tell(problems: list[RowProblem], line: int, text: str) -> None:
    """Adds a problem, unless there are a thousand already."""
    if len(problems) < _MOST_PROBLEMS:
        problems.append(RowProblem(line, text))


def _not_blank(raw: Iterable[Raw]) -> Iterator[Row]:
    """Rows with something in them, outer spaces removed. Bounded: a file may be millions of blank lines."""
    last = 0
    for line, cells in raw:
        plain = [cell.strip() for cell in cells]
        if any(plain):
            if "'" in "".join(plain):
                plain = [*map(_unescaped, plain)]
            last = line
            yield Row(line, plain)
        elif line - last > _MOST_BLANK:
            raise SpreadsheetError(
                _("El archivo tiene más de un millón de filas en blanco: bórralas y súbelo otra vez.")
            )


def _kept(cell: str) -> str:
    """A vCard, or an old workbook, may have a NUL in a cell; no database takes one."""
    return cell.replace("\0", "")


def _unescaped(cell: str) -> str:
    """`'=1+1` is how `write_csv`, and people, keep a text from being calculated."""
    return cell[1:] if cell.startswith(_ESCAPED) else cell


def _narrow(rows: Iterable[Row]) -> list[Row]:
    """The first rows, refused at the first that is too wide: 25 of a million cells each would not fit anywhere."""
    first: list[Row] = []
    for row in rows:
        if (width := _width(row)) > MAX_COLUMNS:
            raise _too_wide(width)
        first.append(Row(row.line, row.cells[:MAX_COLUMNS]))
    if not first:
        raise SpreadsheetError(_("El archivo está vacío: revisa que la hoja con tus contactos tenga filas."))
    return first


def _width(row: Row) -> int:
    """Columns up to the last that holds something."""
    return max(place for place, cell in enumerate(row.cells, 1) if cell)


def _too_wide(width: int) -> SpreadsheetError:
    return SpreadsheetError(
        _("La hoja tiene %(n)s columnas y el máximo es %(most)s: deja solo las de tus contactos y súbela otra vez.")
        % {"n": width, "most": MAX_COLUMNS}
    )


def _split(rows: Sequence[Row], problems: list[RowProblem]) -> tuple[list[str] | None, list[Row]]:
    """Head (None where the first row is data already) and the rows below it."""
    place = _place_of_head(rows)
    if place is None:
        text = _("La primera línea ya es un contacto: las columnas no tienen nombre, revisa qué es cada una.")
        problems.append(RowProblem(rows[0].line, text))
        return None, list(rows)
    if place:
        problems.append(RowProblem(rows[0].line, _("Los títulos sobre la tabla no se leen.")))
    return rows[place].cells, list(rows[place + 1 :])


def _place_of_head(rows: Sequence[Row]) -> int | None:
    """The first row with familiar names; else the first below the merged titles, unless that holds data."""
    usual = collections.Counter(_filled(row) for row in rows).most_common(1)[0][0]
    for place, row in enumerate(rows[:10]):
        if _looks_like_data(row):
            break
        if columns.familiar(row.cells) >= min(2, usual):
            return place
    after_titles = (place for place, row in enumerate(rows) if _filled(row) > 1 or usual == 1)
    place = next(after_titles, 0)
    return None if _looks_like_data(rows[place]) else place


def _filled(row: Row) -> int:
    return sum(map(bool, row.cells))


def _looks_like_data(row: Row) -> bool:
    return any(_EMAIL(cell) or _NUMBER(cell) for cell in row.cells)


def _name(head: list[str] | None, width: int, problems: list[RowProblem]) -> list[str]:
    """Blank names become "Columna 3"; the second "Teléfono" becomes "Teléfono (2)", and is told."""
    names: list[str] = []
    for place in range(width):
        given = " ".join(_kept(head[place] if head and place < len(head) else "").split())[:100]
        name = given or _("Columna %(n)s") % {"n": place + 1}
        if name in names:
            problems.append(RowProblem(0, _("La columna «%(name)s» aparece más de una vez.") % {"name": name}))
            name = _next_free(name, names)
        names.append(name)
    return names


def _next_free(name: str, taken: Sequence[str]) -> str:
    return next(other for n in itertools.count(2) if (other := f"{name} ({n})") not in taken)
