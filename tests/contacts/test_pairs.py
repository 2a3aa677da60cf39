"""Finding who may be the same person, among others, and what is remembered of it."""

import random
from contextlib import contextmanager

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.contacts import jobs, pairs, people
from pregon.contacts.likeness import POINTS, Why
from pregon.contacts.models import Contact, ContactImport, Pair
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return make.account()


def person(account, name, mobile=None, raw="", **fields):
    bad = {} if mobile else {"mobile_problem": "incomplete", "consent": "unknown"}
    return make.contact(account, name, mobile=mobile, mobile_raw=raw, **bad | fields)


def found(account):
    return {(pair.low, pair.high): {*pair.why.split(",")} for pair in pairs.opened(account)}


def crowd(account, size=300):
    """People with common names, whose numbers are none of those of the tests."""
    chance = random.Random(1)
    names = [f"{first} {last}" for first in ("Lucía", "Ana", "José") for last in ("Mendoza", "Ramos", "Torres")]
    rows = [
        Contact(
            account=account, name=name, search=name.lower().replace("í", "i").replace("é", "e"), mobile=f"+5233{n:08d}"
        )
        for name, n in zip(chance.choices(names, k=size), chance.sample(range(10**8), size), strict=True)
    ]
    Contact.objects.bulk_create(rows)


@contextmanager
def bounds(**others):
    """What is in whole numbers at the top of the module, smaller."""
    usual = {name: getattr(pairs, name) for name in others}
    vars(pairs).update(others)
    try:
        yield
    finally:
        vars(pairs).update(usual)


class TestFind:
    @pytest.mark.parametrize(
        ("one", "other", "why"),
        [
            (("Lucía Mendoza", "+522225550142"), ("Lucia Mendoza", "+522225550143"), {Why.NAME, Why.NEAR_NUMBER}),
            (("Lucía Mendoza", "+522225550142"), ("Mendoza Lucía", "+522215550142"), {Why.NAME, Why.NEAR_NUMBER}),
            (("Lucía Mendoza", "+522225550142"), ("Lucía Mendosa", "+522225950142"), {Why.NEAR_NAME, Why.NEAR_NUMBER}),
            (("Lucía Mendoza", "+522225550142"), ("Lucía Mendoza", None, "22255501"), {Why.NAME, Why.NEAR_NUMBER}),
            (("Lucía Mendoza", "+522225550142"), ("Lucía Mendoza", None, "5550142"), {Why.NAME, Why.NEAR_NUMBER}),
            (("Lucía Mendoza", "+522225550142"), ("Lucía M.", "+522225552410"), None),
            (("Ana", None, "555-0142"), ("Beto", None, "555 01 42"), {Why.NUMBER}),
        ],
    )
    def test_among_many(self, account, one, other, why):
        crowd(account)
        pairs.find(account)
        before = found(account)
        two = person(account, *one), person(account, *other)
        pairs.find(account)
        new = {ids: reasons for ids, reasons in found(account).items() if ids not in before}
        assert new == ({two: why} if why else {})

    def test_one_email_whatever_the_case_but_not_an_offices(self, account):
        one = person(account, "Ana", "+522225550101", email="Ana@example.com")
        other = person(account, "Beto", "+525512345678", email="ana@example.com")
        for n in range(pairs.BLOCK + 1):
            person(account, f"Persona {n}", f"+52333000{n * 37:04d}", email="ventas@example.com")
        pairs.find(account)
        assert found(account) == {(one, other): {Why.EMAIL}}

    def test_of_other_businesses_nobody(self, account):
        person(account, "Lucía Mendoza", "+522225550142", email="lucia@example.com")
        person(make.account("Otra"), "Lucía Mendoza", "+522225550143", email="lucia@example.com")
        pairs.find(account)
        assert not Pair.objects.exists()

    def test_in_parts_as_in_one(self, account):
        crowd(account)
        for n in range(40):
            person(account, "Lucía Mendoza", f"+52222555{n * 100:04d}", email=f"lucia{n % 20}@example.com")
            person(account, "Mendoza Lucía", f"+52222555{n * 100 + 1:04d}")
        pairs.find(account)
        whole = set(Pair.objects.values_list("low", "high", "why", "score"))
        Pair.objects.all().delete()
        with bounds(PART=50, COMPARED=7):
            pairs.find(account)
        assert set(Pair.objects.values_list("low", "high", "why", "score")) == whole
        assert len(whole) >= 60

    def test_of_an_import_those_with_whom_it_brought(self, account):
        person(account, "Ana Ramos", "+522225550101")
        person(account, "Ana Ramos", "+522225550102")
        old = person(account, "Lucía Mendoza", "+522225550142")
        file = ContactImport.objects.create(account=account, file_name="clientes.csv")
        new = person(account, "Lucía Mendoza", "+522225550143", source=file)
        pairs.find(account, file.pk)
        assert list(found(account)) == [(old, new)]

    def test_again_changes_nothing_and_decisions_stay(self, account):
        person(account, "Lucía Mendoza", "+522225550142")
        person(account, "Lucía Mendoza", "+522225550143")
        pairs.find(account)
        pair = Pair.objects.get()
        with connection.cursor() as cursor:
            cursor.execute("SELECT xmin::text, ctid::text FROM contacts_pair")
            version = cursor.fetchall()
            pairs.find(account)
            cursor.execute("SELECT xmin::text, ctid::text FROM contacts_pair")
            assert cursor.fetchall() == version
        owner = make.member(account)
        assert pairs.tell_apart(account, [pair.pk], owner.user) == 1
        assert pairs.tell_apart(account, [pair.pk], owner.user) == 0
        pairs.find(account)
        assert not pairs.opened(account).exists()
        pair.refresh_from_db()
        assert (pair.state, pair.decided_by) == (Pair.State.APART, owner.user)

    def test_whoever_is_deleted_takes_their_pairs_along(self, account):
        one = person(account, "Lucía Mendoza", "+522225550142")
        person(account, "Lucía Mendoza", "+522225550143")
        pairs.find(account)
        people.delete(account, [one.pk], actor=make.user())
        assert not Pair.objects.exists()

    def test_nobody_reviews_more(self, account):
        for n in range(4):
            person(account, "Lucía Mendoza", f"+52222555014{n}")
        with bounds(MOST=0):
            pairs.find(account)
        assert not Pair.objects.exists()

    @pytest.mark.django_db(transaction=True)  # as a worker looks: what is found outlives the transactions that note it
    def test_where_all_have_one_name_it_ends_with_as_many_as_anybody_reviews(self, account):
        for n in range(60):
            person(account, "María Fernanda", f"+5222255501{n:02d}")
        with bounds(MOST=30, COMPARED=20):
            pairs.find(account)
        assert 30 <= pairs.opened(account).count() < 30 + 20


