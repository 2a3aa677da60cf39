"""May we write to them? The one door to permission.

    consent.record(contact, Consent.WITHDRAWN, source=Source.REPLY, happened_at=event.time, text="BAJA")
    consent.withdraw_number(account, "+525512345678", source=Source.REPLY, happened_at=event.time)

Every act is a row of `ConsentEntry`, under the keyed hash of the number it was said for: consent belongs to the number; of
whoever hides it, to Meta's id of the person, until the number is known (`hand_over`).
`Contact.consent`, `Contact.consent_at` and `Refusal` are nothing but what these rows amount to (`consent_log`), written in the
transaction of the act: the sending pipe may ask `consent = 'granted'` on the contact's own row.

- The act with the latest *event* time wins, whatever the order of arrival; ties go to the withdrawal.
- A withdrawal ends only by a later grant that `revives`: the person's own (reply, button, Meta, an opt-in form that their own
  message confirmed) or an owner's.
- The no of a number is kept without the number, also when nobody in the base has it.
- A no of whoever two contacts became holds for the numbers of both.

Locks, always in this order: the account's base (`lock_base`) by whoever brings numbers in, takes them away, or speaks for one
outside it; then contacts by ascending id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from pregon.accounts.models import Account, Member, Role, User
from pregon.contacts import consent_log
from pregon.contacts.consent_log import Spoken
from pregon.contacts.models import Consent, ConsentEntry, Contact, Merge, Source, Task
from pregon.lib import crypto

OF_THE_PERSON = frozenset({Source.FORM, Source.REPLY, Source.BUTTON, Source.META})  # sources that speak for themselves


@dataclass(frozen=True, kw_only=True)
class Act:
    """What was said, how it came, and its evidence."""

    consent: Consent
    source: Source
    happened_at: datetime
    actor: User | None = None
    text: str = ""
    ip: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    task: Task | None = None


def record(  # noqa: PLR0913 each is a column of the entry
    contact: Contact,
    act: Consent,
    *,
    source: Source,
    happened_at: datetime,
    actor: User | None = None,
    text: str = "",
    ip: str = "",
    evidence: dict[str, Any] | None = None,
) -> ConsentEntry:
    """Notes one act of a contact and settles what it amounts to; `contact` gets its new `consent` and `consent_at`."""
    said = Act(
        consent=act, source=source, happened_at=happened_at, actor=actor, text=text, ip=ip, evidence=evidence or {}
    )
    with transaction.atomic():
        found = _locked(contact.account_id, Q(pk=contact.pk), act)
        if found is None:  # deleted or merged meanwhile: its no is kept all the same
            return _record_number(
                contact.account_id, contact.mobile or "", said, contact.meta_user_id or "", gone=contact.pk
            )
        entry = _write(contact.account_id, [spoken(found)], said)[0]
    contact.refresh_from_db(fields=["consent", "consent_at"])
    return entry


@transaction.atomic
def record_many(account: Account, contacts: Iterable[int], said: Act) -> int:
    """The same act for many contacts (ids). It brings back nobody who withdrew. Returns how many contacts there were.

    Callers of a no hold the base: some of them may be two who became one.
    """
    rows = Contact.objects.select_for_update(no_key=True).filter(account=account, pk__in=list(contacts)).order_by("id")
    names = rows.values_list("id", "mobile", "meta_user_id")
    people = [Spoken(pk, hash_of(mobile, user_id)) for pk, mobile, user_id in names]
    _write(account.pk, people, said, alone=False)
    return len(people)


def withdraw_lost(account_id: int, contacts: Iterable[int], said: Act) -> None:
    """A no of these contacts (ids) that is noted already, for the numbers of those who were merged into them."""
    if lost := _lost(account_id, contacts):
        _write(account_id, lost, said)


def withdraw_number(
    account: Account, mobile: str, *, source: Source, happened_at: datetime, user_id: str = "", **details: Any
) -> ConsentEntry:
    """The no of a number (E.164; empty: of Meta's `user_id`), whether it is in the base or not.

    `details` are `actor`, `text`, `ip`, `evidence`.
    """
    said = Act(consent=Consent.WITHDRAWN, source=source, happened_at=happened_at, **details)
    return _record_number(account.pk, mobile, said, user_id)


def grant_number(
    account: Account, mobile: str, *, source: Source, happened_at: datetime, user_id: str = "", **details: Any
) -> ConsentEntry:
    """The yes of a number, as `withdraw_number`."""
    said = Act(consent=Consent.GRANTED, source=source, happened_at=happened_at, **details)
    return _record_number(account.pk, mobile, said, user_id)


def lapse(
    contacts: Sequence[Contact],
    *,
    actor: User | None,
    source: Source = Source.PANEL,
    at: datetime | None = None,
    **more: Any,
) -> None:
    """Their numbers leave the base: a yes for them ends, a no stays. For locked contacts of one account; `more` is of the act."""
    people = [spoken(contact) for contact in contacts if contact.reachable and contact.consent == Consent.GRANTED]
    if people:
        said = Act(consent=Consent.UNKNOWN, source=source, happened_at=at or timezone.now(), actor=actor, **more)
        _write(contacts[0].account_id, people, said)


def hand_over(contact: Contact, old: str) -> None:
    """What was said under the hash `old` is of this locked contact: Meta says that both are the same person."""
    account_id, new = contact.account_id, spoken(contact)
    entries = ConsentEntry.objects.filter(account_id=account_id, mobile_hash=old)
    if old and entries.update(mobile_hash=new.hash, contact=contact):
        consent_log.settle(account_id, [new, Spoken(None, old)])
        contact.refresh_from_db(fields=["consent", "consent_at"])


def settle(account_id: int, contacts: Iterable[Contact]) -> None:
    """Applies what was said earlier for the numbers, or user ids, of new or changed contacts."""
    consent_log.settle(account_id, [spoken(contact) for contact in contacts])


def settle_contact(contact: Contact) -> None:
    """Applies what was said earlier for the number, or user id, that a locked contact has now."""
    consent_log.settle(contact.account_id, [spoken(contact)])
    contact.refresh_from_db(fields=["consent", "consent_at"])


def spoken(contact: Contact) -> Spoken:
    """The contact, for whom an act is spoken."""
    return Spoken(contact.pk, hash_of(contact.mobile, contact.meta_user_id))


def hash_of(mobile: str | None, user_id: str | None = "") -> str:
    """The keyed hash of the number, or of Meta's user id where there is no number; empty for neither.

    Keyed with the *oldest* of the installation's secret keys, so that a new key in front changes no hash: an
    installation keeps its first key as the last of the list for as long as it keeps contacts.
    """
    name = mobile or (f"bsuid:{user_id}" if user_id else "")
    return crypto.keyed_hash(name, settings.SECRET_KEYS[-1]) if name else ""


def lock_base(account_id: int, *, shared: bool = False) -> None:
    """Until the transaction ends nobody else brings numbers into this account's base, nor speaks for one outside it.

    `shared`: but those who share it: the parts of one import.
    """
    lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtextextended(%s, 0))", [f"contacts:{account_id}"])


@transaction.atomic
def _record_number(account_id: int, mobile: str, said: Act, user_id: str, *, gone: int = 0) -> ConsentEntry:
    """`gone`: the id of the contact that it was said for."""
    whose = Q(mobile=mobile) if mobile else Q(meta_user_id=user_id)  # "" is nobody's id
    found = _locked(account_id, whose, said.consent)
    if found is None:
        lock_base(account_id)  # an import may just be bringing this number in, or somebody be merging who had it
        found = _locked(account_id, whose, said.consent)
    people = [spoken(found) if found else Spoken(None, hash_of(mobile, user_id))]
    if found is None and said.consent == Consent.WITHDRAWN:
        people += _become(account_id, mobile, user_id, gone)
    return _write(account_id, people, said)[0]


def _become(account_id: int, mobile: str, user_id: str, gone: int) -> list[Spoken]:
    """Into whom the contact with this number, or this id of Meta's or ours, was merged: a no is the person's."""
    theirs = Q(lost_id=gone) | Q(lost_mobile=mobile) & ~Q(lost_mobile="")
    if user_id:
        theirs |= Q(lost__meta_user_id=user_id)
    kept = Merge.objects.filter(theirs, account=account_id).values("kept")
    rows = Contact.objects.select_for_update(no_key=True).filter(pk__in=kept).order_by("id")
    return [spoken(contact) for contact in rows]


def _lost(account_id: int, kept: Iterable[int]) -> list[Spoken]:
    """The numbers of those who were merged into these contacts, but for numbers that a contact has again."""
    again = Contact.objects.filter(account_id=account_id, mobile=OuterRef("lost_mobile"))
    rows = Merge.objects.filter(~Exists(again), account_id=account_id, kept__in=list(kept)).exclude(lost_mobile="")
    return [Spoken(None, hash_of(mobile)) for mobile in rows.values_list("lost_mobile", flat=True).distinct()]


def _locked(account_id: int, whose: Q, act: Consent) -> Contact | None:
    """The contact, and before it the base, if it speaks for numbers outside that one, too."""
    _hold_base(account_id, whose, act)
    found = Contact.objects.select_for_update(no_key=True).filter(whose, account=account_id).first()
    if found is not None:  # merged since the look: late, but a deadlock over it loses no number
        _hold_base(account_id, Q(pk=found.pk), act)
    return found


def _hold_base(account_id: int, whose: Q, act: Consent) -> None:
    """A no of whoever two contacts became is of a number, too, that an import may just be bringing in."""
    people = Contact.objects.filter(whose, account=account_id)
    if act == Consent.WITHDRAWN and Merge.objects.filter(account=account_id, kept__in=people).exists():
        lock_base(account_id)


def _write(account_id: int, people: Sequence[Spoken], said: Act, *, alone: bool = True) -> list[ConsentEntry]:
    revives = alone and _revives(account_id, said)
    if said.consent == Consent.WITHDRAWN and (kept := [person.contact for person in people if person.contact]):
        known = {person.hash for person in people}
        people = [*people, *(lost for lost in _lost(account_id, kept) if lost.hash not in known)]
    entries = ConsentEntry.objects.bulk_create(
        [
            ConsentEntry(
                account_id=account_id,
                contact_id=person.contact,
                mobile_hash=person.hash,
                act=said.consent,
                source=said.source,
                happened_at=said.happened_at,
                actor=said.actor,
                text=said.text,
                ip=said.ip or None,
                evidence=said.evidence,
                task=said.task,
                revives=revives,
            )
            for person in people
        ],
        batch_size=2000,
    )
    consent_log.settle(account_id, people)
    return entries


def _revives(account_id: int, said: Act) -> bool:
    if said.consent != Consent.GRANTED:
        return False
    if said.source == Source.PANEL:
        return Member.objects.filter(account_id=account_id, user=said.actor, role=Role.OWNER).exists()
    if said.source == Source.FORM:
        return "wamid" in said.evidence  # anybody may type a number; its owner's message says that they did
    return said.source in OF_THE_PERSON
