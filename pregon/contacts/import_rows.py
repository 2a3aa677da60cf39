"""A table's rows as contacts: pure, a stream, one row at a time."""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from pregon.contacts import consent, tags
from pregon.contacts.models import MobileProblem
from pregon.lib import phones, spreadsheets, text
from pregon.lib.spreadsheets import Table

COLUMNS = ("name", "last_name", "mobile", "email", "consent", "opt_out", "tags")
# Variables that a promotion has from the contact itself.
RESERVED = {"nombre", "nombre completo", "nombre_completo", "celular", "correo"}
OURS = {"Permiso desde", "Permission since"}  # a column of our own export that says nothing new
NO, SILENT, YES = -1, 0, 1  # what a row says about permission
PROBLEMS = {phones.INCOMPLETE: MobileProblem.INCOMPLETE, phones.INVALID: MobileProblem.INVALID}
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").search
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

Mapping_ = dict[str, Any]
"""{"name": 0, "mobile": 2, …, "fields": {"sucursal": 5}}: columns from 0."""


class Row(NamedTuple):
    """One row, in the order of the staging table's columns."""

    line: int
    """Line of the file or row of the sheet, from 1."""
    key: str
    """The same for rows of the same person."""
    name: str
    search: str
    raw: str
    """The number as it stands in the file."""
    mobile: str | None
    """E.164, or None with a problem and its reason."""
    problem: str
    reason: str
    email: str
    said: int
    """NO, SILENT or YES."""
    tags: str
    """Names, separated by UNIT."""
    fields: str
    """JSON."""
    hash: str
    """consent.hash_of the number."""


UNIT = "\x1f"


def guess(headers: Sequence[str], sample: Sequence[Sequence[str]]) -> Mapping_:
    """What each column is, by its name and content; the others are kept as the business's own data if they are few."""
    mapping: Mapping_ = dict[str, Any](spreadsheets.guess_mapping(headers, sample).items())
    others = [place for place in range(len(headers)) if place not in mapping.values() and headers[place] not in OURS]
    mapping["fields"] = {field_name(headers[place]): place for place in others} if len(others) <= 12 else {}
    return mapping


def field_name(header: str) -> str:
    """A header as the name of a variable: {{sucursal}}."""
    name = re.sub(r"\W+", " ", header.casefold()).strip()[:40].strip() or "dato"
    return f"{name} 2" if name in RESERVED else name


def read(table: Table, mapping: Mapping_, region: str) -> Iterator[Row]:
    """The table's rows; those whose number cannot be written to come with its problem. `region` is the account's country."""
    reader = Reader(mapping, region)
    return (reader.read(line, cells) for line, cells in table.rows)


class Reader:
    """Reads the rows of one file."""

    def __init__(self, mapping: Mapping_, region: str) -> None:
        self._place: Mapping[str, int] = {column: mapping[column] for column in COLUMNS if column in mapping}
        self._fields: Mapping[str, int] = mapping.get("fields", {})
        self._region = region

    def read(self, line: int, cells: Sequence[str]) -> Row:
        """`line` from 1, `cells` as wide as the table."""
        name = " ".join(filter(None, (self._cell(cells, "name"), self._cell(cells, "last_name"))))[:120]
        search = text.fold(name)[:160]
        raw = self._cell(cells, "mobile")[:60]
        found = phones.read(raw, self._region)
        mobile = found.mobile if isinstance(found, phones.Phone) else None
        return Row(
            line=line,
            key=mobile or (f"{search}{UNIT}{raw}" if name else str(line)),
            name=name,
            search=search,
            raw=raw,
            mobile=mobile,
            problem="" if isinstance(found, phones.Phone) else PROBLEMS[found.reason],
            reason="" if isinstance(found, phones.Phone) else found.explanation,
            email=_email(self._cell(cells, "email")),
            said=self._said(cells),
            tags=_tags(self._cell(cells, "tags")),
            fields=self._own(cells),
            hash=consent.hash_of(mobile),
        )

    def _cell(self, cells: Sequence[str], column: str) -> str:
        place = self._place.get(column)
        return _plain(cells[place]) if place is not None else ""

    def _said(self, cells: Sequence[str]) -> int:
        """A column for permission asks for a yes in each row; without one the file itself is the list of those who gave it."""
        if "opt_out" in self._place and _opts_out(self._cell(cells, "opt_out")):
            return NO
        if "consent" not in self._place:
            return YES
        return _answer(self._cell(cells, "consent"))

    def _own(self, cells: Sequence[str]) -> str:
        if not self._fields:
            return "{}"
        values = {name: _plain(cells[place])[:200] for name, place in self._fields.items() if cells[place]}
        return json.dumps(values, ensure_ascii=False)


def _plain(cell: str) -> str:
    return " ".join((cell if cell.isprintable() else _CONTROL.sub(" ", cell)).split())


@functools.lru_cache(maxsize=1000)
def _tags(cell: str) -> str:
    return UNIT.join(tags.split(cell))


@functools.lru_cache(maxsize=1000)
def _answer(cell: str) -> int:
    if text.optout_keyword(cell) == "stop":
        return NO
    return YES if spreadsheets.read_permission(cell) else SILENT


@functools.lru_cache(maxsize=1000)
def _opts_out(cell: str) -> bool:
    """A yes, a keyword such as BAJA, or the date of the withdrawal."""
    return bool(spreadsheets.read_permission(cell) or text.optout_keyword(cell) == "stop" or _DATE(cell))


def _email(cell: str) -> str:
    """Kept if it is one."""
    if "@" not in cell or len(cell) > 254:
        return ""
    try:
        validate_email(cell)
    except ValidationError:
        return ""
    return cell
