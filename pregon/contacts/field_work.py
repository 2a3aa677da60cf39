"""A field of another kind, with other options, or gone: looked up, then written into everybody's values, some thousand people
at a time.

`advance` takes the next step of what the row says (`Field.work`): at once in a small base, else by a worker. Who writes a value
meanwhile writes it as the kind wanted from the moment on at which all values were seen to fit it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from pregon.contacts import field_values, fields, tally
from pregon.contacts.field_values import CHOICE, DATE, DATES, Reading
from pregon.contacts.models import Field
from pregon.lib import text

PART = 2_000  # people
SMALL = 5_000  # people of a base in which it is done within the click
EXAMPLES = 3  # values that do not fit which the problem names
Work = Field.Work


@transaction.atomic
def change_kind(field: Field, column: str) -> None:
    """Begins: `column` is a kind, DAY_FIRST or MONTH_FIRST for dates that are written so. Raises Refused."""
    _begin(field, work=Work.CHECKING, wanted=column, upto=0)


@transaction.atomic
def change_choices(field: Field, choices: Iterable[str]) -> None:
    """Begins: other options, in this order. From now on nobody chooses one that is not among them. Raises Refused."""
    given = {text.fold(choice): choice for choice in reversed([*choices])}
    wanted = [*reversed(given.values())]
    if not wanted:
        raise fields.Refused(_("Escribe al menos una opción."))
    if len(wanted) > field_values.MOST_CHOICES:
        raise fields.Refused(_("Caben %(most)s opciones.") % {"most": field_values.MOST_CHOICES})
    gone = {*field.choices} - {*wanted}
    _begin(field, work=Work.CHECKING if gone else Work.NONE, wanted="", choices=wanted)


def _begin(field: Field, **work: Any) -> None:
    fields.lock(field.account)
    if not Field.objects.filter(pk=field.pk, work=Work.NONE).update(problem="", **work):
        raise fields.Refused(_("Este dato ya está cambiando: espera a que termine."))


@transaction.atomic
def delete(field: Field) -> None:
    """Begins: nobody sees it any more, and its values go. Raises Refused."""
    fields.lock(field.account)
    Field.objects.filter(pk=field.pk).update(work=Work.DELETING, upto=0)


def go_on(field: Field) -> None:
    """What there is to do: at once in a small base, else by a worker."""
    if tally.of(field.account).total > SMALL:
        defer(field.pk)
        return
    while advance(field.pk):
        pass


def due() -> list[int]:
    return list(Field.objects.exclude(work=Work.NONE).values_list("pk", flat=True))


def defer(field_pk: int) -> None:
    once = f"contacts.field:{field_pk}"
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            app.configure_task("contacts:change_field", lock=once, queueing_lock=once).defer(field_id=field_pk)
    except AlreadyEnqueued:
        pass


def advance(field_pk: int) -> bool:
    """The next step. False when there is none."""
    field = Field.objects.select_related("account").filter(pk=field_pk).first()
    if field is None or not field.work:
        return False
    if field.work == Work.CHECKING:
        return _check(field) if field.wanted else _check_choices(field)
    return _write(field)


def _check(field: Field) -> bool:
    """All values are read as the kind wanted; the field has it from now on, or a problem."""
    given = _values(field)
    reading = _wanted(field, given)
    unfit = [value for value in given if value and not field_values.reader(reading)(value)]
    problem = _unfit(reading, unfit) if unfit else ""
    if reading.kind == CHOICE and not 0 < len(reading.choices) <= field_values.MOST_CHOICES:
        problem = _("Tiene %(n)s valores distintos, y una lista lleva de 1 a %(most)s opciones.") % {
            "n": len(reading.choices), "most": field_values.MOST_CHOICES,
        }  # fmt: skip
    try:
        with transaction.atomic():
            fields.lock(field.account)
            return _settle(field, reading, problem)
    except fields.Refused as refused:
        return _settle(field, reading, str(refused))


def _check_choices(field: Field) -> bool:
    """Options that people have are options again."""
    having = [value for value in _values(field) if value and value not in field.choices]
    rows = Field.objects.filter(pk=field.pk, work=Work.CHECKING, wanted="")
    rows.update(work=Work.NONE, **(_given_back(field, having) if having else {}))
    return False


def _given_back(field: Field, having: list[str]) -> dict[str, Any]:
    """With a problem that says so."""
    back = {text.fold(value) for value in having}
    problem = _("Hay personas con «%(value)s»: cámbialas antes de quitar esa opción.") % {"value": having[0]}
    choices = [choice for choice in field.choices if text.fold(choice) not in back]
    return {"choices": [*choices, *having], "problem": problem[:300]}


def _settle(field: Field, reading: Reading, problem: str) -> bool:
    rows = Field.objects.filter(pk=field.pk, work=Work.CHECKING)
    if problem:
        rows.update(work=Work.NONE, problem=problem[:300])
        return False
    return bool(rows.update(work=Work.CONVERTING, kind=reading.kind, choices=[*reading.choices], upto=0))


def _wanted(field: Field, given: list[str]) -> Reading:
    kind = DATE if field.wanted in DATES else field.wanted
    different = {text.fold(value): value for value in reversed(given) if value} if kind == CHOICE else {}
    return Reading(kind, field.wanted, field_values.point(field.account.country), sorted(different.values()))


def _values(field: Field) -> list[str]:
    """Each once, the most common first: of two spellings of an option that one stays."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENT, {"account": field.account_id, "name": field.name})
        return [value for (value,) in cursor]


