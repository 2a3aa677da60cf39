"""Labels of a business's own."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from pregon.accounts.models import Account
from pregon.contacts import tag_names
from pregon.contacts.models import Contact, Tag
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


@transaction.atomic
def put(account: Account, contacts: QuerySet[Contact], names: Iterable[str]) -> None:
    """Adds the tags to all these contacts."""
    ids = list(contacts.filter(account=account).values_list("id", flat=True))
    links = Contact.tags.through
    for tag in ensure(account, names):
        rows = [links(contact_id=pk, tag_id=tag.pk) for pk in ids]
        links.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)


@transaction.atomic
def take(contacts: QuerySet[Contact], tag: Tag) -> None:
    """Removes the tag from all these contacts; a tag that nobody has any more is deleted."""
    Tag.objects.select_for_update().filter(pk=tag.pk).first()  # an import that gives it just now is waited for
    Contact.tags.through.objects.filter(tag=tag, contact__in=contacts.values("id")).delete()
    Tag.objects.filter(pk=tag.pk, contacts=None).delete()
