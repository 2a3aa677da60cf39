"""Forms of *Revisión*: a number and a name mended in their row, and what is missing before many numbers."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.signup import COUNTRIES


class FixForm(forms.Form):
    """A row of the queue; drawn by hand."""

    name = forms.CharField(max_length=120, required=False)
    mobile = forms.CharField(max_length=60, error_messages={"required": gettext_lazy("Escribe un celular.")})


class CompleteForm(forms.Form):
    """What the numbers were given without."""

    area = forms.RegexField(
        regex=r"^\+?[0-9 ()-]*$",
        label=gettext_lazy("Lada o código de área"),
        max_length=12,
        required=False,
        help_text=gettext_lazy("Se pone delante de cada número, como 222."),
        error_messages={"invalid": gettext_lazy("Escribe solo cifras, como 222.")},
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("País de estos números"),
        choices=COUNTRIES,
        help_text=gettext_lazy("El de tu negocio, si no eliges otro."),
    )

    def __init__(self, country: str, *args: Any, **kwargs: Any) -> None:
        self.usual = country
        super().__init__(*args, **kwargs)
        self.initial.setdefault("country", country)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not given["area"].strip() and given["country"] == self.usual:
            raise forms.ValidationError(_("Escribe lo que falta delante de los números, o elige otro país."))
        return given
