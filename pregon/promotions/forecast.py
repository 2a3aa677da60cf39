"""Who would get a broadcast, who not and why: one SQL, asked before the launch and executed by it.

`rows` gives the SELECT that `sending.outbox.enqueue` takes; `forecast` counts the same rows. So what was predicted is
what happens, as long as nothing changes in between.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from pregon.promotions import audiences, costs, fields, preview
from pregon.promotions.models import Broadcast, Rate, Way
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending.models import Omission

PAGE = 50
WINDOW = timedelta(hours=24)  # Meta's service window after a person's last message
COOLING = timedelta(hours=24)  # after Meta asked to wait (131049)
NO_WHATSAPP = timedelta(days=90)  # after that a number without WhatsApp is tried again

# What counts as received: on its way, perhaps arrived, accepted and not reported failed (`sending.books.bucket`). Whom one
# practised with has received nothing.
RECEIVED = """
    SELECT count(*) >= nullif(%(repeat_limit)s, 0) OR bool_or(b.promotion = %(promotion)s)
    FROM sending_message m JOIN sending_batch b ON b.id = m.batch_id JOIN whatsapp_number n ON n.id = b.number_id
    WHERE n.practice = %(practice)s AND m.contact_id = c.id AND m.created_at > %(repeat_since)s AND b.promotion IS NOT NULL
      AND (m.status IN ('queued', 'unconfirmed') OR m.status = 'accepted' AND m.delivery <> 2)
"""

# The first that applies wins: the order is part of the product, and `Omission` is in it too.
REASONS: tuple[tuple[Omission, str], ...] = (
    (Omission.OPT_OUT, "c.consent = 'withdrawn'"),
    (Omission.NO_CONSENT, "c.consent <> 'granted'"),
    (Omission.INCOMPLETE, "c.mobile IS NULL AND c.meta_user_id IS NULL AND c.mobile_problem = 'incomplete'"),
    (Omission.INVALID, "c.mobile IS NULL AND c.meta_user_id IS NULL"),
    (
        Omission.COUNTRY,
        "%(is_marketing)s AND starts_with(c.mobile, '+1') AND substr(c.mobile, 3, 3) = ANY(%(us_areas)s)",
    ),
    (Omission.DUPLICATE, "c.id > twin.first_id"),
    (
        Omission.NO_WHATSAPP,
        "c.no_whatsapp_at > %(no_whatsapp_since)s AND coalesce(c.last_inbound_at < c.no_whatsapp_at, true)",
    ),
    (Omission.META_WAIT, "c.cooled_at > %(cooled_since)s"),
    (Omission.REPEATED, f"({RECEIVED})"),
    (Omission.WINDOW, "%(is_text)s AND coalesce(c.last_inbound_at <= %(window_since)s, true)"),
    (Omission.MISSING_DATA, "array_position(c.slot_values, NULL) IS NOT NULL"),
)

ROWS = """
WITH audience AS ({audience}),
filled AS MATERIALIZED (SELECT c.*, {values} AS slot_values FROM audience c),
twin AS (SELECT meta_user_id, min(id) AS first_id FROM filled WHERE meta_user_id IS NOT NULL GROUP BY meta_user_id),
judged AS (
    SELECT c.id, c.name, c.mobile, c.meta_user_id, c.slot_values, CASE {reasons} ELSE '' END AS omission
    FROM filled c LEFT JOIN twin ON twin.meta_user_id = c.meta_user_id
),
placed AS (SELECT *, row_number() OVER (PARTITION BY omission = '' ORDER BY id) AS place FROM judged)
SELECT id AS contact_id, name, coalesce(mobile, '') AS mobile, coalesce(meta_user_id, '') AS meta_user_id,
    CASE WHEN omission = '' THEN slot_values ELSE '{{}}' END AS "values",
    CASE WHEN omission = '' AND place > %(room)s THEN 'cupo_agotado' ELSE omission END AS omission
FROM placed
"""

COUNTS = f"""
SELECT omission, CASE WHEN omission = '' THEN left(mobile, {costs.PREFIX_LENGTH}) ELSE '' END AS prefix, count(*)
FROM ({{rows}}) AS rows GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Forecast:
    """What a launch would do now. `recipients` and the omissions add up to `people`."""

    recipients: int
    omissions: dict[Omission, int]  # in the order of the product, only those above zero
    period: Period | None  # None: no plan this month
    cost: costs.Estimate
    seconds: int  # at the number's pace
    daily_limit: int | None  # unique people that Meta lets this number write to in 24 h; None: no limit known
    choice: str

    @property
    def omitted(self) -> int:
        return sum(self.omissions.values())

    @property
    def people(self) -> int:
        return self.recipients + self.omitted

    @property
    def remaining(self) -> int:
        return self.period.remaining if self.period else 0

    @property
    def remaining_after(self) -> int:
        """Below zero: that many are missing."""
        return self.remaining - self.recipients

    @property
    def fits(self) -> bool:
        return self.recipients <= self.remaining