class TestRecheck:
    def test_who_was_changed_is_no_pair_any_more(self, account):
        one = person(account, "Lucía Mendoza", "+522225550142")
        other = person(account, "Lucía Mendoza", "+522225550143")
        third = person(account, "Lucía Mendoza", "+522225550144")
        pairs.find(account)
        assert len(found(account)) == 3
        people.edit(one, people.Details("Pedro Ramos", "+522225550142"), actor=make.user())
        pairs.recheck(account, [one.pk])
        assert list(found(account)) == [(other, third)]

    def test_what_somebody_typed_stays(self, account):
        one, other = person(account, "Ana", "+522225550142"), person(account, "Beto", None, "222 555 01")
        pair = pairs.put(other, one)
        pairs.recheck(account)
        assert pairs.of(one).get() == pair
        pairs.tell_apart(account, [pair.pk], make.user())
        assert pairs.put(one, other) == pair
        assert pairs.opened(account).get() == pair


class TestMeta:
    """WhatsApp says that two are one."""

    def test_it_is_more_than_a_likeness_whichever_came_first(self, account):
        two = person(account, "Lucía Mendoza", "+522225550142"), person(account, "Lucía Mendoza", "+522225550143")
        for _again in range(2):
            pairs.find(account)
            pairs.note(*two)
            assert pairs.opened(account).values_list("why", "score").get() == (Why.META, POINTS[Why.META])
        pairs.find(account)
        assert found(account) == {two: {Why.META}}

    def test_what_somebody_typed_and_what_people_decided_stays(self, account):
        one, other = person(account, "Ana", "+522225550142"), person(account, "Beto", None, "222 555 01")
        pair = pairs.put(one, other)
        pairs.note(one, other)
        pair.refresh_from_db()
        assert pair.why == Why.TAKEN
        pairs.tell_apart(account, [pair.pk], make.user())
        pairs.note(one, other)
        assert not pairs.opened(account).exists()


class TestJobs:
    def test_each_business_once(self, account):
        other = make.account("Otra")
        jobs.find_all_pairs(0)
        jobs.find_all_pairs(0)
        rows = ProcrastinateJob.objects.filter(task_name="contacts:find_pairs")
        asked = list(rows.filter(args__account_id__in=[account.pk, other.pk]).values_list("args", flat=True))
        assert len(asked) == 2
        assert {"account_id": account.pk, "import_id": None} in asked
