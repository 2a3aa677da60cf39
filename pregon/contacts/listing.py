"""What a list shows of people, read at once: themselves, their labels, and the act that made them what they are."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from pregon.contacts import consent

QUERY = """
SELECT c.id, c.name, c.mobile, c.mobile_raw, c.mobile_problem, c.meta_user_id, c.consent, c.source_id, c.created_at,
    ARRAY(
        SELECT t.name FROM contacts_contact_tags AS has JOIN contacts_tag AS t ON t.id = has.tag_id
        WHERE has.contact_id = c.id ORDER BY t.name
    )
FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted (id, place) JOIN contacts_contact AS c ON c.id = wanted.id
ORDER BY wanted.place
"""
# Of the number that they have: what was said with another counts for that one.
SAID = """
SELECT wanted.id, act, source, text, evidence, happened_at
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS wanted (id, consent, hash), LATERAL (
    SELECT act, source, text, evidence, happened_at FROM contacts_consententry AS e
    WHERE e.contact_id = wanted.id AND e.act = wanted.consent AND e.mobile_hash = wanted.hash
    ORDER BY happened_at DESC, id DESC LIMIT 1
) AS said
"""


class Act(NamedTuple):
    """As `history.tell` takes it."""

    act: str
    source: str
    text: str
    evidence: dict[str, Any]
    happened_at: datetime


class Person(NamedTuple):
    """A contact's columns, and what belongs to it."""

    pk: int
    name: str
    mobile: str | None
    mobile_raw: str
    mobile_problem: str
    meta_user_id: str | None
    consent: str
    source_id: int | None
    created_at: datetime
    tags: list[str]
    said: Act | None
    """Why the permission is what it is; None: nobody said anything."""


def read(ids: Sequence[int]) -> list[Person]:
    """In the order of the ids; whoever is gone is left out."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY, [list(ids)])
        people = [Person._make([*row, None]) for row in cursor.fetchall()]
        hashes = [consent.hash_of(person.mobile, person.meta_user_id) for person in people]
        cursor.execute(SAID, [[person.pk for person in people], [person.consent for person in people], hashes])
        said = {pk: _act(*row) for pk, *row in cursor.fetchall()}
    return [person._replace(said=said.get(person.pk)) for person in people]


def _act(act: str, source: str, text: str, evidence: str, happened_at: datetime) -> Act:
    return Act(act, source, text, json.loads(evidence), happened_at)