def forecast(broadcast: Broadcast, now: datetime | None = None) -> Forecast:
    """One query over the audience, and three small ones: period, rates, version."""
    moment = now or timezone.now()
    period = ledger.current(broadcast.account, moment)
    sql, params = rows(broadcast, moment, room(broadcast, period))
    counted = _counted(sql, params)
    recipients = sum(n for omission, _prefix, n in counted if not omission)
    return Forecast(
        recipients=recipients,
        omissions=_omissions(counted),
        period=period,
        cost=_cost(broadcast, counted, moment),
        seconds=-(-recipients // broadcast.number.mps) if broadcast.number else 0,
        daily_limit=broadcast.number.portfolio.daily_limit if broadcast.number else None,
        choice=broadcast.quota_choice,
    )


def room(broadcast: Broadcast, period: Period | None) -> int | None:
    """How many may be queued at most: what remains when the person chose to send to as many as fit, else no bound."""
    if broadcast.quota_choice != Broadcast.Choice.FIT:
        return None
    return period.remaining if period else 0


def rows(broadcast: Broadcast, now: datetime, room: int | None) -> tuple[str, dict[str, Any]]:
    """SQL and named parameters: one row per person of the audience, with the columns of `sending.outbox.enqueue`."""
    audience, params = audiences.select(broadcast.account_id, audiences.read(broadcast.audience))
    values, value_params = fields.values_sql(preview.fields_of(broadcast.version), broadcast.version.fallbacks)
    reasons = " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in REASONS)
    sql = ROWS.format(audience=audience, values=values, reasons=reasons)
    return sql, params | value_params | _facts(broadcast, now) | {"room": room if room is not None else 2**31}


def listing(broadcast: Broadcast) -> Iterator[tuple[str, str, str]]:
    """(name, mobile, omission) of everybody, recipients first, then in the order of the reasons."""
    order = ["", *Omission.values]
    wanted = "SELECT name, mobile, omission FROM ({rows}) AS rows"
    by = " ORDER BY array_position(%(order)s::text[], omission), contact_id"
    yield from _read(broadcast, wanted + by, {"order": order})


def people(broadcast: Broadcast, omission: str, after: int = 0) -> list[tuple[int, str, str]]:
    """(contact, name, mobile) of the next PAGE people with that omission ("" for the recipients), by contact id."""
    wanted = (
        "SELECT contact_id, name, mobile FROM ({rows}) AS rows WHERE omission = %(wanted)s AND contact_id > %(after)s"
    )
    return _read(broadcast, f"{wanted} ORDER BY contact_id LIMIT {PAGE}", {"wanted": omission, "after": after})


def _read(broadcast: Broadcast, query: str, more: dict[str, Any]) -> list[tuple[Any, ...]]:
    now = timezone.now()
    sql, params = rows(broadcast, now, room(broadcast, ledger.current(broadcast.account, now)))
    with connection.cursor() as cursor:
        cursor.execute(query.format(rows=sql), params | more)
        return list(cursor.fetchall())


def _facts(broadcast: Broadcast, now: datetime) -> dict[str, Any]:
    account, version = broadcast.account, broadcast.version
    return {
        "promotion": broadcast.promotion_id,
        "is_text": version.way == Way.TEXT,
        "is_marketing": costs.category(version) == Rate.Category.MARKETING,
        "us_areas": list(costs.us_areas()),
        "window_since": now - WINDOW,
        "cooled_since": now - COOLING,
        "no_whatsapp_since": now - NO_WHATSAPP,
        "repeat_since": now - timedelta(days=account.repeat_days),
        "repeat_limit": account.repeat_limit,
        "practice": account.practice,
    }


def _counted(sql: str, params: dict[str, Any]) -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(rows=sql), params)
        return [(omission, prefix, n) for omission, prefix, n in cursor.fetchall()]


def _omissions(counted: list[tuple[str, str, int]]) -> dict[Omission, int]:
    figures = Counter({omission: n for omission, _prefix, n in counted if omission})
    return {omission: figures[omission] for omission in Omission if figures[omission]}


def _cost(broadcast: Broadcast, counted: list[tuple[str, str, int]], now: datetime) -> costs.Estimate:
    prefixes = {prefix: n for omission, prefix, n in counted if not omission}
    on = now.astimezone(broadcast.account.zone).date()
    return costs.estimate(prefixes, costs.category(broadcast.version), on)
