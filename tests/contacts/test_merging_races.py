"""A merge at the same instant as something else, on real connections."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from pregon.contacts import consent, merging, pairs, people, tags
from pregon.contacts.models import Consent, ConsentEntry, Contact, Merge, Pair, Source
from tests import make
from tests.contacts.test_races import fresh, together

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two():
    account = make.account()
    found = [people.add(account, people.Details("Lucía", f"222555014{n}", tags=["VIP"])) for n in range(2)]
    for contact in found:
        consent.record(contact, Consent.GRANTED, source=Source.FORM, happened_at=NOON)
    return found


def merge(kept, lost, actor=None):
    return merging.merge(kept.account, kept.pk, lost.pk, {}, actor or make.user())


def orphans():
    """What refers to a contact that is none."""
    links = Contact.tags.through.objects.exclude(contact__in=Contact.objects.all())
    entries = ConsentEntry.objects.exclude(contact=None).exclude(contact__in=Contact.objects.all())
    both = Pair.objects.exclude(low__in=Contact.objects.all(), high__in=Contact.objects.all())
    return (
        links.count() + entries.count() + both.count() + Merge.objects.exclude(kept__in=Contact.objects.all()).count()
    )


@pytest.mark.parametrize("whose", [0, 1])
@pytest.mark.parametrize("by_number", [False, True])
@pytest.mark.parametrize("_round", range(3))
def test_a_baja_of_either(two, whose, by_number, _round):
    actor, contact = make.user(), two[whose]
    said = {"source": Source.REPLY, "happened_at": timezone.now() + timedelta(seconds=1)}

    def withdraw():
        if by_number:
            consent.withdraw_number(contact.account, contact.mobile, **said)
        else:
            consent.record(contact, Consent.WITHDRAWN, **said)

    assert together(lambda: merge(*two, actor), withdraw) == []
    kept = Contact.objects.get()
    assert (kept.pk, kept.consent) == (two[0].pk, Consent.WITHDRAWN)
    assert orphans() == 0


def test_a_merge_waits_for_an_act_that_is_being_written(two):
    """The control: without the lock on both rows it would not see this no."""
    raised, started, actor = [], threading.Event(), make.user()

    def run():
        started.set()
        try:
            merge(*two, actor)
        except Exception as error:  # noqa: BLE001 whatever it is, the test tells
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        consent.record(two[1], Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        thread.start()
        started.wait()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert raised == []
    kept = Contact.objects.get()
    assert kept.consent == Consent.WITHDRAWN
    assert kept.consent_entries.filter(evidence__has_key="merge").exists()


@pytest.mark.parametrize("_round", range(3))
def test_two_who_press_at_once(two, _round):
    actor = make.user()
    raised = together(lambda: merge(*two, actor), lambda: merge(*reversed(two), actor))
    assert [type(error) for error in raised] == [merging.Gone]
    assert Contact.objects.count() == Merge.objects.count() == 1
    assert orphans() == 0


@pytest.mark.parametrize("_round", range(3))
def test_merges_that_share_a_person(two, _round):
    account, actor = two[0].account, make.user()
    third = people.add(account, people.Details("Lucy", "2225550149"))
    pairs.find(account)
    raised = together(lambda: merge(two[0], two[1], actor), lambda: merge(two[1], third, actor))
    assert {type(error) for error in raised} <= {merging.Gone}
    lost = {two[1].pk} | (set() if raised else {third.pk})
    assert {row.lost_id: row.kept_id for row in Merge.objects.all()} == dict.fromkeys(lost, two[0].pk)
    assert orphans() == 0


def _take(account, person, tag):
    tags.take(account, [person.pk], tag.pk)
    with transaction.atomic():  # as a task does, after its last part
        tags.forget(account, [tag.pk])


def test_a_tag_taken_from_the_last_who_have_it(two):
    account, actor = two[0].account, make.user()
    tag = account.tags.get()
    Contact.tags.through.objects.filter(contact=two[0]).delete()
    calls = (lambda: merge(*two, actor), lambda: _take(account, two[1], tag))
    assert together(*calls) == []
    there = account.tags.filter(pk=tag.pk).exists()
    assert Contact.tags.through.objects.count() == (1 if there else 0)


def test_found_while_one_is_deleted(two):
    account, actor = two[0].account, make.user()
    calls = (lambda: pairs.find(account), lambda: people.delete(account, [two[1].pk], actor=actor))
    assert together(*calls) == []
    assert orphans() == 0
    assert fresh(two[0]).pk == two[0].pk
