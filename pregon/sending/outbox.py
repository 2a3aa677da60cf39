"""Messages on their way: put in, leased by chunk, settled, taken back.

A message leaves at most once. Before it may leave, a committed update of its chunk's `horizon` covers its position; after a
crash, what lies below the horizon without a result is in doubt (`unconfirmed`), what lies beyond was never written to.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.sending import books, leases
from pregon.sending.books import Move, State
from pregon.sending.models import Batch, Chunk, Omission, Status
from pregon.whatsapp.models import Number

MAX_CHUNK = 1_000
QUEUED = State(Status.QUEUED, 0, False)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """How many of a batch's people wait to be sent to, and how many are left out."""

    queued: int
    omitted: int


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the pump needs it."""

    id: int
    position: int
    to: str  # E.164, or Meta's user id
    values: Sequence[str]
    attempts: int


@dataclass(frozen=True, slots=True)
class Leased:
    """A chunk with the rows of it that are due."""

    id: int
    batch_id: int
    first: int
    end: int
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Advance:
    """Let the pump send positions `start` to `end` (exclusive) of a chunk."""

    chunk_id: int
    batch_id: int
    start: int
    end: int


def enqueue(batch: Batch, select: str, params: Mapping[str, Any]) -> Enqueued:
    """Freeze an audience: one message per row of `select`, whoever is left out included.

    `select` gives the columns contact_id, name, mobile, meta_user_id, "values" (text[]) and omission ('' or a reason); its
    parameters are named. Those to be sent to come first, by contact id. Joins the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE % {"select": select}, {**params, "batch_id": batch.pk, "account_id": batch.account_id})
        queued, omitted = cursor.fetchone()
    batch.queue_size = batch.queued = queued
    batch.omitted = omitted
    batch.save(update_fields=["queue_size", "queued", "omitted"])
    if queued == 0:
        books.post([Move(batch.pk, QUEUED, QUEUED, 0)])  # nothing to send: finished at once
    return Enqueued(queued, omitted)


ENQUEUE = """
WITH audience AS (%(select)s), added AS (
    INSERT INTO sending_message (account_id, batch_id, position, contact_id, name, mobile, meta_user_id, "values",
        status, omission, delivery, charged, attempts, error_details, trace_id, created_at)
    SELECT %%(account_id)s, %%(batch_id)s, row_number() OVER (ORDER BY omission <> '', contact_id) - 1, contact_id, name,
        coalesce(mobile, ''), coalesce(meta_user_id, ''), "values",
        CASE WHEN omission = '' THEN 'queued' ELSE 'omitted' END, omission, 0, false, 0, '', '', now()
    FROM audience
    RETURNING status
)
SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'omitted') FROM added
"""


def numbers_with_work() -> list[int]:
    """Ids of numbers that nobody pumps and that have something to send now, or a chunk that nobody finished."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS_WITH_WORK)
        return [number_id for (number_id,) in cursor.fetchall()]


# What may leave: the batch runs, its business and its number are not stopped, its time is not over.
RUNNABLE = """
    FROM sending_batch batch
    JOIN accounts_account account ON account.id = batch.account_id AND account.suspended_at IS NULL
    JOIN whatsapp_number number ON number.id = batch.number_id AND number.stopped_at IS NULL
    WHERE batch.status = 'running' AND batch.ends_at > now()
