"""Messages on their way: put in, leased by chunk, settled, taken back.

A message leaves at most once. Before it may leave, a committed update of its chunk's `horizon` covers its position; after a
crash, what lies below the horizon without a result is in doubt (`unconfirmed`), what lies beyond was never written to.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.sending import books, health, leases, reach
from pregon.sending.books import Move, State
from pregon.sending.models import Batch, Chunk, Omission, Status
from pregon.whatsapp.models import Number

log = logging.getLogger(__name__)
MAX_CHUNK = 1_000
SLICE = 5_000  # positions that are left out in one transaction
AT_ONCE = 100_000  # positions that a click leaves out itself
QUEUED = State(Status.QUEUED, 0, False)


class Row(NamedTuple):  # one per message: a frozen dataclass costs five times as much to make
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


def numbers_with_work() -> list[int]:
    """Ids of numbers that nobody pumps and that have something to send now, or a chunk that nobody finished."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS_WITH_WORK)
        return [number_id for (number_id,) in cursor.fetchall()]


# The batch runs, its business and its number are not stopped, its time is not over: not even since this transaction began,
# which may have waited for `sweep.expire` to leave out the rest.
RUNNABLE = """
    FROM sending_batch batch
    JOIN accounts_account account ON account.id = batch.account_id AND account.suspended_at IS NULL
    JOIN whatsapp_number number ON number.id = batch.number_id AND number.stopped_at IS NULL
    WHERE batch.status = 'running' AND batch.ends_at > clock_timestamp()
"""
AWAKE = "(batch.held_until IS NULL OR batch.held_until <= now() OR batch.held_from > now() AND batch.hold <> 'limit')"
# Meta's limit holds whoever is new; who was reserved before may go on, until the next quiet hours (`held_from`).
RESERVED = "(batch.hold = 'limit' AND (batch.held_from IS NULL OR batch.held_from > now()))"
DUE = "SELECT 1 FROM sending_chunk c WHERE c.batch_id = batch.id AND c.state = 'waiting' AND c.due_at <= now()"
WORK = f"({AWAKE} AND batch.cursor < batch.queue_size OR ({AWAKE} OR {RESERVED}) AND EXISTS ({DUE}))"
NUMBERS_WITH_WORK = f"""
SELECT work.number_id FROM (
    SELECT batch.number_id {RUNNABLE} AND {WORK}
    UNION
    SELECT batch.number_id FROM sending_chunk c JOIN sending_batch batch ON batch.id = c.batch_id WHERE c.state = 'leased'
) work WHERE work.number_id NOT IN ({leases.HELD})
"""


def lease(number_id: int, size: int) -> Leased | None:
    """The next chunk of a number, of at most `size` positions; its batches take turns. None when nothing is due.

    Call it in a transaction of its own that holds no other batch. Nothing of the chunk may leave before `advance` and its commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(TURN, {"number": number_id, "size": min(size, MAX_CHUNK)})
        turn = cursor.fetchone()
    if turn is None:
        return None
    batch_id, chunk_id, first, end = turn
    fitting = reach.reserve(number_id, batch_id, first, end)
    if fitting == first:
        reach.hold(batch_id, chunk_id)
        return None
    return _take(batch_id, chunk_id, first, fitting)


# What came back to the queue goes before what was never tried.
TURN = f"""
WITH turn AS (
    UPDATE sending_batch SET leased_at = clock_timestamp() WHERE id = (
        SELECT batch.id {RUNNABLE} AND batch.number_id = %(number)s AND {WORK}
        ORDER BY batch.leased_at NULLS FIRST, batch.id LIMIT 1 FOR NO KEY UPDATE OF batch
    ) RETURNING id, cursor, least(cursor + %(size)s, queue_size) AS "end"
)
SELECT turn.id, back.id, coalesce(back.first, turn.cursor), coalesce(back."end", turn."end")
FROM turn LEFT JOIN LATERAL (
    SELECT c.id, c.first, c."end" FROM sending_chunk c
    WHERE c.batch_id = turn.id AND c.state = 'waiting' AND c.due_at <= now() ORDER BY c.due_at LIMIT 1
) back ON true
"""


def _take(batch_id: int, chunk_id: int | None, first: int, end: int) -> Leased:
    if chunk_id is None:
        take = (TAKE_NEXT, [end, batch_id, batch_id, first, end, first])
    else:
        take = (TAKE_WAITING, [end, end, chunk_id, end, end, chunk_id])
    [(taken,)], [(rows,)] = _run([take, (DUE_ROWS, [batch_id, first, end])])
    return Leased(taken, batch_id, first, end, list(map(Row._make, orjson.loads(rows))))


TAKE_WAITING = """
WITH rest AS (
    INSERT INTO sending_chunk (batch_id, first, "end", horizon, state, due_at)
    SELECT batch_id, %s, "end", %s, 'waiting', now() FROM sending_chunk WHERE id = %s AND "end" > %s
)
UPDATE sending_chunk SET state = 'leased', leased_at = now(), horizon = first, due_at = NULL, "end" = %s WHERE id = %s
RETURNING id
"""
TAKE_NEXT = """
WITH moved AS (UPDATE sending_batch SET cursor = %s WHERE id = %s)
INSERT INTO sending_chunk (batch_id, first, "end", horizon, state, leased_at) VALUES (%s, %s, %s, %s, 'leased', now())
RETURNING id
"""
# Never one of which Meta already reported something, whatever our own row says. As one JSON text: a tenth of the cost per row.
DUE_ROWS = """
SELECT coalesce(json_agg(
    json_build_array(id, position, CASE WHEN mobile <> '' THEN mobile ELSE meta_user_id END, "values", attempts) ORDER BY position
), '[]')::text FROM sending_message
WHERE batch_id = %s AND position >= %s AND position < %s AND status = 'queued' AND delivery = 0
    AND (not_before IS NULL OR not_before <= now())
