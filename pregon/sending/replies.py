"""What people answer: who it was, to which message, and whether they ask not to be written to any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.contacts import consent, identities, optin
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, ConsentEntry, Contact, Source
from pregon.lib import phones, text
from pregon.sending import references
from pregon.sending.models import Message, Reply, Wamid
from pregon.whatsapp.cloud.events import InboundMessage, PreferenceEvent
from pregon.whatsapp.models import Number


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote: a number, Meta's id, or both; and the contact they are, if any."""

    number: Number  # which they wrote to
    mobile: str
    user_id: str

    @property
    def account(self) -> Account:
        return self.number.account

    def contact(self) -> Contact | None:
        people = Contact.objects.filter(account=self.account)
        found = people.filter(mobile=self.mobile).first() if self.mobile else None
        return found or (people.filter(meta_user_id=self.user_id).first() if self.user_id else None)


def receive(events: Iterable[InboundMessage]) -> None:
    """Keep each reply once, open the person's 24 h window, and do what a keyword or the opt-out button asks."""
    for event in events:
        sender = _sender(event.phone_number_id, event.sender, event.user_id)
        if sender is not None:
            _receive(event, sender)


def prefer(events: Iterable[PreferenceEvent]) -> None:
    """Choices made in WhatsApp's own settings."""
    for event in events:
        sender = _sender(event.phone_number_id, event.sender, event.user_id)
        if sender is not None and event.choice in {"stop", "resume", "signup"}:
            act = Consent.WITHDRAWN if event.choice == "stop" else Consent.GRANTED
            evidence = {"choice": event.choice} | ({"signup": event.signup_id} if event.signup_id else {})
            said = Act(consent=act, source=Source.META, happened_at=event.at or timezone.now(), evidence=evidence)
            contact = sender.contact()
            if contact is None and event.choice == "signup":
                contact = _newcomer(sender, event.profile_name)
            _prefer(sender, contact, said)


def _prefer(sender: Sender, contact: Contact | None, said: Act) -> None:
    """Once: a choice has no id, but nobody makes the same one twice in the same second."""
    entries = ConsentEntry.objects.filter(account=sender.account, source=said.source)
    unknown = consent.hash_of(sender.mobile, sender.user_id)
    of_them = entries.filter(contact=contact) if contact else entries.filter(mobile_hash=unknown)
    if not of_them.filter(act=said.consent, happened_at=said.happened_at).exists():
        _consent(sender, contact, said)


def _sender(phone_number_id: str, digits: str, user_id: str) -> Sender | None:
    """None when the number is not one of ours: Meta is answered with 200 all the same."""
    number = Number.objects.select_related("account").filter(phone_number_id=phone_number_id).first()
    mobile = phones.canonical(digits) or ""
    if number is None or not (mobile or user_id):
        return None
    return Sender(number, mobile, user_id)


@transaction.atomic
def _receive(event: InboundMessage, sender: Sender) -> None:
    at = event.at or timezone.now()
    contact, message = sender.contact(), _answered(event, sender.account)
    said = asks(event, optin.keywords({sender.account.pk}).get(sender.account.pk, ""))
    reply = Reply(
        wamid=event.wamid, account=sender.account, number=sender.number, contact=contact, message=message,
        batch_id=message.batch_id if message else None, text=_clean(event.text), opted_out=said == Consent.WITHDRAWN,
        received_at=at,
    )  # fmt: skip
    if not _insert_once(reply):
        return
    if said:
        contact = _obey(event, sender, contact, _act(event, said, at))
    if contact is not None:
        _note_alive(contact, at)


def _act(event: InboundMessage, said: Consent, at: datetime) -> Act:
    source = Source.BUTTON if event.kind in {"button", "interactive"} else Source.REPLY
    return Act(consent=said, source=source, happened_at=at, text=_clean(event.text), evidence={"wamid": event.wamid})


def _obey(event: InboundMessage, sender: Sender, contact: Contact | None, said: Act) -> Contact | None:
    """Returns the contact, new for a stranger who says yes."""
    yes = said.consent == Consent.GRANTED
    mobile = sender.mobile or (contact.mobile if contact else None) or ""
    heard = optin.heard(sender.account, mobile, said) if yes else None
    if yes and contact is None:
        contact = _newcomer(sender, heard.name if heard and heard.name else event.profile_name)
        Reply.objects.filter(wamid=event.wamid).update(contact=contact)
    _consent(sender, contact, heard.said if heard else said)
    return contact


def _newcomer(sender: Sender, name: str) -> Contact | None:
    """Whoever says yes without being a contact becomes one; who hides their number, by Meta's id."""
    if sender.mobile:
        return optin.newcomer(sender.account, sender.mobile, _clean(name))
    return identities.add(sender.account, sender.user_id, _clean(name))


def _answered(event: InboundMessage, account: Account) -> Message | None:
    """The message of ours it answers: by the button's payload, else by the quoted message's id."""
    message_id = references.read(event.payload.removesuffix(references.OPT_OUT))
    if message_id is None and event.context_wamid:
        message_id = Wamid.objects.filter(wamid=event.context_wamid).values_list("message_id", flat=True).first()
    return Message.objects.filter(pk=message_id, account=account).first() if message_id is not None else None


def asks(event: InboundMessage, keyword: str = "") -> Consent | None:
    """What a keyword, the code of a form or the opt-out button says: yes, no, or nothing of the kind.

    `keyword` is the account's own for yes (`optin.keywords`).
    """
    if event.payload.startswith(references.PREFIX) and event.payload.endswith(references.OPT_OUT):
        return Consent.WITHDRAWN
    asked = text.optout_keyword(event.text)
    if asked == "stop":
        return Consent.WITHDRAWN
    own = keyword and text.clean_keyword(event.text) == keyword
    return Consent.GRANTED if asked or own or optin.code_in(event.text) else None


def _clean(written: str) -> str:
    return written.replace("\0", "")


def _insert_once(reply: Reply) -> bool:
    """False for a repetition: Meta delivers at least once."""
    if Reply.objects.filter(wamid=reply.wamid).exists():
        return False
    Reply.objects.bulk_create([reply], ignore_conflicts=True)
    return True


def _note_alive(contact: Contact, at: datetime) -> None:
    """Whoever writes has WhatsApp, and may be written to freely for a day."""
    latest = Greatest(Coalesce(F("last_inbound_at"), Value(at)), Value(at))
    Contact.objects.filter(pk=contact.pk).update(last_inbound_at=latest, undelivered_at=None, no_whatsapp_at=None)


def _consent(sender: Sender, contact: Contact | None, said: Act) -> None:
    """What is said counts for the number it is said from; a no also for whoever Meta's id names beside it."""
    details: dict[str, Any] = {
        "source": said.source, "happened_at": said.happened_at, "text": said.text, "ip": said.ip, "evidence": said.evidence,
    }  # fmt: skip
    if contact is not None and (not sender.mobile or contact.mobile == sender.mobile):
        consent.record(contact, said.consent, **details)
    else:
        note = consent.withdraw_number if said.consent == Consent.WITHDRAWN else consent.grant_number
        note(sender.account, sender.mobile, user_id=sender.user_id, **details)
    if said.consent == Consent.WITHDRAWN and sender.mobile and sender.user_id:
        others = Contact.objects.filter(account=sender.account, meta_user_id=sender.user_id)
        for other in others.exclude(mobile=sender.mobile):
            consent.record(other, Consent.WITHDRAWN, **details)
