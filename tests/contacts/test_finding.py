"""People found by what is typed: by name and number, a page at a time, counted."""

from dataclasses import replace
from itertools import pairwise

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.contacts import consent, finding, people, tags, tally
from pregon.contacts.finding import Count
from pregon.contacts.models import Consent, Contact, Source, Tally
from pregon.contacts.people import Details
from pregon.contacts.rules import Group, Rule
from pregon.lib import text
from tests import make

pytestmark = pytest.mark.django_db

MANY = """
INSERT INTO contacts_contact (account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent, created_at,
    updated_at)
SELECT %s, 'Rosa ' || n, 'rosa ' || n, '+52' || (2220000000 + n), '', '', '', '{}',
    CASE n %% 5 WHEN 0 THEN 'unknown' ELSE 'granted' END, now(), now()
FROM generate_series(1, %s) AS n
"""


def many(account, people):
    with connection.cursor() as cursor:
        cursor.execute(MANY, [account.pk, people])
    return account


def listed(found, counted):
    """All of them as the pages show them, forth; and the same back."""
    page = finding.page(found, counted)
    assert page.before is None
    pages = [page]
    while page.after:
        page = finding.page(found, counted, after=page.after)
        pages.append(page)
    for earlier, later in pairwise(pages):
        assert finding.page(found, counted, before=later.before).rows == earlier.rows
    return [person for page in pages for person in page.rows]


def both(account, query="", group=finding.EVERYBODY):
    """As few are listed, collected first, and as many are, in the order of an index: the same people in the same order."""
    found = finding.of(account, query, group)
    few, lots = listed(found, Count(1)), listed(found, Count(99_999, exact=False))
    assert few == lots
    assert {person.pk for person in few} == set(found.people.values_list("id", flat=True))
    assert (
        len({person.pk for person in few})
        == len(few)
        == finding.count(found).people
        == finding.page(found).count.people
    )
    assert finding.page(found).rows == few[: finding.PAGE]
    return few


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("mari", {"María José Ñáñez", "Ana Mariana Ruiz"}),
            ("JOSE maría", {"María José Ñáñez"}),
            ("nanez", {"María José Ñáñez"}),
            ("ruiz mariana", {"Ana Mariana Ruiz"}),
            ("mari mari", {"María José Ñáñez", "Ana Mariana Ruiz"}),
            ("ariana", set()),
            ("ana jose", set()),
            ("222 555 0101", {"María José Ñáñez"}),
            ("+52 1 (222) 555-0101", {"María José Ñáñez"}),
            ("0102", {"Ana Mariana Ruiz"}),
            ("5550102", {"Ana Mariana Ruiz"}),
            ("222 55", {"María José Ñáñez", "Ana Mariana Ruiz", "Lupita"}),
            ("+52 1 222", {"María José Ñáñez", "Ana Mariana Ruiz"}),
            ("0052222", {"María José Ñáñez", "Ana Mariana Ruiz"}),
            ("100%", set()),
            ("ma\x00ri", {"María José Ñáñez", "Ana Mariana Ruiz"}),
            ("%", set()),
            ("_", set()),
            ("'; --", set()),
            ("", {"María José Ñáñez", "Ana Mariana Ruiz", "Lupita"}),
        ],
    )
    def test_by_name_and_number(self, query, found):
        account = make.account()
        people.add(account, Details("María José Ñáñez", "2225550101"))
        people.add(account, Details("Ana Mariana Ruiz", "2225550102"))
        make.contact(
            account, "Lupita", mobile=None, mobile_raw="222 55", mobile_problem="incomplete", consent="unknown"
        )
        make.contact(make.account("Otra"), "María de otro negocio")
        assert {contact.name for contact in both(account, query)} == found

    def test_every_word_of_a_long_name(self):
        account, name = make.account(), "Una Dos Tres Cuatro Cinco Seis Siete Ocho Nueve"
        person = make.contact(account, name)
        assert [both(account, word) for word in name.split()] == [[person]] * 9

    @pytest.mark.parametrize(
        "word", ["quirk", "ZUBIRÍA", "quirk-zubiria", "chelo", "(Chelo)", "o'higgins", "higgins", "sol"]
    )
    def test_words_between_any_marks(self, word):
        account = make.account()
        person = people.add(account, Details("Ema Quirk-Zubiría (Chelo) O'Higgins/Sol", "2225550101"))
        assert both(account, word) == [person]

    def test_names_that_begin_with_it_come_first(self):
        account = make.account()
        for name in ("Zoé Ana", "Ana Zoé", "Luz María Ana", "Anabel", "Ana Ana"):
            make.contact(account, name, search=text.words(name))
        assert [person.name for person in both(account, "ana")] == [
            "Ana Ana",
            "Ana Zoé",
            "Anabel",
            "Zoé Ana",
            "Luz María Ana",
        ]

    def test_whoever_was_just_added_is_found(self):
        account = many(make.account(), 200)
        assert both(account, "zaira") == []
        person = people.add(account, Details("Zaira Rosa", "2225550101"))
        assert both(account, "zaira") == both(account, "2225550101") == [person]

    @pytest.mark.parametrize("country", ["AR", "BR", "CO", "US"])
    def test_a_number_by_how_it_begins_elsewhere(self, country):
        account = make.account(country=country)
        given = {"AR": "11 2345-6789", "BR": "11 96123-4567", "CO": "301 234 5678", "US": "415 555 2671"}[country]
        person = people.add(account, Details("Alguien", given))
        begun = given[:7]
        assert both(account, begun) == both(account, given[-4:]) == [person]


