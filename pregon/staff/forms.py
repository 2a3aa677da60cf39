"""Forms of the provider."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pregon.contacts.models import Consent
from pregon.subscriptions.models import Module, Plan
from pregon.support.forms import ReplyForm


class AnswerForm(ReplyForm):
    """What the provider writes in a case."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].label = _("Respuesta")
        self.fields["body"].help_text = _("Le llega por correo y la ve en su panel.")


class SuspensionForm(forms.Form):
    reason = forms.CharField(
        label=_("Motivo"), max_length=200, help_text=_("Lo lee el negocio en su Inicio y al intentar enviar.")
    )


class ConsentForm(forms.Form):
    """A yes or a no that reached the provider instead of the business."""

    mobile = forms.CharField(
        label=_("Celular"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})
    )
    act = forms.ChoiceField(
        label=_("Qué dijo"),
        choices=[(Consent.WITHDRAWN, _("No quiere promociones")), (Consent.GRANTED, _("Acepta promociones"))],
        widget=forms.RadioSelect,
    )
    why = forms.CharField(
        label=_("Cómo lo sabes"),
        max_length=240,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Queda como prueba, con tu nombre. No escribas aquí su celular."),
    )


class PlanChoiceForm(forms.Form):
    plan = forms.ModelChoiceField(label=_("Plan"), queryset=Plan.objects.all(), empty_label=None)


class PlanForm(forms.ModelForm[Plan]):
    """A plan. Its short name is in the ledger of every month, and does not change."""

    modules = forms.MultipleChoiceField(
        label=_("Módulos"), choices=Module.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    # A field of the form's own: the database takes one such plan, and `offers.save` takes the turn from the other.
    begins = forms.BooleanField(label=_("Con él empieza un negocio nuevo"), required=False)

    class Meta:
        model = Plan
        fields = (
            "name",
            "slug",
            "summary",
            "monthly_limit",
            "price",
            "currency",
            "modules",
            "position",
            "is_public",
        )
        labels = {"slug": _("Nombre corto, para los movimientos"), "position": _("Lugar en la lista")}
        help_texts = {
            "monthly_limit": _("Si lo cambias, vale desde ahora en el mes de cada negocio con este plan."),
            "summary": _("Una frase para compararlo con los otros."),
            "currency": _("Tres letras: MXN, COP, USD."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["begins"] = self.instance.is_initial
        if self.instance.pk:
            del self.fields["slug"]

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if len(currency) != 3 or not currency.isalpha():
            raise forms.ValidationError(_("Una moneda son tres letras, como MXN."))
        return currency

    def clean(self) -> None:
        super().clean()
        self.instance.is_initial = bool(self.cleaned_data.get("begins"))
