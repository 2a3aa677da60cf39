"""While Meta is away nobody is in the pump's hands for long: whoever was to leave is asked again before they do."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db.models import Max
from django.utils import timezone
from pytest_django import Settings

from pregon.contacts.models import Consent, Contact
from pregon.sending.models import Batch, Message, Omission, Status
from pregon.whatsapp.models import Number
from tests.chaos.wire import Fault, Wire
from tests.sending import clock, line, rows
from tests.sending.background import pumping, until
from tests.sending.books import assert_closed

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, FIRST = 40, 5


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


@pytest.fixture
def wire(meta: line.Meta, settings: Settings) -> Iterator[Wire]:
    with Wire(urlsplit(meta.url).port or 0) as wire:
        settings.GRAPH_URL = wire.url
        yield wire


@pytest.fixture
def batch(meta: line.Meta) -> Batch:
    return rows.launch(rows.business(people=PEOPLE, mps=10))


def on_the_way(batch: Batch) -> bool:
    """Whether somebody may have been written to of whom that is not written down yet."""
    allowed = Message.objects.filter(batch=batch, status=Status.QUEUED, not_before=None)
    return allowed.filter(position__lt=batch.chunks.aggregate(end=Max("horizon"))["end"]).exists()


def withdraw(batch: Batch) -> set[str]:
    """Every second one who has not been written to."""
    waiting = Message.objects.filter(batch=batch, status=Status.QUEUED).order_by("position")[::2]
    Contact.objects.filter(pk__in=[message.contact_id for message in waiting]).update(consent=Consent.WITHDRAWN)
    return {message.mobile for message in waiting}


def check(batch: Batch, meta: line.Meta, gone: set[str]) -> None:
    """Who withdrew is left out, everybody else got it once."""
    assert len(gone) > FIRST
    assert not gone & {message["to"] for message in meta.requests}
    assert sorted(meta.received.values()) == [1] * (PEOPLE - len(gone))
    omitted = Message.objects.filter(batch=batch, status=Status.OMITTED)
    assert set(omitted.values_list("mobile", "omission")) == {(mobile, Omission.OPT_OUT) for mobile in gone}
    assert_closed(batch)


def test_when_it_cannot_be_reached(batch: Batch, meta: line.Meta, wire: Wire) -> None:
    with pumping(batch.number):
        until(lambda: len(meta.requests) >= FIRST)
        wire.become(Fault.REFUSE)
        put_back = Message.objects.filter(batch=batch, not_before__gt=timezone.now() + timedelta(seconds=3))
        until(put_back.exists)
        until(lambda: not on_the_way(batch))
        gone = withdraw(batch)
        wire.become(Fault.NONE)
    check(batch, meta, gone)


def test_when_it_refuses_the_number(batch: Batch, meta: line.Meta) -> None:
    meta.answer = lambda message, n: line.refuse(190, 401) if len(meta.requests) > FIRST else line.accept(message, n)
    number = Number.objects.filter(pk=batch.number_id)
    with pumping(batch.number) as done:
        until(number.exclude(stopped_at=None).exists)
        assert done.result(4)  # nothing is left in its hands, to leave when the line is no longer held
    assert len(meta.requests) < PEOPLE // 2
    gone = withdraw(batch)

    meta.answer = line.accept
    meta.requests.clear()
    number.update(stopped_at=None)
    clock.later(timedelta(seconds=61))
    with pumping(batch.number):
        pass
    check(batch, meta, gone)