WORDS = st.text(st.sampled_from("abñÁ '%_\\"), min_size=1, max_size=3)


class TestAgainstPython:
    def test_words(self):
        account = make.account()

        @settings(deadline=None)
        @given(
            st.lists(st.lists(WORDS, max_size=9).map(" ".join), max_size=6), st.lists(WORDS, max_size=3).map(" ".join)
        )
        def check(names, query):
            with transaction.atomic():
                account.contacts.all().delete()
                for name in names:
                    make.contact(account, name or "x", search=text.words(name))
                wanted = text.words(query).split() or text.fold(query).split()
                fitting = [
                    person
                    for person in account.contacts.all()
                    if all(any(word.startswith(begun) for word in person.search.split()) for begun in wanted)
                ]
                assert set(both(account, query)) == set(fitting)

        check()


class TestPages:
    @pytest.mark.parametrize("query", ["", "persona", "0"])
    def test_there_and_back(self, query):
        account = make.account()
        for n in range(120):
            make.contact(account, f"Persona {n % 40:02}")
        found = both(account, query)
        if not query:
            assert [(c.search, c.pk) for c in found] == sorted((c.search, c.pk) for c in account.contacts.all())
            assert len(found) == 120

    def test_from_one_way_to_the_next(self):
        account = make.account()
        for n in range(150):
            make.contact(account, ("Persona", "Ana Persona", "Ana Luz Persona")[n % 3])
        names = [person.name for person in both(account, "persona")]
        assert names == ["Persona"] * 50 + ["Ana Persona"] * 50 + ["Ana Luz Persona"] * 50

    def test_nameless_people(self):
        account = make.account()
        for _n in range(120):
            make.contact(account, search="")
        assert len(both(account)) == 120

    def test_an_anchor_who_is_gone_leads_to_the_first_page(self):
        account = make.account()
        stranger, person = make.contact(make.account()), make.contact(account)
        found = finding.of(account)
        assert finding.page(found, Count(1), after=stranger.pk).rows == [person]
        assert finding.page(found, Count(1), before=stranger.pk).rows == [person]

    def test_within_rules(self):
        account = make.account()
        granted, withdrawn = make.contact(account, "Ana"), make.contact(account, "Ana", consent="withdrawn")
        bad = make.contact(account, "Luz", mobile=None, mobile_problem="invalid", consent="unknown")
        tag = make.tag(account, "VIP", granted, bad)
        assert both(account, "ana", Group("all", (Rule("consent", "is", "withdrawn"),))) == [withdrawn]
        assert both(account, "", Group("all", (Rule("tag", "is", tag.pk),))) == [granted, bad]
        assert both(account, "", Group("all", (Rule("mobile", "to_fix"),))) == [bad]
        assert both(account, "", Group("any")) == []

    def test_counted_while_they_are_listed(self, django_assert_num_queries):
        found = finding.of(many(make.account(), 60), "rosa")
        with django_assert_num_queries(2):  # the tally, the people
            page = finding.page(found)
        assert page.count == Count(60)
        assert len(page.ids) == finding.PAGE

    def test_few_of_a_sample_are_collected_and_so_counted(self):
        found = finding.of(many(make.account(), 60))
        assert finding.page(found, Count(3, exact=False)).count == Count(60)
        about = Count(finding.RARE + 1, exact=False)
        assert finding.page(found, about).count == about


