"""Ends what time ends: broadcasts that ran out of it, and doubts that nobody can settle any more."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from pregon.sending import books, outbox
from pregon.sending.books import Move, State
from pregon.sending.models import Batch, Omission, Status

DOUBT_DAYS = 7  # Meta retries its webhooks for as long


def expire() -> int:
    """Leave out what did not leave before its batch's end, or came back to the queue of a cancelled one. Returns how many."""
    over = Q(ends_at__lte=timezone.now()) | Q(status=Batch.Status.CANCELLED)
    batches = Batch.objects.filter(over, queued__gt=0).order_by("id").values_list("pk", "status")
    return sum(_expire(batch_id, Batch.Status(status)) for batch_id, status in batches)


def _expire(batch_id: int, status: Batch.Status) -> int:
    return outbox.withdraw(batch_id, Omission.CANCELLED if status == Batch.Status.CANCELLED else Omission.EXPIRED)


def close() -> int:
    """Close as failed what has been unconfirmed for a week, and release it. Returns how many messages."""
    old = timezone.now() - timedelta(days=DOUBT_DAYS)
    doubtful = Batch.objects.filter(unconfirmed__gt=0, created_at__lte=old).order_by("id").values_list("pk", flat=True)
    return sum(_close(batch_id) for batch_id in doubtful)


@transaction.atomic
def _close(batch_id: int) -> int:
    books.lock([batch_id])
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, {"batch": batch_id, "days": DOUBT_DAYS})
        moves = [
            Move(batch_id, State(Status.UNCONFIRMED, delivery, False), State(Status.FAILED, delivery, False), count)
            for delivery, count in cursor.fetchall()
        ]
    books.post(moves)
    return sum(move.messages for move in moves)


CLOSE = """
WITH closed AS (
    UPDATE sending_message SET status = 'failed', error_details = '', settled_at = now()
    WHERE batch_id = %(batch)s AND status = 'unconfirmed' AND settled_at <= now() - make_interval(days => %(days)s)
    RETURNING delivery
)
SELECT delivery, count(*) FROM closed GROUP BY delivery
"""
