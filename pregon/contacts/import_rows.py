"""A table's rows as contacts, in the form in which PostgreSQL copies them in: a stream that needs neither database nor models.

Here Python works for each row of a file, so the usual case of everything is looked at first.
"""

import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from pregon.contacts import field_values, tag_names
from pregon.contacts.field_values import TEXT, Read, Reading
from pregon.lib import crypto, phones, spreadsheets, text

COLUMNS = ("name", "last_name", "mobile", "email", "consent", "opt_out", "tags")
# Variables that a promotion has from the contact itself.
RESERVED = {"nombre", "nombre completo", "nombre_completo", "celular", "correo"}
# Columns of our own export that say nothing new.
OURS = {"Permiso desde", "Permission since", "Id de WhatsApp", "WhatsApp id"}
LEAVES, NO, SILENT, YES = -2, -1, 0, 1  # what a row says about permission: a withdrawal is more than a no
PROBLEMS = {phones.INCOMPLETE: "incomplete", phones.INVALID: "invalid"}  # as models.MobileProblem has them
UNIT = "\x1f"  # between tags, and between remarks
NULL = "\x1e"  # no cell has it: control characters become spaces
SAYS = "\x1d"  # in a remark, between the field and its cell
NAME, EMAIL = "@name", "@email"  # in a remark; no field of the business's own has such a name
TOLD = 200  # letters of a cell in a remark
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").search
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
# What Django's validator accepts anyway, which takes ten times as long.
_COMMON_EMAIL = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
).fullmatch

Mapping_ = dict[str, Any]
"""{"name": 0, "mobile": 2, …, "fields": {"sucursal": 5}, "kinds": {"sucursal": "choice"}}: columns from 0.

`kinds`: what the columns of the business's own fields hold, as `field_values.guess` tells it; without one, texts.
"""

STAGED = "line, name, search, raw, mobile, problem, reason, email, tags, fields, hash, first_line, word, remarks"
"""The columns of a line:

line                of the file, or row of the sheet, from 1
name, search, email search is the folded name
raw                 the number as it stands in the file
mobile              E.164, or null with a problem (models.MobileProblem) and its reason (phones.Problem.code)
tags                names, separated by UNIT
fields              JSON
hash                crypto.keyed_hash of the number; empty without one
first_line, word    the line again, and LEAVES, NO, SILENT or YES: before the file is compared with itself
remarks             cells that are not saved as they stand, separated by UNIT: field (or NAME, EMAIL), SAYS, cell
"""


class How(NamedTuple):
    """What reading a file needs to know; as JSON, it goes to another process."""

    mapping: Mapping_
    region: str
    """Country of numbers without a code of their own."""
    key: str
    """Secret of the hashes."""
    readings: Mapping[str, Sequence[Any]]
    """Of the business's own fields that are no texts: the parts of a `field_values.Reading`."""


class Frame(NamedTuple):
    """Some rows of a file; the last frame has none, and tells what was odd."""

    rows: int
    at: int
    """How many bytes of the file are behind it."""
    lines: bytes
    """For COPY: text, NULL for null, columns as in STAGED."""
    notices: list[tuple[int, str]]


def guess(headers: Sequence[str], sample: Sequence[Sequence[str]]) -> Mapping_:
    """What each column is, by its name and content; the others are kept as the business's own data if they are few."""
    mapping: Mapping_ = dict[str, Any](spreadsheets.guess_mapping(headers, sample).items())
    others = [place for place in range(len(headers)) if place not in mapping.values() and headers[place] not in OURS]
    mapping["fields"] = names(headers, others) if len(others) <= 12 else {}
    return mapping


def names(headers: Sequence[str], places: Iterable[int]) -> dict[str, int]:
    """Columns by the names of the fields that they become, each its own."""
    found: dict[str, int] = {}
    for place in places:
        name = field_name(headers[place])
        free = itertools.chain([name], (f"{name} {n}" for n in itertools.count(2)))
        found[next(each for each in free if each not in found)] = place
    return found


def field_name(header: str) -> str:
    """A header as the name of a variable: {{sucursal}}."""
    name = re.sub(r"\W+", " ", header.casefold()).strip()[:40].strip() or "dato"
    return f"{name} 2" if name in RESERVED else name


def columns(mapping: Mapping_) -> dict[str, str]:
    """What the column of each field of the business's own holds."""
    return {name: mapping.get("kinds", {}).get(name, TEXT) for name in mapping.get("fields", {})}


def frames(file: BinaryIO, name: str, how: How, turn: int = 0, of: int = 1) -> Iterator[Frame]:
    """The whole file, or of so many frames one, which differ in their lines. Raises SpreadsheetError."""
    table = spreadsheets.open(file, name)
    read = Reader(how, exact=table.exact).read
    for rows in table.stretches(turn, of):
        lines = "".join([read(line, cells) for line, cells in rows])
        yield Frame(len(rows), file.tell(), lines.encode("utf-8", "replace"), [])
    yield Frame(0, file.tell(), b"", [(problem.line, problem.text) for problem in table.problems])


