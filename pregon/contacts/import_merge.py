"""What was judged (`import_staging`) becomes contacts, tags and acts of consent: one statement each."""

from datetime import datetime
from typing import Any

from django.db import connection

from pregon.contacts import consent_log
from pregon.contacts.consent_log import Spoken
from pregon.contacts.import_rows import UNIT
from pregon.contacts.models import ContactImport

_ADD = """
INSERT INTO contacts_contact (id, account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent, consent_at,
    source_id, created_at, updated_at)
SELECT contact, %(account)s, name, search, mobile, raw, problem, email, fields,
    CASE WHEN grants THEN 'granted' ELSE 'unknown' END, CASE WHEN grants THEN %(now)s::timestamptz END, %(import)s, %(now)s, %(now)s
FROM judged WHERE arrives ORDER BY contact
"""
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
_TAG = """
INSERT INTO contacts_contact_tags (contact_id, tag_id)
SELECT contact, staged_tag.tag
FROM judged CROSS JOIN unnest(string_to_array(judged.tags, %(unit)s)) AS given JOIN staged_tag ON staged_tag.name = given
WHERE outcome IN ('new', 'updated', 'no_consent', 'to_fix')
ON CONFLICT DO NOTHING
"""
_SAY = """
INSERT INTO contacts_consententry
    (account_id, contact_id, mobile_hash, act, source, happened_at, created_at, actor_id, text, evidence, revives)
SELECT %(account)s, contact, hash, CASE WHEN grants THEN 'granted' ELSE 'withdrawn' END, 'import', %(now)s, %(now)s, %(actor)s,
    CASE WHEN grants THEN %(text)s ELSE '' END, %(evidence)s::jsonb || jsonb_build_object('row', line), false
FROM judged WHERE grants OR outcome = 'opt_out' ORDER BY contact
"""
# Whose standing the rows above do not settle: withdrawals, and newcomers for whose number something was said before.
_OPEN = """
SELECT contact, hash FROM judged
WHERE outcome = 'opt_out' OR arrives AND NOT grants AND mobile IS NOT NULL AND EXISTS (
    SELECT FROM contacts_consententry AS entry WHERE entry.account_id = %(account)s AND entry.mobile_hash = judged.hash
)
"""


def merge(import_: ContactImport, *, now: datetime, text: str, evidence: str) -> None:
    """Saves the judged rows as acts that happened `now`; `text` goes to the grants, `evidence` (JSON) to all."""
    given: dict[str, Any] = {
        "account": import_.account_id,
        "import": import_.pk,
        "actor": import_.created_by_id,
        "now": now,
        "text": text[:300],
        "evidence": evidence,
        "unit": UNIT,
    }
    with connection.cursor() as cursor:
        for statement in (_ADD, _UPDATE, _TAG, _SAY):
            cursor.execute(statement, given)
        cursor.execute(_OPEN, given)
        still_open = [Spoken(*row) for row in cursor]
    consent_log.settle(import_.account_id, still_open)
