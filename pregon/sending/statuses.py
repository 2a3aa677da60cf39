"""Moves messages forward by what Meta reports: late, twice, shuffled, or before our own commit, the end is the same.

Delivery is a rank that only rises (sent < failed < delivered < read), so evidence of delivery wins over a reported failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson
from django.db import connection, transaction

from pregon.quota import ledger
from pregon.sending import books, health, journal, marks, references
from pregon.sending.books import RESERVED, State
from pregon.sending.journal import Told
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


@dataclass(slots=True)
class Report:
    """All that a group of events says of one message."""

    id: int
    phone: str  # Meta's id of the number: another system's message may carry a reference that looks like ours
    rank: int
    code: int | None
    details: str
    delivered: datetime | None
    read: datetime | None


class Change(NamedTuple):
    """What reports did to some messages of a batch that stood and stand alike."""

    batch_id: int
    before: State
    after: State
    code: int | None  # why they failed, if they fail now
    messages: int
    ids: list[int]  # of those that fail now, or are charged now: nobody asks for the others


@transaction.atomic
def apply(events: Iterable[StatusEvent]) -> int:
    """Returns how many messages changed. Events that are not about a message of ours are passed over."""
    reports = _reports(events)
    if not reports:
        return 0
    books.lock(_batches(reports))
    changes = _write(reports)
    _recharge([change for change in changes if _is_proved_later(change)])
    health.watch({change.batch_id for change in changes if change.code is not None})
    marks.note([(message, mark) for change in changes if (mark := _mark(change)) for message in change.ids])
    journal.note(
        [Told(message, "reported failed", change.code) for change in changes if change.code for message in change.ids]
    )
    return sum(change.messages for change in changes)


def _reports(events: Iterable[StatusEvent]) -> list[Report]:
    reports: dict[tuple[int, str], Report] = {}
    for event in events:
        message_id, rank = references.read(event.reference), RANKS.get(event.status)
        if message_id is not None and rank is not None:
            report, key = _report(message_id, rank, event), (message_id, event.phone_number_id)
            known = reports.get(key)
            reports[key] = _merge(known, report) if known else report
    return list(reports.values())


def _report(message_id: int, rank: Delivery, event: StatusEvent) -> Report:
    if rank == Delivery.FAILED:
        code = event.error_code if event.error_code is not None else errors.UNREADABLE
        details = (event.error_details or event.error_title)[:300]
        return Report(message_id, event.phone_number_id, rank, code, details, None, None)
    delivered = event.at if rank == Delivery.DELIVERED else None
    return Report(
        message_id, event.phone_number_id, rank, None, "", delivered, event.at if rank == Delivery.READ else None
    )


def _merge(one: Report, other: Report) -> Report:
    """The higher rank; of two failures the smaller code; of each time the earliest: whatever the order."""
    first = min((one, other), key=lambda report: (-report.rank, report.code or 0, report.details))
    delivered = min(filter(None, (one.delivered, other.delivered)), default=None)
    read = min(filter(None, (one.read, other.read)), default=None)
    return Report(first.id, first.phone, first.rank, first.code, first.details, delivered, read)


def _batches(reports: Sequence[Report]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(BATCHES, [orjson.dumps([report.id for report in reports]).decode()])
        return [batch_id for (batch_id,) in cursor.fetchall()]


# As one JSON text: a fifth of what an array costs in psycopg.
BATCHES = """
SELECT DISTINCT batch_id FROM sending_message WHERE id IN (SELECT value::bigint FROM json_array_elements_text(%s))
"""


def _write(reports: Sequence[Report]) -> list[Change]:
    with connection.cursor() as cursor:
        cursor.execute(APPLY, [orjson.dumps(reports).decode()])
        return [
            Change(batch_id, State(*states[:3]), State(*states[3:]), code, messages, ids or [])
            for batch_id, *states, code, messages, ids in cursor.fetchall()
        ]


# In a pump's hands: it is about to write what Meta answered. One that came back to the queue is not: nobody sends what Meta
# reports on, so the report settles it.
IN_HAND = """
SELECT 1 FROM sending_chunk c
WHERE c.batch_id = m.batch_id AND c.state = 'leased' AND m.position >= c.first AND m.position < c."end"
"""
# The batches are locked, so what this statement reads as the old state is the old state.
APPLY = f"""
WITH report AS (
    SELECT * FROM json_to_recordset(%s)
        AS r(id bigint, phone text, rank smallint, code int, details text, delivered timestamptz, read timestamptz)
), known AS (
    SELECT m.id, m.status, m.delivery, m.charged, m.status = 'accepted' AND m.delivery <> 2 AS counted,
        m.status = 'accepted' OR m.status = 'queued' AND EXISTS ({IN_HAND}) AS stays,
        r.rank, r.code, r.details, r.delivered, r.read, greatest(m.delivery, r.rank) AS reached
    FROM report r JOIN sending_message m ON m.id = r.id AND m.status <> 'omitted'
    JOIN sending_batch b ON b.id = m.batch_id JOIN whatsapp_number n ON n.id = b.number_id AND n.phone_number_id = r.phone
    WHERE r.rank > m.delivery OR r.rank = 2 AND m.delivery = 2 AND r.code < m.error_code
        OR r.delivered < m.delivered_at OR r.delivered IS NOT NULL AND m.delivered_at IS NULL
        OR r.read < m.read_at OR r.read IS NOT NULL AND m.read_at IS NULL
), next AS (
    SELECT *, CASE WHEN stays THEN status ELSE 'accepted' END AS result FROM known
), changed AS (
    UPDATE sending_message m SET delivery = next.reached, status = next.result,
        charged = CASE WHEN next.counted = (next.result = 'accepted' AND next.reached <> 2) THEN m.charged
            ELSE NOT next.counted END,
        error_code = CASE WHEN next.reached > 2 THEN NULL WHEN next.rank = 2 AND next.reached = 2 THEN next.code
            ELSE m.error_code END,
        error_details = CASE WHEN next.reached > 2 THEN '' WHEN next.rank = 2 AND next.reached = 2 THEN next.details
            ELSE m.error_details END,
        delivered_at = least(m.delivered_at, next.delivered), read_at = least(m.read_at, next.read)
    FROM next WHERE m.id = next.id
    RETURNING m.id, m.batch_id, next.status AS old_status, next.delivery AS old_delivery, next.charged AS old_charged,
        m.status, m.delivery, m.charged, CASE WHEN m.delivery = 2 AND next.delivery < 2 THEN m.error_code END AS code
), move AS (
    SELECT batch_id, old_status, old_delivery, old_charged, status, delivery, charged, code, count(*)::int AS messages,
        array_agg(id ORDER BY id) FILTER (WHERE code IS NOT NULL OR charged AND NOT old_charged) AS ids
    FROM changed GROUP BY batch_id, old_status, old_delivery, old_charged, status, delivery, charged, code
), {books.POSTED}
SELECT batch_id, old_status, old_delivery, old_charged, status, delivery, charged, code, messages, ids FROM move ORDER BY batch_id
"""


def _is_proved_later(change: Change) -> bool:
    """Given back earlier, charged again now."""
    return change.before.status not in RESERVED and change.after.charged and not change.before.charged


def _recharge(changes: Sequence[Change]) -> None:
    by_batch: dict[int, list[int]] = {}
    for change in changes:
        by_batch.setdefault(change.batch_id, []).extend(change.ids)
    for batch_id, messages in sorted(by_batch.items()):
        period_id = Batch.objects.values_list("period_id", flat=True).get(pk=batch_id)
        charged = ledger.recharge(period_id, len(messages), f"batch:{batch_id}")
        Message.objects.filter(pk__in=messages[charged:]).update(charged=False)


def _mark(change: Change) -> Mark | None:
    """Only the report that makes a message fail tells about the person; its repetitions do not."""
    return errors.classify(change.code, asynchronous=True).mark if change.code is not None else None
