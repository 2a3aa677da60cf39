"""The fields of a business's own: what else than name, number and e-mail it knows of people, each with a kind.

What people have stands in `Contact.fields` under the field's name, as `field_values` writes it. Files and forms make a field
when they bring a value for it; its kind changes only where all values fit (`field_work`).

Refused      a field cannot be as wanted: the sentence says why
"""

import re
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts import consent, field_values, import_rows
from pregon.contacts.field_values import DATE, DATES, TEXT, Reading
from pregon.contacts.models import ContactImport, Field
from pregon.lib import text

MOST = 60  # of an account


class Refused(Exception):
    """A field cannot be so."""


def of(account: Account | int) -> list[Field]:
    """In the order that people have chosen, without those that are being deleted."""
    return list(Field.objects.filter(account=account).exclude(work=Field.Work.DELETING))


def names(account: Account) -> list[str]:
    return [field.name for field in of(account)]


def readings(account: Account, columns: Mapping[str, str]) -> dict[str, Reading]:
    """How the columns are read that hold these fields: by name, each with what its column holds.

    That is a kind, or one of DATES; the kind of a field that is there already prevails.
    """
    known = {field.name: field for field in of(account)}
    point = field_values.point(account.country)
    return {name: _reading(known.get(name), column, point) for name, column in columns.items()}


def _reading(field: Field | None, column: str, point: str) -> Reading:
    kind = field.kind if field else DATE if column in DATES else column
    order = column if column in (field_values.DAY_FIRST, field_values.MONTH_FIRST) else ""
    return Reading(str(kind), order, point, tuple(field.choices) if field else ())


def reading(field: Field, point: str) -> Reading:
    """How a form reads it."""
    return _reading(field, field.kind, point)


def ensure(
    account: Account,
    wanted: Mapping[str, Reading],
    labels: Mapping[str, str] | None = None,
    source: ContactImport | None = None,
) -> None:
    """Makes those that the account has not, called as `labels` say, else like their names."""
    known = set(account.own_fields.values_list("name", flat=True)) if wanted else set()
    missing = [name for name in wanted if name and name not in known]
    called = {name: (labels or {}).get(name, name)[:60] for name in missing}
    rows = [
        Field(
            account=account, name=name, label=called[name][:1].upper() + called[name][1:], kind=wanted[name].kind,
            choices=[*wanted[name].choices], place=len(known) + at, source=source,
        )
        for at, name in enumerate(missing)
    ]  # fmt: skip
    Field.objects.bulk_create(rows, ignore_conflicts=True)


def ensure_texts(account: Account, names: Iterable[str]) -> None:
    """Those of values that came as they are: without a file, or a form that draws its kind."""
    ensure(account, {name[:60]: Reading(TEXT) for name in names})


def is_birthday(label: str) -> bool:
    """Whether people call a field of dates so that it is the day on which somebody was born."""
    return bool(_BIRTHDAY.search(text.fold(label)))


_BIRTHDAY = re.compile(r"cumple|natalicio|\bnac|\bnasc|birth|\bbday\b")


def called(fields: Iterable[Field]) -> dict[str, Field]:
    """Each by its name, and by what people call it, as `key` has them."""
    rows = [*fields]
    return {key(row.label): row for row in rows} | {key(row.name): row for row in rows}


def key(header: str) -> str:
    """A column's header, without what people write in one way or another."""
    return text.fold(import_rows.field_name(header))


@transaction.atomic
def rename(field: Field, label: str) -> None:
    """Another word for people; messages go on with its name. Raises Refused."""
    label = " ".join(label.split())[:60]
    others = of(field.account)
    if any(text.fold(label) in map(text.fold, (other.label, other.name)) for other in others if other.pk != field.pk):
        raise Refused(_("Ya tienes otro dato que se llama así."))
    Field.objects.filter(pk=field.pk).update(label=label, problem="")


@transaction.atomic
def move(field: Field, by: int) -> None:
    """One place up (-1) or down (1) the list."""
    rows = list(Field.objects.select_for_update().filter(account=field.account_id))
    at = rows.index(field)
    to = min(max(at + by, 0), len(rows) - 1)
    rows.insert(to, rows.pop(at))
    for place, row in enumerate(rows):
        row.place = place
    Field.objects.bulk_update(rows, ["place"])


def lock(account: Account) -> None:
    """Until the transaction ends no file begins to be saved, so that its rows fit the fields. Raises Refused while one is."""
    consent.lock_base(account.pk)
    if account.imports.filter(status__in=[ContactImport.Status.SAVING, ContactImport.Status.UNDOING]).exists():
        raise Refused(_("Se está guardando un archivo: espera a que termine y hazlo otra vez."))


def as_kept(import_: ContactImport) -> dict[str, Reading]:
    """How a file's own fields were read."""
    return {name: Reading(*parts) for name, parts in import_.read_as.items()}


def agree(import_: ContactImport) -> bool:
    """Whether the fields are still as they were when the file was read. Raises Refused while one of them is changing."""
    kept = as_kept(import_)
    if import_.account.own_fields.filter(name__in=kept).exclude(work=Field.Work.NONE).exists():
        raise Refused(_("Uno de tus datos está cambiando: espera a que termine y guarda otra vez."))
    known = {*names(import_.account)}
    now = readings(import_.account, import_rows.columns(import_.mapping))
    return all(_same(kept[name], now[name]) for name in kept if name in known)


def _same(one: Reading, other: Reading) -> bool:
    return (one.kind, [*one.choices]) == (other.kind, [*other.choices])
