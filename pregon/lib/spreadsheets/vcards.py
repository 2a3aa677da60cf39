"""vCards 2.1, 3.0 and 4.0 (RFC 6350), as phones and address books write them: a stream, one card at a time."""

import quopri
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from pregon.lib.spreadsheets import address_books, encodings
from pregon.lib.spreadsheets.address_books import Entry
from pregon.lib.spreadsheets.table import RowProblem, Table, tell

_PIECE = 64 * 1024
_LONGEST = 10_000
"""Letters of a property that are kept; a picture of megabytes is not even held."""
_MOST = 20
"""Properties of one name that are kept."""
_KEPT = re.compile(r"(?:[\w-]+\.)?(?:BEGIN|END|FN|N|TEL|EMAIL|ORG|CATEGORIES|BDAY)[;:]", re.IGNORECASE).match
_QUOTED = re.compile(r"[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE\b", re.IGNORECASE).match
_PROPERTY = re.compile(r'(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^":])*)?):(.*)', re.DOTALL).fullmatch
_CHARSET = re.compile(r"CHARSET=([\w.-]+)", re.IGNORECASE).search

Card = dict[str, list[tuple[str, str]]]
"""(parameters, value) of each property, by its name in capitals."""


def begins(head: bytes) -> bool:
    """Whether a file that begins so is one of vCards, in whatever encoding."""
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower().startswith(b"begin:vcard")


def read(file: BinaryIO) -> Table:
    """Cards as rows, each on the line of its BEGIN; raises SpreadsheetError if there is none."""
    problems: list[RowProblem] = []
    cards = _cards(_unfolded(encodings.lines(file, _PIECE)), problems)
    return address_books.table(((line, _entry(card)) for line, card in cards), problems)


def _unfolded(pieces: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Whole lines of the properties that we read, each with the number of its first.

    A line goes on where a space begins the next one, and in 2.1 after a quoted-printable `=`.
    """
    held, first, number = "", 0, 1
    keep = quoted = soft = False
    ended = True
    for piece in pieces:
        line = piece.rstrip("\r\n")
        if ended and not soft and line[:1] not in (" ", "\t"):
            if held:
                yield first, held
            held, first, keep, quoted = "", number, bool(_KEPT(line)), bool(_QUOTED(line))
        elif ended and not soft:
            line = line[1:]
        ended = piece.endswith(("\n", "\r"))
        number += ended
        soft = quoted and line.endswith("=")
        if keep and len(held) < _LONGEST:
            held += line[: len(line) - soft][:_LONGEST]
    if held and ended:
        yield first, held


def _cards(lines: Iterable[tuple[int, str]], problems: list[RowProblem]) -> Iterator[tuple[int, Card]]:
    """A card that another one follows without an END is whole; one that the file's end cuts off is not."""
    card: Card | None = None
    start = 0
    for number, line in lines:
        found = _PROPERTY(line)
        name = found[1].upper() if found else ""
        if name in ("BEGIN", "END"):
            if card is not None:
                yield start, card
            card, start = (defaultdict(list), number) if name == "BEGIN" else (None, 0)
        elif found and card is not None and len(card[name]) < _MOST:
            card[name].append((found[2], found[3]))
    if card is not None:
        tell(problems, start, _("Esta tarjeta no termina, el archivo está cortado: no se lee."))


def _entry(card: Card) -> Entry:
    family, given, additional = [*_parts(_first(card, "N"), ";"), "", "", ""][:3]
    company = _parts(_first(card, "ORG"), ";")[0]
    named = family or given
    return Entry(
        given=f"{given} {additional}" if named else _plain(_first(card, "FN")),
        family=family,
        numbers=[(kind, _number(_value(kind, value))) for kind, value in card["TEL"]],
        email=_plain(_first(card, "EMAIL")).removeprefix("mailto:"),
        labels=[label for kind, value in card["CATEGORIES"] for label in _parts(_value(kind, value), ",")],
        company=company,
        birthday=_plain(_first(card, "BDAY")),
    )


def _first(card: Card, name: str) -> str:
    return next((_value(*each) for each in card[name] if each[1].strip()), "")


def _value(parameters: str, value: str) -> str:
    """Quoted-printable undone, as 2.1 writes what is no ASCII."""
    if not _QUOTED(parameters):
        return value
    charset = _CHARSET(parameters)
    content = quopri.decodestring(value.encode())
    try:
        return content.decode(charset[1] if charset else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return content.decode("cp1252", "replace")


def _parts(value: str, separator: str) -> list[str]:
    """«López;Ana» in its parts; a separator after a backslash belongs to the text."""
    found = re.findall(rf"((?:\\.|[^{separator}])*)(?:{separator}|\Z)", value, re.DOTALL)
    return [_plain(part) for part in found]


def _plain(value: str) -> str:
    return re.sub(r"\\([nN,;:\\])", lambda found: " " if found[1] in "nN" else found[1], value).strip()


def _number(value: str) -> str:
    """4.0 may write `tel:+52-222-555-0142;ext=12`."""
    return _plain(re.sub(r"\Atel:([^;]*).*", r"\1", value.strip(), flags=re.IGNORECASE))
