"""What the acts of consent amount to, in one statement.

Per number: withdrawn, if its last withdrawal is not older than its last reviving grant; else granted, if its last grant is not
older than the last time the number left the base; else unknown. A grant that does not revive (a file's) counts for nothing
while a withdrawal stands. Acts for a contact that has neither number nor user id count for that contact. The grants of an import
or a task that was undone count for nothing; what it withdrew stays withdrawn.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection


class Spoken(NamedTuple):
    """For whom an act is spoken."""

    contact: int | None
    """None: nobody in the base has the number."""
    hash: str
    """consent.hash_of the number, or of Meta's user id; empty for a contact without either."""


_SETTLE = """
WITH people (contact, hash) AS (
    SELECT * FROM unnest(%(contacts)s::bigint[], %(hashes)s::text[])
), spoken AS (
    SELECT people.contact, people.hash,
        max(happened_at) FILTER (WHERE act = 'withdrawn') AS no,
        max(happened_at) FILTER (WHERE act = 'granted' AND file.undone_at IS NULL AND task.undone_at IS NULL) AS yes,
        max(happened_at) FILTER (WHERE act = 'granted' AND revives) AS revival,
        max(happened_at) FILTER (WHERE act = 'unknown') AS lapse
    FROM people
    LEFT JOIN contacts_consententry AS entry
        ON entry.account_id = %(account)s AND entry.mobile_hash = hash AND (hash <> '' OR entry.contact_id = contact)
    LEFT JOIN contacts_contactimport AS file ON file.id = entry.import_id
    LEFT JOIN contacts_task AS task ON task.id = entry.task_id
    GROUP BY people.contact, people.hash
), settled AS (
    SELECT contact, hash,
        CASE WHEN no IS NOT NULL AND (revival IS NULL OR no >= revival) THEN 'withdrawn'
            WHEN yes >= coalesce(lapse, '-infinity') THEN 'granted'
            ELSE 'unknown' END AS consent,
        no, yes, lapse
    FROM spoken
), contacts AS (
    UPDATE contacts_contact AS c
    SET consent = settled.consent,
        consent_at = CASE settled.consent WHEN 'withdrawn' THEN no WHEN 'granted' THEN yes ELSE lapse END,
        updated_at = now()
    FROM settled WHERE c.id = settled.contact
), refusals AS (
    INSERT INTO contacts_refusal (account_id, mobile_hash, happened_at)
    SELECT DISTINCT %(account)s::bigint, hash, no FROM settled WHERE consent = 'withdrawn' AND hash <> ''
    ON CONFLICT (account_id, mobile_hash) DO UPDATE SET happened_at = excluded.happened_at
)
DELETE FROM contacts_refusal AS refusal USING settled
WHERE refusal.account_id = %(account)s AND refusal.mobile_hash = settled.hash AND settled.consent <> 'withdrawn'
"""


def settle(account_id: int, people: Sequence[Spoken]) -> None:
    """Writes what all acts of these people amount to into `Contact` and `Refusal`. Their contacts are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "account": account_id,
                "contacts": [person.contact for person in people],
                "hashes": [person.hash for person in people],
            },
        )
