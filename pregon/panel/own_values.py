"""What a business knows of people, as its pages and papers show it."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from pregon.accounts.models import Account
from pregon.contacts import field_values, fields
from pregon.contacts.models import Field
from pregon.panel import wording


class Own:
    """An account's own fields as people read them; they are read once, when the first is asked for."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @cached_property
    def fields(self) -> dict[str, Field]:
        return {field.name: field for field in fields.of(self.account)}

    def label(self, name: str) -> str:
        """What people call it; one that is no field any more by its name."""
        field = self.fields.get(name)
        return field.label if field else name[:1].upper() + name[1:]

    def value(self, name: str, value: str) -> str:
        """A value as it is kept, as people read it; one that does not fit its kind stays as it is."""
        kind = self.fields[name].kind if name in self.fields else ""
        if kind == Field.Kind.NUMBER:
            return value.replace(".", field_values.point(self.account.country))
        if kind == Field.Kind.DATE and (day := field_values.day(value)):
            return wording.written(day, "full")
        return value

    def order(self, names: Iterable[str]) -> list[str]:
        """Each once, in the order that people have chosen; those that are no fields any more come last."""
        given = dict.fromkeys(names)
        return [*(name for name in self.fields if name in given), *(name for name in given if name not in self.fields)]

    def pairs(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        """(label, value) of all in which there is something."""
        kept = {name: value for name, value in values.items() if value}
        return [(self.label(name), self.value(name, kept[name])) for name in self.order(kept)] if kept else []
