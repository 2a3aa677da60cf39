"""How a business begins: its first person signs up, and becomes its owner."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.db import transaction
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account, Member, Role, User

account_opened = Signal()  # sent with `account`, inside the transaction: whoever is above gives it what it starts with

ZONES = {
    "MX": "America/Mexico_City", "CO": "America/Bogota", "PE": "America/Lima", "AR": "America/Argentina/Buenos_Aires",
    "CL": "America/Santiago", "BR": "America/Sao_Paulo", "EC": "America/Guayaquil", "BO": "America/La_Paz",
    "PY": "America/Asuncion", "UY": "America/Montevideo", "VE": "America/Caracas", "CR": "America/Costa_Rica",
    "PA": "America/Panama", "GT": "America/Guatemala", "SV": "America/El_Salvador", "HN": "America/Tegucigalpa",
    "NI": "America/Managua", "DO": "America/Santo_Domingo", "PR": "America/Puerto_Rico", "ES": "Europe/Madrid",
}  # fmt: skip
COUNTRIES = [
    ("AR", _("Argentina")), ("BO", _("Bolivia")), ("BR", _("Brasil")), ("CL", _("Chile")), ("CO", _("Colombia")),
    ("CR", _("Costa Rica")), ("EC", _("Ecuador")), ("SV", _("El Salvador")), ("ES", _("España")), ("GT", _("Guatemala")),
    ("HN", _("Honduras")), ("MX", _("México")), ("NI", _("Nicaragua")), ("PA", _("Panamá")), ("PY", _("Paraguay")),
    ("PE", _("Perú")), ("PR", _("Puerto Rico")), ("DO", _("República Dominicana")), ("UY", _("Uruguay")), ("VE", _("Venezuela")),
]  # fmt: skip


class BusinessForm(forms.Form):
    """The fields that sign-up asks beside e-mail and password."""

    business = forms.CharField(label=_("Nombre de tu negocio"), max_length=120)
    name = forms.CharField(label=_("Tu nombre"), max_length=120)
    country = forms.ChoiceField(label=_("País"), choices=COUNTRIES, initial="MX")

    field_order = ("business", "name", "country", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        open_account(user, name=self.cleaned_data["business"], country=self.cleaned_data["country"])


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's door to our people."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("Esta cuenta está detenida. Escribe a tu proveedor para saber por qué."),
        "cannot_remove_primary_email": _("Es tu correo principal. Haz principal a otro antes de quitarlo."),
        "duplicate_email": _("Ese correo ya está en tu cuenta."),
        "email_password_mismatch": _("El correo o la contraseña no coinciden. Revísalos e inténtalo otra vez."),
        "email_taken": _("Ese correo ya tiene una cuenta. Entra con él, o usa otro."),
        "enter_current_password": _("Escribe tu contraseña de ahora."),
        "incorrect_password": _("Esa no es tu contraseña. Inténtalo otra vez."),
        "invalid_or_expired_key": _("Este enlace ya no sirve. Pide otro."),
        "invalid_password_reset": _("Este enlace ya no sirve. Pide otro."),
        "max_email_addresses": _("Caben %d correos en una cuenta: quita uno antes."),
        "rate_limited": _("Fueron muchos intentos seguidos. Espera unos minutos."),
        "same_as_current": _("Es igual a la de ahora. Elige otra."),
        "too_many_login_attempts": _("Fueron muchos intentos seguidos. Espera unos minutos."),
        "unknown_email": _("Ese correo no tiene cuenta. Prueba con otro tuyo."),
        "unverified_primary_email": _("Tu correo principal tiene que estar confirmado."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return True

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names."""


@transaction.atomic
def open_account(user: User, *, name: str, country: str) -> Account:
    """A new business with `user` as its owner."""
    account = Account.objects.create(name=name, country=country, time_zone=ZONES[country])
    Member.objects.create(account=account, user=user, role=Role.OWNER)
    account_opened.send(Account, account=account)
    return account
