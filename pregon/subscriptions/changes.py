"""Which plan a business has, and what it switches on."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.quota import ledger
from pregon.subscriptions import plans, renewals
from pregon.subscriptions.models import Module, Plan, Subscription


@transaction.atomic
def start(account: Account, plan: Plan, at: datetime | None = None) -> Subscription:
    """Give an account its first plan; its months count from today's day in its own time zone."""
    moment = at or timezone.now()
    anchor_day = moment.astimezone(account.zone).day
    subscription = Subscription.objects.create(account=account, plan=plan, anchor_day=anchor_day, started_at=moment)
    renewals.ensure_period(account, moment)
    return subscription


@transaction.atomic
def change(account: Account, plan: Plan) -> Subscription:
    """Another plan from this moment on: the month keeps its days, and its limit moves by the difference.

    The limit never falls below what is used and reserved: the excess lapses as messages are given back (`ledger.withdraw`).
    """
    subscription = (
        Subscription.objects.select_for_update(of=("self",)).select_related("plan").filter(account=account).first()
    )
    if subscription is None:
        return start(account, plan)
    period = renewals.ensure_period(account)
    difference = plan.monthly_limit - subscription.plan.monthly_limit
    subscription.plan = plan
    subscription.save(update_fields=["plan"])
    if period:
        move = ledger.grant if difference > 0 else ledger.withdraw
        move(period.pk, abs(difference), f"plan:{plan.slug}")
    return subscription


def plan(account: Account) -> Plan | None:
    """The account's plan; None where it has none."""
    return Plan.objects.filter(subscriptions__account=account).first()


def modules(account: Account) -> frozenset[Module]:
    """What the account's plan switches on."""
    found = plan(account)
    return frozenset(Module(name) for name in found.modules) if found else frozenset()


def has_module(account: Account, module: Module | str) -> bool:
    return module in modules(account)


def open_with_first_plan(sender: Any, account: Account, **_: Any) -> None:
    """Receives `accounts.signup.account_opened`."""
    if first := plans.initial():
        start(account, first)
