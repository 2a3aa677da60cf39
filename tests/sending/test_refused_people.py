"""What Meta tells about a person with a refusal is known for good once the refusal is, whenever the pump is cut off."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django import Settings

from pregon.contacts import consent
from pregon.contacts.models import Consent, ConsentEntry, Contact, Refusal, Source
from pregon.sending import marks
from pregon.sending.models import Batch, Message, Status
from pregon.whatsapp.cloud.codes import Mark
from tests.sending import line, rows
from tests.sending.background import cut_off, locked, pumping, until
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        meta.answer = lambda message, n: line.refuse(131050)
        yield meta


def alone() -> tuple[Batch, Message]:
    batch = rows.launch(rows.business(people=1))
    return batch, Message.objects.get(batch=batch)


def follow(batch: Batch, meta: line.Meta) -> None:
    """The successor of a pump that was cut off."""
    with pumping(batch.number) as done:
        assert done.result()
    assert len(meta.requests) == 1
    assert_balanced(batch)


def test_a_no_is_kept_when_the_pump_dies_before_it_writes_the_answer(meta: line.Meta) -> None:
    batch, message = alone()
    meta.latency = 0.5
    with pumping(batch.number) as done:
        until(lambda: meta.requests)
        with locked("sending_batch", batch.pk):
            cut_off()
            assert done.exception(10)
    follow(batch, meta)
    message.refresh_from_db()
    assert message.status == Status.UNCONFIRMED
    assert Contact.objects.get().consent == Consent.WITHDRAWN
    assert ConsentEntry.objects.get().source == Source.REFUSED


def test_no_answer_is_written_whose_no_is_not(meta: line.Meta) -> None:
    batch, message = alone()
    assert message.contact_id
    with pumping(batch.number) as done, locked("contacts_contact", message.contact_id):
        cut_off()
        assert done.exception(10)
    follow(batch, meta)
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.UNCONFIRMED, None)
    assert Contact.objects.get().consent == Consent.GRANTED


def test_the_no_of_a_person_who_was_deleted_meanwhile(meta: line.Meta) -> None:
    batch, message = alone()
    meta.latency = 0.5
    with pumping(batch.number) as done:
        until(lambda: meta.requests)
        Contact.objects.all().delete()
        assert done.result()
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.FAILED, 131050)
    assert Refusal.objects.get().mobile_hash == consent.hash_of(message.mobile)


def test_marks_are_written_all_or_none() -> None:
    """What a deadlock undoes is written again, and 131026 a second time means that a number has no WhatsApp."""
    batch = rows.launch(rows.business(people=2))
    first, second = Message.objects.filter(batch=batch).order_by("contact_id")
    assert second.contact_id
    with ThreadPoolExecutor(1) as other, locked("contacts_contact", second.contact_id):
        done = other.submit(_note, [(first.pk, Mark.NO_WHATSAPP), (second.pk, Mark.WAIT_META)])
        cut_off()
        assert done.exception(10)
    assert not Contact.objects.exclude(undelivered_at=None, cooled_at=None).exists()


def _note(found: list[tuple[int, Mark]]) -> None:
    try:
        marks.note(found)
    finally:
        connection.close()
