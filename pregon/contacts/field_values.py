"""Values of a business's own fields: what a cell says as a number, a date, yes or no, one of some options; else as a text.

A value is kept as a text, always written in one way: "12.5", "2026-07-01", "sí", the option's own words. Nothing here knows a
database: files are read by a process without one.
"""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.dates import get_date_format
from babel.numbers import get_decimal_symbol

from pregon.lib import spreadsheets, text

TEXT, NUMBER, DATE, YES_NO, CHOICE = "text", "number", "date", "yes_no", "choice"
DAY_FIRST, MONTH_FIRST = "day_first", "month_first"  # 03/04/1990: 3 April, or March 4
ASK = "ask"  # dates of which nothing tells whether the day or the month comes first
DATES = (DATE, DAY_FIRST, MONTH_FIRST, ASK)  # columns of dates; DATE: each tells by itself
YES, NO = "sí", "no"
LONGEST = 200  # letters of a text
MOST_CHOICES = 50
EARLIEST, LATEST = 1900, 2100

Read = Callable[[str], str]
"""From a cell, on one line, to its value; to nothing when it does not fit."""


class Reading(NamedTuple):
    """How the cells of a column are read; a list in JSON."""

    kind: str
    order: str = ""
    """Of dates: DAY_FIRST or MONTH_FIRST; without one, only cells are read that leave no doubt."""
    point: str = "."
    """Of numbers: what stands before decimals."""
    choices: Sequence[str] = ()
    """None: every text is an option."""


def reader(reading: Reading) -> Read:
    match reading.kind:
        case "number":
            return lambda cell: read_number(cell, reading.point)
        case "date":
            return lambda cell: read_date(cell, reading.order)
        case "yes_no":
            return read_yes_no
        case "choice" if reading.choices:
            known = {text.fold(choice): choice for choice in reading.choices}
            return lambda cell: known.get(text.fold(cell), "")
    return lambda cell: cell[:LONGEST]


def blank(cell: str) -> bool:
    """Says that there is nothing: a dash, n/a."""
    return len(cell) < 12 and text.fold(cell) in _NOTHING


_NOTHING = {
    *("", "-", "--", "---", "—", "–", ".", "?", "n/a", "na", "#n/a", "s/d", "nan", "null", "none"),
    *("ninguno", "ninguna", "no tiene"),
}


# The country's own way


def point(country: str) -> str:
    """What stands before decimals there."""
    return get_decimal_symbol(_locale(country))


def order(country: str) -> str:
    """What comes first there in a date of figures."""
    pattern = str(get_date_format("short", _locale(country)).pattern)
    return MONTH_FIRST if 0 <= pattern.find("M") < pattern.find("d") else DAY_FIRST


@functools.cache
def _locale(country: str) -> Locale:
    for language in ("es", "und"):
        try:
            return Locale.parse(f"{language}_{country}")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("es")


# Numbers

_NUMBER = re.compile(
    r"(?P<minus>-?) ?(?P<money>s/\.?|[a-z]{0,3}\$|€|£)? ?(?P<body>\d[\d.,' ]*)(?:%|€|\$| [a-z]{3})?",
    re.ASCII | re.IGNORECASE,
).fullmatch
_GROUPED = {mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+").fullmatch for mark in ".,' "}


@functools.lru_cache(maxsize=10_000)
def read_number(cell: str, point: str) -> str:
    """«$ 1,234.50» → "1234.5". A code that begins with zeros is no number, nor one that a spreadsheet has rounded (5.1E+10)."""
    found = _NUMBER(cell)
    whole, decimals = _split(found["body"].strip(), "" if found["money"] else point) if found else ("", "")
    if found is None or not 0 < len(whole) <= 15 or (len(whole) > 1 and whole[0] == "0"):
        return ""
    exact = round(Decimal(f"{found['minus']}{whole}.{decimals[:20] or 0}"), 6)
    return f"{exact:f}".rstrip("0").rstrip(".") if exact else "0"


def _split(body: str, point: str) -> tuple[str, str]:
    """Its digits before and after the decimal point; nothing when it is not written as a number.

    A single mark with three digits behind it (1.234) is what it is in the country, but no price has three decimals ($ 1.234: then
    `point` is empty); any other mark tells by itself.
    """
    mark = next((each for each in reversed(body) if each in ".,"), "")
    whole, _mark, decimals = body.rpartition(mark) if mark else (body, "", "")
    groups = (bool(mark) and body.count(mark) > 1) or (mark != point and len(decimals) == 3 and whole.isdigit())
    if groups and _GROUPED[mark](body) and not body.startswith("0"):
        return body.replace(mark, ""), ""
    if (mark and body.count(mark) > 1) or not (decimals.isdigit() or not mark):
        return "", ""
    plain = whole.isdigit() or any(_GROUPED[each](whole) for each in _GROUPED if each != mark)
    return ("".join(filter(str.isdigit, whole)), decimals) if plain else ("", "")


# Dates

_FIGURES = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{2}|\d{4})(?:[T ]+\d{1,2}:\d\d.*)?", re.ASCII).fullmatch
_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d\d?)\2(\d\d?)(?:[T ]+\d{1,2}:\d\d.*)?", re.ASCII).fullmatch
_NAMED = re.compile(
    r"(\d{1,2})(?:o|st|nd|rd|th)?[ ./-]+(?:de )?([a-z]{3,10})\.?[ ,./-]+(?:del? )?(\d{4}|\d\d)"
).fullmatch
_ENGLISH = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})").fullmatch
_MONTHS = (
    ("enero", "january", "janeiro"), ("febrero", "february", "fevereiro"), ("marzo", "march", "marco"), ("abril", "april"),
    ("mayo", "may", "maio"), ("junio", "june", "junho"), ("julio", "july", "julho"), ("agosto", "august"),
    ("septiembre", "setiembre", "september", "setembro"), ("octubre", "october", "outubro"),
    ("noviembre", "november", "novembro"), ("diciembre", "december", "dezembro"),
)  # fmt: skip


