"""An import taken back, a part at a time: whom it brought goes, whom it changed is as before, its permissions are void.

Whoever was touched since (wrote, was edited, said yes or no) stays as they are, and is counted; of them, too, the file's
permission is void. A no is never taken back, a file's neither.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from pregon.contacts import changes, consent, import_saving, optouts, removal, tags
from pregon.contacts.models import Before, Contact, ContactImport, ContactTag, Field, Tag
from pregon.lib import text

PART = 2_000  # people
Status = ContactImport.Status


class Foretold(NamedTuple):
    """What an undo does: how many people `go`, are `back` to what they were, `stay` as they are; its own `fields`."""

    go: int
    back: int
    stay: int
    fields: list[Field]


def begin(import_: ContactImport) -> None:
    """From now on its permissions count for nothing; the parts write that into the contacts."""
    import_.status, import_.undone_at = Status.UNDOING, timezone.now()
    import_.taken_back = import_.taken_upto = import_.stayed = 0


def undo_part(import_pk: int) -> None:
    """The next people; after the last ones it is UNDONE. Nothing happens when it is no longer UNDOING."""
    with transaction.atomic():
        for account_id in ContactImport.objects.filter(pk=import_pk).values_list("account", flat=True):
            consent.lock_base(account_id)
        rows = ContactImport.objects.select_for_update(of=("self",), no_key=True).select_related("account")
        import_ = rows.filter(pk=import_pk, status=Status.UNDOING).first()
        if import_:
            _undo_part(import_)
    if import_ and import_.status == Status.UNDONE:
        import_saving.forget(import_)


def foretell(import_: ContactImport) -> Foretold:
    """What an undo would do now."""
    brought = Contact.objects.filter(account=import_.account_id, source=import_)
    counted = brought.aggregate(all=Count("pk"), stay=Count("pk", filter=_since(import_)))
    changed = Before.objects.filter(import_file=import_).values("contact_id", "changed_at")
    same = Contact.objects.filter(pk=OuterRef("contact_id"), updated_at=OuterRef("changed_at"))
    back = changed.filter(Exists(same)).count()
    stay = counted["stay"] + changed.count() - back
    return Foretold(counted["all"] - counted["stay"], back, stay, _fields(import_))


def _undo_part(import_: ContactImport) -> None:
    if not (_restore(import_) or _take_back(import_)):
        _forget_tags(import_)
        _forget_fields(import_)
        import_.status = Status.UNDONE
    import_.save(update_fields=["taken_back", "taken_upto", "stayed", "status"])


def _restore(import_: ContactImport) -> bool:
    """Some of those whom it changed."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"import": import_.pk, "part": PART})
        cursor.execute("SELECT contact_id FROM before")
        ids = [pk for (pk,) in cursor]
        if not ids:
            return False
        people = _locked(Contact.objects.filter(pk__in=ids))
        given = {"now": timezone.now(), "actor": import_.undone_by_id, "import": import_.pk}
        cursor.execute(_NOTE, given)
        cursor.execute(_UNTAG)
        cursor.execute(_AS_BEFORE)
        import_.stayed += len(ids) - cursor.rowcount
    import_.taken_back += len(ids)
    _settle(import_, people)
    return True


_NEXT = """
DROP TABLE IF EXISTS pg_temp.before;
CREATE TEMPORARY TABLE before ON COMMIT DROP AS
    SELECT * FROM contacts_before WHERE import_id = %(import)s ORDER BY contact_id LIMIT %(part)s;
DELETE FROM contacts_before USING before WHERE contacts_before.id = before.id;
"""
_NOTE = changes.sql(
    changes.Source.UNDO,
    """(
    SELECT c.id AS contact_id, c.name AS old_name, before.name AS new_name, c.email AS old_email, before.email AS new_email,
        c.fields AS old_fields, before.fields AS new_fields, before.new_tags AS old_tags, '{}'::bigint[] AS new_tags
    FROM before JOIN contacts_contact AS c ON c.id = before.contact_id AND c.updated_at = before.changed_at
) AS pair""",
)
_UNTAG = """
DELETE FROM contacts_contact_tags AS has USING before, contacts_contact AS c
WHERE has.contact_id = before.contact_id AND has.tag_id = ANY(before.new_tags)
    AND c.id = before.contact_id AND c.updated_at = before.changed_at
"""
_AS_BEFORE = """
UPDATE contacts_contact AS c SET name = before.name, search = before.search, email = before.email, fields = before.fields
FROM before WHERE c.id = before.contact_id AND c.updated_at = before.changed_at
"""


def _take_back(import_: ContactImport) -> bool:
    """Some of those whom it brought."""
    brought = Contact.objects.filter(account_id=import_.account_id, source=import_, pk__gt=import_.taken_upto)
    people = _locked(brought)
    if not people:
        return False
    touched = _touched(import_, people)
    going = [person.pk for person in people if person not in touched]
    optouts.keep(import_.account, going)
    removal.delete(going)
    _settle(import_, touched)
    import_.taken_upto = people[-1].pk
    import_.taken_back += len(people)
    import_.stayed += len(touched)
    return True


def _touched(import_: ContactImport, people: Sequence[Contact]) -> list[Contact]:
    """Those who wrote, or whom somebody has changed or given a tag."""
    rows = Contact.objects.filter(_since(import_), pk__in=[person.pk for person in people])
    touched = set(rows.values_list("pk", flat=True))
    return [person for person in people if person.pk in touched]


def _since(import_: ContactImport) -> Q:
    """Of whom it brought: whoever was touched."""
    links = ContactTag.objects.filter(contact=OuterRef("pk")).exclude(tag__in=_tags(import_))
    return ~Q(updated_at=F("created_at")) | Q(last_inbound_at__isnull=False) | Q(Exists(links))


def _locked(rows: QuerySet[Contact]) -> list[Contact]:
    """The first PART of them."""
    needed = rows.only("pk", "mobile", "meta_user_id", "created_at", "updated_at", "last_inbound_at")
    return list(needed.order_by("pk").select_for_update()[:PART])


def _settle(import_: ContactImport, people: Sequence[Contact]) -> None:
    consent.settle(import_.account_id, people)


def _tags(import_: ContactImport) -> list[int]:
    """Those that it gave."""
    given = {text.fold(name) for name in [*import_.given_tags, import_.tag]}
    return [tag.pk for folded, tag in tags.known(import_.account).items() if folded in given]


def _forget_tags(import_: ContactImport) -> None:
    """Those of its own that nobody has any more."""
    Tag.objects.filter(pk__in=_tags(import_), contacts=None).delete()


def _fields(import_: ContactImport) -> list[Field]:
    """Those that it brought."""
    return list(Field.objects.filter(source=import_))


def _forget_fields(import_: ContactImport) -> None:
    """Those that it brought, and nobody has a value of."""
    for field in _fields(import_):
        if not Contact.objects.filter(account=import_.account_id, fields__has_key=field.name).exists():
            field.delete()
