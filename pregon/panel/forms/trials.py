"""*Enviarme una prueba*: one's own number, said to be one's own."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Member
from pregon.contacts import people
from pregon.contacts.models import Contact
from pregon.panel import wording
from pregon.promotions import launch, trials
from pregon.whatsapp import numbers


class TrialForm(forms.Form):
    """`phone` is the contact of the number that is known as the member's own. The token makes two clicks one test."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    mobile = forms.CharField(
        label=_("Tu celular"), max_length=40, widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})
    )
    mine = forms.BooleanField(label=_(trials.STATEMENT), required=False)

    writes = ""  # where a phone shows that it is one's own, if it has to

    def __init__(self, member: Member, phone: Contact | None, data: Any = None) -> None:
        self.account, self.known = member.account, member.mobile if phone else ""
        super().__init__(data, initial={"mobile": wording.mobile(self.known)})

    @property
    def new_number(self) -> bool:
        """Whether the number is another than the known one. Only of a valid form."""
        return bool(self.cleaned_data["e164"] != self.known)

    def refuse(self, refused: launch.Refused) -> None:
        """Say why; where a code is missing, WhatsApp's own kind of link opens the chat with it."""
        self.add_error(None, str(refused))
        if isinstance(refused, trials.Unproved):
            self.writes = numbers.chat(refused.number, refused.code)

    def clean_mobile(self) -> str:
        raw: str = self.cleaned_data["mobile"]
        try:
            self.cleaned_data["e164"] = people.read_number(self.account, raw)
        except people.BadNumber as problem:
            raise forms.ValidationError(str(problem)) from problem
        return raw

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "e164" in cleaned and cleaned["e164"] != self.known and not cleaned.get("mine"):
            self.add_error("mine", _("Marca que es tu celular: las pruebas solo van al tuyo."))
        return cleaned
