"""The other workers, on this machine and on others: how many there are, and how many numbers fall to each.

A worker is a database session of this name whose last statement is fresh: a killed one is gone at once, a frozen or cut off
one after a moment. Nothing is written down.
"""

from dataclasses import dataclass

from django.db import connection

from pregon.sending import leases

NAME = "pregon worker"
FRESH_SECONDS = 2  # several looks


@dataclass(frozen=True, slots=True)
class Scene:
    """`workers` counts this one too; `held` are the numbers that somebody pumps."""

    workers: int
    held: int

    def share(self, free: int) -> int:
        """How many numbers one worker should pump when `free` more have work."""
        return -(-(self.held + free) // self.workers)


def look() -> Scene:
    """Shows the caller's session to the others, and counts them. Call it again within FRESH_SECONDS."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"name": NAME, "fresh": FRESH_SECONDS})
        _name, workers, held = cursor.fetchone()
    return Scene(workers, held)


LOOK = f"""
SELECT set_config('application_name', %(name)s, false), (
    SELECT 1 + count(*) FROM pg_stat_activity
    WHERE application_name = %(name)s AND datname = current_database() AND pid <> pg_backend_pid()
        AND state_change > clock_timestamp() - make_interval(secs => %(fresh)s)
), (
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {leases.LOCK_CLASS} AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""


def leave() -> None:
    """This worker takes no numbers any more: its share falls to the others at once."""
    connection.close()
