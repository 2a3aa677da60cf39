"""What the columns of a file are as fields of the business's own: those that it has, or new ones with a kind."""

from collections.abc import Sequence

from pregon.accounts.models import Account
from pregon.contacts import field_values, fields, import_rows, statements
from pregon.contacts.field_values import ASK, DATE, DATES
from pregon.contacts.import_rows import Mapping_
from pregon.contacts.models import ContactImport, Field
from pregon.lib.spreadsheets import Table


def guess(account: Account, table: Table, remembered: Mapping_ | None, order: str) -> Mapping_:
    """The mapping of a file: as it was the last time, else by names and content. `order`: of dates that leave it open."""
    known = {field.name: field for field in fields.of(account)}
    mapping = remembered or _renamed(import_rows.guess(table.headers, table.sample), table.headers, [*known.values()])
    point = "." if table.exact else field_values.point(account.country)
    before = mapping.get("kinds", {})
    mapping["kinds"] = {}
    for name, place in mapping["fields"].items():
        cells = [row[place] for row in table.sample]
        found = before.get(name) or field_values.guess(table.headers[place], cells, point)
        column = _as_known(known[name], found, cells) if name in known else found
        mapping["kinds"][name] = order if column == ASK and order else column
    return mapping


def _renamed(mapping: Mapping_, headers: Sequence[str], known: Sequence[Field]) -> Mapping_:
    """A column called like one of their fields, by its name or by what people call it, is that field."""
    called, taken = fields.called(known), dict[str, int]()
    for name, place in mapping["fields"].items():
        there = called.get(fields.key(headers[place]))
        taken[there.name if there and there.name not in taken else name] = place
    return mapping | {"fields": taken}


def _as_known(field: Field, column: str, cells: Sequence[str]) -> str:
    if field.kind != DATE:
        return field.kind
    return column if column in DATES else field_values.order_of(cells)


def make(import_: ContactImport) -> None:
    """The fields that it brings, called as its columns are."""
    if import_.statement == statements.OPT_OUT:
        return
    places = sorted((place, name) for name, place in import_.mapping.get("fields", {}).items())
    labels = {name: import_.headers[place] for place, name in places}
    kept = fields.as_kept(import_)
    wanted = {name: kept[name] for name in labels if name in kept}
    fields.ensure(import_.account, wanted, labels, source=import_)
