"""Whom webhooks name, and what they teach: which of Meta's user ids is whose.

A person is named by a number, an id, or both (`Named`). Whoever hides their number is named by the id alone: whose it is, then
tells the message of ours that they answer, or that Meta reports on (`Hidden`). Reports that show the number teach nothing that
an answer would not: for them a row of each recipient would be written, with all its index entries.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from pregon.contacts import identities
from pregon.contacts.models import Contact
from pregon.lib import phones
from pregon.sending import references
from pregon.sending.models import Wamid
from pregon.whatsapp.cloud.events import Event, InboundMessage, PreferenceEvent, StatusEvent, UserChanged
from pregon.whatsapp.models import Number

Spoke = InboundMessage | PreferenceEvent


@dataclass(slots=True)
class Named:
    """A person of a business, by number (E.164) and id: either may be empty. `speaks`: and may mean yes or no."""

    account: int
    mobile: str
    user_id: str
    at: datetime
    speaks: bool = False


@dataclass(slots=True)
class Hidden:
    """An id, and a message of ours that went to whom it belongs."""

    phone: str  # Meta's id of the number that sent it
    message: int
    user_id: str
    at: datetime


def learn(events: Sequence[Event]) -> None:
    """Writes down whose each id and number is, before the events are acted on. Their people are locked (`locks.take`)."""
    for event in events:
        if isinstance(event, UserChanged):
            _move(event)
    both = [who for _event, who in named(events) if who.mobile and who.user_id]
    for account, contact, user_id, mobile, at in fetch(NEW_OF_NAMED, said=both):
        if mobile:
            identities.learn_number(account, contact, mobile, at)
        else:
            identities.learn_user_id(account, contact, user_id, at)
    for account, contact, user_id, at in fetch(NEW_OF_HIDDEN, hidden=hidden(events)):
        identities.learn_user_id(account, contact, user_id, at)


def named(events: Sequence[Event]) -> Iterator[tuple[Spoke, Named]]:
    """Who wrote or chose something, to a number of ours."""
    heard = [event for event in events if isinstance(event, Spoke)]
    accounts = accounts_of(heard)
    for event in heard:
        if account := accounts.get(event.phone_number_id):
            mobile = phones.canonical(event.sender) or ""
            yield event, Named(account, mobile, event.user_id, event.at or timezone.now())


def hidden(events: Sequence[Event]) -> list[Hidden]:
    """What reports and answers tell of people who hide their number."""
    told = list(_reported(events))
    wrote = [event for event in events if isinstance(event, InboundMessage) and event.user_id and not event.sender]
    if wrote:
        quoted = Wamid.objects.filter(wamid__in=[event.context_wamid for event in wrote])
        messages = dict(quoted.values_list("wamid", "message_id"))
        for event in wrote:
            message = references.read(event.payload) or messages.get(event.context_wamid)
            if message is not None:
                told.append(Hidden(event.phone_number_id, message, event.user_id, event.at or timezone.now()))
    return told


def _reported(events: Iterable[Event]) -> Iterator[Hidden]:
    for event in events:
        if isinstance(event, StatusEvent) and event.recipient_user_id and not event.recipient:
            message = references.read(event.reference)
            if message is not None:
                yield Hidden(event.phone_number_id, message, event.recipient_user_id, event.at or timezone.now())


def accounts_of(events: Iterable[Spoke | UserChanged]) -> dict[str, int]:
    """By Meta's id of a number the business that has it."""
    asked = {event.phone_number_id for event in events}
    rows = Number.objects.filter(phone_number_id__in=asked) if asked else Number.objects.none()
    return dict(rows.values_list("phone_number_id", "account_id"))


def fetch(query: str, *, said: Sequence[Named] = (), hidden: Sequence[Hidden] = ()) -> list[tuple[Any, ...]]:
    """Rows of a query over SAID or HIDDEN; none when there is nothing to ask about."""
    if not said and not hidden:
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, {"said": orjson.dumps(said).decode(), "hidden": orjson.dumps(hidden).decode()})
        return list(cursor.fetchall())


# Each with the contact who has the number, and the one who has the id.
SAID = """(
    SELECT s.*, by_number.id AS by_number, by_id.id AS by_id, by_id.mobile AS other
    FROM json_to_recordset(%(said)s) AS s(account bigint, mobile text, user_id text, at timestamptz, speaks bool)
    LEFT JOIN contacts_contact AS by_number ON by_number.account_id = s.account AND by_number.mobile = s.mobile
    LEFT JOIN contacts_contact AS by_id ON by_id.account_id = s.account AND by_id.meta_user_id = s.user_id
) AS said"""
# Whoever went by another number then is somebody else by now.
HIDDEN = """(
    SELECT c.account_id AS account, c.id AS contact, c.meta_user_id, h.user_id, h.at
    FROM json_to_recordset(%(hidden)s) AS h(phone text, message bigint, user_id text, at timestamptz)
    JOIN sending_message AS m ON m.id = h.message
    JOIN whatsapp_number AS n ON n.phone_number_id = h.phone AND n.account_id = m.account_id
    JOIN contacts_contact AS c ON c.id = m.contact_id AND c.mobile = m.mobile
) AS hidden"""
# One whose id is a contact's of another number: the number is nobody's yet, and stays so.
NEW_OF_NAMED = f"""
SELECT account, coalesce(by_number, by_id), user_id, CASE WHEN by_number IS NULL THEN mobile END, at FROM {SAID}
WHERE by_number IS DISTINCT FROM by_id AND (by_number IS NOT NULL OR other IS NULL) ORDER BY at
"""
NEW_OF_HIDDEN = (
    f"SELECT account, contact, user_id, at FROM {HIDDEN} WHERE meta_user_id IS DISTINCT FROM user_id ORDER BY at"
)


def _move(event: UserChanged) -> None:
    account, at = accounts_of([event]).get(event.phone_number_id), event.at or timezone.now()
    contact = _who(account, phones.canonical(event.old_number), event.old_user_id) if account else None
    if contact is None:
        return
    mobile = phones.canonical(event.new_number)
    if mobile:
        identities.move(contact.account_id, contact.pk, mobile, event.new_user_id, at)
    elif event.new_user_id:
        identities.learn_user_id(contact.account_id, contact.pk, event.new_user_id, at)


def _who(account: int, mobile: str | None, user_id: str) -> Contact | None:
    people = Contact.objects.filter(account_id=account)
    found = people.filter(mobile=mobile).first() if mobile else None
    return found or (people.filter(meta_user_id=user_id).first() if user_id else None)
