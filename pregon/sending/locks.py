"""Locks the people whom webhook events are about before anything else of the group: the order that all keep.

    the bases of businesses (`consent.lock_base`, by id), contacts by id, then batches, messages and periods (`books`)

So groups that are read at the same time, an import beside them, and whoever deletes contacts wait for each other and never
in a circle. Late are only whoever comes or goes between the look and the lock, and the second half of a group of which one
arrival cannot be read: a deadlock over these costs a repetition.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from django.db import connection

from pregon.contacts import consent, optin
from pregon.lib import phones
from pregon.sending import references, replies
from pregon.whatsapp.cloud import errors
from pregon.whatsapp.cloud.events import Event, InboundMessage, PreferenceEvent, StatusEvent
from pregon.whatsapp.models import Number


def take(events: Sequence[Event]) -> None:
    """Until the caller's transaction ends nobody else changes the people whom these events may change."""
    said, failed = list(_said(events)), list(_failed(events))
    if said or failed:
        params = {"said": orjson.dumps(said).decode(), "failed": failed}
        for (account_id,) in _execute(STRANGERS, params):
            consent.lock_base(account_id)
        _execute(PEOPLE, params)


def _said(events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    """Who wrote or chose something; `consent`: and may mean yes or no by it."""
    heard = [event for event in events if isinstance(event, InboundMessage | PreferenceEvent)]
    numbers = Number.objects.filter(phone_number_id__in={event.phone_number_id for event in heard})
    accounts = dict(numbers.values_list("phone_number_id", "account_id"))
    keywords = optin.keywords(set(accounts.values()))
    for event in heard:
        if account_id := accounts.get(event.phone_number_id):
            mobile = phones.canonical(event.sender) or ""
            speaks = isinstance(event, PreferenceEvent) or replies.asks(event, keywords.get(account_id, "")) is not None
            yield {"account": account_id, "mobile": mobile, "user_id": event.user_id, "consent": speaks}


def _failed(events: Sequence[Event]) -> Iterator[int]:
    """The messages whose failure tells something about the person."""
    for event in events:
        if isinstance(event, StatusEvent) and event.status == "failed" and event.error_code is not None:
            message_id = references.read(event.reference)
            if message_id is not None and errors.classify(event.error_code, asynchronous=True).mark:
                yield message_id


def _execute(query: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())


SAID = """
WITH said AS (
    SELECT * FROM json_to_recordset(%(said)s) AS s(account bigint, mobile text, user_id text, consent bool)
)
"""
# Businesses in whose base a number is missing for which something is said: an import may just be bringing it in.
STRANGERS = f"""
{SAID} SELECT DISTINCT account FROM said WHERE consent AND mobile <> '' AND NOT EXISTS (
    SELECT 1 FROM contacts_contact c WHERE c.account_id = said.account AND c.mobile = said.mobile
) ORDER BY account
"""
PEOPLE = f"""
{SAID} SELECT id FROM contacts_contact WHERE id IN (
    SELECT c.id FROM said JOIN contacts_contact c ON c.account_id = said.account AND c.mobile = said.mobile
    UNION SELECT c.id FROM said JOIN contacts_contact c ON c.account_id = said.account AND c.meta_user_id = said.user_id
    WHERE said.user_id <> ''
    UNION SELECT contact_id FROM sending_message WHERE id = ANY(%(failed)s)
) ORDER BY id FOR NO KEY UPDATE
"""