"""
DUE = "SELECT 1 FROM sending_chunk c WHERE c.batch_id = batch.id AND c.state = 'waiting' AND c.due_at <= now()"
NUMBERS_WITH_WORK = f"""
SELECT work.number_id FROM (
    SELECT batch.number_id {RUNNABLE} AND (batch.cursor < batch.queue_size OR EXISTS ({DUE}))
    UNION
    SELECT batch.number_id FROM sending_chunk c JOIN sending_batch batch ON batch.id = c.batch_id WHERE c.state = 'leased'
) work WHERE NOT {leases.HELD}
"""


def lease(number_id: int, size: int) -> Leased | None:
    """The next chunk of a number, of at most `size` positions; its batches take turns. None when nothing is due.

    Call it in a transaction of its own that holds no other batch. Nothing of the chunk may leave before `advance` and its commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(TURN, {"number": number_id})
        turn = cursor.fetchone()
        if turn is None:
            return None
        cursor.execute(TAKE_WAITING, {"batch": turn[0]})
        taken = cursor.fetchone()
        if taken is None:
            cursor.execute(TAKE_NEXT, {"batch": turn[0], "size": min(size, MAX_CHUNK)})
            taken = cursor.fetchone()
        chunk_id, first, end = taken
        return Leased(chunk_id, turn[0], first, end, _due_rows(turn[0], first, end))


TURN = f"""
UPDATE sending_batch SET leased_at = clock_timestamp() WHERE id = (
    SELECT batch.id {RUNNABLE} AND batch.number_id = %(number)s
        AND (batch.cursor < batch.queue_size OR EXISTS ({DUE}))
    ORDER BY batch.leased_at NULLS FIRST, batch.id LIMIT 1 FOR NO KEY UPDATE OF batch
) RETURNING id
"""
TAKE_WAITING = """
UPDATE sending_chunk SET state = 'leased', leased_at = now(), horizon = first, due_at = NULL WHERE id = (
    SELECT id FROM sending_chunk WHERE batch_id = %(batch)s AND state = 'waiting' AND due_at <= now() ORDER BY due_at LIMIT 1
) RETURNING id, first, "end"
"""
TAKE_NEXT = """
WITH next AS (
    SELECT id, cursor AS first, least(cursor + %(size)s, queue_size) AS "end" FROM sending_batch WHERE id = %(batch)s
), moved AS (
    UPDATE sending_batch b SET cursor = next."end" FROM next WHERE b.id = next.id
)
INSERT INTO sending_chunk (batch_id, first, "end", horizon, state, leased_at)
SELECT id, first, "end", first, 'leased', now() FROM next RETURNING id, first, "end"
"""


def _due_rows(batch_id: int, first: int, end: int) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(DUE_ROWS, {"batch": batch_id, "first": first, "end": end})
        return [Row(*row) for row in orjson.loads(cursor.fetchone()[0])]


# Never one of which Meta already reported something, whatever our own row says. As one JSON text: a tenth of the cost per row.
DUE_ROWS = """
SELECT coalesce(json_agg(
    json_build_array(id, position, CASE WHEN mobile <> '' THEN mobile ELSE meta_user_id END, "values", attempts) ORDER BY position
), '[]')::text FROM sending_message
WHERE batch_id = %(batch)s AND position >= %(first)s AND position < %(end)s AND status = 'queued' AND delivery = 0
    AND (not_before IS NULL OR not_before <= now())
"""


def advance(advances: Sequence[Advance]) -> tuple[set[int], set[int]]:
    """Move horizons forward, asking again what was asked at launch: consent, pause, stop, suspension.

    Returns (ids of messages omitted now, ids of chunks that may not go on). Joins the pump's transaction.
    """
    if not advances:
        return set(), set()
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, [orjson.dumps(advances).decode()])
        rows = cursor.fetchall()
    omitted = Counter(batch_id for _message, batch_id, _chunk in rows if batch_id is not None)
    books.post([Move(batch_id, QUEUED, State(Status.OMITTED, 0, False), n) for batch_id, n in omitted.items()])
    moved = {chunk_id for _message, _batch, chunk_id in rows}
    return {message for message, _batch, _chunk in rows if message is not None}, {
        step.chunk_id for step in advances if step.chunk_id not in moved
    }


