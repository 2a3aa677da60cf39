"""Whom a broadcast is meant for: everybody, those with a tag, those of a segment, or people chosen one by one.

A definition is kept as JSON in `Broadcast.audience` and resolved again at every forecast and at launch. A segment's rules are
kept with it, as they were when it was chosen: whoever changes them later changes the list (`broadcasts.follow_segment`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.accounts.models import Account
from pregon.contacts import finding, rules, segments
from pregon.contacts.models import Contact, ContactTag, Merge, Segment, Tag
from pregon.contacts.rules import EVERYBODY, Group

Json = dict[str, Any]


class Kind(StrEnum):
    ALL = "all"
    TAGS = "tags"  # `ids` are tags: any of them
    CONTACTS = "contacts"  # `ids` are contacts
    SEGMENT = "segment"  # `ids` is one segment


@dataclass(frozen=True)
class Definition:
    """`ids` are sorted and each once, so that two equal audiences compare equal."""

    kind: Kind = Kind.ALL
    ids: tuple[int, ...] = ()
    rules: Group = EVERYBODY
    """Of a segment."""
    name: str = ""
    """Of a segment: it may be gone."""


def define(kind: str, ids: Iterable[int] = ()) -> Definition:
    """Raises `ValueError` for a kind that does not exist."""
    known = Kind(kind)
    return Definition(known, () if known is Kind.ALL else tuple(sorted(set(ids))))


def of_segment(segment: Segment) -> Definition:
    return Definition(Kind.SEGMENT, (segment.pk,), segments.rules_of(segment), segment.name)


def read(stored: Mapping[str, Any]) -> Definition:
    """The definition of a broadcast's JSON; one that was never chosen is everybody."""
    if stored.get("kind") == Kind.SEGMENT:
        return Definition(Kind.SEGMENT, tuple(stored["ids"]), rules.parse(stored["rules"]), stored["name"])
    return define(stored.get("kind", Kind.ALL), stored.get("ids", ()))


def write(definition: Definition) -> Json:
    stored: Json = {"kind": str(definition.kind), "ids": list(definition.ids)}
    if definition.kind is Kind.SEGMENT:
        stored |= {"rules": rules.dump(definition.rules), "name": definition.name}
    return stored


SELECT = "SELECT c.* FROM contacts_contact c WHERE c.account_id = %(account)s"
FILTERS = {
    Kind.ALL: "",
    Kind.TAGS: """ AND EXISTS (
        SELECT FROM contacts_contact_tags t WHERE t.contact_id = c.id AND t.tag_id = ANY(%(audience_ids)s)
    )""",
    # Who was merged is who they have become.
    Kind.CONTACTS: """ AND (c.id = ANY(%(audience_ids)s) OR c.id IN (
        SELECT kept_id FROM contacts_merge WHERE lost_id = ANY(%(audience_ids)s)
    ))""",
}


def select(account: Account, definition: Definition) -> tuple[str, Json]:
    """SQL of the rows of contacts `c`, and its named parameters. Only this account's, whatever the ids say."""
    given: Json = {"account": account.pk, "audience_ids": list(definition.ids)}
    if definition.kind is Kind.SEGMENT:
        fitting, params = rules.sql(definition.rules, timezone.localtime(timezone=account.zone))
        return f"{SELECT} AND {fitting}", given | params
    return SELECT + FILTERS[definition.kind], given


def people(account: Account, definition: Definition) -> QuerySet[Contact]:
    """The same rows for the ORM."""
    rows = account.contacts.all()
    if definition.kind is Kind.SEGMENT:
        return finding.of(account, "", definition.rules).people
    if definition.kind is Kind.TAGS:
        tagged = ContactTag.objects.filter(tag_id__in=definition.ids)
        return rows.filter(id__in=tagged.values("contact_id"))
    if definition.kind is Kind.CONTACTS:
        merged = Merge.objects.filter(lost_id__in=definition.ids).values("kept")
        return rows.filter(Q(id__in=definition.ids) | Q(id__in=merged))
    return rows


def count(account: Account, definition: Definition) -> int:
    return people(account, definition).count()


def tag_names(account: Account) -> dict[int, str]:
    """All of them: an account has few."""
    return dict(Tag.objects.filter(account=account).values_list("id", "name"))


def describe(definition: Definition, tags: Mapping[int, str]) -> str:
    """For people: «Todos tus contactos», «Etiqueta Centro», «3 contactos elegidos». `tags` are the account's `tag_names`."""
    match definition.kind:
        case Kind.ALL:
            return _("Todos tus contactos")
        case Kind.TAGS:
            return _describe_tags(sorted(tags[tag] for tag in definition.ids if tag in tags))
        case Kind.CONTACTS:
            chosen = len(definition.ids)
            return ngettext("%(n)s contacto elegido", "%(n)s contactos elegidos", chosen) % {"n": chosen}
        case Kind.SEGMENT:
            return _("Segmento %(name)s") % {"name": definition.name}


def _describe_tags(names: list[str]) -> str:
    if not names:
        return _("Una etiqueta que ya no existe")
    return ngettext("Etiqueta %(names)s", "Etiquetas %(names)s", len(names)) % {"names": ", ".join(names)}
