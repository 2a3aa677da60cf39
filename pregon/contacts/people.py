"""Contacts, one by one: added, changed, deleted. `finding` finds them.

AlreadyThere      the number belongs to a contact of this account: `.contact`
BadNumber         nobody can be written to at this number: its sentence says why
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import changes, consent, fields, identities, optouts, removal, tags
from pregon.contacts.models import Change, Contact
from pregon.lib import phones, text


class AlreadyThere(Exception):
    """The account has this number already."""

    def __init__(self, contact: Contact) -> None:
        self.contact = contact
        super().__init__(_("Ya tienes este celular: es de %(name)s.") % {"name": contact})


class BadNumber(Exception):
    """No number that one can write to."""


@dataclass(frozen=True)
class Details:
    """What people type about a contact. `fields` are the business's own columns; None leaves them as they are."""

    name: str
    mobile: str
    email: str = ""
    tags: Sequence[str] = ()
    fields: dict[str, str] | None = None


@transaction.atomic
def add(account: Account, details: Details, *, actor: User | None = None) -> Contact:
    """A new contact, without permission unless its number has given or refused it before. Raises AlreadyThere, BadNumber."""
    mobile = read_number(account, details.mobile)
    consent.lock_base(account.pk)
    _check_free(account, mobile)
    contact = Contact(account=account, mobile=mobile, mobile_raw=details.mobile[:60])
    _write_down(contact, details)
    changes.arrived(contact, source=Change.Source.PANEL, actor=actor)
    consent.settle_contact(contact)
    return contact


@transaction.atomic
def edit(contact: Contact, details: Details, *, actor: User) -> Contact:
    """Changes a contact; a changed number starts unknown, unless it refused before. Raises AlreadyThere, BadNumber."""
    account = contact.account
    consent.lock_base(account.pk)
    locked = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
    before = changes.state(locked)
    if details.mobile.strip() not in (locked.mobile_raw, locked.mobile):
        _change_number(locked, details.mobile, actor)
    _write_down(locked, details)
    changes.note(locked, before, source=Change.Source.PANEL, actor=actor)
    return locked


@transaction.atomic
def delete(account: Account, contacts: Iterable[int], *, actor: User | None) -> int:
    """Deletes contacts (ids). A no stays as a hash, a yes ends, messages keep what they were. Returns how many."""
    consent.lock_base(account.pk)
    rows = Contact.objects.filter(account=account, pk__in=list(contacts)).order_by("id")
    locked = list(rows.select_for_update())
    if optouts.keep(account, [contact.pk for contact in locked]):
        locked = list(rows)
    consent.lapse(locked, actor=actor)
    removal.delete([contact.pk for contact in locked])
    return len(locked)


def read_number(account: Account, raw: str) -> str:
    """The canonical E.164 of what was typed. Raises BadNumber."""
    found = phones.read(raw, account.country)
    if isinstance(found, phones.Problem):
        raise BadNumber(found.explanation + ".")
    return found.mobile


def _check_free(account: Account, mobile: str) -> None:
    if taken := account.contacts.filter(mobile=mobile).first():
        raise AlreadyThere(taken)


def _write_down(contact: Contact, details: Details) -> None:
    contact.name = " ".join(details.name.split())[:120]
    contact.search = text.words(contact.name)[:160]
    contact.email = details.email
    if details.fields is not None:
        contact.fields = details.fields
        fields.ensure_texts(contact.account, details.fields)
    contact.save()
    contact.tags.set(tags.ensure(contact.account, details.tags))


def _change_number(contact: Contact, raw: str, actor: User) -> None:
    mobile = read_number(contact.account, raw)
    contact.mobile_raw = raw.strip()[:60]
    if mobile == contact.mobile:
        return
    _check_free(contact.account, mobile)
    identities.renumber(contact, mobile, actor=actor)