"""


@dataclass(frozen=True, slots=True)
class Flush:
    """What a pump writes at once: what became of messages, what may leave next, which chunks it is through with."""

    batches: Collection[int]  # whose chunks it holds
    results: Sequence[Mapping[str, Any]] = ()
    advances: Sequence[Advance] = ()
    finished: Sequence[int] = ()

    @property
    def empty(self) -> bool:
        return not (self.results or self.advances or self.finished)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which of the advances hold: all but these."""

    refused: Collection[int] = ()  # messages whose person may not be written to any more
    halted: Collection[int] = ()  # chunks whose batch, number or business was stopped
    access: tuple[Any, ...] = ()  # `Number.access` as it is now


def flush(number_id: int, token: int, flush: Flush) -> Allowed:
    """Renew the lease, settle, move the horizons, finish: one request to the database, in the pump's transaction.

    Raises `leases.Fenced` when the token is old: the caller's transaction must then be rolled back.
    """
    statements: list[tuple[str, Sequence[Any]]] = [
        (leases.RENEW, [leases.SECONDS, number_id, token]),
        (books.LOCK, [sorted(flush.batches)]),
    ]
    statements += [(SETTLE, [orjson.dumps(flush.results).decode()])] if flush.results else []
    statements += [(health.WATCH, health.params(flush.batches))] if health.suspect(flush.results) else []
    statements += [(FINISH, [list(flush.finished)])] if flush.finished else []
    statements += [(ADVANCE, [orjson.dumps(flush.advances).decode()])] if flush.advances else []
    found = dict(zip((sql for sql, _params in statements), _run(statements), strict=True))
    if not found[leases.RENEW]:
        raise leases.Fenced(number_id)
    health.note(found.get(health.WATCH, ()))
    allowed = _allowed(flush.advances, found[ADVANCE]) if flush.advances else Allowed()
    return replace(allowed, access=found[leases.RENEW][0])


