"""Forms of the opt-in page: what strangers fill in, and what its business says on it."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.models import Account
from pregon.contacts import optin
from pregon.contacts.models import OptinPage, OptinText
from pregon.lib import phones, text


class LeaveForm(forms.Form):
    """A number, whoever it belongs to."""

    mobile = forms.CharField(
        label=gettext_lazy("Tu celular"),
        max_length=40,
        help_text=gettext_lazy("El de tu WhatsApp. Si es de otro país, empieza con + y su código."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    # Nobody sees it; what fills in everything it finds does.
    url = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        self.account = account
        super().__init__(*args, **kwargs)

    def clean_mobile(self) -> str:
        found = phones.read(self.cleaned_data["mobile"], self.account.country)
        if isinstance(found, phones.Problem):
            raise forms.ValidationError(found.explanation + ".")
        return found.mobile

    def clean_url(self) -> str:
        if self.cleaned_data["url"]:
            raise forms.ValidationError(_("No pudimos leer el formulario. Escribe tus datos otra vez."))
        return ""


class JoinForm(LeaveForm):
    """A number whose owner accepts what they have just read."""

    name = forms.CharField(
        label=gettext_lazy("Tu nombre"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    accepted = forms.BooleanField(error_messages={"required": gettext_lazy("Marca la casilla para aceptar.")})
    version = forms.IntegerField(widget=forms.HiddenInput)

    field_order = ("name", "mobile", "accepted")

    def __init__(self, page: OptinPage, words: OptinText, data: QueryDict | None = None) -> None:
        changed = data is not None and data.get("version") != str(words.version)
        if data is not None and changed:  # they accepted other words: these are to be read first
            data = data.copy()
            data["version"] = str(words.version)
            data.pop("accepted", None)
        super().__init__(page.account, data, initial={"version": words.version})
        self.fields["accepted"].label = words.text
        if changed:
            self.fields["accepted"].error_messages["required"] = _(
                "El texto cambió mientras lo leías. Léelo otra vez y márcalo si aceptas."
            )
        if not page.asks_name:
            del self.fields["name"]


class OfferForm(forms.Form):
    """What a business says on its page, and whom it takes."""

    title = forms.CharField(label=gettext_lazy("Título"), max_length=80)
    text = forms.CharField(
        label=gettext_lazy("Lo que aceptan"),
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "Va junto a la casilla, y queda como prueba del permiso de cada persona. Di qué les mandas y cada cuánto."
        ),
    )
    privacy_url = forms.URLField(
        label=gettext_lazy("Enlace a tu aviso de privacidad"),
        required=False,
        assume_scheme="https",
        max_length=200,
        help_text=gettext_lazy("La página donde explicas cómo cuidas sus datos."),
    )
    asks_name = forms.BooleanField(label=gettext_lazy("Preguntar también el nombre"), required=False)
    keyword = forms.CharField(
        label=gettext_lazy("Tu palabra de alta"),
        max_length=20,
        required=False,
        help_text=gettext_lazy(
            "Quien la escribe a tu número da su permiso, igual que con ALTA. Una sola palabra, por ejemplo ESPIGA."
        ),
    )
    takes_unconfirmed = forms.BooleanField(
        label=gettext_lazy("Anotar altas sin confirmar mientras no tengas un número conectado"),
        required=False,
        help_text=gettext_lazy(
            "Cualquiera puede escribir el celular de otra persona. La prueba dirá que nadie lo confirmó, y no reactiva bajas."
        ),
    )
    enabled = forms.BooleanField(
        label=gettext_lazy("Recibir altas"),
        required=False,
        help_text=gettext_lazy("Si lo quitas, tu página dice que por ahora no se puede. La de bajas sigue abierta."),
    )

    def clean_keyword(self) -> str:
        word: str = self.cleaned_data["keyword"].upper()[:20]
        if text.optout_keyword(word) == "start" or not word:
            return ""  # everybody's words for yes count anyway
        if not word.isalnum():
            raise forms.ValidationError(_("Una sola palabra, con letras y cifras."))
        if refusal := optin.keyword_refusal(word):
            raise forms.ValidationError(refusal)
        return word

    def offer(self) -> optin.Offer:
        return optin.Offer(**self.cleaned_data)