_DIFFERENT = """
SELECT fields ->> %(name)s FROM contacts_contact WHERE account_id = %(account)s AND fields ? %(name)s
GROUP BY 1 ORDER BY count(*) DESC, 1
"""


def _unfit(reading: Reading, unfit: list[str]) -> str:
    """Which values are in the way."""
    values = ", ".join(f"«{value[:30]}»" for value in unfit[:EXAMPLES])
    given = {"label": Field.Kind(reading.kind).label.lower(), "values": values, "more": len(unfit) - EXAMPLES}
    if len(unfit) > EXAMPLES:
        return _("No todos sus valores caben en «%(label)s»: %(values)s y %(more)s más.") % given
    return _("No todos sus valores caben en «%(label)s»: %(values)s.") % given


@transaction.atomic
def _write(field: Field) -> bool:
    """The next people; after the last ones the field is at rest, or gone."""
    locked = Field.objects.select_for_update().filter(pk=field.pk, work=field.work).first()
    if locked is None:
        return False
    given: dict[str, Any] = {"account": field.account_id, "name": field.name, "upto": locked.upto, "part": PART}
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, given)
        people = dict(cursor.fetchall())
        if locked.work == Work.DELETING:
            cursor.execute(_TAKE, given | {"people": [*people]})
        else:
            changed = _converted(locked, field.account.country, people)
            cursor.execute(_PUT, given | {"people": [*changed], "values": [*changed.values()]})
    if people:
        Field.objects.filter(pk=field.pk).update(upto=max(people))
    elif locked.work == Work.DELETING:
        locked.delete()
    else:
        Field.objects.filter(pk=field.pk).update(work=Work.NONE)
    return bool(people)


# What a business knows of people is changed, not the people: `updated_at` stays, so that an import can still be undone.
_NEXT = """
SELECT id, fields ->> %(name)s FROM contacts_contact WHERE account_id = %(account)s AND id > %(upto)s AND fields ? %(name)s
ORDER BY id LIMIT %(part)s FOR NO KEY UPDATE
"""
_TAKE = "UPDATE contacts_contact SET fields = fields - %(name)s WHERE id = ANY(%(people)s)"
_PUT = """
UPDATE contacts_contact AS c SET fields = c.fields || jsonb_build_object(%(name)s::text, given.value)
FROM unnest(%(people)s::bigint[], %(values)s::text[]) AS given (id, value) WHERE c.id = given.id
"""


def _converted(field: Field, country: str, people: Mapping[int, str]) -> dict[int, str]:
    """Of those whose value is written in another way."""
    read = field_values.reader(Reading(field.kind, field.wanted, field_values.point(country), field.choices))
    new = {pk: read(value) for pk, value in people.items() if value}
    return {pk: value for pk, value in new.items() if value and value != people[pk]}
