"""Who would get a broadcast, who not and why: one SQL, asked before the launch and executed by it.

`rows` gives the SELECT that `sending.intake.add` takes; `forecast` counts the same people. So what was predicted is
what happens, as long as nothing changes in between.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from pregon.contacts import review
from pregon.promotions import audiences, costs, fields, plan, preview
from pregon.promotions.models import Broadcast, Rate, Way
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending import reach
from pregon.sending.models import Omission

PAGE = 50
WINDOW = timedelta(hours=24)  # Meta's service window after a person's last message
COOLING = timedelta(hours=24)  # after Meta asked to wait (131049)
SLACK = timedelta(hours=2)  # by how much a week of what repeats may be shorter: a clock set forward, a late worker
CLOCKS = timedelta(hours=1)  # by how much those of two machines may differ, generously

# What counts as received: on its way, perhaps arrived, accepted and not reported failed (`sending.books.BUCKETS`), in one of
# the batches `counted`: whom one practised with has received nothing. What repeats is meant to come again: the limit still
# counts it. Batches are asked for in the aggregates: as a condition they would tempt the planner to read whole ones.
RECEIVED = """
    cardinality(%(counted)s::bigint[]) > 0 AND (
        SELECT count(*) FILTER (WHERE m.batch_id = ANY(%(counted)s::bigint[])) >= nullif(%(repeat_limit)s, 0)
            OR bool_or(m.batch_id = ANY(%(same)s::bigint[]))
        FROM sending_message m WHERE m.contact_id = c.id AND m.created_at > %(repeat_since)s
            AND (m.status IN ('queued', 'unconfirmed') OR m.status = 'accepted' AND m.delivery <> 2)
    )
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
    (
        Omission.DUPLICATE,
        "c.meta_user_id IS NOT NULL AND EXISTS (SELECT FROM ({audience}) t WHERE t.meta_user_id = c.meta_user_id AND t.id < c.id)",
    ),
    (
        Omission.NO_WHATSAPP,
        "c.no_whatsapp_at > %(no_whatsapp_since)s AND coalesce(c.last_inbound_at < c.no_whatsapp_at, true)",
    ),
    (Omission.META_WAIT, "c.cooled_at > %(cooled_since)s"),
    (Omission.REPEATED, f"({RECEIVED})"),
    (Omission.WINDOW, "%(is_text)s AND coalesce(c.last_inbound_at <= %(window_since)s, true)"),
    (Omission.MISSING_DATA, "{missing}"),
)

# One row per person, with the reason. OFFSET 0 keeps PostgreSQL from computing the reason again wherever it is named.
JUDGED = """
SELECT c.id, c.name, c.mobile, c.meta_user_id, c.email, c.fields, CASE {reasons} ELSE '' END AS omission
FROM ({audience}) c OFFSET 0
"""
FITTED = """
SELECT c.id, c.name, c.mobile, c.meta_user_id, c.email, c.fields,
    CASE WHEN omission = '' AND count(*) FILTER (WHERE omission = '') OVER (ORDER BY c.id ROWS UNBOUNDED PRECEDING) > %(room)s
        THEN 'cupo_agotado' ELSE omission END AS omission
FROM ({judged}) c OFFSET 0
"""
ROWS = """
SELECT c.id AS contact_id, c.name, c.mobile, c.meta_user_id, omission,
    CASE WHEN omission = '' THEN {values} ELSE '{{}}' END AS "values"
FROM ({judged}) c
"""
PART = " AND c.id > %(after)s ORDER BY c.id LIMIT %(size)s"  # of an audience

# By the reason, or by the beginning of the mobile ("+5255") of who gets it: one opaque key, so that PostgreSQL expects few groups
# and hashes; with two it expects forty thousand, and sorts everybody.
COUNTS = f"""
SELECT key, count(*),
    count(*) FILTER (WHERE omission = '' AND {reach.AGAIN} AND NOT {reach.WROTE}),
    count(*) FILTER (WHERE omission = '' AND {reach.WROTE})
FROM (
    SELECT *, CASE WHEN omission = '' THEN left(coalesce(mobile, ''), {costs.PREFIX_LENGTH}) ELSE omission END AS key
    FROM ({{judged}}) AS people OFFSET 0
) AS judged GROUP BY key
"""


@dataclass(frozen=True)
class Forecast:
    """What a launch would do now. `recipients` and the omissions add up to `people`."""

    recipients: int
    omissions: dict[Omission, int]  # in the order of the product, only those above zero
    period: Period | None  # None: no plan this month
    cost: costs.Estimate
    plan: plan.Plan | None  # None: no number
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
    """One query over the audience, and six small ones: period, earlier batches, rates, and three of the plan."""
    moment = now or timezone.now()
    period = ledger.current(broadcast.account, moment)
    counted = _counted(*judged(broadcast, moment, room(broadcast, period)))
    crowd = _crowd(counted)
    return Forecast(
        recipients=crowd.people,
        omissions=_omissions(counted),
        period=period,
        cost=_cost(broadcast, counted, moment),
        plan=plan.of(broadcast, broadcast.number, crowd, moment) if broadcast.number else None,
        choice=broadcast.quota_choice,
    )


def room(broadcast: Broadcast, period: Period | None) -> int | None:
    """How many may be queued at most: what remains when the person chose to send to as many as fit, else no bound."""
    if broadcast.quota_choice != Broadcast.Choice.FIT:
        return None
    return period.remaining if period else 0


