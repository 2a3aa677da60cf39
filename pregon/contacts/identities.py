"""A person's number and Meta's id of them: webhooks name either or both, and say when one of them has changed.

Meta is taken at its word, whatever came last; what it says never joins two contacts, but proposes them as a pair (`pairs`).
Consent goes along with the person: what was said under the id alone belongs to the number once it is known, and a no follows to
a new number, or to the other contact of a pair. Callers hold no contact before these take the account's base
(`consent.lock_base`).
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from pregon.accounts.models import Account, User
from pregon.contacts import changes, consent, pairs
from pregon.contacts.models import Change, Consent, ConsentEntry, Contact, MobileProblem, Source
from pregon.lib import text

WHATSAPP = Change.Source.WHATSAPP


@transaction.atomic
def add(account: Account, user_id: str, name: str) -> Contact:
    """The contact of someone who wrote and hides their number; what they said before still holds."""
    consent.lock_base(account.pk)
    found = account.contacts.filter(meta_user_id=user_id).first()
    if found is not None:
        return found
    name = " ".join(name.split())[:120]
    contact = Contact.objects.create(account=account, name=name, search=text.words(name)[:160], meta_user_id=user_id)
    changes.arrived(contact, source=WHATSAPP)
    consent.settle_contact(contact)
    return contact


@transaction.atomic
def learn_user_id(account_id: int, contact_id: int, user_id: str, at: datetime) -> None:
    """Meta calls this contact so, as of then."""
    consent.lock_base(account_id, shared=True)
    locked = _locked(account_id, contact_id, "meta_user_id", at, Q(meta_user_id=user_id))
    if locked is None or locked.meta_user_id == user_id or _taken(locked, meta_user_id=user_id):
        return
    before, old = changes.state(locked), locked.meta_user_id
    Contact.objects.filter(pk=locked.pk).update(meta_user_id=user_id)  # nobody worked on them: `updated_at` stays
    locked.meta_user_id = user_id
    consent.hand_over(locked, consent.hash_of(None, user_id if locked.mobile else old))
    changes.note(locked, before, source=WHATSAPP, at=at)


@transaction.atomic
def learn_number(account_id: int, contact_id: int, mobile: str, at: datetime) -> None:
    """This contact, of whom Meta's id alone was known, has this number (E.164), as of then."""
    consent.lock_base(account_id)
    locked = _locked(account_id, contact_id, "mobile", at, Q(mobile=mobile))
    if locked is None or locked.mobile or _taken(locked, mobile=mobile):
        return
    before = changes.state(locked)
    locked.mobile, locked.mobile_raw, locked.mobile_problem = mobile, mobile, MobileProblem.NONE
    locked.save(update_fields=["mobile", "mobile_raw", "mobile_problem"])
    consent.settle_contact(locked)
    consent.hand_over(locked, consent.hash_of(None, locked.meta_user_id))
    changes.note(locked, before, source=WHATSAPP, at=at)


@transaction.atomic
def move(account_id: int, contact_id: int, mobile: str, user_id: str, at: datetime) -> None:
    """The person has another number (E.164) since then, and another user id, which may be unknown (empty)."""
    consent.lock_base(account_id)
    locked = _locked(account_id, contact_id, "mobile", at, Q(mobile=mobile) | Q(meta_user_id=user_id))
    if locked is None or locked.mobile == mobile or locked.created_at > at:
        return
    user_id = "" if user_id == locked.meta_user_id else user_id  # ids change with the number: this is the old one
    if _taken(locked, mobile=mobile):  # the old number is theirs no more all the same
        consent.lapse([locked], actor=None, source=Source.META, at=at)
        return
    before = changes.state(locked)
    locked.mobile_raw = mobile
    renumber(locked, mobile, actor=None, at=at, user_id="" if _taken(locked, meta_user_id=user_id) else user_id)
    changes.note(locked, before, source=WHATSAPP, at=at)


def renumber(
    contact: Contact, mobile: str, *, actor: User | None, at: datetime | None = None, user_id: str | None = None
) -> None:
    """Gives a locked contact another number, a free one, and another user id unless it is None. A yes stays with the old ones.

    So does the no of a number that somebody typed another for; one of the person, who said it without a number, or moved to
    this one in WhatsApp (`at`: then), goes along.
    """
    source = Source.META if at else Source.PANEL
    no_at = contact.consent_at if contact.consent == Consent.WITHDRAWN and (at or not contact.mobile) else None
    evidence = _moved(contact)
    consent.lapse([contact], actor=actor, source=source, at=at)
    contact.mobile, contact.mobile_problem = mobile, MobileProblem.NONE
    contact.meta_user_id = contact.meta_user_id if user_id is None else user_id or None
    contact.undelivered_at = contact.no_whatsapp_at = contact.cooled_at = contact.last_inbound_at = None  # of the old
    contact.save()
    consent.settle_contact(contact)
    if no_at:
        consent.record(contact, Consent.WITHDRAWN, source=source, happened_at=no_at, actor=actor, evidence=evidence)


def _locked(account_id: int, contact_id: int, name: str, at: datetime, others: Q) -> Contact | None:
    """The contact; `others` are locked with it. None: it is gone, or something newer is known of this (`changes.state`)."""
    rows = Contact.objects.select_for_update(no_key=True).filter(account_id=account_id).order_by("id")
    found = {contact.pk: contact for contact in rows.filter(others | Q(pk=contact_id))}.get(contact_id)
    return None if found is None or changes.known_since(found, name, at) else found


def _taken(contact: Contact, **whose: str) -> bool:
    """Whether another contact has it: the two may be one, which people decide. A no of either holds for both until then."""
    other = Contact.objects.filter(account_id=contact.account_id, **whose).exclude(pk=contact.pk).first()
    if other is None:
        return False
    pairs.note(contact, other)
    _pass_no(contact, other)
    _pass_no(other, contact)
    return True


def _pass_no(one: Contact, other: Contact) -> None:
    """With its time, so that what the other said after it still counts; once, for Meta says so with every message."""
    no_at = one.consent_at
    if one.consent != Consent.WITHDRAWN or other.consent == Consent.WITHDRAWN or no_at is None:
        return
    nos = ConsentEntry.objects.filter(account_id=other.account_id, act=Consent.WITHDRAWN, happened_at__gte=no_at)
    if not nos.filter(mobile_hash=consent.spoken(other).hash).exists():
        consent.record(other, Consent.WITHDRAWN, source=Source.META, happened_at=no_at, evidence=_moved(one))


def _moved(contact: Contact) -> dict[str, Any]:
    """What a no of theirs comes from: another number, or Meta's id of them."""
    if contact.mobile:
        return {"moved": True}
    return {"moved": "id"} if contact.meta_user_id else {}
