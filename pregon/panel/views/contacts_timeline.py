"""The history of one person, the latest first: messages, answers, permission with its evidence, changes, files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from pregon.contacts.models import Contact
from pregon.panel.own_values import Own
from pregon.panel.views import contacts_told
from pregon.panel.views.contacts_told import Item

PAGE = 30
Rows = dict[int, Any]  # by their ids


class Kind(StrEnum):
    """What happened; of what happened at the same time, the later in the alphabet stands first."""

    ARRIVAL = "a"
    CHANGE = "c"
    SAID = "e"
    MESSAGE = "m"
    REPLY = "r"


SHOWN: dict[str, tuple[str | Promise, frozenset[Kind]]] = {
    "": (gettext_lazy("Todo"), frozenset(Kind)),
    "mensajes": (gettext_lazy("Mensajes"), frozenset({Kind.MESSAGE, Kind.REPLY})),
    "permiso": (gettext_lazy("Permiso"), frozenset({Kind.SAID})),
    "cambios": (gettext_lazy("Cambios"), frozenset({Kind.ARRIVAL, Kind.CHANGE})),
}


class Place(NamedTuple):
    """Where something stands in the list."""

    at: datetime
    kind: str
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.kind}~{self.pk}"


@dataclass(frozen=True)
class Page:
    """A stretch of the history; `after`: where the next one begins, empty at its end."""

    items: list[Item]
    after: str


def read_place(given: str) -> Place | None:
    """A `Page.after` that came back; None for anything else."""
    at, kind, pk = [*given.split("~"), "", ""][:3]
    try:
        moment = parse_datetime(at)
    except ValueError:
        return None
    if moment is None or timezone.is_naive(moment) or kind not in set(Kind) or not pk.isdecimal() or len(pk) > 18:
        return None
    return Place(moment, kind, int(pk))


def page(person: Contact, shown: str, after: Place | None, own: Own) -> Page:
    """What stands after that place; `shown` is a key of SHOWN, `own` names the business's fields."""
    places = _places(person, SHOWN[shown][1], after)
    here = places[:PAGE]
    rows = {kind: load(person, [place.pk for place in here if place.kind == kind]) for kind, load in LOADED.items()}
    found = [rows[Kind(place.kind)].get(place.pk) for place in here]  # but for what is gone since
    items = [contacts_told.tell(row, own) for row in found if row]
    return Page(items, str(here[-1]) if len(places) > PAGE else "")


def _places(person: Contact, kinds: frozenset[Kind], after: Place | None) -> list[Place]:
    """One more than a page, in one query: of each kind no more than that is looked at."""
    parts = [
        _following(rows.annotate(kind=Value(str(kind), CharField()), moment=F(at)), kind, at, after)
        for kind, (at, rows) in _happened(person, whole=kinds == frozenset(Kind)).items()
        if kind in kinds
    ]
    rows = parts[0]
    if parts[1:]:
        rows = rows.union(*parts[1:], all=True).order_by("-moment", "-kind", "-pk")[: PAGE + 1]
    return [Place(*row) for row in rows]


def _happened(person: Contact, *, whole: bool) -> dict[Kind, tuple[str, QuerySet[Any]]]:
    """By kind the name of its time, and its rows. In the `whole` history an act of consent stands for the answer that it is."""
    told = Exists(person.changes.filter(changed={}))
    spoken = person.consent_entries.annotate(wamid=KT("evidence__wamid")).filter(wamid=OuterRef("wamid"))
    return {
        Kind.ARRIVAL: ("created_at", Contact.objects.filter(~told, pk=person.pk)),
        Kind.CHANGE: ("at", person.changes.all()),
        Kind.SAID: ("happened_at", person.consent_entries.all()),
        Kind.MESSAGE: ("created_at", person.messages.all()),
        Kind.REPLY: ("received_at", person.replies.exclude(Exists(spoken)) if whole else person.replies.all()),
    }


def _following(rows: QuerySet[Any], kind: Kind, at: str, after: Place | None) -> QuerySet[Any, Any]:
    if after is not None:
        older, same = Q(**{f"{at}__lt": after.at}), Q(**{at: after.at})
        if kind == after.kind:
            same &= Q(pk__lt=after.pk)
        rows = rows.filter(older | same if kind <= after.kind else older)
    return rows.order_by(f"-{at}", "-pk").values_list("moment", "kind", "pk")[: PAGE + 1]


def _arrivals(person: Contact, asked: list[int]) -> Rows:
    return dict.fromkeys(asked, person)


def _changes(person: Contact, asked: list[int]) -> Rows:
    return person.changes.select_related("actor", "import_file").in_bulk(asked)


def _said(person: Contact, asked: list[int]) -> Rows:
    rows = person.consent_entries.select_related("actor", "import_file").in_bulk(asked)
    for entry in rows.values():
        entry.contact = person
    return rows


def _messages(person: Contact, asked: list[int]) -> Rows:
    return person.messages.select_related("batch__broadcast__promotion").in_bulk(asked)


def _replies(person: Contact, asked: list[int]) -> Rows:
    return person.replies.select_related("batch__broadcast__promotion").in_bulk(asked)


LOADED: dict[Kind, Callable[[Contact, list[int]], Rows]] = {
    Kind.ARRIVAL: _arrivals,
    Kind.CHANGE: _changes,
    Kind.SAID: _said,
    Kind.MESSAGE: _messages,
    Kind.REPLY: _replies,
}
