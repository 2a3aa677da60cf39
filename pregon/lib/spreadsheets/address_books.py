"""Address books: what Google, Outlook and phones export, in the few columns that a contact has."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from pregon.lib import text
from pregon.lib.spreadsheets.table import Raw, RowProblem, Table, tell

_MOBILE = re.compile(r"cell|celular|mobile|m[oó]vil|iphone|whatsapp", re.IGNORECASE).search
_NO_PHONE = re.compile(r"fax|pager|busca|modem|isdn|t[eé]lex|radio|tty|assistant|ayudante", re.IGNORECASE).search
_JOINED = re.compile(r"\s*:::\s*")  # Google's, between values of one kind
_EVERYBODY = {"mycontacts", "my contacts", "mis contactos", "starred"}  # labels that Google itself gives

# Folded headers; several that are filled are joined in the file's order (first and middle name).
_COLUMNS = {
    "given": {"first name", "given name", "middle name", "additional name", "nombre", "segundo nombre"},
    "family": {"last name", "family name", "apellidos"},
    "whole": {"name", "file as"},
    "email": {"e-mail 1 - value", "e-mail address", "direccion de correo electronico"},
    "labels": {"labels", "group membership", "categories", "categorias"},
    "company": {"organization name", "organization 1 - name", "company", "organizacion", "compania"},
    "birthday": {"birthday", "cumpleanos"},
}
_GOOGLE = re.compile(r"phone (\d+) - value").fullmatch
_OUTLOOK = re.compile(r"(?:.*\b)?(?:phone|telefono|movil)(?:\b.*)?").fullmatch
_ONLY_OUTLOOKS = (
    {"first name", "business phone", "home phone"},
    {"nombre", "telefono del trabajo", "telefono particular"},
)


class Entry(NamedTuple):
    """One person of an address book."""

    given: str
    family: str
    numbers: list[tuple[str, str]]
    """(what kind of number the book says it is, the number)"""
    email: str
    labels: list[str]
    company: str
    birthday: str


def table(entries: Iterable[tuple[int, Entry]], problems: list[RowProblem]) -> Table:
    """Entries with their lines as a table of our columns; raises SpreadsheetError if there is none."""
    headers = [
        _("Nombre"), _("Apellido"), _("Celular"), _("Celular (2)"), _("Correo"), _("Etiquetas"), _("Empresa"),
        _("Cumpleaños"),
    ]  # fmt: skip
    return Table.of(headers, _rows(entries, problems), problems)


def tidy(found: Table) -> Table:
    """The same table, or one of our columns if it is Google's or Outlook's, whose 30 to 90 say little."""
    headers = [text.fold(header) for header in found.headers]
    numbers = _numbers(headers)
    if not numbers:
        return found
    places = {name: [headers.index(word) for word in headers if word in words] for name, words in _COLUMNS.items()}
    return table(((line, _entry(cells, places, numbers)) for line, cells in found.rows), found.problems)


def _numbers(headers: Sequence[str]) -> list[tuple[int, str, int]]:
    """(place of the label or -1, label, place of the number) of each column of numbers; none if it is no address book."""
    google = [(place, name[1]) for place, header in enumerate(headers) if (name := _GOOGLE(header))]
    if google:
        labels = {header: place for place, header in enumerate(headers)}
        kinds = ((labels.get(f"phone {n} - label", labels.get(f"phone {n} - type", -1)), place) for place, n in google)
        return [(kind, "", place) for kind, place in kinds]
    if any(words <= set(headers) for words in _ONLY_OUTLOOKS):
        return [(-1, header, place) for place, header in enumerate(headers) if _OUTLOOK(header)]
    return []


def _entry(cells: Sequence[str], places: dict[str, list[int]], numbers: Sequence[tuple[int, str, int]]) -> Entry:
    def cell(name: str) -> str:
        return " ".join(cells[place] for place in places[name] if cells[place])

    named = cell("given") or cell("family")
    return Entry(
        given=cell("given") if named else next((cells[place] for place in places["whole"] if cells[place]), ""),
        family=cell("family"),
        numbers=[
            (cells[kind] if kind >= 0 else label, number)
            for kind, label, place in numbers
            for number in _JOINED.split(cells[place])
        ],
        email=_JOINED.split(cell("email"))[0],
        labels=re.split(r":::|[;,]", cell("labels")),
        company=cell("company"),
        birthday=cell("birthday"),
    )


def _rows(entries: Iterable[tuple[int, Entry]], problems: list[RowProblem]) -> Iterator[Raw]:
    for line, entry in entries:
        numbers = _chosen(entry.numbers)
        if len(numbers) > 2:
            tell(problems, line, _("Tiene %(n)s números: leemos los dos primeros.") % {"n": len(numbers)})
        given = entry.given or ("" if entry.family else entry.company)
        birthday = entry.birthday if re.search("[1-9]", entry.birthday) else ""  # Outlook's 0/0/00
        cells = [
            given, entry.family, *[*numbers, "", ""][:2], entry.email, ", ".join(_labels(entry.labels)), entry.company,
            birthday,
        ]  # fmt: skip
        if not any(cells):
            tell(problems, line, _("Este contacto está vacío: no se lee."))
        yield line, cells


def _chosen(numbers: Iterable[tuple[str, str]]) -> list[str]:
    """Each number once, mobiles first; what cannot receive a message is left out."""
    kept = [(not _MOBILE(kind), number) for kind, number in numbers if number.strip() and not _NO_PHONE(kind)]
    once: dict[str, str] = {}
    for _other, number in sorted(kept, key=lambda each: each[0]):
        once.setdefault(re.sub(r"\D", "", number), number)
    return list(once.values())


def _labels(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        plain = name.strip().removeprefix("*").strip()
        if plain and plain.casefold() not in _EVERYBODY:
            yield plain
