"""What Meta's errors tell about people: who has no WhatsApp, whom to leave in peace for a day, who said no.

Whom the business itself blocked, and a number that Meta does not take, are noted nowhere but in the message that failed: only
the business can mend either, and nobody tells us when it did. The next message finds out, and Meta charges nothing for it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from pregon.contacts import consent
from pregon.contacts.models import Consent, Source
from pregon.sending.models import Message
from pregon.whatsapp.cloud.codes import Mark

REPEATED_DAYS = 30  # 131026 twice within these: the number has no WhatsApp


@transaction.atomic(savepoint=False)
def note(found: Iterable[tuple[int, Mark]], at: datetime | None = None) -> None:
    """Write down what the errors of messages (id, mark) tell about their contacts: all of it, or after an error nothing."""
    by_mark: dict[Mark, list[int]] = {}
    for message_id, mark in found:
        by_mark.setdefault(mark, []).append(message_id)
    moment = at or timezone.now()
    for mark, messages in by_mark.items():
        _note(mark, messages, moment)


def _note(mark: Mark, messages: list[int], at: datetime) -> None:
    match mark:
        case Mark.NO_WHATSAPP:
            _execute(NO_WHATSAPP, messages, at)
        case Mark.WAIT_META:
            _execute("UPDATE contacts_contact SET cooled_at = %(at)s" + WHOSE, messages, at)
        case Mark.OPTED_OUT:
            _withdraw(messages, at)
        case Mark.BLOCKED | Mark.BAD_NUMBER:
            pass


def _execute(sql: str, messages: list[int], at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"at": at, "messages": messages, "days": REPEATED_DAYS})


# Contacts are locked in the order of their ids, as everywhere. What a number did that they have no more (it was corrected, or
# another contact was merged into them) says nothing of the one they have.
WHOSE = """
WHERE id IN (SELECT c.id FROM sending_message AS m JOIN contacts_contact AS c ON c.id = m.contact_id
    WHERE m.id = ANY(%(messages)s) AND m.mobile = coalesce(c.mobile, '') ORDER BY c.id FOR NO KEY UPDATE OF c)
"""
NO_WHATSAPP = (
    """
UPDATE contacts_contact SET undelivered_at = %(at)s, no_whatsapp_at =
    CASE WHEN undelivered_at > %(at)s - make_interval(days => %(days)s) THEN %(at)s ELSE no_whatsapp_at END
"""
    + WHOSE
)


def _withdraw(messages: list[int], at: datetime) -> None:
    """The no of the number that the message went to, whoever has it now (`consent`)."""
    rows = Message.objects.filter(pk__in=messages).select_related("contact", "account").order_by("contact_id")
    for message in rows:
        evidence = {"message": message.pk, "code": 131050}
        if message.contact is not None and message.mobile == (message.contact.mobile or ""):
            consent.record(message.contact, Consent.WITHDRAWN, source=Source.REFUSED, happened_at=at, evidence=evidence)
        elif message.mobile or message.meta_user_id:  # theirs no more: its no is kept all the same
            consent.withdraw_number(
                message.account, message.mobile, user_id=message.meta_user_id, source=Source.REFUSED, happened_at=at,
                evidence=evidence,
            )  # fmt: skip
