"""Moves messages forward by what Meta reports: late, twice, shuffled, or before our own commit, the end is the same.

Delivery is a rank that only rises (sent < failed < delivered < read), so evidence of delivery wins over a reported failure.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from pregon.quota import ledger
from pregon.sending import books, marks, references
from pregon.sending.books import RESERVED, Move, State
from pregon.sending.models import Batch, Delivery, Message
from pregon.whatsapp.cloud import errors
from pregon.whatsapp.cloud.codes import Mark
from pregon.whatsapp.cloud.events import StatusEvent

RANKS = {
    "sent": Delivery.SENT,
    "failed": Delivery.FAILED,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "played": Delivery.READ,
}


class Report(NamedTuple):
    """All that a group of events says of one message."""

    id: int
    phone: str  # Meta's id of the number: another system's message may carry a reference that looks like ours
    rank: int
    code: int | None
    details: str
    delivered: datetime | None
    read: datetime | None


class Change(NamedTuple):
    """A message that a report moved."""

    id: int
    batch_id: int
    before: State
    after: State
    code: int | None


@transaction.atomic
def apply(events: Iterable[StatusEvent]) -> int:
    """Returns how many messages changed. Events that are not about a message of ours are passed over."""
    reports = _reports(events)
    if not reports:
        return 0
    books.lock(Message.objects.filter(pk__in=reports).values_list("batch_id", flat=True).distinct())
    changes = _write(list(reports.values()))
    books.post([Move(change.batch_id, change.before, change.after, 1) for change in changes])
    _recharge([change for change in changes if _is_proved_later(change)])
    marks.note([(change.id, mark) for change in changes if (mark := _mark(change))])
    return len(changes)


def _reports(events: Iterable[StatusEvent]) -> dict[int, Report]:
    reports: dict[int, Report] = {}
    for event in events:
        message_id, rank = references.read(event.reference), RANKS.get(event.status)
        if message_id is not None and rank is not None:
            report = _report(message_id, rank, event)
            known = reports.get(message_id)
            reports[message_id] = _merge(known, report) if known else report
    return reports


def _report(message_id: int, rank: Delivery, event: StatusEvent) -> Report:
    failed = rank == Delivery.FAILED
    return Report(
        message_id,
        event.phone_number_id,
        rank,
        (event.error_code if event.error_code is not None else errors.UNREADABLE) if failed else None,
        event.error_details[:300] if failed else "",
        event.at if rank == Delivery.DELIVERED else None,
        event.at if rank == Delivery.READ else None,
    )


def _merge(one: Report, other: Report) -> Report:
    """The higher rank; of two failures the smaller code; of each time the earliest: whatever the order."""
    first = min((one, other), key=lambda report: (-report.rank, report.code or 0, report.details))
    return first._replace(
        delivered=min(filter(None, (one.delivered, other.delivered)), default=None),
        read=min(filter(None, (one.read, other.read)), default=None),
    )


def _write(reports: Sequence[Report]) -> list[Change]:
    rows: list[dict[str, Any]] = [report._asdict() for report in reports]
    with connection.cursor() as cursor:
        cursor.execute(APPLY, [orjson.dumps(rows).decode()])
        return [
            Change(message, batch, State(*old), State(*new), code)
            for message, batch, *old, code, status, delivery, charged in cursor.fetchall()
            for new in [(status, delivery, charged)]
        ]


# The batches are locked, so what this statement reads as the old state is the old state.
APPLY = """
WITH report AS (
    SELECT * FROM json_to_recordset(%s)
        AS r(id bigint, phone text, rank smallint, code int, details text, delivered timestamptz, read timestamptz)
), known AS (
    SELECT m.id, m.status, m.delivery, m.charged, m.status = 'accepted' AND m.delivery <> 2 AS counted,
        r.rank, r.code, r.details, r.delivered, r.read, greatest(m.delivery, r.rank) AS reached
    FROM report r JOIN sending_message m ON m.id = r.id AND m.status <> 'omitted'
    JOIN sending_batch b ON b.id = m.batch_id JOIN whatsapp_number n ON n.id = b.number_id AND n.phone_number_id = r.phone
    WHERE r.rank > m.delivery OR r.rank = 2 AND m.delivery = 2 AND r.code < m.error_code
        OR r.delivered < m.delivered_at OR r.delivered IS NOT NULL AND m.delivered_at IS NULL
        OR r.read < m.read_at OR r.read IS NOT NULL AND m.read_at IS NULL
), next AS (
    SELECT *, CASE WHEN status NOT IN ('unconfirmed', 'failed') THEN status WHEN reached = 2 THEN 'failed' ELSE 'accepted' END
        AS result FROM known
)
UPDATE sending_message m SET delivery = next.reached, status = next.result,
    charged = CASE WHEN next.counted = (next.result = 'accepted' AND next.reached <> 2) THEN m.charged ELSE NOT next.counted END,
    error_code = CASE WHEN next.reached > 2 THEN NULL WHEN next.rank = 2 AND next.reached = 2 THEN next.code ELSE m.error_code END,
    error_details = CASE WHEN next.reached > 2 THEN '' WHEN next.rank = 2 AND next.reached = 2 THEN next.details
        ELSE m.error_details END,
    delivered_at = least(m.delivered_at, next.delivered), read_at = least(m.read_at, next.read)
FROM next WHERE m.id = next.id
RETURNING m.id, m.batch_id, next.status, next.delivery, next.charged, m.error_code, m.status, m.delivery, m.charged
"""


def _is_proved_later(change: Change) -> bool:
    """Given back earlier, charged again now."""
    return change.before.status not in RESERVED and change.after.charged and not change.before.charged


def _recharge(changes: Sequence[Change]) -> None:
    by_batch: dict[int, list[int]] = {}
    for change in changes:
        by_batch.setdefault(change.batch_id, []).append(change.id)
    for batch_id, messages in sorted(by_batch.items()):
        period_id = Batch.objects.values_list("period_id", flat=True).get(pk=batch_id)
        charged = ledger.recharge(period_id, len(messages), f"batch:{batch_id}")
        Message.objects.filter(pk__in=messages[charged:]).update(charged=False)


def _mark(change: Change) -> Mark | None:
    """Only the report that makes a message fail tells about the person; its repetitions do not."""
    newly_failed = change.after.delivery == Delivery.FAILED and change.before.delivery < Delivery.FAILED
    return errors.classify(change.code, asynchronous=True).mark if newly_failed and change.code is not None else None
