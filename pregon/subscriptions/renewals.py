"""Each month's quota: readers ask for it, an hourly job makes sure; whoever comes first opens the month."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.subscriptions import periods
from pregon.subscriptions.models import Subscription


def ensure_period(account: Account, at: datetime | None = None) -> Period | None:
    """The period that holds `at` (default: now), opened with the plan's grant if need be; None without a subscription."""
    moment = at or timezone.now()
    return ledger.current(account, moment) or _open(account, moment)


def ensure_all() -> int:
    """Open the month of every account whose last one ended. Returns how many subscriptions there are."""
    rows = Subscription.objects.select_related("account").order_by("id")
    return len([ensure_period(row.account) for row in rows.iterator(chunk_size=500)])


@transaction.atomic
def _open(account: Account, at: datetime) -> Period | None:
    """One opener at a time: the subscription's row is the lock, and what it guards is read again behind it."""
    subscription = (
        Subscription.objects.select_for_update(of=("self",)).select_related("plan").filter(account=account).first()
    )
    if subscription is None:
        return None
    if found := ledger.current(account, at):
        return found
    start, end = _next_bounds(subscription, account, at)
    period = Period.objects.create(account=account, starts_at=start, ends_at=end)
    ledger.grant(period.pk, subscription.plan.monthly_limit, f"plan:{subscription.plan.slug}")
    period.refresh_from_db()
    return period


def _next_bounds(subscription: Subscription, account: Account, at: datetime) -> tuple[datetime, datetime]:
    """The month that holds `at`, counted on from the last one; months in which nobody asked are passed over."""
    last = Period.objects.filter(account=account, ends_at__lte=at).order_by("-ends_at").first()
    if last is None:
        return periods.bounds(subscription.anchor_day, account.zone, at)
    start, end = periods.following(subscription.anchor_day, account.zone, last.ends_at)
    while end <= at:
        start, end = periods.following(subscription.anchor_day, account.zone, end)
    return start, end
