"""Meta's limit of people in 24 hours, kept across the numbers of one Meta business.

It counts the different people that a business writes to first; those who wrote to the number within 24 hours are free. People
are reserved when a chunk is leased and stay counted whatever becomes of their message: Meta does not say whether one that
failed counts, and a figure that only grows within its day is one that can be planned with. Source: Meta's "Messaging limits".

Each person is a row (`Reached`), each minute a sum of them (`ReachedMinute`), so that the count costs no more as the people
grow. Without a limit nothing is written; when one comes, what was sent within the day is counted first.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from pregon.sending.models import Reached, ReachedMinute, Window
from pregon.whatsapp.models import Number, Portfolio

# A quarter of an hour more than Meta's: a message leaves that long after its chunk was leased at most, and minutes are whole.
SLACK = timedelta(minutes=15)
SPAN = timedelta(hours=24) + SLACK
FREE = timedelta(hours=24) - SLACK  # whose last message is younger is free, and still will be when ours leaves
TIMES: Mapping[str, Any] = {"span": SPAN, "free": FREE}


def reserve(number_id: int, batch_id: int, first: int, end: int) -> int:
    """Count the people due at these positions of a batch as written to; returns the position from which on they do not fit.

    Joins the transaction of a lease, whose batch is locked; holds the business until it ends.
    """
    portfolio_id, limit, counted = _one(LIMIT, number=number_id)
    if limit is None:
        if counted:  # from now on nobody is: a later limit begins with the past
            for known in (Reached, ReachedMinute, Window):
                known.objects.filter(portfolio=portfolio_id).delete()
        return end
    _lock(portfolio_id)
    places = {"number": number_id, "batch": batch_id, "first": first, "end": end}
    return int(_one(RESERVE, portfolio=portfolio_id, limit=limit, **places)[0])


LIMIT = """
SELECT p.id, p.daily_limit, EXISTS (SELECT 1 FROM sending_window WHERE portfolio_id = p.id)
FROM whatsapp_number n JOIN whatsapp_portfolio p ON p.id = n.portfolio_id WHERE n.id = %(number)s
"""


def _lock(portfolio_id: int) -> None:
    """One at a time for a business. A statement of its own: only what begins once the lock is held sees what others counted."""
    if Window.objects.select_for_update(no_key=True).filter(pk=portfolio_id).exists():
        return
    Window.objects.bulk_create([Window(pk=portfolio_id)], ignore_conflicts=True)
    Window.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_PAST, {"portfolio": portfolio_id, **TIMES})


# Whoever was tried within the day, also before there was a limit. Made by two at once, the second finds it done.
COUNT_PAST = """
WITH past AS (
    SELECT hashtextextended(CASE WHEN mobile <> '' THEN mobile ELSE meta_user_id END, %(portfolio)s) AS person,
        date_trunc('minute', max(m.settled_at)) AS minute
    FROM whatsapp_number n JOIN sending_batch b ON b.number_id = n.id JOIN sending_message m ON m.batch_id = b.id
    WHERE n.portfolio_id = %(portfolio)s AND b.leased_at > now() - %(span)s
        AND m.attempts > 0 AND m.settled_at > now() - %(span)s
    GROUP BY 1
), counted AS (
    INSERT INTO sending_reached (portfolio_id, person, minute) SELECT %(portfolio)s, person, minute FROM past
    ON CONFLICT DO NOTHING RETURNING minute
)
INSERT INTO sending_reachedminute AS m (portfolio_id, minute, people)
SELECT %(portfolio)s, minute, count(*) FROM counted GROUP BY minute
ON CONFLICT (portfolio_id, minute) DO UPDATE SET people = m.people + excluded.people
"""

# The people due, each once, those new to the day numbered in their order; the first whose number is above what is left ends
# the chunk. Whoever is counted already moves to this minute.
RESERVE = """
WITH due AS (
    SELECT hashtextextended(CASE WHEN m.mobile <> '' THEN m.mobile ELSE m.meta_user_id END, %(portfolio)s) AS person,
        min(m.position) AS position
    FROM sending_message m
    WHERE m.batch_id = %(batch)s AND m.position >= %(first)s AND m.position < %(end)s AND m.status = 'queued'
        AND m.delivery = 0 AND (m.not_before IS NULL OR m.not_before <= now()) AND NOT EXISTS (
            SELECT 1 FROM sending_reply r
            WHERE r.contact_id = m.contact_id AND r.number_id = %(number)s AND r.received_at > now() - %(free)s
        )
    GROUP BY 1
), known AS (
    SELECT due.*, r.minute AS before FROM due LEFT JOIN sending_reached r
        ON r.portfolio_id = %(portfolio)s AND r.person = due.person AND r.minute > now() - %(span)s
), numbered AS (
    SELECT *, count(*) FILTER (WHERE before IS NULL) OVER (ORDER BY position) AS nth FROM known
), room AS (
    SELECT %(limit)s - coalesce(sum(people), 0) AS people FROM sending_reachedminute
    WHERE portfolio_id = %(portfolio)s AND minute > now() - %(span)s
), stop AS (
    SELECT coalesce(min(position), %(end)s) AS position FROM numbered, room WHERE before IS NULL AND nth > room.people
), taken AS (
    SELECT numbered.* FROM numbered, stop WHERE numbered.position < stop.position
), people AS (
    INSERT INTO sending_reached (portfolio_id, person, minute)
    SELECT %(portfolio)s, person, date_trunc('minute', now()) FROM taken
    ON CONFLICT (portfolio_id, person) DO UPDATE SET minute = excluded.minute
), left_behind AS (
    UPDATE sending_reachedminute m SET people = m.people - moved.people
    FROM (SELECT before, count(*) AS people FROM taken WHERE before < date_trunc('minute', now()) GROUP BY before) moved
    WHERE m.portfolio_id = %(portfolio)s AND m.minute = moved.before
), counted AS (
    INSERT INTO sending_reachedminute AS m (portfolio_id, minute, people)
    SELECT %(portfolio)s, date_trunc('minute', now()), count(*) FROM taken
    WHERE before IS NULL OR before < date_trunc('minute', now()) HAVING count(*) > 0
    ON CONFLICT (portfolio_id, minute) DO UPDATE SET people = m.people + excluded.people
)
SELECT position FROM stop
"""


def hold(batch_id: int, chunk_id: int | None) -> None:
    """Nobody of the batch fits: it waits until the first people leave the day. Joins the lease's transaction.

    Of a chunk that came back to the queue only that one waits: others may hold people who are counted already.
    """
    query = HOLD if chunk_id is None else HOLD_CHUNK
    with connection.cursor() as cursor:
        cursor.execute(query, {"batch": batch_id, "chunk": chunk_id, **TIMES})


FREED = """
SELECT coalesce((
    SELECT min(minute) + %(span)s FROM (
        SELECT minute, sum(people) OVER () - sum(people) OVER (ORDER BY minute) AS remaining FROM sending_reachedminute
        WHERE portfolio_id = p.id AND minute > now() - %(span)s
    ) days WHERE remaining < p.daily_limit
), now() + interval '1 minute') AS at
FROM sending_batch b JOIN whatsapp_number n ON n.id = b.number_id JOIN whatsapp_portfolio p ON p.id = n.portfolio_id
WHERE b.id = %(batch)s
"""
# `held_from` stays: it says when the next quiet hours begin. The time to wait is not taken from the batch's own: others of the
# business may have come after it and share its people of the day.
LASTS = "CASE WHEN promotion IS NULL THEN ends_at ELSE greatest(ends_at, freed.at + interval '1 day') END"
HOLD = f"""
WITH freed AS ({FREED})
UPDATE sending_batch SET hold = 'limit', held_until = freed.at, ends_at = {LASTS} FROM freed WHERE id = %(batch)s
"""
HOLD_CHUNK = f"""
WITH freed AS ({FREED}), held AS (UPDATE sending_chunk SET due_at = freed.at FROM freed WHERE id = %(chunk)s)
UPDATE sending_batch SET ends_at = {LASTS} FROM freed WHERE id = %(batch)s
"""


def full(portfolio: Portfolio) -> bool:
    """Whether it may write to nobody new now."""
    if portfolio.daily_limit is None:
        return False
    return sum(people for _leave, people in minutes(portfolio.pk, timezone.now())) >= portfolio.daily_limit


# Of contacts: whom Meta does not count, because they wrote to the number, or because they are counted already.
WROTE = """id IN (
    SELECT contact_id FROM sending_reply WHERE account_id = %(account)s AND number_id = %(reach_number)s
        AND received_at > %(wrote_since)s AND contact_id IS NOT NULL
)"""
AGAIN = """hashtextextended(coalesce(mobile, meta_user_id), %(reach_portfolio)s) IN (
    SELECT person FROM sending_reached WHERE portfolio_id = %(reach_portfolio)s AND minute > %(reached_since)s
)"""


def free_params(number: Number | None, now: datetime) -> dict[str, Any]:
    """For `WROTE` and `AGAIN`, beside the `account`. Where there is no limit nobody is free: it makes no difference."""
    limited = number is not None and number.portfolio.daily_limit is not None
    return {
        "reach_number": number.pk if number and limited else None,
        "reach_portfolio": number.portfolio_id if number and limited else None,
        "wrote_since": now - FREE,
        "reached_since": now - SPAN,
    }


def minutes(portfolio_id: int, now: datetime) -> list[tuple[datetime, int]]:
    """(when they leave the day, how many people), the first to leave first."""
    rows = ReachedMinute.objects.filter(portfolio=portfolio_id, minute__gt=now - SPAN, people__gt=0).order_by("minute")
    return [(minute + SPAN, people) for minute, people in rows.values_list("minute", "people")]


def prune() -> None:
    """Forget whom the day no longer counts, one business at a time: a lease of the same business waits for it."""
    for portfolio_id in Window.objects.order_by("pk").values_list("pk", flat=True):
        _prune(portfolio_id)


@transaction.atomic
def _prune(portfolio_id: int) -> None:
    _lock(portfolio_id)
    before = {"portfolio": portfolio_id, "minute__lte": timezone.now() - SPAN}
    Reached.objects.filter(**before).delete()
    ReachedMinute.objects.filter(**before).delete()


def _one(query: str, **params: Any) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query, {**params, **TIMES})
        row: tuple[Any, ...] = cursor.fetchone()
        return row
