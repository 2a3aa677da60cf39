"""Plans as the provider edits them. A changed limit counts at once, in the month of every business that has the plan."""

from django.db import transaction

from pregon.accounts.models import User
from pregon.quota import ledger
from pregon.staff.models import Act, What
from pregon.subscriptions import renewals
from pregon.subscriptions.models import Plan, Subscription

SHOWN = ("name", "monthly_limit", "price", "is_public")  # what the line of an edit compares


@transaction.atomic
def save(plan: Plan, by: User) -> Plan:
    """Insert or update a plan as a form has filled it. New businesses begin with one plan at most."""
    before = Plan.objects.select_for_update().filter(pk=plan.pk).first() if plan.pk else None
    if plan.is_initial:
        Plan.objects.filter(is_initial=True).exclude(pk=plan.pk).update(is_initial=False)
    if before:
        _move_limits(before, plan.monthly_limit)
    plan.save()
    Act.objects.create(plan=plan, actor=by, what=What.PLAN_EDITED, detail=_difference(before, plan))
    return plan


def _move_limits(before: Plan, limit: int) -> None:
    """Every month that runs moves by the difference, as it does when a business changes plans.

    The subscriptions' rows are the lock: who opens a month or changes a plan meanwhile waits, and finds it opened.
    """
    difference = limit - before.monthly_limit
    if not difference:
        return
    move = ledger.grant if difference > 0 else ledger.withdraw
    rows = Subscription.objects.filter(plan=before).select_related("account").order_by("id")
    for subscription in rows.select_for_update(of=("self",)):
        if period := renewals.ensure_period(subscription.account):
            move(period.pk, abs(difference), f"plan:{before.slug}")


def _difference(before: Plan | None, after: Plan) -> str:
    if before is None:
        return f"+ {after}"
    changed = [name for name in SHOWN if getattr(before, name) != getattr(after, name)]
    return ", ".join(f"{name}: {getattr(before, name)} → {getattr(after, name)}" for name in changed)[:300]
