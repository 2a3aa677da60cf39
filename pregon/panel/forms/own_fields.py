"""Controls for the values of a business's own fields, and the forms that change the fields."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.models import Account
from pregon.contacts import field_values, fields
from pregon.contacts.models import Contact, Field

KINDS: dict[str, str | Promise] = {
    field_values.TEXT: gettext_lazy("Texto"),
    field_values.NUMBER: gettext_lazy("Número"),
    field_values.DAY_FIRST: gettext_lazy("Fecha: día/mes/año"),
    field_values.MONTH_FIRST: gettext_lazy("Fecha: mes/día/año"),
    field_values.YES_NO: gettext_lazy("Sí o no"),
    field_values.CHOICE: gettext_lazy("Opción de una lista"),
}
"""What a column may hold."""
WRONG: dict[str, str | Promise] = {
    Field.Kind.NUMBER: gettext_lazy("Escribe un número, como 12 o 12.5."),
    Field.Kind.DATE: gettext_lazy("Escribe una fecha, como 3/4/1990."),
}


class OwnValue(forms.CharField):
    """A value as it is kept; what does not fit the field's kind is refused. What is there already stays, whatever it is."""

    def __init__(self, field: Field, country: str, there: str) -> None:
        super().__init__(
            label=field.label, max_length=field_values.LONGEST, required=False, widget=_widget(field, there)
        )
        reading = fields.reading(field, field_values.point(country))
        self.there, self.kind = there, field.kind
        self.read = field_values.reader(reading._replace(order=field_values.order(country)))

    def clean(self, value: Any) -> str:
        typed = " ".join(str(super().clean(value)).split())
        if not typed or typed == self.there:
            return typed
        if found := self.read(typed):
            return found
        raise forms.ValidationError(str(WRONG.get(self.kind, _("Elige una de las opciones."))))


def _widget(field: Field, there: str) -> forms.Widget:
    match field.kind:
        case Field.Kind.NUMBER:
            return forms.TextInput(attrs={"inputmode": "decimal"})
        case Field.Kind.DATE if not there or field_values.read_date(there) == there:
            return forms.DateInput(attrs={"type": "date"})
        case Field.Kind.YES_NO | Field.Kind.CHOICE:
            own = field.choices if field.kind == Field.Kind.CHOICE else [field_values.YES, field_values.NO]
            return forms.Select(
                choices=[("", "—"), *((each, each) for each in dict.fromkeys([*own, *filter(None, [there])]))]
            )
    return forms.TextInput()


def controls(account: Account, contact: Contact | None) -> dict[str, OwnValue]:
    """By the field's name, one for each field of the account."""
    there: Mapping[str, str] = contact.fields if contact else {}
    return {field.name: OwnValue(field, account.country, there.get(field.name, "")) for field in fields.of(account)}


def values(contact: Contact | None, given: Mapping[str, str]) -> dict[str, str]:
    """A contact's own values, with those given; what the account has no field for stays as it is."""
    kept = {name: value for name, value in (contact.fields if contact else {}).items() if name not in given}
    return kept | {name: value for name, value in given.items() if value}


class FieldForm(forms.Form):
    """A field's word, kind and options."""

    label = forms.CharField(label=gettext_lazy("Cómo se llama"), max_length=60)
    kind = forms.ChoiceField(label=gettext_lazy("Qué es"), choices=[])
    choices = forms.CharField(
        label=gettext_lazy("Opciones"),
        required=False,
        help_text=gettext_lazy(
            "Una en cada línea. Si lo vuelves una lista, las tomamos de lo que tienen tus contactos."
        ),
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, field: Field, data: Mapping[str, Any] | None = None) -> None:
        country = field.account.country
        kind = field_values.order(country) if field.kind == Field.Kind.DATE else field.kind
        super().__init__(data, initial={"label": field.label, "kind": kind, "choices": "\n".join(field.choices)})
        self.field = field
        self.fields["kind"].choices = [*kinds(country).items()]  # type: ignore[attr-defined]

    @property
    def other_kind(self) -> str:
        """The kind wanted, if it is another one. A field of dates stays one, whatever comes first."""
        wanted: str = self.cleaned_data["kind"]
        same = wanted in field_values.DATES if self.field.kind == Field.Kind.DATE else wanted == self.field.kind
        return "" if same else wanted

    @property
    def changes_options(self) -> bool:
        listed = self.field.kind == Field.Kind.CHOICE and not self.other_kind
        return listed and self.options() != self.field.choices

    def options(self) -> list[str]:
        lines = (" ".join(line.split())[: field_values.LONGEST] for line in self.cleaned_data["choices"].splitlines())
        return [line for line in lines if line]


def kinds(country: str) -> dict[str, str | Promise]:
    """KINDS; of the two ways to write a date that of the country comes first."""
    turned = [*KINDS] if field_values.order(country) == field_values.DAY_FIRST else [*reversed(KINDS)]
    dates = iter([name for name in turned if name in field_values.DATES])
    return {name: KINDS[name] for name in [next(dates) if name in field_values.DATES else name for name in KINDS]}