class Reader:
    """Reads the rows of one file. `exact`: its figures have a point before decimals, whatever the country."""

    def __init__(self, how: How, *, exact: bool = False) -> None:
        mapping = how.mapping
        # A column that the file lacks is the blank cell that `read` adds at the end of each row.
        ours = [int(mapping.get(column, -1)) for column in COLUMNS]
        self._name, self._last_name, self._mobile, self._email, self._consent, self._opt_out, self._tags = ours
        self._asks = "consent" in mapping
        places = sorted((place, name) for name, place in mapping.get("fields", {}).items())
        self._fields = [(name, place, _reader(how, name, exact)) for place, name in places]
        self._region = how.region
        self._hash = crypto.hasher(how.key)

    def read(self, line: int, cells: Sequence[str]) -> str:
        """A line for COPY. `line` from 1, `cells` as wide as the table."""
        cells = [*cells, ""]
        remarks: list[str] = []
        name = self._named(cells, remarks)
        raw = _plain(cells[self._mobile])[:60]
        found = phones.read(raw, self._region)
        if isinstance(found, phones.Phone):
            number = f"{raw}\t{found.mobile}\t\t"
            hashed = self._hash(found.mobile)
        else:
            number = f"{raw}\t{NULL}\t{PROBLEMS[found.reason]}\t{found.code}"
            hashed = ""
        written = (
            f"{line}\t{name}\t{text.words(name)[:160]}\t{number}\t{_email(cells[self._email], remarks)}"
            f"\t{_tags(cells[self._tags])}\t{self._own(cells, remarks)}\t{hashed}\t{line}\t{self._said(cells)}"
            f"\t{UNIT.join(remarks)}\n"
        )
        return written.replace("\\", "\\\\") if "\\" in written else written

    def _named(self, cells: Sequence[str], remarks: list[str]) -> str:
        name = _plain(cells[self._name])
        if self._last_name >= 0 and (last := _plain(cells[self._last_name])):
            name = f"{name} {last}" if name else last
        if len(name) > 120:
            remarks.append(f"{NAME}{SAYS}{name[:TOLD]}")
        return name[:120]

    def _said(self, cells: Sequence[str]) -> int:
        """A column for permission asks for a yes in each row; without one the file itself is the list of those who gave it."""
        said = _answer(cells[self._consent]) if self._asks else YES
        return min(said, _opted(cells[self._opt_out])) if self._opt_out >= 0 else said

    def _own(self, cells: Sequence[str], remarks: list[str]) -> str:
        values = {}
        for name, place, read in self._fields:
            if not (cell := cells[place]) or not (plain := _plain(cell)):
                continue
            if value := read(plain):
                values[name] = value
            if (not value and not field_values.blank(plain)) or len(plain) > field_values.LONGEST:
                remarks.append(f"{name}{SAYS}{plain[:TOLD]}")
        return json.dumps(values, ensure_ascii=False) if values else "{}"


def _reader(how: How, name: str, exact: bool) -> Read:
    reading = Reading(*how.readings.get(name, [TEXT]))
    return field_values.reader(reading._replace(point="." if exact else reading.point))


def _plain(cell: str) -> str:
    """On one line, with single spaces."""
    if cell.isprintable():  # then it has no other space than " "
        return cell if "  " not in cell else " ".join(cell.split())
    return " ".join(_CONTROL.sub(" ", cell).split())


@functools.lru_cache(maxsize=1000)
def _tags(cell: str) -> str:
    return UNIT.join(tag_names.split(_plain(cell)))


@functools.lru_cache(maxsize=1000)
def _answer(cell: str) -> int:
    plain = _plain(cell)
    if _withdraws(plain):
        return LEAVES
    return {True: YES, False: NO, None: SILENT}[spreadsheets.read_permission(plain)]


@functools.lru_cache(maxsize=1000)
def _opted(cell: str) -> int:
    """LEAVES for a yes, a withdrawal, or its date; SILENT for words that may be one: nobody is written to on their account."""
    plain = _plain(cell)
    if _withdraws(plain) or spreadsheets.read_permission(plain) or _DATE(plain):
        return LEAVES
    return YES if field_values.blank(plain) or spreadsheets.read_permission(plain) is False else SILENT


def _withdraws(plain: str) -> bool:
    return text.optout_keyword(plain) == "stop" or spreadsheets.is_withdrawal(plain)


def _email(cell: str, remarks: list[str]) -> str:
    """Kept if it is one."""
    cell = _plain(cell)
    if not cell or (len(cell) <= 254 and (_COMMON_EMAIL(cell) or _is_email(cell))):
        return cell
    if not field_values.blank(cell):
        remarks.append(f"{EMAIL}{SAYS}{cell[:TOLD]}")
    return ""


def _is_email(cell: str) -> bool:
    if "@" not in cell:
        return False
    try:
        validate_email(cell)
    except ValidationError:
        return False
    return True