def rows(broadcast: Broadcast, now: datetime, room: int | None) -> tuple[str, dict[str, Any]]:
    """SQL and named parameters: the columns of `sending.intake.add`, for the next `size` people `after` a contact's id.

    These two are the caller's to give; with a `room`, it falls by those who were queued before.
    """
    inner, params = judged(broadcast, now, room, part=PART)
    names = preview.fields_of(broadcast.version)
    styles = fields.styles(broadcast.account_id, names)
    values, value_params = fields.values_sql(names, broadcast.version.fallbacks, styles)
    return ROWS.format(judged=inner, values=values), params | value_params


def judged(broadcast: Broadcast, now: datetime, room: int | None, part: str = "") -> tuple[str, dict[str, Any]]:
    """SQL and named parameters: everybody of the audience, or a part of it, each with the reason or ''."""
    audience, params = audiences.select(broadcast.account, audiences.read(broadcast.audience))
    missing, missing_params = fields.missing_sql(preview.fields_of(broadcast.version), broadcast.version.fallbacks)
    reasons = " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in REASONS)
    sql = JUDGED.format(reasons=reasons.format(audience=audience, missing=missing), audience=audience + part)
    if room is not None:
        sql = FITTED.format(judged=sql)
    return sql, params | missing_params | _facts(broadcast, now) | {"room": room}


def listing(broadcast: Broadcast) -> Iterator[tuple[str, str, str]]:
    """(name, mobile, omission) of everybody, recipients first, then in the order of the reasons."""
    order = ["", *Omission.values]
    wanted = "SELECT name, coalesce(mobile, ''), omission FROM ({judged}) AS judged"
    by = " ORDER BY array_position(%(order)s::text[], omission), id"
    yield from _read(broadcast, wanted + by, {"order": order})


def people(broadcast: Broadcast, omission: str, after: int = 0) -> list[tuple[int, str, str]]:
    """(contact, name, mobile) of the next PAGE people with that omission ("" for the recipients), by contact id."""
    wanted = (
        "SELECT id, name, coalesce(mobile, '') FROM ({judged}) AS judged WHERE omission = %(wanted)s AND id > %(after)s"
    )
    return _read(broadcast, f"{wanted} ORDER BY id LIMIT {PAGE}", {"wanted": omission, "after": after})


def _read(broadcast: Broadcast, query: str, more: dict[str, Any]) -> list[tuple[Any, ...]]:
    now = timezone.now()
    sql, params = judged(broadcast, now, room(broadcast, ledger.current(broadcast.account, now)))
    with connection.cursor() as cursor:
        cursor.execute(query.format(judged=sql), params | more)
        return list(cursor.fetchall())


def _facts(broadcast: Broadcast, now: datetime) -> dict[str, Any]:
    account, version = broadcast.account, broadcast.version
    since = now - timedelta(days=account.repeat_days) + (SLACK if broadcast.occurrence else timedelta())
    return {
        "is_text": version.way == Way.TEXT,
        "is_marketing": costs.category(version) == Rate.Category.MARKETING,
        "us_areas": list(costs.us_areas()),
        "window_since": now - WINDOW,
        "cooled_since": now - COOLING,
        "no_whatsapp_since": now - review.NO_WHATSAPP,
        "repeat_since": since,
        "repeat_limit": account.repeat_limit,
        **_earlier(broadcast, since),
        **reach.free_params(broadcast.number, now),
    }


def _earlier(broadcast: Broadcast, since: datetime) -> dict[str, list[int]]:
    """The batches that count as promotions received, and those of them with the same one.

    A batch is stamped a moment after its messages, perhaps by another machine's clock: each message is asked for its own time.
    """
    account = broadcast.account
    batches = account.batches.filter(promotion__isnull=False, number__practice=account.practice)
    recent = dict(batches.filter(created_at__gt=since - CLOCKS).values_list("id", "promotion"))
    repeated = _repeated(broadcast)
    same = [
        batch for batch, promotion in recent.items() if promotion == broadcast.promotion_id and batch not in repeated
    ]
    return {"counted": list(recent), "same": same}


def _repeated(broadcast: Broadcast) -> list[int]:
    """Batches of the same recurrence."""
    if broadcast.recurrence_id is None:
        return []
    rows = Broadcast.objects.filter(recurrence=broadcast.recurrence_id, batch__isnull=False)
    return list(rows.values_list("batch_id", flat=True))


class Counted(NamedTuple):
    """People of one key of `COUNTS`, and those of them whom Meta's limit does not count today."""

    key: str
    people: int
    again: int
    wrote: int

    @property
    def omission(self) -> str:
        return "" if self.prefix == self.key else self.key

    @property
    def prefix(self) -> str:
        """Of the mobiles of those who get it; "" also for people without one."""
        return self.key if self.key.startswith("+") else ""


def _counted(sql: str, params: dict[str, Any]) -> list[Counted]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(judged=sql), params)
        return [Counted(*row) for row in cursor.fetchall()]


def _crowd(counted: list[Counted]) -> plan.Crowd:
    recipients = [row for row in counted if not row.omission]
    return plan.Crowd(
        sum(row.people for row in recipients),
        sum(row.again for row in recipients),
        sum(row.wrote for row in recipients),
    )


def _omissions(counted: list[Counted]) -> dict[Omission, int]:
    figures = Counter({row.omission: row.people for row in counted if row.omission})
    return {omission: figures[omission] for omission in Omission if figures[omission]}


def _cost(broadcast: Broadcast, counted: list[Counted], now: datetime) -> costs.Estimate:
    prefixes = {row.prefix: row.people for row in counted if not row.omission}
    on = now.astimezone(broadcast.account.zone).date()
    return costs.estimate(prefixes, costs.category(broadcast.version), on)
