"""What the provider does to a business; each act leaves a line of who did it."""

from django.db import transaction
from django.utils import timezone

from pregon.accounts.models import Account, User
from pregon.staff.models import Act, What
from pregon.subscriptions import changes
from pregon.subscriptions.models import Plan


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


def _note(account: Account, what: What, detail: str, by: User) -> None:
    Act.objects.create(account=account, actor=by, what=what, detail=detail[:300])
