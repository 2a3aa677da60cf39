"""Two contacts became one: what was sent to the other, and what they answered, is theirs.

But for what has not left: it was meant for the other's number, whose permission ended with the merge. Without a contact the
pump leaves it out.
"""

from typing import Any

from pregon.contacts import merging
from pregon.sending.models import Message, Reply, Status


def follow(sender: type, kept: int, lost: int, **_others: Any) -> None:
    Message.objects.filter(contact=lost).exclude(status=Status.QUEUED).update(contact=kept)
    Reply.objects.filter(contact=lost).update(contact=kept)


def connect() -> None:
    merging.merged.connect(follow, dispatch_uid="sending.merging")
