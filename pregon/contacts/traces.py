"""What contacts know of a person, taken out for good. What stays is the keyed hash of a no."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from pregon.contacts import consent, consent_log, export_files, import_tidying
from pregon.contacts.consent_log import Spoken
from pregon.contacts.models import Before, Consent, ConsentEntry, Contact, OptinRequest, Refusal, Source, Task


def erase(person: Contact) -> str:
    """All of a locked contact, whose base is locked, too; returns what the no of its number is kept under, if it had one."""
    own = consent.spoken(person).hash
    _erase_forms(person)
    _erase_acts(person, {own, *_left(person)} - {""})
    Before.objects.filter(import_file__account=person.account_id, contact_id=person.pk).delete()
    import_tidying.forget_rows(person.account)
    for task in person.account.tasks.filter(kind=Task.Kind.EXPORT).exclude(file=""):
        export_files.discard(task)
    person.delete()
    return own


def mobiles(person: Contact) -> list[str]:
    """Their number, and those of whoever was merged into them."""
    return [number for number in (person.mobile, *person.merges.values_list("lost_mobile", flat=True)) if number]


def _erase_forms(person: Contact) -> None:
    """Those with their number, and the one that they confirmed without showing it."""
    hidden = ConsentEntry.objects.filter(contact=person, evidence__hidden=True)
    asked = [entry.evidence["asked_at"] for entry in hidden]
    forms = OptinRequest.objects.filter(account=person.account_id)
    forms.filter(Q(mobile__in=mobiles(person)) | Q(created_at__in=asked)).delete()


def _left(person: Contact) -> list[str]:
    """Hashes of their numbers that nobody else has now: the end of the yes of each goes, so that it needs a no."""
    numbers = mobiles(person)
    others = Contact.objects.filter(account=person.account_id, mobile__in=numbers).exclude(pk=person.pk)
    return [consent.hash_of(number) for number in {*numbers}.difference(others.values_list("mobile", flat=True))]


def _erase_acts(person: Contact, own: set[str]) -> None:
    """Of all numbers that the person ever had here, but for what somebody else said while they had the same number.

    Where such a one may have it still, the end of an earlier yes stays, too, or that yes would become theirs.
    """
    acts = ConsentEntry.objects.filter(account=person.account_id)
    known = own | {consent.hash_of(None, person.meta_user_id)}
    hashes = known.union(acts.filter(contact=person).values_list("mobile_hash", flat=True)) - {""}
    others = acts.filter(mobile_hash__in=hashes - own).exclude(contact=person).exclude(contact=None)
    shared = set(others.values_list("mobile_hash", flat=True))
    acts.filter(contact=person, mobile_hash__in=shared, act=Consent.UNKNOWN).update(contact=None, actor=None)
    gone = acts.filter(Q(contact=person) | Q(contact=None, mobile_hash__in=hashes - shared))
    nos = _nos(person.account_id, hashes - shared, own, gone)
    gone.delete()
    ConsentEntry.objects.bulk_create(nos)
    consent_log.settle(person.account_id, [Spoken(None, number) for number in hashes])


def _nos(account_id: int, hashes: set[str], own: set[str], acts: QuerySet[ConsentEntry]) -> list[ConsentEntry]:
    """Bare: under which hash, when, and how it came. Erasing is a no of the person's own numbers, where none was said before."""
    how = dict(acts.filter(act=Consent.WITHDRAWN).order_by("happened_at").values_list("mobile_hash", "source"))
    refusals = Refusal.objects.filter(account=account_id, mobile_hash__in=hashes)
    nos = [(row.mobile_hash, row.happened_at, how.get(row.mobile_hash, Source.PANEL)) for row in refusals]
    nos += [(number, timezone.now(), Source.PANEL) for number in own.difference(number for number, _at, _how in nos)]
    return [
        ConsentEntry(account_id=account_id, mobile_hash=number, act=Consent.WITHDRAWN, source=source, happened_at=at)
        for number, at, source in nos
    ]
