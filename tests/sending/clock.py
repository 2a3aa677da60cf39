"""Time for tests that wait for days: all that happened lies further back."""

from datetime import timedelta

from django.db import connection

MINUTE = timedelta(minutes=1)
AWAY = timedelta(days=9_999)
MOMENTS = (
    ("sending_reached", "minute"), ("sending_reachedminute", "minute"), ("sending_reply", "received_at"),
    ("sending_batch", "held_from"), ("sending_batch", "held_until"), ("sending_batch", "leased_at"),
    ("sending_batch", "ends_at"), ("sending_chunk", "due_at"), ("sending_chunk", "leased_at"),
    ("sending_message", "settled_at"), ("sending_message", "not_before"),
)  # fmt: skip


def later(by: timedelta) -> None:
    """By way of elsewhere: a minute may not meet another on its way."""
    steps = [(table, column, step) for table, column in MOMENTS for step in (by + AWAY, -AWAY)]
    updates = "; ".join(
        f"UPDATE {table} SET {column} = {column} - %s WHERE {column} IS NOT NULL" for table, column, _step in steps
    )
    with connection.cursor() as cursor:
        cursor.execute(updates, [step for _table, _column, step in steps])