class TestCount:
    def test_exact_up_to_a_bound_and_about_beyond(self):
        account = many(make.account(), 12_000)
        make.contact(make.account(), "Rosa")
        assert finding.count(finding.of(account)) == Count(12_000)
        assert finding.count(finding.of(account, "rosa 11")) == Count(1_111)
        about = finding.count(finding.of(account, "rosa"))
        assert not about.exact
        assert about.people == 12_000
        unknown = finding.count(finding.of(account, "", Group("all", (Rule("mobile", "starts", "+52222"),))))
        assert not unknown.exact

    def test_what_takes_too_long_is_told_from_a_sample(self):
        """A rule that the server cannot finish in time; the transaction around it goes on."""
        account = many(make.account(), 400)
        slow = finding.of(account)
        slow.params["seconds"] = 0.2
        slow = replace(slow, ways=(finding.Way("pg_sleep(%(seconds)s) IS NOT NULL AND c.id > 0", "c.search"),))
        assert finding._few_soon(slow, finding.Turn()) is None
        assert account.contacts.count() == 400
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)

    def test_a_few_who_take_long_to_find_are_counted(self):
        """A sample would say that there is nobody."""
        found = finding.of(many(make.account(), 12_000))
        slow = finding.Way(
            "CASE WHEN c.mobile = ANY(%(few)s) THEN pg_sleep(0.02) IS NOT NULL ELSE false END", "c.search"
        )
        few = list(found.account.contacts.order_by("-pk").values_list("mobile", flat=True)[:7])
        assert finding.count(replace(found, ways=(slow,), params=found.params | {"few": few})) == Count(7)

    def test_a_sample_is_near(self):
        account = many(make.account(), 20_000)
        found = finding.of(account, "", Group("all", (Rule("consent", "is", "granted"), Rule("mobile", "filled"))))
        about = finding.count(found)
        assert not about.exact
        assert abs(about.people - 16_000) < 1_600


class TestTally:
    def check(self, account):
        assert tally.of(account) == tally.count(account.contacts.all())
        return tally.of(account)

    def test_whatever_way_people_come_change_and_go(self):
        account, other = make.account(), make.account("Otra")
        actor = make.member(account).user
        many(account, 30)
        person = people.add(account, Details("Rosa", "5512345678"))
        make.contact(other)
        assert self.check(account).total == 31
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=person.created_at)
        make.contact(account, mobile=None, mobile_problem="invalid", consent="unknown")
        assert self.check(account) == tally.Counts(granted=24, unknown=7, withdrawn=1, to_fix=1)
        tags.put(account, list(account.contacts.values_list("id", flat=True)), ["VIP"])
        Contact.objects.filter(account=account).update(email="a@example.com")
        people.delete(account, account.contacts.values_list("id", flat=True)[:10], actor=actor)
        assert self.check(account).total == 22
        account.contacts.all().delete()
        assert self.check(account).total == 0
        assert self.check(other).total == 1

    def test_what_does_not_count_writes_nothing(self):
        account = many(make.account(), 5)
        before = Tally.objects.count()
        account.contacts.update(email="a@example.com")
        assert Tally.objects.count() == before

    def test_folded_to_one_row_of_a_kind(self):
        account = make.account()
        moved = [("granted", 1)] * 110 + [("unknown", 1), ("unknown", -1)]
        Tally.objects.bulk_create(Tally(account=account, consent=c, to_fix=False, people=n) for c, n in moved)
        with connection.cursor() as cursor:
            cursor.execute("SELECT contacts_fold()")
        rows = Tally.objects.filter(account=account).values_list("consent", "people")
        assert list(rows) == [("granted", 110)]

    def test_known_without_looking(self):
        account = many(make.account(), 10)
        counts = tally.of(account)
        assert tally.known(counts, Group()) == 10
        assert tally.known(counts, Group("any")) == 0
        assert tally.known(counts, Group("all", (Rule("consent", "is", "granted"),))) == 8
        assert tally.known(counts, Group("any", (Rule("mobile", "to_fix"),))) == 0
        assert tally.known(counts, Group("all", (Rule("consent", "is_not", "granted"),))) is None
