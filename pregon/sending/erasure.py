"""A person's data erased for good, everywhere but in what time erases (docs/consent.md): all that stays is the keyed hash
of a no, so that no file brings them back. Results keep their figures.

    erasure.erase(contact, reason=Erasure.Reason.ASKED, actor=owner)

    Underway      files are on their way in, and may bring the person back: `.files`
    Leaving       a message to the person is just being handed to Meta

`people.delete` on the other hand forgets a contact, and leaves what was sent as it was.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import consent, imports, traces
from pregon.contacts.models import Contact, ContactImport, Erasure
from pregon.sending import books
from pregon.sending.models import Message, Reply, Wamid
from pregon.sending.statuses import IN_HAND

LATE = timedelta(days=7)  # longer than any launch takes


class Leaving(Exception):
    """What Meta answers would be written down after all else is gone. It takes seconds."""


class Underway(Exception):
    """Files that may hold the same person are read, reviewed, saved or undone."""

    def __init__(self, files: list[ContactImport]) -> None:
        self.files = files
        super().__init__(
            _("Un archivo que aún no está guardado puede traer a esta persona: termínalo o descártalo antes.")
        )


@transaction.atomic
def erase(contact: Contact, *, reason: Erasure.Reason, actor: User) -> Erasure:
    """Raises Leaving, Underway, Contact.DoesNotExist (deleted or merged meanwhile), and then nothing is erased."""
    consent.lock_base(contact.account_id)  # then the person, then batches: in the order that `locks` tells
    if files := under_way(contact.account):
        raise Underway(files)
    person = Contact.objects.select_for_update(of=("self",)).select_related("account").get(pk=contact.pk)
    messages = dict(_messages(person))
    books.lock(messages.values())
    if _in_hand(list(messages)):
        raise Leaving(_("Justo ahora le está saliendo un mensaje. Vuelve a intentarlo en un minuto."))
    _scrub(list(messages), person)
    number = traces.erase(person)
    return Erasure.objects.create(
        account=contact.account, contact_id=contact.pk, mobile_hash=number, reason=reason, actor=actor
    )


def under_way(account: Account) -> list[ContactImport]:
    """Files that are not through."""
    status = [*imports.UNDERWAY, imports.Status.REVIEWING]
    return list(account.imports.filter(status__in=status).order_by("pk"))


@transaction.atomic
def finish() -> int:
    """What was written about erased people while they were being erased. Returns how many messages."""
    recent = Erasure.objects.filter(erased_at__gte=timezone.now() - LATE).values_list("contact_id", flat=True)
    late = dict(Message.objects.filter(contact_id__in=list(recent)).values_list("pk", "batch_id"))
    books.lock(late.values())
    _scrub(list(late), None)
    return len(late)


def _messages(contact: Contact) -> list[tuple[int, int]]:
    """Id and batch of all that went to the person, also before the contact was deleted and added again."""
    known: dict[str, Any] = {"account": contact.account_id, "contact": contact.pk}
    known |= {"mobiles": traces.mobiles(contact), "user": contact.meta_user_id}
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, known)
        return list(cursor.fetchall())


# By number it reads all of the account's messages, as nothing else is kept by number: a second for some millions.
_MESSAGES = """
SELECT id, batch_id FROM sending_message WHERE contact_id = %(contact)s
UNION
SELECT message.id, message.batch_id FROM sending_batch AS batch JOIN sending_message AS message ON message.batch_id = batch.id
WHERE batch.account_id = %(account)s AND (message.mobile = ANY(%(mobiles)s) OR message.meta_user_id = %(user)s)
"""


def _in_hand(messages: list[int]) -> bool:
    """Whether a pump holds one of them. While the batches are locked, none takes another."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_HAND, [messages])
        return bool(cursor.fetchone()[0])


_IN_HAND = (
    f"SELECT EXISTS (SELECT FROM sending_message m WHERE id = ANY(%s) AND status = 'queued' AND EXISTS ({IN_HAND}))"
)


def _scrub(messages: Sequence[int], person: Contact | None) -> None:
    """Whom they went to and what they answered. Meta's ids go, too: the number is written in them."""
    with connection.cursor() as cursor:
        cursor.execute(_SCRUB, [list(messages)])
    Wamid.objects.filter(message__in=messages).delete()  # no index leads from message to id: it reads them all
    replies = Reply.objects.filter(Q(message__in=messages) | Q(contact=person) if person else Q(message__in=messages))
    replies.update(contact=None, text="", wamid=Concat(Value("erased:"), Cast("pk", CharField())))


# As many values as before: whatever is still queued is left out when its turn comes, but first put together.
_SCRUB = """
UPDATE sending_message SET contact_id = NULL, name = '', mobile = '', meta_user_id = '', error_details = '',
    "values" = array_fill(''::text, ARRAY[cardinality("values")])
WHERE id = ANY(%s)
"""
