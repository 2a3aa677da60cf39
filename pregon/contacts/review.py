"""What of the contacts wants a person's eye, by kind: who they are, how many, and many numbers mended at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import consent, finding, pairs, tally
from pregon.contacts.finding import Finding, Way
from pregon.contacts.models import Change, Consent, Contact, MobileProblem, Source
from pregon.contacts.rules import EVERYBODY, Group, Rule
from pregon.lib import phones

NO_WHATSAPP = timedelta(days=90)  # after that a number without WhatsApp is tried again


class Kind(StrEnum):
    """As addresses name them."""

    DUPLICATES = "duplicados"
    INCOMPLETE = "incompletos"
    INVALID = "invalidos"
    NO_CONSENT = "sin-permiso"
    NO_WHATSAPP = "sin-whatsapp"


PROBLEMS = {Kind.INCOMPLETE: MobileProblem.INCOMPLETE, Kind.INVALID: MobileProblem.INVALID}


@dataclass(frozen=True)
class Reading:
    """What a number becomes, completed."""

    person: Contact
    mobile: str
    """E.164; empty: it stays as it is."""
    why: str = ""
    """The sentence why."""


def counts(account: Account) -> dict[Kind, int]:
    """How many people, and for duplicates how many pairs; of these, at most `pairs.MOST` are looked for."""
    known = tally.of(account)
    bad = account.contacts.filter(consent__in=Consent.values, mobile_problem=MobileProblem.INCOMPLETE).count()
    return {
        Kind.DUPLICATES: pairs.opened(account).count(),
        Kind.INCOMPLETE: bad,
        Kind.INVALID: known.to_fix - bad,
        Kind.NO_CONSENT: known.unknown,
        Kind.NO_WHATSAPP: people(account, Kind.NO_WHATSAPP).people.count(),
    }


def people(account: Account, kind: Kind) -> Finding:
    """Those of a kind, for `finding.page`; bad numbers in the order of their digits, so that those alike stand together."""
    if kind in PROBLEMS:
        where = "c.account_id = %(account)s AND c.mobile IS NULL AND c.mobile_problem = %(problem)s"
        bad = (Way("c.mobile IS NULL", finding.RAW),)
        return Finding(account, EVERYBODY, bad, where, {"account": account.pk, "problem": PROBLEMS[kind]})
    if kind == Kind.NO_WHATSAPP:
        where = f"c.account_id = %(account)s AND {_NO_WHATSAPP}"
        given = {"account": account.pk, "since": timezone.now() - NO_WHATSAPP}
        return Finding(account, EVERYBODY, (Way("c.no_whatsapp_at IS NOT NULL", "c.search"),), where, given)
    return finding.of(account, "", Group("all", (Rule("consent", "is", Consent.UNKNOWN.value),)))


_NO_WHATSAPP = "c.no_whatsapp_at > %(since)s AND coalesce(c.last_inbound_at < c.no_whatsapp_at, true)"


def reread(account: Account, chosen: Sequence[Contact], *, prefix: str = "", region: str = "") -> list[Reading]:
    """What their numbers become with the digits that were left out before them, or in another country. Saves nothing.

    Nothing is guessed: what becomes a number of yet another country, or begins with these digits already, stays as it is.
    """
    region = region or account.country
    read = [_completed(person.mobile_raw, prefix, region) for person in chosen]
    found = {phone.mobile for phone in read if isinstance(phone, phones.Phone)}
    taken = {mobile for mobile in account.contacts.filter(mobile__in=found).values_list("mobile", flat=True) if mobile}
    answers = []
    for person, phone in zip(chosen, read, strict=True):
        answers.append(_reading(person, phone, taken))
        taken.add(answers[-1].mobile)
    return answers


def _completed(raw: str, prefix: str, region: str) -> phones.Phone | str:
    """The number, or why it is none."""
    missing = re.sub("[^0-9]", "", prefix)
    if missing and re.sub("[^0-9]", "", raw).startswith(missing):
        return _("Ya empieza con %(digits)s: le falta otra cosa") % {"digits": missing}
    found = phones.read(f"{prefix}{raw}", region)
    if isinstance(found, phones.Problem):
        return found.explanation
    return found if found.country == region else _("Sería de otro país: escríbelo completo")


def _reading(person: Contact, phone: phones.Phone | str, taken: set[str]) -> Reading:
    if isinstance(phone, str):
        return Reading(person, "", phone)
    if phone.mobile in taken:
        return Reading(person, "", _("Otra persona ya tiene ese celular"))
    return Reading(person, phone.mobile)


def _change(person: Contact, mobile: str, actor: User) -> Change:
    told = {"mobile": [person.mobile_raw, mobile]}
    return Change(contact=person, at=timezone.now(), source=Change.Source.PANEL, actor=actor, changed=told)


@transaction.atomic
def give(account: Account, numbers: Mapping[int, str], actor: User) -> int:
    """Contacts without a number (ids) get one (E.164); one that somebody has by now is passed over. Returns how many got theirs.

    What was said earlier for a number holds for who gets it, and a no that was said without one stays.
    """
    consent.lock_base(account.pk)
    rows = account.contacts.select_for_update(no_key=True).filter(pk__in=numbers, mobile=None).order_by("id")
    taken = set(account.contacts.filter(mobile__in=numbers.values()).values_list("mobile", flat=True))
    given, changed = [], []
    for person in rows:
        if numbers[person.pk] not in taken:
            changed.append(_change(person, numbers[person.pk], actor))
            person.mobile = person.mobile_raw = numbers[person.pk]
            person.mobile_problem, person.updated_at = MobileProblem.NONE, timezone.now()
            taken.add(person.mobile)
            given.append(person)
    Contact.objects.bulk_update(given, ["mobile", "mobile_raw", "mobile_problem", "updated_at"])
    Change.objects.bulk_create(changed)
    consent.settle(account.pk, given)
    for person in given:
        if person.consent == Consent.WITHDRAWN:  # as it was before
            moment = person.consent_at or timezone.now()
            consent.record(person, Consent.WITHDRAWN, source=Source.PANEL, happened_at=moment, actor=actor)
    pairs.recheck(account, [person.pk for person in given])
    return len(given)
