"""What a business knows of a person, as its pages show it."""

from collections.abc import Sequence

from pregon.contacts import field_values, fields
from pregon.contacts.models import Contact, Field
from pregon.panel import wording


def shown(contact: Contact, country: str) -> list[tuple[str, str]]:
    """(label, value) of the fields that the person has something in, in their order."""
    rows: Sequence[Field] = fields.of(contact.account_id) if contact.fields else ()
    point = field_values.point(country)
    return [
        (field.label, write(value, field.kind, point)) for field in rows if (value := contact.fields.get(field.name))
    ]


def write(value: str, kind: str, point: str) -> str:
    """A value as it is kept, as people read it; one that does not fit its kind stays as it is."""
    if kind == Field.Kind.NUMBER:
        return value.replace(".", point)
    if kind == Field.Kind.DATE and (day := field_values.day(value)):
        return wording.written(day, "full")
    return value
