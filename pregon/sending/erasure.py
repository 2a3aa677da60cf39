"""A person's data erased for good, everywhere but in what time erases (docs/consent.md): all that stays is the keyed hash
of a no, so that no file brings them back. Results keep their figures.

    erasure.erase(contact, reason=Erasure.Reason.ASKED, actor=owner)
    erasure.complete(pk)            # what would keep whoever clicked waiting: a worker does it

    Underway      files are on their way in, and may bring the person back: `.files`
    Leaving       a message to the person is just being handed to Meta

`people.delete` on the other hand forgets a contact, and leaves what was sent as it was.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

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
    """Raises Leaving, Underway, Contact.DoesNotExist (deleted or merged meanwhile), and then nothing is erased.

    What no index leads to is left to a worker (`complete`): whoever clicks does not wait for all that the business ever sent.
    """
    consent.lock_base(contact.account_id)  # then the person, then batches: in the order that `locks` tells
    if files := under_way(contact.account):
        raise Underway(files)
    person = Contact.objects.select_for_update(of=("self",)).select_related("account").get(pk=contact.pk)
    messages = dict(Message.objects.filter(contact=person).values_list("pk", "batch_id"))
    if not _scrub(messages, person):
        raise Leaving(_("Justo ahora le está saliendo un mensaje. Vuelve a intentarlo en un minuto."))
    left = {"mobiles": traces.mobiles(person), "user": person.meta_user_id, "messages": [*messages]}
    done = Erasure(account=contact.account, contact_id=contact.pk, reason=reason, actor=actor, left=left)
    done.mobile_hash = traces.erase(person)
    done.save()
    app.configure_task("sending:complete_erasure").defer(erasure_id=done.pk)
    return done


def under_way(account: Account) -> list[ContactImport]:
    """Files that are not through."""
    status = [*imports.UNDERWAY, imports.Status.REVIEWING]
    return list(account.imports.filter(status__in=status).order_by("pk"))


def due() -> list[int]:
    """Those of which something is left."""
    return list(Erasure.objects.filter(left__isnull=False).order_by("pk").values_list("pk", flat=True))


def complete(erasure_pk: int) -> None:
    """What `erase` left; one at a time. Where a message to the person is just leaving, a later call finds all of it again."""
    done = Erasure.objects.filter(pk=erasure_pk, left__isnull=False).first()
    if done is None:
        return
    left: dict[str, Any] = done.left or {}
    if "mobiles" in left and not _scrub_earlier(done, left, dict(_earlier(done, left))):
        return
    Wamid.objects.filter(message__in=left["messages"]).delete()  # no index leads from message to id: it reads them all
    Erasure.objects.filter(pk=done.pk).update(left=None)


@transaction.atomic
def _scrub_earlier(done: Erasure, left: dict[str, Any], earlier: dict[int, int]) -> bool:
    """From now on only their ids tell which messages were theirs. False while one is leaving."""
    if not _scrub(earlier, None):
        return False
    left |= {"messages": [*left["messages"], *earlier]}
    Erasure.objects.filter(pk=done.pk).update(left={"messages": left["messages"]})
    return True


def _earlier(done: Erasure, left: dict[str, Any]) -> list[tuple[int, int]]:
    """Id and batch of what went to the person before the contact was deleted and added again, or merged.

    What was sent since is not meant: who was erased may have come back.
    """
    known = {"account": done.account_id, "at": done.erased_at, **left}
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, known)
        return list(cursor.fetchall())


# It reads all of the account's messages, as nothing is kept by number: a second for some millions, and nobody waits for it.
_EARLIER = """
SELECT message.id, message.batch_id FROM sending_batch AS batch JOIN sending_message AS message ON message.batch_id = batch.id
WHERE batch.account_id = %(account)s AND message.created_at <= %(at)s
    AND (message.mobile = ANY(%(mobiles)s) OR message.meta_user_id = %(user)s)
"""


@transaction.atomic
def finish() -> int:
    """What was written about erased people while they were being erased. Returns how many messages."""
    recent = Erasure.objects.filter(erased_at__gte=timezone.now() - LATE).values_list("contact_id", flat=True)
    late = dict(Message.objects.filter(contact_id__in=list(recent)).values_list("pk", "batch_id"))
    if not _scrub(late, None):
        return 0
    Wamid.objects.filter(message__in=late).delete()
    return len(late)


def _scrub(messages: Mapping[int, int], person: Contact | None) -> bool:
    """Whom they (id → batch) went to and what was answered. False, and nothing is changed, while one of them is leaving.

    Meta's ids are to go, too: the number is written in them.
    """
    books.lock(messages.values())
    if _in_hand(list(messages)):
        return False
    with connection.cursor() as cursor:
        cursor.execute(_SCRUB, [list(messages)])
    replies = Reply.objects.filter(Q(message__in=messages) | Q(contact=person) if person else Q(message__in=messages))
    replies.update(contact=None, text="", wamid=Concat(Value("erased:"), Cast("pk", CharField())))
    return True


def _in_hand(messages: list[int]) -> bool:
    """Whether a pump holds one of them. While the batches are locked, none takes another."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_HAND, [messages])
        return bool(cursor.fetchone()[0])


_IN_HAND = (
    f"SELECT EXISTS (SELECT FROM sending_message m WHERE id = ANY(%s) AND status = 'queued' AND EXISTS ({IN_HAND}))"
)


# As many values as before: whatever is still queued is left out when its turn comes, but first put together.
_SCRUB = """
UPDATE sending_message SET contact_id = NULL, name = '', mobile = '', meta_user_id = '', error_details = '',
    "values" = array_fill(''::text, ARRAY[cardinality("values")])
WHERE id = ANY(%s)
"""
