"""Reads the arrivals that were kept, as often as needed: what they cause is the same the second time."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from pregon.webhooks import routing
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import events

log = logging.getLogger(__name__)

GROUP = 1_000  # arrivals read in one transaction,
GROUP_BYTES = 400_000  # and about 1,000 statuses: while they are written, the pumps of their batches wait
TRIES = 5
PRUNE_SLICE = 5_000  # deleted in one transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """An arrival that this transaction claimed."""

    id: int
    received_at: datetime
    body: bytes
    attempts: int  # that failed


@transaction.atomic
def drain() -> bool:
    """Read the next group of waiting arrivals; several workers may do so at once. Returns whether more wait."""
    group, more = claim("processed_at IS NULL", order="attempts, id")
    read(group)
    return more


def claim(which: str, *, order: str, **parameters: Any) -> tuple[list[Kept], bool]:
    """The next group of those, in that order, and whether there are more. It counts as read once this transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")  # what a crash of the database undoes waits again
        sql = CLAIM % {"which": which, "order": order}
        cursor.execute(sql, {**parameters, "group": GROUP, "bytes": GROUP_BYTES})
        rows = cursor.fetchall()
    return [Kept(*row[1:]) for row in rows], bool(rows) and rows[0][0]


# As many as would fit if all were of the first one's size are locked; of these, as many as fit are taken: at least one.
CLAIM = """
WITH size AS (
    SELECT greatest(1, least(%%(group)s, %%(bytes)s / greatest(1, octet_length(body)))) AS places
    FROM webhooks_arrival WHERE %(which)s ORDER BY %(order)s LIMIT 1
), chosen AS (
    SELECT id, attempts, octet_length(body) AS bytes FROM webhooks_arrival WHERE %(which)s
    ORDER BY %(order)s LIMIT (SELECT places FROM size) FOR NO KEY UPDATE SKIP LOCKED
), sized AS (
    SELECT id, sum(bytes) OVER ordered <= %%(bytes)s OR row_number() OVER ordered = 1 AS fits
    FROM chosen WINDOW ordered AS (ORDER BY %(order)s)
), more AS (
    SELECT count(*) = (SELECT places FROM size) OR NOT bool_and(fits) AS more FROM sized
)
UPDATE webhooks_arrival a SET processed_at = clock_timestamp(), error = ''
FROM sized WHERE sized.id = a.id AND sized.fits
RETURNING (SELECT more FROM more), a.id, a.received_at, a.body, a.attempts
"""


def read(group: Sequence[Kept], *, again: bool = False) -> int:
    """Do what they say, `again` or for the first time. Returns how many could not be read: each keeps its error.

    Where a group fails its halves are read, and so on: one that is bad holds up none of the others.
    """
    if not group or _read(group, again=again):
        return 0
    if len(group) == 1:
        return 1
    middle = len(group) // 2
    return read(group[:middle], again=again) + read(group[middle:], again=again)


def _read(group: Sequence[Kept], *, again: bool) -> bool:
    """False when reading failed; a single arrival then waits for its next try, and after some is put aside."""
    try:
        with transaction.atomic():
            routing.route((event for arrival in group for event in _parse(arrival)), again=again)
    except OperationalError:
        raise  # the database's trouble, not theirs
    except Exception as error:
        if len(group) == 1:
            log.exception("could not read arrival %s", group[0].id)
            _note_failure(group[0], error, again=again)
        return False
    return True


def _parse(arrival: Kept) -> list[events.Event]:
    try:
        payload = orjson.loads(arrival.body)
    except orjson.JSONDecodeError:
        Arrival.objects.filter(pk=arrival.id).update(error="not JSON")
        return []
    return [_dated(event, arrival.received_at) for event in events.parse(payload)]


UNDATED = (
    events.InboundMessage | events.PreferenceEvent | events.UserChanged | events.AccountError | events.AccountEvent
)


def _dated(event: events.Event, received_at: datetime) -> events.Event:
    """What was said without a time was said when it came: at every reading."""
    if isinstance(event, UNDATED) and event.at is None:
        return replace(event, at=received_at)
    return event


def _note_failure(arrival: Kept, error: Exception, *, again: bool) -> None:
    """It waits for another try, but for one that was read before: its first time is over."""
    attempts = arrival.attempts + 1
    Arrival.objects.filter(pk=arrival.id).update(
        attempts=attempts,
        error=f"{type(error).__name__}: {error}"[:300],
        processed_at=timezone.now() if again or attempts >= TRIES else None,
    )


def prune() -> int:
    """Forget what came long ago and was read (`PREGON_ARRIVALS_DAYS`), a slice at a time. Returns how many arrivals."""
    old = timezone.now() - timedelta(days=settings.ARRIVALS_DAYS)
    last, deleted, total = 0, -1, 0
    while deleted:
        last, deleted = _prune_after(last, old)
        total += deleted
    return total


def _prune_after(last: int, old: datetime) -> tuple[int, int]:
    """Look at the next slice of ids; returns its last one, and how many went."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, {"last": last, "slice": PRUNE_SLICE, "old": old})
        return cursor.fetchone()  # type: ignore[no-any-return]


# Ids follow the time of arrival, so the first slice without an old one is the end: no index on a time is needed.
PRUNE = """
WITH slice AS (
    SELECT id FROM webhooks_arrival WHERE id > %(last)s ORDER BY id LIMIT %(slice)s
), gone AS (
    DELETE FROM webhooks_arrival a USING slice
    WHERE a.id = slice.id AND a.received_at <= %(old)s AND a.processed_at IS NOT NULL RETURNING a.id
)
SELECT (SELECT coalesce(max(id), 0) FROM slice), (SELECT count(*) FROM gone)
"""
