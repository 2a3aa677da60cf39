"""Two contacts become one: what both had stays, a no of either holds for the person, a yes only for the number it was said for.

Whoever has the number stays the row, so that no number moves and no act of consent with it; the other's number leaves the base
as in a deletion: its yes ends, its no remains. If either said no, both numbers are withdrawn from now on, with the merge as
evidence, and so is the person by a no that comes later from either number (`consent`).

Gone            one of them was deleted or merged meanwhile
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import consent, optouts, pairs
from pregon.contacts.models import Consent, Contact, Merge, Source
from pregon.lib import text

merged = Signal()  # sent with `kept` and `lost` (ids) in the merge's transaction: whoever has rows of `lost` moves them
CHOICES = ("name", "email")  # and the business's own fields, each by `OWN` and its name
OWN = "own:"


class Gone(Exception):
    """There are no two contacts to merge any more."""


def keeper(one: Contact, other: Contact) -> tuple[Contact, Contact]:
    """(who is kept, who is lost) where `one` is preferred: whoever has a number, for a number is never moved."""
    return (other, one) if other.mobile and not one.mobile else (one, other)


def outcome(kept: Contact, lost: Contact) -> Consent:
    """What the person's permission will be."""
    withdrawn = Consent.WITHDRAWN in (kept.consent, lost.consent)
    return Consent.WITHDRAWN if withdrawn else Consent(kept.consent)


@transaction.atomic
def merge(account: Account, one: int, other: int, chosen: Mapping[str, int], actor: User) -> Merge:
    """The contacts of these ids become one, `one` if it has a number or none has (`keeper`).

    `chosen`: of whom (id) to take "name", "email" or "own:sucursal"; where nothing is chosen, the kept one's, filled from the
    other's where it has none. Raises Gone.
    """
    kept, lost = _locked(account, one, other)
    if optouts.keep(account, [lost.pk]):
        lost.refresh_from_db(fields=["consent", "consent_at"])
    row = Merge(account=account, kept=kept, lost_id=lost.pk, lost_mobile=lost.mobile or "", actor=actor)
    row.lost, row.before = snapshot(lost), snapshot(kept)
    row.save()
    result = outcome(kept, lost)
    consent.lapse([lost], actor=actor, evidence={"merge": row.pk})
    _follow(kept.pk, lost.pk)
    merged.send(Merge, kept=kept.pk, lost=lost.pk)
    Contact.objects.filter(pk=lost.pk).delete()
    _fill(kept, lost, chosen)
    _settle(kept, lost, result, row)
    pairs.recheck(account, [kept.pk])
    return row


def of_lost(account: Account, contact: int) -> int | None:
    """Who a contact that is no more has become: an id."""
    return Merge.objects.filter(account=account, lost_id=contact).values_list("kept_id", flat=True).first()


def snapshot(contact: Contact) -> dict[str, Any]:
    """What a contact was: its columns as JSON, and the names of its tags."""
    names = ("id", "name", "mobile", "mobile_raw", "mobile_problem", "email", "meta_user_id", "fields", "consent")
    told = {name: getattr(contact, name) for name in names}
    return told | {"tags": [tag.name for tag in contact.tags.all()], "created_at": contact.created_at.isoformat()}


def _locked(account: Account, one: int, other: int) -> tuple[Contact, Contact]:
    """Their tags, the base, then both, in the order that all keep."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_TAGS, [[one, other]])  # whoever takes a tag from the last one who has it waits
    consent.lock_base(account.pk)
    rows = account.contacts.select_for_update().filter(pk__in=(one, other)).order_by("id")
    found = {contact.pk: contact for contact in rows}
    if len(found) < 2:
        raise Gone(_("Una de las dos ya no está: alguien la unió o la eliminó."))
    return keeper(found[one], found[other])


_HOLD_TAGS = """
SELECT FROM contacts_tag WHERE id IN (SELECT tag_id FROM contacts_contact_tags WHERE contact_id = ANY(%s))
ORDER BY id FOR KEY SHARE
"""


def _follow(kept: int, lost: int) -> None:
    """What refers to the lost one and is no column of it."""
    with connection.cursor() as cursor:
        for statement in (_TAGS, _ENTRIES, _CHANGES, _PAIRS, _MERGES):
            cursor.execute(statement, {"kept": kept, "lost": lost})


_TAGS = """
INSERT INTO contacts_contact_tags (contact_id, tag_id)
SELECT %(kept)s, tag_id FROM contacts_contact_tags WHERE contact_id = %(lost)s ON CONFLICT DO NOTHING
"""
_ENTRIES = "UPDATE contacts_consententry SET contact_id = %(kept)s WHERE contact_id = %(lost)s"
_CHANGES = "UPDATE contacts_change SET contact_id = %(kept)s WHERE contact_id = %(lost)s"
_PAIRS = """
INSERT INTO contacts_pair (account_id, low_id, high_id, why, score, state, decided_by_id, decided_at)
SELECT account_id, least(%(kept)s, third), greatest(%(kept)s, third), why, score, state, decided_by_id, decided_at
FROM (SELECT *, low_id + high_id - %(lost)s AS third FROM contacts_pair WHERE %(lost)s IN (low_id, high_id)) AS theirs
WHERE third <> %(kept)s
ON CONFLICT (low_id, high_id) DO UPDATE
SET state = excluded.state, decided_by_id = excluded.decided_by_id, decided_at = excluded.decided_at
WHERE excluded.state = 'apart'
"""
_MERGES = "UPDATE contacts_merge SET kept_id = %(kept)s WHERE kept_id = %(lost)s"


def _fill(kept: Contact, lost: Contact, chosen: Mapping[str, int]) -> None:
    """The columns, as chosen."""
    for name in CHOICES:
        first, second = (lost, kept) if chosen.get(name) == lost.pk else (kept, lost)
        setattr(kept, name, getattr(first, name) or getattr(second, name))
    kept.search = text.words(kept.name)[:160]
    theirs = {name: value for name, value in lost.fields.items() if chosen.get(OWN + name) == lost.pk}
    kept.fields = lost.fields | kept.fields | theirs
    kept.meta_user_id = kept.meta_user_id or lost.meta_user_id
    if not (kept.mobile and lost.mobile):  # of another number it opens no window of this one
        kept.last_inbound_at = max(filter(None, (kept.last_inbound_at, lost.last_inbound_at)), default=None)
    kept.save()


def _settle(kept: Contact, lost: Contact, result: Consent, row: Merge) -> None:
    """What the person's permission is, whatever the acts of both would amount to together."""
    if result == Consent.WITHDRAWN:
        _withdraw(kept, lost, row)
        return
    consent.settle_contact(kept)
    kept.refresh_from_db(fields=["consent", "consent_at"])
    if kept.consent != result:  # neither has a number, so that the other's yes counted as this one's
        consent.record(kept, Consent.UNKNOWN, **_said(row, timezone.now()))


def _withdraw(kept: Contact, lost: Contact, row: Merge) -> None:
    """Both numbers, and those lost before. It is said now: an older yes of one does not end the no of the other."""
    said = _said(row, max(filter(None, (timezone.now(), kept.consent_at, lost.consent_at))))
    settled = kept.consent == Consent.WITHDRAWN and (not lost.mobile or lost.consent == Consent.WITHDRAWN)
    if not settled or not kept.mobile:  # without one, the yes of the other might count after it
        consent.record(kept, Consent.WITHDRAWN, **said)


def _said(row: Merge, moment: datetime) -> dict[str, Any]:
    return {"source": Source.PANEL, "happened_at": moment, "actor": row.actor, "evidence": {"merge": row.pk}}
