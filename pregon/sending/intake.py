"""How people come into the pipe: one message each, whoever is left out included.

A large audience comes in parts, all within the caller's transaction: `add` each, then `close`. `enqueue` does both.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection

from pregon.sending import books
from pregon.sending.books import Move
from pregon.sending.models import Batch
from pregon.sending.outbox import QUEUED

OMITTED_FROM = 500_000_000  # positions of those left out at launch; the queued ones before them count from 0


class Part(NamedTuple):
    """What one `add` took in; `last` is the highest contact id, None where there was nobody."""

    queued: int
    omitted: int
    last: int | None

    @property
    def people(self) -> int:
        return self.queued + self.omitted


def enqueue(batch: Batch, select: str, params: Mapping[str, Any]) -> Part:
    """Freeze a whole audience at once. Joins the caller's transaction."""
    part = add(batch, select, params)
    close(batch)
    return part


def add(batch: Batch, select: str, params: Mapping[str, Any]) -> Part:
    """One message per row of `select`, after those that `batch` counts already (in memory: `close` writes it down).

    `select` gives the columns contact_id, name, mobile, meta_user_id, "values" (text[]) and omission ('' or a reason); its
    parameters are named. Positions follow the contact ids; no contact may come twice, and each part's come after the last's.
    """
    given = {"batch_id": batch.pk, "account_id": batch.account_id, "queued": batch.queued, "omitted": batch.omitted}
    with connection.cursor() as cursor:
        cursor.execute(ADD % {"select": select}, {**params, **given})
        part = Part(*cursor.fetchone())
    batch.queued += part.queued
    batch.omitted += part.omitted
    return part


# `people` needs no sort where the rows come by contact id.
ADD = f"""
WITH audience AS (%(select)s), added AS (
    INSERT INTO sending_message (account_id, batch_id, position, contact_id, name, mobile, meta_user_id, "values",
        status, omission, delivery, charged, attempts, error_details, trace_id, created_at)
    SELECT %%(account_id)s, %%(batch_id)s,
        CASE WHEN omission = '' THEN %%(queued)s + count(*) FILTER (WHERE omission = '') OVER people - 1
            ELSE {OMITTED_FROM} + %%(omitted)s + count(*) FILTER (WHERE omission <> '') OVER people - 1 END,
        contact_id, name, coalesce(mobile, ''), coalesce(meta_user_id, ''), "values",
        CASE WHEN omission = '' THEN 'queued' ELSE 'omitted' END, omission, 0, false, 0, '', '', now()
    FROM audience WINDOW people AS (ORDER BY contact_id ROWS UNBOUNDED PRECEDING)
    RETURNING omission, contact_id
)
SELECT count(*) FILTER (WHERE omission = ''), count(*) FILTER (WHERE omission <> ''), max(contact_id) FROM added
"""


def close(batch: Batch) -> None:
    """Write down how many came in; where nobody is to be sent to, the batch is finished at once."""
    batch.queue_size = batch.queued
    batch.save(update_fields=["queue_size", "queued", "omitted"])
    if batch.queued == 0:
        books.post([Move(batch.pk, QUEUED, QUEUED, 0)])


def trim(batch: Batch, room: int) -> None:
    """Leave out whoever was added beyond `room` queued ones as `cupo_agotado`: those with the highest contact ids."""
    with connection.cursor() as cursor:
        cursor.execute(TRIM, {"batch": batch.pk, "room": room})
    batch.queued, batch.omitted = room, batch.omitted + batch.queued - room


TRIM = """
UPDATE sending_message SET status = 'omitted', omission = 'cupo_agotado', "values" = '{}'
WHERE batch_id = %(batch)s AND position >= %(room)s AND status = 'queued'
"""