def _run(statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
    """The rows of each, in one trip: while a pump sends, each trip waits for its turn at the interpreter."""
    with connection.cursor() as cursor:
        cursor.execute(";".join(sql for sql, _params in statements), [p for _sql, params in statements for p in params])
        found = [cursor.fetchall() if cursor.description else []]
        while cursor.nextset():
            found.append(cursor.fetchall() if cursor.description else [])
        return found


def _allowed(advances: Sequence[Advance], rows: Sequence[tuple[Any, ...]]) -> Allowed:
    moved = {chunk_id for _message, chunk_id in rows}
    return Allowed(
        {message for message, _chunk in rows if message is not None},
        {step.chunk_id for step in advances if step.chunk_id not in moved},
    )


# Moves the horizons, asking again what was asked at launch: consent, pause, stop, suspension; and whether Meta reported a
# message meanwhile that it had refused before: then it left, and `FINISH` settles it.
ADVANCE = f"""
WITH step AS (
    SELECT * FROM json_to_recordset(%s) AS s(chunk_id bigint, batch_id bigint, start int, "end" int)
), going AS (
    SELECT step.* FROM step WHERE step.batch_id IN (SELECT batch.id {RUNNABLE} AND ({AWAKE} OR {RESERVED}))
), refused AS (
    SELECT m.id, m.delivery, CASE WHEN c.consent = 'withdrawn' THEN '{Omission.OPT_OUT}' ELSE '{Omission.NO_CONSENT}' END AS reason
    FROM going JOIN sending_message m ON m.batch_id = going.batch_id AND m.position >= going.start AND m.position < going."end"
    LEFT JOIN contacts_contact c ON c.id = m.contact_id
    WHERE m.status = 'queued' AND (m.not_before IS NULL OR m.not_before <= now())
        AND (m.delivery > 0 OR c.consent IS DISTINCT FROM 'granted')
), omitted AS (
    UPDATE sending_message m SET status = 'omitted', settled_at = now(), omission = refused.reason
    FROM refused WHERE m.id = refused.id AND refused.delivery = 0 RETURNING m.id, m.batch_id
), moved AS (
    UPDATE sending_chunk c SET horizon = going."end" FROM going WHERE c.id = going.chunk_id RETURNING c.id
), move AS (
    SELECT batch_id, 'queued' AS old_status, 0 AS old_delivery, false AS old_charged, 'omitted' AS status, 0 AS delivery,
        false AS charged, count(*)::int AS messages FROM omitted GROUP BY batch_id
), {books.POSTED}
SELECT id, NULL FROM refused UNION ALL SELECT NULL, id FROM moved
"""


# Writes what became of messages, with counters and quota: one UPDATE a message. Each result has id and either wamid, where
# Meta accepted it, or status (failed, unconfirmed, or queued to try again after `wait` seconds), code, details, trace; one that
# comes back without a code did not reach Meta. A status webhook may have come first: then Meta took it whatever the
# answer was, and an undelivered one is not charged and keeps the reported reason.
SETTLE = f"""
WITH result AS (
    SELECT id, coalesce(status, 'accepted') AS status, code, coalesce(details, '') AS details, coalesce(trace, '') AS trace,
        coalesce(wait, 0) AS wait, wamid
    FROM json_to_recordset(%s) AS r(id bigint, status text, code int, details text, trace text, wamid text, wait float)
), settled AS (
    UPDATE sending_message m SET
        status = CASE WHEN m.delivery = 0 THEN r.status ELSE 'accepted' END,
        charged = (r.status = 'accepted' OR m.delivery > 0) AND m.delivery <> 2,
        attempts = m.attempts + CASE WHEN r.status = 'queued' AND r.code IS NULL THEN 0 ELSE 1 END,
        not_before = CASE WHEN r.status = 'queued' THEN clock_timestamp() + make_interval(secs => greatest(r.wait, 0.05)) END,
        error_code = CASE WHEN m.delivery = 2 THEN m.error_code WHEN m.delivery < 2 THEN r.code END,
        error_details = CASE WHEN m.delivery = 2 THEN m.error_details WHEN m.delivery < 2 THEN r.details ELSE '' END,
        trace_id = r.trace,
        settled_at = clock_timestamp()
    FROM result r WHERE m.id = r.id AND m.status = 'queued'
    RETURNING m.id, m.batch_id, m.status, m.delivery, m.charged, r.wamid
), named AS (
    INSERT INTO sending_wamid (wamid, message_id) SELECT wamid, id FROM settled WHERE wamid IS NOT NULL ON CONFLICT DO NOTHING
), move AS (
    SELECT batch_id, 'queued' AS old_status, delivery AS old_delivery, false AS old_charged, status, delivery, charged,
        count(*)::int AS messages FROM settled GROUP BY batch_id, status, delivery, charged
), {books.POSTED} SELECT
"""


def finish(chunk_ids: Sequence[int]) -> None:
    """Close chunks that the pump is through with; those with messages to try again wait until the first is due."""
    with connection.cursor() as cursor:
        cursor.execute(FINISH, [list(chunk_ids)])


FINISH = f"""
WITH own AS (
    SELECT * FROM sending_chunk WHERE id = ANY(%s)
), told AS (
    UPDATE sending_message m SET status = 'accepted', charged = m.delivery <> 2, settled_at = clock_timestamp()
    FROM own WHERE m.batch_id = own.batch_id AND m.position >= own.first AND m.position < own."end" AND m.status = 'queued'
        AND m.delivery > 0
    RETURNING m.batch_id, m.status, m.delivery, m.charged
), finished AS (
    UPDATE sending_chunk c SET state = CASE WHEN left_over.pending THEN 'waiting' ELSE 'done' END, due_at = left_over.due
    FROM own CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS pending, min(coalesce(m.not_before, now())) AS due FROM sending_message m
        WHERE m.batch_id = own.batch_id AND m.position >= own.first AND m.position < own."end" AND m.status = 'queued'
            AND m.delivery = 0
    ) left_over WHERE own.id = c.id
), move AS (
    SELECT batch_id, 'queued' AS old_status, delivery AS old_delivery, false AS old_charged, status, delivery, charged,
        count(*)::int AS messages FROM told GROUP BY batch_id, status, delivery, charged
), {books.POSTED} SELECT
"""


def stop_number(number_id: int, reason: str) -> None:
    """Nothing more leaves through this number, until somebody mends it."""
    going = Number.objects.filter(pk=number_id, stopped_at=None)
    if going.update(stopped_at=timezone.now(), stop_reason=reason[:200]):
        log.warning("number %s stopped: %s", number_id, reason, extra={"number": number_id})


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
    UPDATE sending_message m SET
        status = CASE WHEN m.delivery = 0 THEN 'unconfirmed' ELSE 'accepted' END,
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


def pause(batch_id: int, reason: str, cause: Batch.Cause = Batch.Cause.ENGINE) -> None:
    """Nothing more leaves, after what is out already. Pausing what is not running changes nothing."""
    running = Batch.objects.filter(pk=batch_id, status=Batch.Status.RUNNING)
    paused = running.update(status=Batch.Status.PAUSED, pause_reason=reason[:300], pause_cause=cause)
    if paused and cause != Batch.Cause.PERSON:
        log.warning("batch %s paused (%s): %s", batch_id, cause, reason, extra={"batch": batch_id, "cause": str(cause)})


def resume(batch_id: int) -> None:
    """Go on where it stood."""
    Batch.objects.filter(pk=batch_id, status=Batch.Status.PAUSED).update(
        status=Batch.Status.RUNNING, pause_reason="", pause_cause=Batch.Cause.NONE, watched_from=F("cursor")
    )


def cancel(batch_id: int) -> int:
    """Stop for good: what has not left is omitted as `cancelado` and released. Returns how many; a second click finds none.

    Of a very long list the rest is left out within a minute, by `sweep`: nothing of it leaves meanwhile.
    """
    Batch.objects.filter(pk=batch_id, status__in=[Batch.Status.RUNNING, Batch.Status.PAUSED]).update(
        status=Batch.Status.CANCELLED, pause_reason=_("Se detuvo a mano")
    )
    return withdraw(batch_id, Omission.CANCELLED, most=AT_ONCE)


def withdraw(batch_id: int, reason: Omission, *, most: int | None = None) -> int:
    """Leave out whatever is queued and not within a pump's horizon, `most` positions or all. Returns how many messages.

    In slices, each committed where the caller has no transaction: the number's pump does not wait for all of them.
    """
    size, count = Batch.objects.values_list("queue_size", flat=True).get(pk=batch_id), 0
    for first in range(0, min(size, most or size), SLICE):
        count += _withdraw(batch_id, reason, first)
    return count


@transaction.atomic
def _withdraw(batch_id: int, reason: Omission, first: int) -> int:
    books.lock([batch_id])
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW, {"batch": batch_id, "reason": reason, "first": first, "end": first + SLICE})
        count = int(cursor.rowcount)
    books.post([Move(batch_id, QUEUED, State(Status.OMITTED, 0, False), count)])
    return count


WITHDRAW = """
UPDATE sending_message m SET status = 'omitted', omission = %(reason)s, settled_at = now()
WHERE m.batch_id = %(batch)s AND m.position >= %(first)s AND m.position < %(end)s
    AND m.status = 'queued' AND m.delivery = 0 AND NOT EXISTS (
    SELECT 1 FROM sending_chunk c WHERE c.batch_id = %(batch)s AND c.state = 'leased'
        AND m.position >= c.first AND m.position < c.horizon AND (m.not_before IS NULL OR m.not_before <= c.leased_at)
)
"""
