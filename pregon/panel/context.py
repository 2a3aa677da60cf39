"""What the frame of every page shows."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from pregon.accounts.models import Account, Member
from pregon.contacts import tally
from pregon.quota.models import Period
from pregon.subscriptions import renewals


@dataclass(frozen=True)
class Quota:
    """A month of quota in days that people count: both dates belong to it. `used + reserved + remaining = limit`."""

    limit: int
    used: int
    reserved: int
    remaining: int
    starts_on: date
    ends_on: date


def quota_of(period: Period) -> Quota:
    """In the active time zone, which is the account's."""
    return Quota(
        limit=period.limit,
        used=period.used,
        reserved=period.reserved,
        remaining=period.remaining,
        starts_on=timezone.localtime(period.starts_at).date(),
        ends_on=timezone.localtime(period.ends_at - timedelta(seconds=1)).date(),
    )


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context `shell`: the business, the seat, the quota of the month; empty for signed-out people.

    Read when a template first asks, in three queries: parts of pages never do.
    """
    member: Member | None = getattr(request, "member", None)
    if member is None:
        return {}
    return {"shell": SimpleLazyObject(partial(frame, member))}


def frame(member: Member) -> dict[str, Any]:
    account = member.account
    period = renewals.ensure_period(account)
    return {
        "account": account,
        "member": member,
        "practice": account.practice,
        "contacts_count": tally.of(account).total,
        "quota": quota_of(period) if period else None,
        "accounts": list(Account.objects.filter(members__user_id=member.user_id).order_by("name", "id")),
    }
