"""What changed on a person, and by whom: `Change` is written in the transaction of the change itself.

    before = changes.state(contact)
    …
    changes.note(contact, before, source=Source.PANEL, actor=user)

Files write theirs in SQL (`sql`): nothing for the people whom they bring.
"""

from datetime import datetime
from typing import Any

from django.utils import timezone

from pregon.accounts.models import User
from pregon.contacts.models import Change, Contact

Source = Change.Source
OWN = "own:"  # before the name of a column of the business's own


def state(contact: Contact) -> dict[str, Any]:
    """What a change is told of: name, mobile, email, meta_user_id, tags (sorted names), own:… for each own column."""
    return {
        "name": contact.name,
        "mobile": contact.mobile or contact.mobile_raw,
        "email": contact.email,
        "meta_user_id": contact.meta_user_id or "",
        "tags": sorted(contact.tags.values_list("name", flat=True)),
        **{OWN + name: value for name, value in contact.fields.items()},
    }


def note(
    contact: Contact, before: dict[str, Any], *, source: Source, actor: User | None = None, at: datetime | None = None
) -> None:
    """Writes down what is otherwise than `before`; nothing where all is the same. `at`: when it happened, now by default."""
    after = state(contact)
    names = [*before, *(name for name in after if name not in before)]
    pairs = {name: [before.get(name, ""), after.get(name, "")] for name in names}
    changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if changed:
        _write(contact, changed, source, actor, at)


def arrived(contact: Contact, *, source: Source, actor: User | None = None) -> None:
    """Writes down how a person came who came in no file."""
    _write(contact, {}, source, actor, contact.created_at)


def known_since(contact: Contact, name: str, at: datetime) -> bool:
    """Whether something newer is known of this (a key of `state`) than what is said to have happened then."""
    return contact.changes.filter(at__gt=at, changed__has_key=name).exists()


def _write(contact: Contact, changed: dict[str, Any], source: Source, actor: User | None, at: datetime | None) -> None:
    Change.objects.create(contact=contact, at=at or timezone.now(), source=source, actor=actor, changed=changed)


def sql(source: Source, pairs: str) -> str:
    """Writes down what `pairs` tell that is not the same: rows of contact_id, old_name, new_name, old_email, new_email,
    old_fields, new_fields (jsonb), old_tags, new_tags (bigint[]: only those taken and given). Asks for `now`, `actor`, `import`.
    """
    return _NOTE.format(source=source, changed=_CHANGED, pairs=pairs)


_NOTE = """
INSERT INTO contacts_change (contact_id, at, source, actor_id, import_id, changed)
SELECT contact_id, %(now)s, '{source}', %(actor)s, %(import)s, changed
FROM (SELECT contact_id, {changed} AS changed FROM {pairs}) AS told WHERE changed <> '{{}}'
"""
_NAMES = "(SELECT coalesce(jsonb_agg(tag.name ORDER BY tag.name), '[]') FROM contacts_tag AS tag WHERE tag.id = ANY({0}_tags))"
_CHANGED = f"""
CASE WHEN old_name = new_name THEN '{{}}' ELSE jsonb_build_object('name', jsonb_build_array(old_name, new_name)) END
|| CASE WHEN old_email = new_email THEN '{{}}' ELSE jsonb_build_object('email', jsonb_build_array(old_email, new_email)) END
|| CASE WHEN old_fields = new_fields THEN '{{}}' ELSE (
    SELECT jsonb_object_agg('{OWN}' || key, jsonb_build_array(coalesce(old_fields ->> key, ''), coalesce(new_fields ->> key, '')))
    FROM jsonb_object_keys(old_fields || new_fields) AS key WHERE old_fields ->> key IS DISTINCT FROM new_fields ->> key
) END
|| CASE WHEN cardinality(old_tags || new_tags) = 0 THEN '{{}}'
    ELSE jsonb_build_object('tags', jsonb_build_array({_NAMES.format("old")}, {_NAMES.format("new")})) END
"""
