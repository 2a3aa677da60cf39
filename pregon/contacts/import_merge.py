"""What was judged (`import_staging`) becomes contacts, tags and acts of consent: one statement each."""

import json
from datetime import datetime
from typing import Any

from django.db import connection

from pregon.contacts import changes, consent, consent_log, statements
from pregon.contacts.consent import Act
from pregon.contacts.consent_log import Spoken
from pregon.contacts.models import Consent, ContactImport, Source

_ADD = """
INSERT INTO contacts_contact (id, account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent, consent_at,
    source_id, created_at, updated_at)
SELECT contact, %(account)s, name, search, mobile, raw, problem, email, fields,
    CASE WHEN grants THEN 'granted' ELSE 'unknown' END, CASE WHEN grants THEN %(now)s::timestamptz END, %(import)s, %(now)s, %(now)s
FROM judged WHERE arrives
"""
_REMEMBER = """
WITH kept AS (
    INSERT INTO contacts_before (import_id, contact_id, name, search, email, fields, new_tags, changed_at)
    SELECT %(import)s, c.id, c.name, c.search, c.email, c.fields, ARRAY(
        SELECT unnest(tag_ids) EXCEPT SELECT has.tag_id FROM contacts_contact_tags AS has WHERE has.contact_id = c.id
    ), %(now)s
    FROM judged JOIN contacts_contact AS c ON c.id = judged.contact WHERE NOT arrives AND outcome IN ('updated', 'no_consent')
    RETURNING *
)
""" + changes.sql(
    changes.Source.IMPORT,
    """(
    SELECT contact_id, kept.name AS old_name, coalesce(nullif(judged.name, ''), kept.name) AS new_name,
        kept.email AS old_email, coalesce(nullif(judged.email, ''), kept.email) AS new_email,
        kept.fields AS old_fields, kept.fields || judged.fields AS new_fields, '{}'::bigint[] AS old_tags, new_tags
    FROM kept JOIN judged ON judged.contact = contact_id
) AS pair""",
)
_UPDATE = """
UPDATE contacts_contact AS c
SET name = CASE WHEN judged.name = '' THEN c.name ELSE judged.name END,
    search = CASE WHEN judged.name = '' THEN c.search ELSE judged.search END,
    email = CASE WHEN judged.email = '' THEN c.email ELSE judged.email END,
    fields = c.fields || judged.fields,
    consent = CASE WHEN grants THEN 'granted' ELSE c.consent END,
    consent_at = CASE WHEN grants THEN %(now)s ELSE c.consent_at END,
    updated_at = %(now)s
FROM judged WHERE c.id = judged.contact AND NOT arrives AND outcome IN ('updated', 'no_consent')
"""
_TAG_NEW = (
    "INSERT INTO contacts_contact_tags (contact_id, tag_id) SELECT contact, unnest(tag_ids) FROM judged WHERE arrives"
)
_TAG_KNOWN = """
INSERT INTO contacts_contact_tags (contact_id, tag_id)
SELECT contact, unnest(tag_ids) FROM judged WHERE NOT arrives AND outcome IN ('updated', 'no_consent')
ON CONFLICT DO NOTHING
"""
_SAY = """
INSERT INTO contacts_consententry
    (account_id, contact_id, mobile_hash, act, source, happened_at, created_at, actor_id, import_id, row_no, text, evidence,
    revives)
SELECT %(account)s, contact, hash, CASE WHEN grants THEN 'granted' ELSE 'withdrawn' END, 'import', %(now)s, %(now)s, %(actor)s,
    %(import)s, line, CASE WHEN grants THEN %(text)s ELSE '' END, %(evidence)s::jsonb, false
FROM judged WHERE grants OR outcome = 'opt_out'
"""
# A list of opt-outs may name a number whose contact was merged into another: its no is the person's. The number itself may be
# withdrawn already, and the person have come back since by the one that was kept.
_MERGED = """
SELECT DISTINCT kept_id FROM judged JOIN contacts_merge AS merge
    ON merge.account_id = %(account)s AND merge.lost_mobile = judged.mobile
JOIN contacts_contact AS kept ON kept.id = kept_id
WHERE judged.contact IS NULL AND (outcome = 'opt_out' OR %(list)s AND outcome = 'withdrawn' AND kept.consent <> 'withdrawn')
"""
_WITHDRAWN = "SELECT contact FROM judged JOIN contacts_merge ON kept_id = contact WHERE outcome = 'opt_out'"
# Whose standing the rows above do not settle: withdrawals, and newcomers for whose number something was said before.
_OPEN = """
SELECT contact, hash FROM judged
WHERE outcome = 'opt_out' OR arrives AND NOT grants AND mobile IS NOT NULL AND (
    SELECT true FROM contacts_consententry AS entry
    WHERE entry.account_id = %(account)s AND entry.mobile_hash = judged.hash LIMIT 1
)
"""
# Settling is no change: an undo takes these newcomers back as well.
_AS_CREATED = """
UPDATE contacts_contact AS c SET updated_at = created_at
FROM judged WHERE c.id = judged.contact AND arrives AND c.updated_at <> c.created_at
"""


def lock() -> list[int]:
    """Locks the contacts that the judged rows change, so that no act of consent comes in between. Returns the rows' lines."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT contact, line FROM judged WHERE {_CHANGE}")
        found = dict(cursor)
        if found:
            cursor.execute(
                "SELECT FROM contacts_contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(found)]
            )
    return list(found.values())


_CHANGE = "NOT arrives AND contact IS NOT NULL AND outcome IN ('updated', 'no_consent', 'opt_out')"


def merge(import_: ContactImport, *, now: datetime, text: str, evidence: str, known: bool) -> None:
    """Saves the judged rows as acts that happened `now`; `text` goes to the grants, `evidence` (JSON) to all.

    `known`: some of them are about contacts that were there before.
    """
    given: dict[str, Any] = {
        "account": import_.account_id,
        "import": import_.pk,
        "actor": import_.created_by_id,
        "now": now,
        "text": text[:300],
        "evidence": evidence,
        "list": import_.statement == statements.OPT_OUT,
    }
    with connection.cursor() as cursor:
        for statement in (_ADD, _TAG_NEW, *((_REMEMBER, _UPDATE, _TAG_KNOWN) if known else ()), _SAY):
            cursor.execute(statement, given)
        cursor.execute(_OPEN, given)
        still_open = [Spoken(*row) for row in cursor]
        if still_open:
            consent_log.settle(import_.account_id, still_open)
            cursor.execute(_AS_CREATED)
        _withdraw_merged(import_, given)


def _withdraw_merged(import_: ContactImport, given: dict[str, Any]) -> None:
    """Whoever two contacts became is withdrawn with either number, and so is the other number."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAWN, given)
        withdrawn = {contact for (contact,) in cursor}
        cursor.execute(_MERGED, given)
        named = {kept for (kept,) in cursor} - withdrawn
    if not withdrawn and not named:
        return
    said = Act(
        consent=Consent.WITHDRAWN,
        source=Source.IMPORT,
        happened_at=given["now"],
        actor=import_.created_by,
        evidence=json.loads(given["evidence"]),
    )
    consent.withdraw_lost(import_.account_id, withdrawn, said)
    consent.record_many(import_.account, named, said)
