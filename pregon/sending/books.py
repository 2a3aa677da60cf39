"""Keeps the counters of batches and the quota equal to the sum of their messages.

Whoever changes messages reports the change here in the same transaction, as `Move`s. Locks are always taken in this
order: batches (by id), messages, periods (by id). `lock` takes the first, `post` the last.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection

from pregon.quota import ledger
from pregon.sending.models import Delivery, Status

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
        cursor.execute(
            "SELECT id FROM sending_batch WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [sorted(set(batch_ids))]
        )


def post(moves: Sequence[Move]) -> None:
    """Move the counters of the batches, then the quota of their periods."""
    by_batch: dict[int, list[Move]] = defaultdict(list)
    for move in moves:
        by_batch[move.batch_id].append(move)
    periods = [(_count(batch_id, by_batch[batch_id]), batch_id) for batch_id in sorted(by_batch)]
    for period_id, batch_id in sorted(periods):
        _charge(period_id, f"batch:{batch_id}", by_batch[batch_id])


def bucket(status: str, delivery: int) -> str:
    """The counter that a message stands in: aceptados are those that Meta took and did not report as failed."""
    if status == Status.ACCEPTED and delivery == Delivery.FAILED:
        return Status.FAILED
    return status


def _columns(state: State) -> list[str]:
    reports = {Delivery.SENT: 1, Delivery.DELIVERED: 2, Delivery.READ: 3}.get(Delivery(state.delivery), 0)
    return [bucket(state.status, state.delivery), *("sent", "delivered", "read")[:reports]]


def _count(batch_id: int, moves: list[Move]) -> int:
    deltas: Counter[str] = Counter()
    for move in moves:
        for column in _columns(move.before):
            deltas[column] -= move.messages
        for column in _columns(move.after):
            deltas[column] += move.messages
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {column: deltas[column] for column in COLUMNS} | {"batch": batch_id})
        return int(cursor.fetchone()[0])


COLUMNS = ("queued", "accepted", "failed", "unconfirmed", "omitted", "sent", "delivered", "read")
# The last message to leave the queue finishes the batch; the last doubt that is settled closes it.
COUNT = f"""
UPDATE sending_batch SET {", ".join(f"{column} = {column} + %({column})s" for column in COLUMNS)},
    status = CASE WHEN queued + %(queued)s = 0 AND status IN ('running', 'paused') THEN 'finished' ELSE status END,
    finished_at = CASE WHEN queued + %(queued)s = 0 THEN coalesce(finished_at, now()) END,
    closed_at = CASE WHEN queued + %(queued)s + unconfirmed + %(unconfirmed)s = 0 THEN coalesce(closed_at, now()) END
WHERE id = %(batch)s RETURNING period_id
"""


def _charge(period_id: int, reference: str, moves: list[Move]) -> None:
    totals = Counter[str]()
    for move in moves:
        totals[_kind(move.before, move.after)] += move.messages
    ledger.consume(period_id, totals["consume"], reference)
    ledger.release(period_id, totals["release"], reference)
    ledger.refund(period_id, totals["refund"], reference)


def _kind(before: State, after: State) -> str:
    """What a move does to the quota. Charging again what was given back is `statuses.recharge`'s."""
    if before.status in RESERVED:
        return "" if after.status in RESERVED else "consume" if after.charged else "release"
    return "refund" if before.charged and not after.charged else ""