ADVANCE = f"""
WITH step AS (
    SELECT * FROM json_to_recordset(%s) AS s(chunk_id bigint, batch_id bigint, start int, "end" int)
), going AS (
    SELECT step.* FROM step WHERE step.batch_id IN (SELECT batch.id {RUNNABLE})
), refused AS (
    SELECT m.id, CASE WHEN c.consent = 'withdrawn' THEN '{Omission.OPT_OUT}' ELSE '{Omission.NO_CONSENT}' END AS reason
    FROM going JOIN sending_message m ON m.batch_id = going.batch_id AND m.position >= going.start AND m.position < going."end"
    LEFT JOIN contacts_contact c ON c.id = m.contact_id
    WHERE m.status = 'queued' AND m.delivery = 0 AND (m.not_before IS NULL OR m.not_before <= now())
        AND c.consent IS DISTINCT FROM 'granted'
), omitted AS (
    UPDATE sending_message m SET status = 'omitted', settled_at = now(), omission = refused.reason
    FROM refused WHERE m.id = refused.id RETURNING m.id, m.batch_id
), moved AS (
    UPDATE sending_chunk c SET horizon = going."end" FROM going WHERE c.id = going.chunk_id RETURNING c.id
)
SELECT id, batch_id, NULL FROM omitted UNION ALL SELECT NULL, NULL, id FROM moved
"""


