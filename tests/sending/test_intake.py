"""People on their way into the pipe: in parts, and when one of them is gone meanwhile."""

import pytest
from django.db import connection

from pregon.contacts.models import Consent, Contact
from pregon.sending import intake, outbox
from pregon.sending.models import Message, Omission, Status
from tests import make
from tests.sending import rows
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db
SELECT = """
SELECT id AS contact_id, name, mobile, meta_user_id, ARRAY[name]::text[] AS "values",
    CASE WHEN consent = 'granted' THEN '' ELSE 'sin_permiso' END AS omission
FROM contacts_contact WHERE account_id = %(account)s
"""
PART = f"{SELECT} AND id > %(after)s ORDER BY id LIMIT 4"


def test_parts_give_the_same_as_the_whole():
    number = rows.business(people=0)
    people = [
        make.contact(number.account, consent=Consent.UNKNOWN if n % 3 == 0 else Consent.GRANTED) for n in range(10)
    ]
    whole, parted = (make.batch(number.account) for _ in range(2))
    intake.enqueue(whole, SELECT, {"account": number.account_id})
    parts = [intake.add(parted, PART, {"account": number.account_id, "after": people[at].pk - 1}) for at in (0, 4, 8)]
    intake.close(parted)
    assert [(part.queued, part.omitted, part.last) for part in parts] == [
        (2, 2, people[3].pk), (3, 1, people[7].pk), (1, 1, people[9].pk),
    ]  # fmt: skip
    assert frozen(parted) == frozen(whole)
    queued = parted.messages.filter(status=Status.QUEUED).order_by("contact_id")
    assert list(queued.values_list("position", flat=True)) == list(range(6))
    omitted = parted.messages.filter(status=Status.OMITTED).order_by("contact_id")
    assert list(omitted.values_list("position", flat=True)) == list(range(intake.OMITTED_FROM, intake.OMITTED_FROM + 4))
    parted.refresh_from_db()
    assert (parted.queue_size, parted.queued, parted.omitted) == (6, 6, 4)


def frozen(batch):
    columns = ("position", "contact_id", "name", "mobile", "values", "status", "omission")
    return list(batch.messages.order_by("position").values_list(*columns))


def test_nobody_to_send_to_is_finished_at_once():
    number = rows.business(people=0)
    make.contact(number.account, consent=Consent.UNKNOWN)
    batch = make.batch(number.account)
    assert intake.enqueue(batch, SELECT, {"account": number.account_id}).queued == 0
    batch.refresh_from_db()
    assert (batch.status, batch.omitted) == ("finished", 1)
    empty = make.batch(number.account)
    assert intake.enqueue(empty, f"{SELECT} AND false", {"account": number.account_id}).last is None


def test_whoever_is_deleted_while_the_list_is_frozen_is_not_written_to():
    """The freeze did not see it, so nobody took their id out of the message."""
    number = rows.business(people=2)
    batch = rows.launch(number)
    gone, stays = Message.objects.order_by("position")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM contacts_contact WHERE id = %s", [gone.contact_id])

    leased = outbox.lease(number.pk, 10)
    assert leased is not None
    allowed = rows.flush(batch, advances=[outbox.Advance(leased.id, batch.pk, 0, 2)])
    assert (set(allowed.refused), set(allowed.halted)) == ({gone.pk}, set())
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.status, gone.omission, stays.status) == (Status.OMITTED, Omission.NO_CONSENT, Status.QUEUED)
    found = Message.objects.select_related("contact").get(pk=gone.pk)
    assert found.contact is None
    assert_balanced(batch)
    assert Contact.objects.count() == 1
