"""The one door to the month's quota: every change is one UPDATE of its period and a row of the ledger.

NotEnough      raised by `reserve`: nothing was changed; `remaining` says how many would have fitted

All functions join the caller's transaction. The row of the period stays locked until the caller commits, so call
them last. `reference` names what caused the change ("batch:12").
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.quota.models import Kind, LedgerEntry, Period

joined = transaction.atomic(savepoint=False)  # spares two statements where nothing is undone by itself


class NotEnough(Exception):
    """The quota does not reach; the caller offers to stop or to send to as many as fit."""

    def __init__(self, remaining: int) -> None:
        self.remaining = remaining
        super().__init__(_("Te quedan %(n)s mensajes.") % {"n": remaining})


@dataclass(frozen=True)
class Move:
    """By how much each counter of a period changes."""

    limit: int = 0
    used: int = 0
    reserved: int = 0
    lapsing: int = 0


def current(account: Account, at: datetime | None = None) -> Period | None:
    """The period that holds `at` (default: now), or None where it was not opened: ask `subscriptions.renewals.ensure_period`."""
    moment = at or timezone.now()
    return Period.objects.filter(account=account, starts_at__lte=moment, ends_at__gt=moment).first()


@joined
def grant(period_id: int, amount: int, reference: str) -> None:
    """Raise the limit by `amount`; what still lapses is made good first."""
    back = min(amount, _locked(period_id).lapsing)
    _book(period_id, Kind.GRANT, amount, reference, Move(limit=amount - back, lapsing=-back))


@joined
def withdraw(period_id: int, amount: int, reference: str) -> None:
    """Lower the limit by `amount`: at once by what remains, by the rest as messages are released or refunded."""
    now = min(amount, _locked(period_id).remaining)
    _book(period_id, Kind.LAPSE, amount, reference, Move(limit=-now, lapsing=amount - now))


@transaction.atomic
def reserve(period_id: int, amount: int, reference: str) -> None:
    """Set `amount` aside. Raises `NotEnough` when fewer remain."""
    if amount == 0:
        return
    room = Period.objects.filter(pk=period_id, limit__gte=F("used") + F("reserved") + amount)
    if not room.update(reserved=F("reserved") + amount):
        raise NotEnough(Period.objects.get(pk=period_id).remaining)
    _note(period_id, Kind.RESERVE, amount, reference, Move(reserved=amount))


# For statements that know the charges themselves: it follows a table expression `charge(period_id, kind, amount, reference)`
# of the kinds consume, release and refund, amounts above zero. What is given back first makes good what still lapses.
CHARGED = """
period_before AS (
    SELECT id, lapsing FROM quota_period WHERE id IN (SELECT period_id FROM charge) ORDER BY id FOR NO KEY UPDATE
), entry AS (
    SELECT period_id, kind, amount, reference,
        CASE kind WHEN 'consume' THEN amount WHEN 'refund' THEN -amount ELSE 0 END AS used,
        CASE kind WHEN 'refund' THEN 0 ELSE -amount END AS reserved,
        least(lapsing, so_far) - least(lapsing, so_far - back) AS gone
    FROM (
        SELECT *, sum(back) OVER (PARTITION BY period_id ORDER BY reference, kind)::int AS so_far
        FROM (SELECT *, CASE kind WHEN 'consume' THEN 0 ELSE amount END AS back FROM charge) given_back
    ) summed JOIN period_before ON period_before.id = period_id
), period_moved AS (
    UPDATE quota_period p SET used = p.used + total.used, reserved = p.reserved + total.reserved,
        "limit" = p."limit" - total.gone, lapsing = p.lapsing - total.gone
    FROM (SELECT period_id, sum(used)::int AS used, sum(reserved)::int AS reserved, sum(gone)::int AS gone
          FROM entry GROUP BY period_id) total
    WHERE p.id = total.period_id
), entered AS (
    INSERT INTO quota_ledgerentry (period_id, kind, amount, limit_delta, used_delta, reserved_delta, lapsing_delta, reference,
        created_at)
    SELECT period_id, kind, amount, -gone, used, reserved, -gone, reference, now() FROM entry
)
"""


@joined
def recharge(period_id: int, amount: int, reference: str) -> int:
    """Messages given back earlier turn out delivered: charge as many as still fit, note the rest. Returns how many were charged."""
    charged = min(amount, _locked(period_id).remaining)
    _book(period_id, Kind.RECHARGE, charged, reference, Move(used=charged))
    _book(period_id, Kind.UNCHARGED, amount - charged, reference, Move())
    return charged


def _locked(period_id: int) -> Period:
    return Period.objects.select_for_update().get(pk=period_id)


def _book(period_id: int, kind: Kind, amount: int, reference: str, move: Move) -> None:
    if amount == 0:
        return
    Period.objects.filter(pk=period_id).update(
        limit=F("limit") + move.limit,
        used=F("used") + move.used,
        reserved=F("reserved") + move.reserved,
        lapsing=F("lapsing") + move.lapsing,
    )
    _note(period_id, kind, amount, reference, move)


def _note(period_id: int, kind: Kind, amount: int, reference: str, move: Move) -> None:
    LedgerEntry.objects.create(
        period_id=period_id,
        kind=kind,
        amount=amount,
        limit_delta=move.limit,
        used_delta=move.used,
        reserved_delta=move.reserved,
        lapsing_delta=move.lapsing,
        reference=reference,
    )
