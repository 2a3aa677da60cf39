"""Forms of an import: the file, what its columns are, and where the permission comes from."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.contacts import import_rows, statements
from pregon.contacts.models import ContactImport

FIELD = "own"
COLUMN_WORDS = {
    "": gettext_lazy("No guardar"),
    "name": gettext_lazy("Nombre"),
    "last_name": gettext_lazy("Apellido"),
    "mobile": gettext_lazy("Celular"),
    "email": gettext_lazy("Correo"),
    "consent": gettext_lazy("Permiso (sí o no)"),
    "opt_out": gettext_lazy("Baja"),
    "tags": gettext_lazy("Etiquetas"),
    FIELD: gettext_lazy("Otro dato"),
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
    """One choice per column of the file."""

    def __init__(self, headers: Sequence[str], mapping: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers = headers
        taken = {place: field for field, place in mapping.items() if field != "fields"}
        taken |= dict.fromkeys(mapping.get("fields", {}).values(), FIELD)
        for place, header in enumerate(headers):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=header,
                choices=list(COLUMN_WORDS.items()),
                initial=taken.get(place, ""),
                required=False,
                widget=forms.Select(
                    attrs={"class": "form-select", "aria-label": _("Qué es la columna %(name)s") % {"name": header}}
                ),
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen = [choice for choice in given.values() if choice and choice != FIELD]
        for column in chosen:
            if chosen.count(column) > 1:
                raise forms.ValidationError(_("Elige %(name)s para una sola columna.") % {"name": COLUMN_WORDS[column]})
        if "mobile" not in chosen:
            raise forms.ValidationError(_("Dinos en qué columna está el celular."))
        return given

    def mapping(self) -> import_rows.Mapping_:
        """As ContactImport keeps it."""
        chosen = {place: self.cleaned_data[f"column_{place}"] for place in range(len(self.headers))}
        own = {import_rows.field_name(self.headers[place]): place for place, each in chosen.items() if each == FIELD}
        return {each: place for place, each in chosen.items() if each not in ("", FIELD)} | {"fields": own}


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
