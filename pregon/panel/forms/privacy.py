"""Forms about what is kept of people, and what is not."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.contacts.models import Erasure


class ErasureForm(forms.Form):
    """Why someone's data go, knowing that they do."""

    reason = forms.ChoiceField(
        label=_("¿Por qué?"), choices=Erasure.Reason.choices, initial=Erasure.Reason.ASKED, widget=forms.RadioSelect
    )
    sure = forms.BooleanField(label=_("Sé que sus datos no vuelven"))


class KeepingForm(forms.ModelForm[Account]):
    """How long files of contacts are kept."""

    MOST = 365

    class Meta:
        model = Account
        fields = ("keep_files_days",)
        labels = {"keep_files_days": _("Días que se guardan")}
        help_texts = {
            "keep_files_days": _("Desde que guardas o descartas el archivo. Tus contactos y sus permisos se quedan.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["keep_files_days"]
        wrong = _("Escribe un número entre 1 y %(most)s.") % {"most": self.MOST}
        field.widget.attrs |= {"min": 1, "max": self.MOST}
        field.error_messages |= dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong)

    def clean_keep_files_days(self) -> int:
        days: int = self.cleaned_data["keep_files_days"]
        if not 1 <= days <= self.MOST:
            raise forms.ValidationError(self.fields["keep_files_days"].error_messages["invalid"])
        return days