@functools.lru_cache(maxsize=10_000)
def read_date(cell: str, order: str = "") -> str:
    """«3/4/1990», «3 de abril de 1990», «1990-04-03 00:00» → "1990-04-03". Of two-digit years 40 to 99 are of the last century."""
    found = sorted(set(_dates(cell, order)) - {""})
    return found[0] if len(found) == 1 else ""


def _dates(cell: str, order: str) -> Iterable[str]:
    """What it may mean."""
    if found := _YEAR_FIRST(cell):
        return [_date(found[1], found[3], found[4])] if found[2] or len(cell.split(maxsplit=1)[0]) == 8 else []
    if found := _FIGURES(cell):
        first, second, year = found[1], found[3], found[4]
        days = [] if order == MONTH_FIRST else [_date(year, second, first)]
        return days if order == DAY_FIRST else [*days, _date(year, first, second)]
    folded = text.fold(cell)
    if found := _NAMED(folded):
        return [_date(found[3], _month(found[2]), found[1])]
    if found := _ENGLISH(folded):
        return [_date(found[3], _month(found[1]), found[2])]
    return []


def _month(word: str) -> str:
    return next((str(n) for n, names in enumerate(_MONTHS, 1) if any(name.startswith(word) for name in names)), "0")


def _date(year: str, month: str, day: str) -> str:
    whole = int(year) + (0 if len(year) == 4 else 1900 if int(year) >= 40 else 2000)
    try:
        return date(whole, int(month), int(day)).isoformat() if EARLIEST <= whole <= LATEST else ""
    except ValueError:
        return ""


def day(value: str) -> date | None:
    """Of a value of a date, as it is kept."""
    return date.fromisoformat(value) if value and read_date(value) == value else None


# Yes or no


@functools.lru_cache(maxsize=1000)
def read_yes_no(cell: str) -> str:
    answer = spreadsheets.read_permission(cell)
    return "" if answer is None else YES if answer else NO


# What a column holds

_CODES = re.compile(
    r"\b(?:id|codigo|code|clave|folio|pedido|factura|dni|ruc|rut|cedula|rfc|curp|cui[tl]|cpf|cnpj|nit|documento|tarjeta|cuenta|cp|"
    r"postal|zip|sku|referencia|telefono|celular|numero|nro|no|phone|fax|movil|whatsapp)\b"
).search
_SURELY = {"si", "no", "yes", "true", "false", "verdadero", "falso", "sim", "nao"}  # "f" may be a woman, "1" a figure


def guess(header: str, cells: Sequence[str], point: str) -> str:
    """TEXT, NUMBER, YES_NO, CHOICE or one of DATES: what all these cells are. Most columns are texts."""
    filled = [cell for cell in cells if not blank(cell)]
    if not filled:
        return TEXT
    if all(map(_like_a_date, filled)) and sum(any(_dates(cell, "")) for cell in filled) * 2 > len(filled):
        return order_of(filled)
    if not _CODES(text.fold(header)) and all(_figure(cell, point) for cell in filled):
        return NUMBER
    if {text.fold(cell) for cell in filled} <= _SURELY:
        return YES_NO
    return CHOICE if _options(filled) else TEXT


def order_of(cells: Iterable[str]) -> str:
    """What comes first in these dates: one of DATES."""
    read = [(read_date(cell, DAY_FIRST), read_date(cell, MONTH_FIRST)) for cell in cells]
    days, months = any(day and not month for day, month in read), any(month and not day for day, month in read)
    if days != months:
        return DAY_FIRST if days else MONTH_FIRST
    if days or all(day == month for day, month in read):
        return DATE  # each tells by itself; where both orders occur, the doubtful ones are told
    return ASK


def _like_a_date(cell: str) -> bool:
    """Also 31/02/1990, which is none: it is told."""
    folded = text.fold(cell)
    return bool(_FIGURES(cell) or _YEAR_FIRST(cell) or _NAMED(folded) or _ENGLISH(folded))


def _figure(cell: str, point: str) -> bool:
    return len(cell) < 12 and bool(read_number(cell, point))


def _options(cells: Sequence[str]) -> bool:
    """A few words that come again and again."""
    different = {text.fold(cell) for cell in cells}
    return len(cells) >= 12 and len(different) <= 6 and len(cells) >= 3 * len(different) and max(map(len, cells)) <= 30
