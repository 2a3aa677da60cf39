"""Reads kept arrivals once more: after a mistake of ours was mended, or when a database was put back to an earlier day.

What they cause is the same the second time: reports have a rank, replies an id, acts of consent a time; of what Meta says
about templates and accounts only the last word counts, and Meta is asked for it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import connection, transaction

from pregon.webhooks import inbox
from pregon.webhooks.inbox import Kept


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of those that were read, or put aside: all conditions that are given."""

    id: int | None = None
    since: datetime | None = None  # when they came
    failed: bool = False  # only those that could not be read


@dataclass(frozen=True, slots=True)
class Outcome:
    read: int
    failed: int  # of those


CHOSEN = """
processed_at IS NOT NULL AND (%(id)s::bigint IS NULL OR id = %(id)s)
AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s) AND (NOT %(failed)s OR error <> '')
"""


def count(choice: Choice) -> int:
    """How many `replay` would read."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM webhooks_arrival WHERE {CHOSEN}", asdict(choice))
        return int(cursor.fetchone()[0])


def replay(choice: Choice) -> Outcome:
    """Read them in the order in which they came, a group at a time; what arrives meanwhile is the worker's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM webhooks_arrival")
        [end] = cursor.fetchone()
    after = total = failed = 0
    while True:
        group, unreadable = _read_next(choice, after, end)
        if not group:
            return Outcome(total, failed)
        after = max(arrival.id for arrival in group)
        total, failed = total + len(group), failed + unreadable


@transaction.atomic
def _read_next(choice: Choice, after: int, end: int) -> tuple[list[Kept], int]:
    which = f"{CHOSEN} AND id > %(after)s AND id <= %(end)s"
    group, _more = inbox.claim(which, order="id", after=after, end=end, **asdict(choice))
    return group, inbox.read(group, again=True)
