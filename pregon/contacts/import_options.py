"""New fields once the file is read: one of options has those of its column, if they are few; an empty column brings none."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from pregon.contacts import fields, import_staging
from pregon.contacts.field_values import CHOICE, MOST_CHOICES, TEXT, Reading
from pregon.contacts.models import ContactImport
from pregon.lib import text

_SPELLINGS = 10 * MOST_CHOICES  # that are looked at


def settle(import_: ContactImport, readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """The readings of all fields that are there or get a value, new choices with their options, which rows say in one way.

    A column of too many becomes one of texts in the import's mapping, and a notice says so.
    """
    known = {*fields.names(import_.account)}
    return {
        name: _settled(import_, name) if reading.kind == CHOICE and not reading.choices else reading
        for name, reading in readings.items()
        if name in known or _filled(import_, name)
    }


def _filled(import_: ContactImport, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {import_staging.table(import_)} WHERE fields ? %s)", [name])
        return bool(cursor.fetchone()[0])


def _settled(import_: ContactImport, name: str) -> Reading:
    spellings = _found(import_, name)
    options = {text.fold(each): each for each in reversed(spellings)}  # the most common spelling stays
    if len(options) > MOST_CHOICES or len(spellings) > _SPELLINGS:
        import_.mapping.setdefault("kinds", {})[name] = TEXT
        sentence = _("«%(name)s» tiene más de %(most)s valores distintos: se guarda como texto.")
        import_.notices = [(0, sentence % {"name": name, "most": MOST_CHOICES}), *import_.notices]
        return Reading(TEXT)
    if others := [each for each in spellings if options[text.fold(each)] != each]:
        with connection.cursor() as cursor:
            given: dict[str, Any] = {"name": name, "from": others, "to": [options[text.fold(each)] for each in others]}
            cursor.execute(_UNITE.format(table=import_staging.table(import_)), given)
    return Reading(CHOICE, choices=sorted(options.values(), key=text.fold))


def _found(import_: ContactImport, name: str) -> list[str]:
    """Each spelling once, the most common first."""
    with connection.cursor() as cursor:
        table = import_staging.table(import_)
        cursor.execute(
            f"SELECT fields ->> %(name)s FROM {table} WHERE fields ? %(name)s GROUP BY 1 ORDER BY count(*) DESC, 1 "
            f"LIMIT {_SPELLINGS + 1:d}",
            {"name": name},
        )
        return [value for (value,) in cursor]


_UNITE = """
UPDATE {table} AS staged SET fields = fields || jsonb_build_object(%(name)s::text, given.one)
FROM unnest(%(from)s::text[], %(to)s::text[]) AS given (other, one) WHERE fields ->> %(name)s = given.other
"""
