"""A merge at the same instant as something else, on real connections."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from pregon.contacts import consent, merging, optin, pairs, people, tags
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactTag, Merge, Pair, Refusal, Source, Task
from tests import make
from tests.contacts.crowd import do
from tests.contacts.test_races import begin, commit, fresh, together

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
    links = ContactTag.objects.exclude(contact__in=Contact.objects.all())
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


WAYS = {
    "on their page": lambda kept: consent.record(
        kept, Consent.WITHDRAWN, source=Source.PANEL, happened_at=timezone.now(), actor=make.user()
    ),
    "by their number": lambda kept: consent.withdraw_number(
        kept.account, kept.mobile, source=Source.FORM, happened_at=timezone.now()
    ),
    "by their link": optin.leave_by_link,
    "with others": lambda kept: do(kept.account, Task.Kind.OPT_OUT, ids=[kept.pk]),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_baja_while_a_file_brings_the_other_number(two, way, settings, tmp_path):
    """The control: without the lock on the base the file would be through before the no of that number is written."""
    settings.MEDIA_ROOT = tmp_path
    kept, lost = two
    merge(kept, lost)
    file, started = begin(kept.account, f"nombre,celular\nOtra,{lost.mobile}\n"), threading.Event()

    def run():
        started.set()
        commit(file, make.user())
        connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        WAYS[way](fresh(kept))
        thread.start()
        started.wait()
        thread.join(1)
        assert thread.is_alive()
    thread.join()
    assert not Contact.objects.filter(mobile=lost.mobile).exists()


def test_a_baja_of_whoever_became_two_since_the_look(two):
    """The merge has the row when the no is looked at: the numbers of both are refused all the same."""
    kept, lost = two
    actor, started = make.user(), threading.Event()

    def run():
        started.set()
        consent.record(kept, Consent.WITHDRAWN, source=Source.PANEL, happened_at=timezone.now(), actor=actor)
        connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        merge(kept, lost, actor)
        thread.start()
        started.wait()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    hashes = {consent.hash_of(contact.mobile) for contact in two}
    assert set(Refusal.objects.values_list("mobile_hash", flat=True)) == hashes


def _take(account, person, tag):
    tags.take(account, [person.pk], tag.pk)
    with transaction.atomic():  # as a task does, after its last part
        tags.forget(account, [tag.pk])


def test_a_tag_taken_from_the_last_who_have_it(two):
    account, actor = two[0].account, make.user()
    tag = account.tags.get()
    ContactTag.objects.filter(contact=two[0]).delete()
    calls = (lambda: merge(*two, actor), lambda: _take(account, two[1], tag))
    assert together(*calls) == []
    there = account.tags.filter(pk=tag.pk).exists()
    assert ContactTag.objects.count() == (1 if there else 0)


def test_found_while_one_is_deleted(two):
    account, actor = two[0].account, make.user()
    calls = (lambda: pairs.find(account), lambda: people.delete(account, [two[1].pk], actor=actor))
    assert together(*calls) == []
    assert orphans() == 0
    assert fresh(two[0]).pk == two[0].pk
