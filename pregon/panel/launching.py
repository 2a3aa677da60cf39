"""What a launch asks those above it, also when nobody is signed in: does the plan send, and is the month open?"""

from typing import Any

from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.promotions import launch
from pregon.subscriptions import changes, renewals
from pregon.subscriptions.models import Module


def answer(sender: type, account: Account, **_others: Any) -> str:
    """A sentence that refuses, or nothing. A scheduled launch may be the first to ask in a new month."""
    renewals.ensure_period(account)
    if changes.has_module(account, Module.WHATSAPP):
        return ""
    return _("Tu plan no incluye este módulo. Mira los planes en Mi suscripción.")


def connect() -> None:
    launch.asked.connect(answer, dispatch_uid="panel.launching")
