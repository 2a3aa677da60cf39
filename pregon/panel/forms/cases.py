"""Forms of *Reportar un problema*: a case, and what is added to it."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from pregon.support.forms import files_field
from pregon.support.models import Module

# Where the person stands says which module it is about: the beginning of the page's path.
PLACES = {
    "/contactos": Module.CONTACTS,
    "/promociones": Module.PROMOTIONS,
    "/envios": Module.BROADCASTS,
    "/suscripcion": Module.SUBSCRIPTION,
    "/ajustes/plantillas": Module.TEMPLATES,
    "/ajustes": Module.NUMBER,
    "/practica": Module.PRACTICE,
    "/cuenta": Module.ACCESS,
}


class CaseForm(forms.Form):
    """What the tutorial asks for: módulo, correo, celular, enlace de la página y detalle del caso."""

    module = forms.ChoiceField(
        label=_("Módulo"),
        choices=[("", _("Elige uno")), *Module.choices],
        help_text=_("La parte del panel donde pasa."),
    )
    email = forms.EmailField(
        label=_("Correo"), help_text=_("Ahí te respondemos."), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    mobile = forms.CharField(
        label=_("Celular"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    link = forms.CharField(
        label=_("Enlace de la página"),
        max_length=500,
        required=False,
        help_text=_("La dirección que muestra tu navegador donde pasa."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    detail = forms.CharField(
        label=_("Detalle del caso"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Qué hiciste, qué esperabas y qué ves en pantalla."),
    )
    attached = files_field()
    # Where the person came from; see `views.cases.stand`.
    broadcast = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    code = forms.IntegerField(required=False, min_value=0, max_value=10**9, widget=forms.HiddenInput)
    trace = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    # People do not see it; programs that fill every field do, and are told apart by it.
    website = forms.CharField(
        label=_("Deja este campo vacío"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(_("Este campo va vacío: borra lo que tiene y crea el caso otra vez."))
        return ""

    def clean_mobile(self) -> str:
        mobile = str(self.cleaned_data["mobile"])
        if mobile and sum(letter.isdecimal() for letter in mobile) < 8:
            raise forms.ValidationError(_("A este celular le faltan dígitos."))
        return mobile


def module_of(path: str) -> str:
    """The module that a page belongs to; empty when its path says nothing."""
    inside = [place for place in PLACES if path.startswith(place)]
    return PLACES[max(inside, key=len)] if inside else ""


def known_module(values: Mapping[str, str]) -> str:
    """`?module=`, when there is such a one."""
    module = values.get("module", "")
    return module if module in Module.values else ""
