"""Locks the people whom webhook events, or answers to a pump, are about before anything else of the group: the order that all keep.

    the bases of businesses (`consent.lock_base`, by id), contacts by id, then batches, messages and periods (`books`)

So groups that are read at the same time, an import beside them, and whoever deletes contacts wait for each other and never
in a circle. Late are only whoever comes or goes between the look and the lock, and the second half of a group of which one
arrival cannot be read: a deadlock over these costs a repetition.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from pregon.contacts import consent, optin
from pregon.lib import phones
from pregon.sending import references, replies, senders
from pregon.sending.senders import Hidden, Named
from pregon.whatsapp.cloud import errors
from pregon.whatsapp.cloud.codes import Mark
from pregon.whatsapp.cloud.events import Event, PreferenceEvent, StatusEvent, UserChanged


def take(events: Sequence[Event]) -> None:
    """Until the caller's transaction ends nobody else changes the people whom these events may change."""
    moving = [who for event in events if isinstance(event, UserChanged) for who in _moving(event)]
    said, hidden = [*_said(events), *moving], senders.hidden(events)
    _take(list(_failed(events)), said, hidden, [who.account for who in moving])


def take_failed(failed: Sequence[tuple[int, Mark]]) -> None:
    """As `take`, for the failures of messages (ids) that a pump has heard of, and what they tell (`marks.note`)."""
    _take(failed, [], [], [])


def _take(
    failed: Sequence[tuple[int, Mark]], said: Sequence[Named], hidden: Sequence[Hidden], moving: Sequence[int]
) -> None:
    if not (failed or said or hidden):
        return
    params = {
        "said": orjson.dumps(said).decode(), "hidden": orjson.dumps(hidden).decode(),
        "failed": [message for message, _mark in failed],
        "refused": [message for message, mark in failed if mark == Mark.OPTED_OUT],
        "moving": moving,
    }  # fmt: skip
    for account_id, alone in _execute(BASES, params):
        consent.lock_base(account_id, shared=not alone)
    _execute(PEOPLE, params)


def _said(events: Sequence[Event]) -> Iterator[Named]:
    """Who wrote or chose something, and whether they may mean yes or no by it."""
    heard = [*senders.named(events)]
    keywords = optin.keywords({who.account for _event, who in heard})
    for event, who in heard:
        who.speaks = (
            isinstance(event, PreferenceEvent) or replies.asks(event, keywords.get(who.account, "")) is not None
        )
        yield who


def _moving(event: UserChanged) -> Iterator[Named]:
    """By the names they had, and by those they have now."""
    for account in senders.accounts_of([event]).values():
        for number, user_id in ((event.old_number, event.old_user_id), (event.new_number, event.new_user_id)):
            yield Named(account, phones.canonical(number) or "", user_id, event.at or timezone.now())


def _failed(events: Sequence[Event]) -> Iterator[tuple[int, Mark]]:
    """The messages whose failure tells something about the person, and what."""
    for event in events:
        if isinstance(event, StatusEvent) and event.status == "failed" and event.error_code is not None:
            message_id = references.read(event.reference)
            mark = errors.classify(event.error_code, asynchronous=True).mark
            if message_id is not None and mark:
                yield message_id, mark


def _execute(query: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())


# Businesses in whose base somebody is missing for whom something is said, or who gets a number: an import may just be bringing
# it in. Where a contact only gets an id, nobody else may speak for that id meanwhile: this may be shared with an import.
# Who was merged speaks for the number that went, too; who refused a message speaks for the number that it went to, which may
# be nobody's any more (`marks`).
BASES = f"""
SELECT account, bool_or(alone) FROM (
    SELECT account, by_number IS NULL AS alone FROM {senders.SAID}
    WHERE speaks AND by_number IS NULL AND (mobile <> '' OR by_id IS NULL)
        OR mobile <> '' AND user_id <> '' AND by_number IS DISTINCT FROM by_id
    UNION ALL SELECT account, false FROM {senders.HIDDEN} WHERE meta_user_id IS DISTINCT FROM user_id
    UNION ALL SELECT m.account_id, true FROM sending_message AS m LEFT JOIN contacts_contact AS c ON c.id = m.contact_id
        WHERE m.id = ANY(%(refused)s) AND (
            c.id IS NULL OR m.mobile <> coalesce(c.mobile, '') OR EXISTS (SELECT FROM contacts_merge WHERE kept_id = c.id)
        )
    UNION ALL SELECT account, true FROM {senders.SAID} JOIN contacts_merge ON kept_id IN (by_number, by_id) WHERE speaks
    UNION ALL SELECT unnest(%(moving)s::bigint[]), true
) AS touched GROUP BY account ORDER BY account
"""
PEOPLE = f"""
SELECT id FROM contacts_contact WHERE id IN (
    SELECT by_number FROM {senders.SAID}
    UNION SELECT by_id FROM {senders.SAID}
    UNION SELECT contact FROM {senders.HIDDEN}
    UNION SELECT holder.id FROM {senders.HIDDEN} JOIN contacts_contact AS holder
        ON holder.account_id = hidden.account AND holder.meta_user_id = hidden.user_id
    UNION SELECT contact_id FROM sending_message WHERE id = ANY(%(failed)s)
    UNION SELECT c.id FROM sending_message AS m JOIN contacts_contact AS c ON c.account_id = m.account_id AND c.mobile = m.mobile
        WHERE m.id = ANY(%(refused)s)
) ORDER BY id FOR NO KEY UPDATE
"""
