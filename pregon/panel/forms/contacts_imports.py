"""Forms of an import: the file, what its columns are, and where the permission comes from."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, cast

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.contacts import field_values, fields, import_rows, statements
from pregon.contacts.models import ContactImport, Field
from pregon.panel.forms import own_fields

OLD, NEW = "own", "new"  # own:day_first:cumpleaños is one of the account's fields, new:number a new one
YEAR_FIRST = gettext_lazy("Fecha: año-mes-día")
ASKED = gettext_lazy("Fecha: ¿primero el día o el mes?")
COLUMN_WORDS = {
    "": gettext_lazy("No guardar"),
    "name": gettext_lazy("Nombre"),
    "last_name": gettext_lazy("Apellido"),
    "mobile": gettext_lazy("Celular"),
    "email": gettext_lazy("Correo"),
    "consent": gettext_lazy("Permiso (sí o no)"),
    "opt_out": gettext_lazy("Baja"),
    "tags": gettext_lazy("Etiquetas"),
}


class FileForm(forms.Form):
    """A file, or cells pasted from a sheet."""

    file = forms.FileField(
        label=gettext_lazy("Tu archivo"),
        required=False,
        help_text=gettext_lazy("CSV o agenda (VCF) de menos de 500 MB; Excel (XLSX, XLS) u ODS de menos de 50 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.vcf,.xlsx,.xls,.ods"}),
    )
    cells = forms.CharField(
        label=gettext_lazy("O pega aquí las celdas"),
        required=False,
        strip=False,
        max_length=2_000_000,
        help_text=gettext_lazy("Cópialas de tu hoja con sus títulos: nombre, celular…"),
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not given.get("file") and not given.get("cells", "").strip():
            self.add_error("file", _("Elige un archivo, o pega las celdas."))
        return given

    def table(self) -> tuple[BinaryIO, str]:
        """The bytes and a name for them."""
        if file := self.cleaned_data["file"]:
            return cast(BinaryIO, file), file.name
        return io.BytesIO(self.cleaned_data["cells"].encode()), _("celdas pegadas")


class ColumnsForm(forms.Form):
    """One choice per column of the file: what a contact has, a field of the business's own, or a new one and its kind."""

    def __init__(self, import_: ContactImport, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.headers: list[str] = import_.headers
        self.account = import_.account
        self.there = {field.name: field for field in fields.of(self.account)}
        self.called = fields.called(self.there.values())
        taken = {place: field for field, place in import_.mapping.items() if field not in ("fields", "kinds")}
        columns = import_rows.columns(import_.mapping)
        own = {place: (name, columns[name]) for name, place in import_.mapping.get("fields", {}).items()}
        for place, header in enumerate(self.headers):
            initial = self._own(*own[place]) if place in own else taken.get(place, "")
            words = {"class": "form-select", "aria-label": _("Qué es la columna %(name)s") % {"name": header}}
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=header, choices=self._choices(header, initial), initial=initial, required=False,
                widget=forms.Select(attrs=words),
            )  # fmt: skip

    def _own(self, name: str, column: str) -> str:
        return f"{OLD}:{column}:{name}" if name in self.there else f"{NEW}:{column}"

    def _choices(self, header: str, initial: str) -> list[Any]:
        """What people have and the new kinds; the open question about a date only where it is asked."""
        ways = [(field.name, *way) for field in self.there.values() for way in self._ways(field)]
        ours = [(f"{OLD}:{column}:{name}", words) for name, column, words in ways]
        kinds = [(f"{NEW}:{column}", words) for column, words in self._kinds().items()]
        asked = [(initial, ASKED)] if initial.split(":")[1:2] == [field_values.ASK] else []
        groups = [(_("Uno de tus datos"), ours)] if ours else []
        if fields.key(header) not in self.called:
            groups.append((_("Un dato nuevo"), kinds))
        return [*COLUMN_WORDS.items(), *asked, *groups]

    def _kinds(self) -> dict[str, str | Promise]:
        return own_fields.kinds(self.account.country) | {field_values.DATE: YEAR_FIRST}

    def _ways(self, field: Field) -> list[tuple[str, str | Promise]]:
        """The one way to read its column, or those of a date."""
        if field.kind != Field.Kind.DATE:
            return [(field.kind, field.label)]
        dates = {column: words for column, words in self._kinds().items() if column in field_values.DATES}
        return [(column, f"{field.label}, {str(words).lower()}") for column, words in dates.items()]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen = {name: _about(choice) for name, choice in given.items() if choice and not choice.startswith(f"{NEW}:")}
        for name, about in chosen.items():
            if [*chosen.values()].count(about) > 1:
                words = COLUMN_WORDS.get(about) or dict(_flat(self.fields[name].choices))[given[name]]  # type: ignore[attr-defined]
                raise forms.ValidationError(_("Elige %(name)s para una sola columna.") % {"name": words})
        if "mobile" not in chosen.values():
            raise forms.ValidationError(_("Dinos en qué columna está el celular."))
        for name, choice in given.items():
            if choice.split(":")[1:2] == [field_values.ASK]:
                label = self.fields[name].label
                raise forms.ValidationError(_("Dinos si en «%(name)s» va primero el día o el mes.") % {"name": label})
        return given

    def mapping(self) -> import_rows.Mapping_:
        """As ContactImport keeps it."""
        chosen = {place: self.cleaned_data[f"column_{place}"] for place in range(len(self.headers))}
        new = import_rows.names(self.headers, [place for place, each in chosen.items() if each.startswith(f"{NEW}:")])
        old = {each.split(":", 2)[2]: place for place, each in chosen.items() if each.startswith(f"{OLD}:")}
        own = new | old
        kinds = {name: chosen[place].split(":")[1] for name, place in own.items()}
        ours = {each: place for place, each in chosen.items() if each in COLUMN_WORDS and each}
        return ours | {"fields": own, "kinds": kinds}


def _about(choice: str) -> str:
    """What two columns cannot both be."""
    return choice.split(":", 2)[2] if choice.startswith(f"{OLD}:") else choice


def _flat(choices: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for value, words in choices:
        if isinstance(words, list | tuple):
            yield from words
        else:
            yield value, words


class CommitForm(forms.Form):
    """Where the permission comes from; whoever states it signs with the box."""

    statement = forms.ChoiceField(
        label=gettext_lazy("Origen del permiso"),
        choices=[(key, statement.words) for key, statement in statements.ALL.items()],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Dinos de dónde viene el permiso.")},
    )
    wording = forms.CharField(
        label=gettext_lazy("¿Qué leyeron cuando aceptaron?"),
        max_length=240,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Copia el texto que vieron."),
    )
    tag = forms.CharField(
        label=gettext_lazy("Etiqueta para todas"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Así las encuentras juntas: Feria de marzo."),
    )
    declared = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statement = self.fields["statement"]
        statement.hints = {key: each.hint for key, each in statements.ALL.items()}  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("statement") in statements.GRANTING and not given.get("declared"):
            self.add_error("declared", _("Para guardar su permiso, marca que lo aceptaron."))
        if given.get("statement") == "other" and not given.get("wording"):
            self.add_error("wording", _("Cuenta cómo aceptaron."))
        return given

    def apply(self, import_: ContactImport) -> None:
        import_.statement = self.cleaned_data["statement"]
        import_.wording = self.cleaned_data["wording"]
        import_.tag = " ".join(self.cleaned_data["tag"].split())
