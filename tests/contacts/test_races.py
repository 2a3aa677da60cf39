"""Two things at the same instant, on real connections."""

import io
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from pregon.contacts import consent, imports, people
from pregon.contacts.models import Consent, ConsentEntry, Contact, Refusal, Source
from tests import make

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)
ROWS = "nombre,celular,etiqueta\n" + "".join(f"Ana {n},222555{n:04d},Centro|VIP\n" for n in range(300))


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def together(*calls):
    """Runs the calls in threads that start at once; returns what they raised."""
    ready, raised = threading.Barrier(len(calls)), []

    def run(call):
        try:
            ready.wait()
            call()
        except Exception as error:  # noqa: BLE001 whatever it is, the test tells
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def begin(account, content=ROWS):
    import_ = imports.start(account, io.BytesIO(content.encode()), "clientes.csv", make.user())
    imports.finish(import_)
    import_.statement = "store"
    return import_


def commit(import_, actor):
    imports.commit(import_, actor)
    imports.finish(import_)


def test_the_same_file_twice_at_once():
    account, actor = make.account(), make.user()
    first, second = begin(account), begin(account)
    assert together(lambda: commit(first, actor), lambda: commit(second, actor)) == []
    assert account.contacts.count() == 300
    assert ConsentEntry.objects.count() == 300
    assert {tag.contacts.count() for tag in account.tags.all()} == {300}
    assert sorted([first.counts["new"], second.counts["unchanged"]]) in ([0, 0], [300, 300])


def test_the_same_import_pressed_twice():
    account, actor = make.account(), make.user()
    import_ = begin(account)
    again = type(import_).objects.get(pk=import_.pk)
    again.statement = "store"
    raised = together(lambda: commit(import_, actor), lambda: commit(again, actor))
    assert [type(error) for error in raised] == [imports.AlreadyClosed]
    assert account.contacts.count() == 300


def test_the_same_number_typed_twice():
    account = make.account()
    details = people.Details("Ana", "2225550117")
    raised = together(*[lambda: people.add(account, details)] * 4)
    assert [type(error) for error in raised] == [people.AlreadyThere] * 3
    assert account.contacts.count() == 1


@pytest.mark.parametrize("_round", range(5))
def test_a_baja_while_its_number_comes_in(_round):
    account, actor = make.account(), make.user()
    import_ = begin(account)
    said = {"source": Source.REPLY, "happened_at": timezone.now() + timedelta(minutes=1)}
    raised = together(lambda: commit(import_, actor), lambda: consent.withdraw_number(account, "+522225550150", **said))
    assert raised == []
    found = account.contacts.filter(mobile="+522225550150").first()
    assert found is None or found.consent == Consent.WITHDRAWN
    assert Refusal.objects.filter(account=account).count() == 1


def test_a_baja_against_yeses():
    account = make.account()
    contact = people.add(account, people.Details("Ana", "2225550117"))
    for n in range(8):
        moment = NOON + timedelta(hours=n)
        calls = [
            lambda m=moment: consent.record(fresh(contact), Consent.GRANTED, source=Source.REPLY, happened_at=m),
            lambda m=moment: consent.record(fresh(contact), Consent.WITHDRAWN, source=Source.REPLY, happened_at=m),
        ]
        assert together(*calls) == []
        contact.refresh_from_db()
        assert (contact.consent, contact.consent_at) == (Consent.WITHDRAWN, moment)
    assert Refusal.objects.count() == 1


def test_bajas_of_a_number_outside_the_base():
    account = make.account()
    calls = [
        lambda n=n: consent.withdraw_number(
            account, "+522225550117", source=Source.REPLY, happened_at=NOON + timedelta(hours=n)
        )
        for n in range(4)
    ]
    assert together(*calls) == []
    assert Refusal.objects.get().happened_at == NOON + timedelta(hours=3)


def test_an_act_waits_for_one_that_is_being_written():
    """The control: without the lock on the row, the second act settles before it can see the first."""
    account = make.account()
    contact = people.add(account, people.Details("Ana", "2225550117"))
    started = threading.Event()

    def withdraw():
        started.set()
        consent.record(fresh(contact), Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON + timedelta(hours=1))
        connection.close()

    thread = threading.Thread(target=withdraw)
    with transaction.atomic():
        consent.record(contact, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        thread.start()
        started.wait()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    contact.refresh_from_db()
    assert contact.consent == Consent.WITHDRAWN


def fresh(contact):
    return Contact.objects.get(pk=contact.pk)
