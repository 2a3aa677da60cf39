"""Who may pump a number: a session advisory lock as the fast path, a row with a growing token as the truth.

The lock falls with its holder's database session, so a killed worker is followed within a second. A frozen one keeps the
session: when its row expires, a successor ends that session and takes over with a higher token. A holder that wakes late
finds its token old and writes nothing; before every request it compares its own monotonic clock with the lease.
"""

from django.db import connection

SECONDS = 10  # how long a lease lasts without a flush
LOCK_CLASS = 0x50524547  # "PREG": keeps our advisory locks apart from others in the same database


class Fenced(Exception):
    """Somebody else pumps this number now: stop, write nothing."""


def acquire(number_id: int) -> int | None:
    """The new token, or None while another holder lives. Call it on the connection that will flush."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, number_id])
        if not cursor.fetchone()[0]:
            _end_expired_holder(number_id)
            return None
        cursor.execute(TAKE, [number_id, SECONDS])
        return int(cursor.fetchone()[0])


TAKE = """
INSERT INTO sending_lease (number_id, token, expires_at) VALUES (%s, 1, now() + make_interval(secs => %s))
ON CONFLICT (number_id) DO UPDATE SET token = sending_lease.token + 1, expires_at = excluded.expires_at
RETURNING token
"""


# Part of every flush. No row when the token is old; it locks the row, so that no takeover happens within the flush. What it
# returns is how the number is reached now: `Number.access`.
RENEW = """
UPDATE sending_lease l SET expires_at = now() + make_interval(secs => %s) FROM whatsapp_number n
WHERE l.number_id = %s AND l.token = %s AND n.id = l.number_id RETURNING n.mps, n.practice, n.token_encrypted
"""


def renew(number_id: int, token: int) -> None:
    """Raises `Fenced` when the token is old."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, [SECONDS, number_id, token])
        if cursor.fetchone() is None:
            raise Fenced(number_id)


def release(number_id: int) -> None:
    """Give the number up; the row stays with its token."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, number_id])


# Numbers that somebody lives and pumps: no use in knocking. Read once per look, whatever the numbers with work are.
HELD = f"""
SELECT lease.number_id FROM pg_locks held
JOIN sending_lease lease ON lease.number_id = held.objid::bigint AND lease.expires_at > now()
WHERE held.locktype = 'advisory' AND held.classid = {LOCK_CLASS} AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _end_expired_holder(number_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(END_HOLDER, {"class": LOCK_CLASS, "number": number_id})


END_HOLDER = """
SELECT pg_terminate_backend(held.pid) FROM pg_locks held
WHERE held.locktype = 'advisory' AND held.classid = %(class)s AND held.objid = %(number)s AND held.granted
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND EXISTS (SELECT 1 FROM sending_lease WHERE number_id = %(number)s AND expires_at < now())
"""
