"""Keeps the counters of batches and the quota equal to the sum of their messages.

Whoever changes messages reports the change here in the same transaction: in the same statement, by `POSTED` behind a table
expression `move`, or as `Move`s. Locks are always taken in this order: batches (by id), messages, periods (by id). `lock`
takes the first, `post` the last.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson
from django.db import connection

from pregon.quota import ledger
from pregon.sending.models import Status

RESERVED = frozenset({Status.QUEUED, Status.UNCONFIRMED})


class State(NamedTuple):
    """What the books need to know of a message."""

    status: str
    delivery: int
    charged: bool


class Move(NamedTuple):
    """So many messages of a batch went from one state to another."""

    batch_id: int
    before: State
    after: State
    messages: int


def lock(batch_ids: Iterable[int]) -> None:
    """Serialise with everybody else who moves messages of these batches, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [sorted(set(batch_ids))])


LOCK = "SELECT id FROM sending_batch WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def post(moves: Sequence[Move]) -> None:
    """Move the counters of the batches and the quota of their periods."""
    rows = [
        {"batch_id": batch_id, "messages": messages}
        | {"old_status": before.status, "old_delivery": before.delivery, "old_charged": before.charged}
        | after._asdict()
        for batch_id, before, after, messages in moves
    ]
    with connection.cursor() as cursor:
        cursor.execute(POST, [orjson.dumps(rows).decode()])


def _bucket(state: str) -> str:
    """The counter that a message stands in: aceptados are those that Meta took and did not report as failed."""
    return f"CASE WHEN {state}status = 'accepted' AND {state}delivery = 2 THEN 'failed' ELSE {state}status END"


def _delta(column: str, test: str) -> str:
    """`test` is SQL about a state, `{0}` its prefix."""
    return f"sum(messages * (({test.format('')})::int - ({test.format('old_')})::int))::int AS {column}"


BUCKETS = {status: f"{_bucket('{0}')} = '{status}'" for status in Status.values}
REPORTS = {"sent": "{0}delivery IN (1, 3, 4)", "delivered": "{0}delivery IN (3, 4)", "read": "{0}delivery = 4"}
COLUMNS = BUCKETS | REPORTS

# It follows `move(batch_id, old_status, old_delivery, old_charged, status, delivery, charged, messages)`. The last message to
# leave the queue finishes the batch; the last doubt that is settled closes it. Charging again what was given back is
# `statuses`' own. After it `counted(id)` has the batches.
POSTED = f"""
sum_of AS (
    SELECT batch_id, {", ".join(_delta(column, test) for column, test in COLUMNS.items())} FROM move GROUP BY batch_id
), counted AS (
    UPDATE sending_batch b SET {", ".join(f"{column} = b.{column} + s.{column}" for column in COLUMNS)},
        status = CASE WHEN b.queued + s.queued = 0 AND b.status IN ('running', 'paused') THEN 'finished' ELSE b.status END,
        finished_at = CASE WHEN b.queued + s.queued = 0 THEN coalesce(b.finished_at, now()) END,
        closed_at = CASE WHEN b.queued + s.queued + b.unconfirmed + s.unconfirmed = 0 THEN coalesce(b.closed_at, now()) END
    FROM sum_of s WHERE b.id = s.batch_id RETURNING b.id, b.period_id
), charge AS (
    SELECT counted.period_id, kind, sum(messages)::int AS amount, 'batch:' || batch_id AS reference
    FROM (
        SELECT batch_id, messages, CASE
            WHEN old_status IN ('queued', 'unconfirmed') AND status NOT IN ('queued', 'unconfirmed')
                THEN CASE WHEN charged THEN 'consume' ELSE 'release' END
            WHEN old_status NOT IN ('queued', 'unconfirmed') AND old_charged AND NOT charged THEN 'refund'
        END AS kind FROM move
    ) told JOIN counted ON counted.id = batch_id
    WHERE kind IS NOT NULL GROUP BY counted.period_id, kind, batch_id HAVING sum(messages) > 0
), {ledger.CHARGED}
"""
POST = f"""
WITH move AS (
    SELECT * FROM json_to_recordset(%s) AS m(batch_id bigint, old_status text, old_delivery int, old_charged bool, status text,
        delivery int, charged bool, messages int)
), {POSTED} SELECT
"""
