"""Labels of a business's own."""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from pregon.accounts.models import Account
from pregon.contacts import tag_names
from pregon.contacts.models import Tag, Task
from pregon.lib import text


def known(account: Account) -> dict[str, Tag]:
    """All tags of the account by their folded names."""
    return {text.fold(tag.name): tag for tag in account.tags.all()}


def ensure(account: Account, names: Iterable[str]) -> list[Tag]:
    """The tags of these names, made where the account has none that differs only in case or accents."""
    wanted = {
        text.fold(name): name[: tag_names.LONGEST] for name in reversed([*names])
    }  # of two spellings the first stays
    there = known(account)
    missing = [
        name for folded, name in sorted(wanted.items()) if folded not in there
    ]  # sorted: two at once never deadlock
    Tag.objects.bulk_create([Tag(account=account, name=name) for name in missing], ignore_conflicts=True)
    tags = known(account)
    return [tags[folded] for folded in wanted]


def keep(account: Account, names: Iterable[str]) -> list[int]:
    """The ids of `ensure`; whoever wants to delete one of these waits for the caller's transaction."""
    made = sorted(tag.pk for tag in ensure(account, names))
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM contacts_tag WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [made])
    return made


@transaction.atomic
def put(account: Account, contacts: list[int], names: Iterable[str], task: Task | None = None) -> list[int]:
    """Gives the tags to contacts of the account (ids). Returns who lacked one."""
    given: dict[str, Any] = {
        "account": account.pk,
        "contacts": contacts,
        "tags": keep(account, names),
        "task": task.pk if task else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PUT, given)
        return sorted({contact for (contact,) in cursor})


# The rows stay until this is committed: no link to a contact that is being deleted.
_PUT = """
WITH people AS MATERIALIZED (
    SELECT id FROM contacts_contact WHERE account_id = %(account)s AND id = ANY(%(contacts)s::bigint[]) ORDER BY id FOR KEY SHARE
)
INSERT INTO contacts_contact_tags (contact_id, tag_id, task_id)
SELECT people.id, tag, %(task)s FROM people, unnest(%(tags)s::bigint[]) AS tag
ON CONFLICT DO NOTHING RETURNING contact_id
"""


def take(account: Account, contacts: list[int], tag: int) -> list[int]:
    """Takes the account's tag (id) from contacts (ids). Returns who had it."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"account": account.pk, "contacts": contacts, "tag": tag})
        return [contact for (contact,) in cursor]


_TAKE = """
DELETE FROM contacts_contact_tags WHERE contact_id = ANY(%(contacts)s::bigint[]) AND tag_id = (
    SELECT id FROM contacts_tag WHERE id = %(tag)s AND account_id = %(account)s
) RETURNING contact_id
"""


def unlink(task: Task, contacts: list[int]) -> list[int]:
    """Takes back what `put` gave to these for the task; not what was given again since. Returns who had it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM contacts_contact_tags WHERE contact_id = ANY(%s) AND task_id = %s RETURNING contact_id",
            [contacts, task.pk],
        )
        return [contact for (contact,) in cursor]


@transaction.atomic
def forget(account: Account, tags: Iterable[int]) -> None:
    """Deletes those of these tags (ids) that nobody has any more."""
    mine = account.tags.filter(pk__in=[*tags]).order_by("pk")
    list(mine.select_for_update())  # whoever gives one of them just now is waited for
    mine.order_by().filter(contacts=None).delete()


@transaction.atomic
def revive(account: Account, tag: int, name: str) -> None:
    """A forgotten tag is there again, as the one that segments mean; unless the account has another of its name by now."""
    if text.fold(name) not in known(account):
        Tag.objects.bulk_create([Tag(pk=tag, account=account, name=name)], ignore_conflicts=True)
