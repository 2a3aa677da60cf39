"""allauth's forms with our words: its Spanish says «usted», and «Correo Electrónico»."""

from typing import Any

from allauth.account import forms
from django.utils.translation import gettext_lazy as _

LABELS = {
    "login": _("Correo"),
    "email": _("Correo"),
    "password": _("Contraseña"),
    "password1": _("Contraseña"),
    "oldpassword": _("Contraseña de ahora"),
    "password2": _("La misma contraseña, otra vez"),
    "remember": _("Recordarme en este aparato"),
}
ANOTHER = LABELS | {"password1": _("Contraseña nueva")}


class Ours:
    """Puts our labels on the fields of an allauth form."""

    fields: dict[str, Any]
    labels = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() & self.labels.keys():
            self.fields[name].label = self.labels[name]


class Login(Ours, forms.LoginForm):  # type: ignore[misc]
    """Sign in."""


class Signup(Ours, forms.SignupForm):  # type: ignore[misc]
    """Sign up; `signup.BusinessForm` is among its bases."""


class AddEmail(Ours, forms.AddEmailForm):  # type: ignore[misc]
    """One more e-mail for the same person."""


class ResetPassword(Ours, forms.ResetPasswordForm):  # type: ignore[misc]
    """Ask for the link that sets another password."""


class ResetPasswordKey(Ours, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """Where that link leads."""

    labels = ANOTHER


class ChangePassword(Ours, forms.ChangePasswordForm):  # type: ignore[misc]
    """Another password, knowing the present one."""

    labels = ANOTHER


class SetPassword(Ours, forms.SetPasswordForm):  # type: ignore[misc]
    """A first password."""


class Reauthenticate(Ours, forms.ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before what matters."""
