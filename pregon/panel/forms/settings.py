"""Forms of *Ajustes*: the business, its number at Meta, its people."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale, dates
from babel.core import get_global
from django import forms
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account, Role
from pregon.accounts.signup import COUNTRIES
from pregon.lib import locales

REGIONS = ("America/", "Atlantic/Canary", "Europe/Madrid", "Pacific/Easter", "Pacific/Galapagos")


@lru_cache(maxsize=4)
def zones_in(language: str) -> list[tuple[str, str]]:
    """(IANA name, «México: Ciudad de México»), sorted by the words; of several names for one place the one in use today."""
    locale = locales.of(language)
    territories = get_global("zone_territories")
    places = {
        f"{locale.territories[territories[zone]]}: {_city(zone, locale)}": zone
        for zone in sorted(available_timezones(), reverse=True)
        if zone.startswith(REGIONS) and territories.get(zone) in locale.territories
    }
    return sorted(((zone, place) for place, zone in places.items()), key=lambda pair: pair[1])


def _city(zone: str, locale: Locale) -> str:
    return dates.get_timezone_location(zone, locale=locale, return_city=True).rpartition("/")[2]


def zones() -> list[tuple[str, str]]:
    return zones_in(translation.get_language() or "es")


class BusinessForm(forms.ModelForm[Account]):
    """What the business is."""

    country = forms.ChoiceField(
        label=_("País"), choices=COUNTRIES, help_text=_("Así leemos los celulares que escribes sin código de país.")
    )
    time_zone = forms.ChoiceField(
        label=_("Zona horaria"),
        help_text=_("Si la cambias, tu mes de mensajes cuenta con ella desde la próxima renovación."),
    )

    class Meta:
        model = Account
        fields = ("name", "country", "time_zone", "address")
        labels = {"address": _("Dirección")}
        help_texts = {"address": _("La calle y la ciudad, como la conoce tu gente.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.time_zone
        listed = zones()
        known = current in dict(listed)
        self.fields["time_zone"].choices = listed if known else [(current, current), *listed]  # type: ignore[attr-defined]


class RestForm(forms.ModelForm[Account]):
    """How much rest people get: the hours in which nothing leaves, and how often one person is written to."""

    MOST = {"repeat_days": 90, "repeat_limit": 30}

    quiet = forms.BooleanField(label=_("De noche no sale ninguna promoción"), required=False)

    class Meta:
        model = Account
        fields = ("quiet_from", "quiet_until", "repeat_days", "repeat_limit")
        labels = {
            "quiet_from": _("Silencio desde las"),
            "quiet_until": _("Hasta las"),
            "repeat_days": _("Días entre promociones iguales"),
            "repeat_limit": _("Promociones por persona en esos días"),
        }
        help_texts = {
            "quiet_until": _("Con la hora de tu negocio. Lo que va en camino espera y sigue solo."),
            "repeat_days": _("Nadie recibe la misma promoción dos veces en estos días."),
            "repeat_limit": _("Quien ya recibió tantas en esos días se omite."),
        }
        widgets = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in ("quiet_from", "quiet_until")
        }

    field_order = ("quiet", "quiet_from", "quiet_until", "repeat_days", "repeat_limit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["quiet"] = self.instance.quiet_from is not None
        usual = Account()
        for name in ("quiet_from", "quiet_until"):  # proposed again to who turned them off
            self.initial[name] = self.initial[name] or getattr(usual, name)
            self.fields[name].required = not self.is_bound or "quiet" in self.data
            self.fields[name].error_messages |= dict.fromkeys(
                ("required", "invalid"), _("Escribe una hora, como 21:00.")
            )
        for name, most in self.MOST.items():
            wrong = _("Escribe un número entre 1 y %(most)s.") % {"most": most}
            self.fields[name].widget.attrs |= {"min": 1, "max": most}
            self.fields[name].error_messages |= dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        start, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if not cleaned.get("quiet"):
            cleaned["quiet_from"] = cleaned["quiet_until"] = None
            self.instance.quiet_from = self.instance.quiet_until = None  # also where the form came without them
        elif start and start == end:
            self.add_error("quiet_until", _("Las dos horas son la misma: no quedaría ninguna para enviar."))
        return cleaned

    def clean_repeat_days(self) -> int:
        return self._within("repeat_days")

    def clean_repeat_limit(self) -> int:
        return self._within("repeat_limit")

    def _within(self, name: str) -> int:
        value: int = self.cleaned_data[name]
        if not 1 <= value <= self.MOST[name]:
            raise forms.ValidationError(self.fields[name].error_messages["invalid"])
        return value


class NumberForm(forms.Form):
    """What Meta shows on the page «Configuración de la API» of a WhatsApp app."""

    phone_number_id = forms.RegexField(
        r"^\s*\d{5,32}\s*$", label=_("Identificador del número de teléfono"),
        help_text=_("Solo cifras, unas 15. No es el número que marcas."),
        error_messages={"invalid": _("Son solo cifras: cópialo completo de Meta.")},
    )  # fmt: skip
    waba_id = forms.RegexField(
        r"^\s*\d{5,32}\s*$", label=_("Identificador de la cuenta de WhatsApp Business"),
        help_text=_("Está junto al anterior."),
        error_messages={"invalid": _("Son solo cifras: cópialo completo de Meta.")},
    )  # fmt: skip
    token = forms.CharField(
        label=_("Token permanente"), max_length=1_000, min_length=8,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Se guarda cifrado y no se vuelve a mostrar."),
    )  # fmt: skip


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("Correo"))
    role = forms.ChoiceField(label=_("Papel"), choices=Role.choices, initial=Role.EDITOR, widget=forms.RadioSelect)

    HINTS = {
        Role.OWNER: _("Todo, también el plan, el número y el equipo"),
        Role.MANAGER: _("Aprueba y envía promociones"),
        Role.EDITOR: _("Prepara contactos y promociones"),
        Role.VIEWER: _("Mira sin cambiar nada"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, str(role.label).capitalize()) for role in Role]  # type: ignore[attr-defined]
        self.fields["role"].hints = {role.value: hint for role, hint in self.HINTS.items()}  # type: ignore[attr-defined]