def settle(results: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of messages, with counters and quota: one UPDATE. Joins the pump's transaction, batches locked.

    Each result has id, status (accepted, failed, unconfirmed, or queued to try again after `wait` seconds), code, details,
    trace, wamid; one that comes back without code and details was not tried. A status webhook may have come first: then it
    left whatever the answer was, and an undelivered one is not charged and keeps the reported reason.
    """
    if not results:
        return
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [orjson.dumps(results).decode()])
        moves = [
            Move(batch_id, QUEUED._replace(delivery=delivery), State(status, delivery, charged), count)
            for batch_id, status, delivery, charged, count in cursor.fetchall()
        ]
    books.post(moves)


SETTLE = """
WITH result AS (
    SELECT * FROM json_to_recordset(%s) AS r(id bigint, status text, code int, details text, trace text, wamid text, wait float)
), settled AS (
    UPDATE sending_message m SET
        status = CASE WHEN r.status IN ('unconfirmed', 'queued') AND m.delivery > 0 THEN 'accepted' ELSE r.status END,
        charged = (r.status = 'accepted' OR r.status IN ('unconfirmed', 'queued') AND m.delivery > 0) AND m.delivery <> 2,
        attempts = m.attempts + CASE WHEN r.status = 'queued' AND r.code IS NULL AND r.details = '' THEN 0 ELSE 1 END,
        not_before = CASE WHEN r.status = 'queued' THEN clock_timestamp() + make_interval(secs => greatest(r.wait, 0.05)) END,
        error_code = CASE WHEN m.delivery = 2 THEN m.error_code ELSE r.code END,
        error_details = CASE WHEN m.delivery = 2 THEN m.error_details ELSE r.details END, trace_id = r.trace,
        settled_at = clock_timestamp()
    FROM result r WHERE m.id = r.id AND m.status = 'queued'
    RETURNING m.id, m.batch_id, m.status, m.delivery, m.charged, r.wamid
), named AS (
    INSERT INTO sending_wamid (wamid, message_id) SELECT wamid, id FROM settled WHERE wamid <> '' ON CONFLICT DO NOTHING
)
SELECT batch_id, status, delivery, charged, count(*) FROM settled GROUP BY batch_id, status, delivery, charged
"""


def finish(chunk_ids: Sequence[int]) -> None:
    """Close chunks that the pump is through with; those with messages to try again wait until the first is due."""
    with connection.cursor() as cursor:
        cursor.execute(FINISH, [list(chunk_ids)])


FINISH = """
UPDATE sending_chunk c SET state = CASE WHEN left_over.pending THEN 'waiting' ELSE 'done' END, due_at = left_over.due
FROM sending_chunk own CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS pending, min(coalesce(m.not_before, now())) AS due FROM sending_message m
    WHERE m.batch_id = own.batch_id AND m.position >= own.first AND m.position < own."end" AND m.status = 'queued'
) left_over WHERE own.id = c.id AND c.id = ANY(%s)
"""


def stop_number(number_id: int, reason: str) -> None:
    """Nothing more leaves through this number, until somebody mends it."""
    Number.objects.filter(pk=number_id, stopped_at=None).update(stopped_at=timezone.now(), stop_reason=reason[:200])


@transaction.atomic
def recover(number_id: int) -> int:
    """After taking a number over: what its last holder may have sent without telling is in doubt. Returns how many are."""
    open_chunks = Chunk.objects.filter(batch__number_id=number_id, state=Chunk.State.LEASED)
    books.lock(open_chunks.values_list("batch_id", flat=True))
    chunk_ids = list(open_chunks.values_list("id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(DOUBT, [chunk_ids])
        moves = [
            Move(batch_id, QUEUED._replace(delivery=delivery), State(status, delivery, charged), count)
            for batch_id, status, delivery, charged, count in cursor.fetchall()
        ]
    books.post(moves)
    finish(chunk_ids)
    return sum(move.messages for move in moves if move.after.status == Status.UNCONFIRMED)


# A message that was put back in the queue under this lease has a `not_before` after it: that one is not in doubt. What an
# earlier try was refused for is forgotten: it is not why this one failed, if it did.
DOUBT = """
WITH doubtful AS (
    UPDATE sending_message m SET status = CASE WHEN m.delivery > 0 THEN 'accepted' ELSE 'unconfirmed' END,
        charged = m.delivery > 0 AND m.delivery <> 2, attempts = m.attempts + 1, settled_at = clock_timestamp(),
        error_code = CASE WHEN m.delivery = 2 THEN m.error_code END,
        error_details = CASE WHEN m.delivery = 2 THEN m.error_details ELSE '' END, trace_id = ''
    FROM sending_chunk c
    WHERE c.id = ANY(%s) AND m.batch_id = c.batch_id AND m.position >= c.first AND m.position < c.horizon
        AND m.status = 'queued' AND (m.not_before IS NULL OR m.not_before <= c.leased_at)
    RETURNING m.batch_id, m.status, m.delivery, m.charged
)
SELECT batch_id, status, delivery, charged, count(*) FROM doubtful GROUP BY batch_id, status, delivery, charged
"""


def pause(batch_id: int, reason: str) -> None:
    """Nothing more leaves, after what is out already. Pausing what is not running changes nothing."""
    Batch.objects.filter(pk=batch_id, status=Batch.Status.RUNNING).update(
        status=Batch.Status.PAUSED, pause_reason=reason[:300]
    )


def resume(batch_id: int) -> None:
    """Go on where it stood."""
    Batch.objects.filter(pk=batch_id, status=Batch.Status.PAUSED).update(status=Batch.Status.RUNNING, pause_reason="")


@transaction.atomic
def cancel(batch_id: int) -> int:
    """Stop for good: what has not left is omitted as `cancelado` and released. Returns how many; a second click finds none."""
    books.lock([batch_id])
    Batch.objects.filter(pk=batch_id, status__in=[Batch.Status.RUNNING, Batch.Status.PAUSED]).update(
        status=Batch.Status.CANCELLED, pause_reason=_("Se detuvo a mano")
    )
    return withdraw(batch_id, Omission.CANCELLED)


def withdraw(batch_id: int, reason: Omission) -> int:
    """Leave out whatever is queued and not within a pump's horizon. The batch is locked by the caller."""
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW, {"batch": batch_id, "reason": reason})
        count = int(cursor.rowcount)
    books.post([Move(batch_id, QUEUED, State(Status.OMITTED, 0, False), count)])
    return count


WITHDRAW = """
UPDATE sending_message m SET status = 'omitted', omission = %(reason)s, settled_at = now()
WHERE m.batch_id = %(batch)s AND m.status = 'queued' AND m.delivery = 0 AND NOT EXISTS (
    SELECT 1 FROM sending_chunk c WHERE c.batch_id = %(batch)s AND c.state = 'leased'
        AND m.position >= c.first AND m.position < c.horizon AND (m.not_before IS NULL OR m.not_before <= c.leased_at)
)
"""
