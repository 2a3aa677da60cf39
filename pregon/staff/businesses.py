"""What the provider does to a business; each act leaves a line of who did it.

Refused     why an act cannot be noted, in a sentence
"""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import consent, people
from pregon.contacts.models import Consent, Source
from pregon.staff.models import Act, What
from pregon.subscriptions import changes
from pregon.subscriptions.models import Plan


class Refused(Exception):
    """Nothing was noted."""


@transaction.atomic
def suspend(account: Account, reason: str, by: User) -> None:
    """Nothing leaves from now on; what is reserved waits, and nothing is lost. The business reads the reason."""
    suspended = Account.objects.filter(pk=account.pk, suspended_at=None)
    if suspended.update(suspended_at=timezone.now(), suspension_reason=reason):
        _note(account, What.SUSPENDED, reason, by)


@transaction.atomic
def reactivate(account: Account, by: User) -> None:
    """What was waiting goes on by itself, unless its 72 hours are over."""
    paused = Account.objects.filter(pk=account.pk, suspended_at__isnull=False)
    if paused.update(suspended_at=None, suspension_reason=""):
        _note(account, What.REACTIVATED, "", by)


@transaction.atomic
def change_plan(account: Account, plan: Plan, by: User) -> None:
    """As if the business had chosen it; also plans that are not offered."""
    before = changes.plan(account)
    if before == plan:
        return
    changes.change(account, plan)
    _note(account, What.PLAN_CHANGED, f"{before or '—'} → {plan}", by)


@transaction.atomic
def note_consent(account: Account, mobile: str, act: Consent, why: str, who: dict[str, Any]) -> None:
    """A no of any number, or a yes of a contact who did not withdraw: the provider brings nobody back.

    `who` is `actor` and `ip`. Raises Refused, people.BadNumber.
    """
    number = people.read_number(account, mobile)
    contact = account.contacts.filter(mobile=number).first()
    if act == Consent.GRANTED and contact is None:
        raise Refused(_("Ese celular no está en sus contactos."))
    if act == Consent.GRANTED and contact and contact.consent == Consent.WITHDRAWN:
        raise Refused(_("Pidió su baja: solo la deshace la persona, o su negocio con una prueba posterior."))
    note = consent.withdraw_number if act == Consent.WITHDRAWN else consent.grant_number
    note(account, number, source=Source.STAFF, happened_at=timezone.now(), text=why, **who)
    _note(account, What.CONSENT_NOTED, f"{act.label}: {why}", who["actor"])


def _note(account: Account, what: What, detail: str, by: User) -> None:
    Act.objects.create(account=account, actor=by, what=what, detail=detail[:300])
