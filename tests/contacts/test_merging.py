"""Two contacts become one: nothing is lost, nobody who said no is written to, a yes does not move to another number."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from pregon.contacts import consent, history, merging, pairs, people
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactTag, Merge, Pair, Refusal, Source
from pregon.contacts.people import Details
from pregon.promotions import audiences, forecast
from pregon.promotions.audiences import Kind
from pregon.sending import marks
from pregon.sending.models import Message, Reply, Status
from pregon.whatsapp.cloud.codes import Mark
from tests import make
from tests.contacts.test_imports import bring

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
GRANTED, WITHDRAWN, UNKNOWN = Consent.GRANTED, Consent.WITHDRAWN, Consent.UNKNOWN


def hour(n):
    return NOON + timedelta(hours=n)


def newcomer(account, name="Lucía Mendoza", mobile="222 555 0142", **others):
    return people.add(account, Details(name, mobile, **others))


def numberless(account, name="Lucía", **fields):
    given = {
        "mobile": None,
        "mobile_raw": "222 555 01",
        "mobile_problem": "incomplete",
        "consent": UNKNOWN,
        "consent_at": None,
    }
    return make.contact(account, name, **given | fields)


def merge(one, other, **chosen):
    owner = one.account.members.first() or make.member(one.account)
    row = merging.merge(one.account, one.pk, other.pk, chosen, owner.user)
    return Contact.objects.get(pk=row.kept_id)


@pytest.fixture
def account():
    return make.account()


@pytest.fixture
def two(account):
    return newcomer(account), newcomer(account, "Lucía Mendosa", "222 555 0143")


@pytest.mark.django_db
class TestData:
    def test_tags_of_both_once(self, two):
        make.tag(two[0].account, "VIP", *two)
        make.tag(two[0].account, "Centro", two[1])
        kept = merge(*two)
        assert sorted(kept.tags.values_list("name", flat=True)) == ["Centro", "VIP"]
        assert ContactTag.objects.count() == 2

    def test_what_one_lacks_the_other_fills(self, account):
        one = newcomer(account, "", fields={"sucursal": "Centro"})
        other = newcomer(
            account, "Lucía", "222 555 0143", email="lucia@example.com", fields={"sucursal": "Norte", "talla": "M"}
        )
        kept = merge(one, other)
        assert (kept.pk, kept.mobile) == (one.pk, "+522225550142")
        assert (kept.name, kept.search, kept.email) == ("Lucía", "lucia", "lucia@example.com")
        assert kept.fields == {"sucursal": "Centro", "talla": "M"}

    def test_what_is_chosen_wins(self, account):
        one = newcomer(account, "Lucía Mendoza", email="a@example.com", fields={"sucursal": "Centro", "talla": "S"})
        other = newcomer(
            account, "Lucía M.", "222 555 0143", email="b@example.com", fields={"sucursal": "Norte", "talla": "M"}
        )
        kept = merge(one, other, **{"name": other.pk, "own:talla": other.pk, "email": one.pk})
        assert (kept.name, kept.email) == ("Lucía M.", "a@example.com")
        assert kept.fields == {"sucursal": "Centro", "talla": "M"}

    def test_a_number_is_never_moved(self, account):
        bare, whole = numberless(account, meta_user_id="US.1"), newcomer(account)
        kept = merge(bare, whole)
        assert (kept.pk, kept.mobile, kept.meta_user_id) == (whole.pk, "+522225550142", "US.1")

    def test_the_window_is_of_the_number_that_stays(self, account, two):
        Contact.objects.filter(pk=two[1].pk).update(last_inbound_at=NOON)
        assert merge(*two).last_inbound_at is None
        kept = merge(newcomer(account, "Ana", "222 555 0150"), numberless(account, last_inbound_at=NOON))
        assert kept.last_inbound_at == NOON

    def test_what_both_were_can_be_seen(self, two):
        make.tag(two[0].account, "VIP", two[1])
        kept = merge(*two, name=two[1].pk)
        row = kept.merges.get()
        assert (row.before["name"], row.lost["name"]) == ("Lucía Mendoza", "Lucía Mendosa")
        assert (row.lost["mobile"], row.lost["tags"], row.lost_id) == ("+522225550143", ["VIP"], two[1].pk)
        assert row.actor is not None

    def test_addresses_lead_on_through_several(self, two):
        third = newcomer(two[0].account, "Lucy", "222 555 0144")
        merge(two[1], two[0])
        merge(third, two[1])
        assert {merging.of_lost(third.account, contact.pk) for contact in two} == {third.pk}
        assert merging.of_lost(make.account("Otra"), two[0].pk) is None

    def test_others_and_the_deleted_are_not_merged(self, two):
        stranger = make.contact(make.account("Otra"))
        with pytest.raises(merging.Gone):
            merge(two[0], stranger)
        with pytest.raises(merging.Gone):
            merge(two[0], two[0])
        two[1].delete()
        with pytest.raises(merging.Gone):
            merging.merge(two[0].account, two[0].pk, two[1].pk or 0, {}, make.user())
        assert not Merge.objects.exists()

    def test_decisions_on_others_are_kept(self, two):
        third = newcomer(two[0].account, "Lucía Mendoza", "222 555 0144")
        pairs.find(two[0].account)
        apart = Pair.objects.get(low=two[1], high=third)
        pairs.tell_apart(third.account, [apart.pk], make.user())
        kept = merge(*two)
        assert [(pair.low, pair.high, pair.state) for pair in Pair.objects.all()] == [(kept, third, Pair.State.APART)]


@pytest.mark.django_db
class TestConsent:
    @pytest.mark.parametrize("withdrawn", [0, 1])
    @pytest.mark.parametrize("later", [-1, 1])
    def test_a_no_of_either_holds_for_both_numbers(self, two, withdrawn, later):
        """Also when the other's own yes came after it."""
        consent.record(two[withdrawn], WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        consent.record(two[1 - withdrawn], GRANTED, source=Source.REPLY, happened_at=hour(later))
        kept = merge(*two)
        assert kept.consent == WITHDRAWN
        assert history.latest([kept])[kept.pk].act == WITHDRAWN
        assert {row.mobile_hash for row in Refusal.objects.all()} == {consent.hash_of(each.mobile) for each in two}
        assert newcomer(kept.account, "Otra", two[1].mobile).consent == WITHDRAWN

    def test_the_no_that_came_from_the_other_says_so(self, two):
        consent.record(two[1], WITHDRAWN, source=Source.REPLY, happened_at=NOON, text="BAJA")
        kept = merge(*two)
        entry = history.latest([kept])[kept.pk]
        assert entry.evidence == {"merge": kept.merges.get().pk}
        assert history.tell(entry) == "Es la misma persona que otra que pidió su baja"
        assert "Respondió BAJA" in [history.tell(each) for each in kept.consent_entries.all()]

    def test_a_yes_is_of_its_number(self, two):
        consent.record(two[1], GRANTED, source=Source.REPLY, happened_at=NOON)
        kept = merge(*two)
        assert kept.consent == UNKNOWN
        entry = ConsentEntry.objects.get(act=GRANTED)
        assert (entry.contact, entry.mobile_hash) == (kept, consent.hash_of(two[1].mobile))
        assert newcomer(kept.account, "Otra", two[1].mobile).consent == UNKNOWN

    def test_the_kept_ones_yes_stays(self, two):
        consent.record(two[0], GRANTED, source=Source.IMPORT, happened_at=NOON)
        consent.record(two[1], GRANTED, source=Source.IMPORT, happened_at=hour(5))
        kept = merge(*two)
        assert (kept.consent, kept.consent_at) == (GRANTED, NOON)
        assert history.latest([kept])[kept.pk].happened_at == NOON

    def test_without_numbers_the_others_yes_does_not_count(self, account):
        one, other = numberless(account), numberless(account, meta_user_id="US.2")
        consent.record(other, GRANTED, source=Source.REPLY, happened_at=NOON)
        assert merge(one, other).consent == UNKNOWN

    def test_without_numbers_a_no_is_final_too(self, account):
        one, other = numberless(account), numberless(account, meta_user_id="US.2")
        consent.record(one, WITHDRAWN, source=Source.PANEL, happened_at=NOON)
        consent.record(other, GRANTED, source=Source.REPLY, happened_at=hour(1))
        kept = merge(one, other)
        consent.settle(account.pk, [Contact.objects.get(pk=kept.pk)])
        kept.refresh_from_db()
        assert kept.consent == WITHDRAWN

    def test_a_no_from_the_others_number_after_the_merge(self, two):
        consent.record(two[0], GRANTED, source=Source.FORM, happened_at=NOON)
        kept = merge(*two)
        consent.withdraw_number(
            kept.account, two[1].mobile, source=Source.REPLY, happened_at=timezone.now(), text="BAJA"
        )
        kept.refresh_from_db()
        assert kept.consent == WITHDRAWN
        assert Refusal.objects.count() == 2

    def test_a_list_of_opt_outs_with_the_others_number(self, two, settings, tmp_path):
        settings.MEDIA_ROOT = tmp_path
        consent.record(two[0], GRANTED, source=Source.FORM, happened_at=NOON)
        kept = merge(*two)
        bring(kept.account, "nombre,celular\nOtra,222 555 0199\nLucía,222 555 0143\n", statement="opt_out")
        kept.refresh_from_db()
        assert kept.consent == WITHDRAWN
        assert history.latest([kept])[kept.pk].evidence["file"] == "clientes.csv"

    @pytest.mark.parametrize("source", ["reply", "many", "file"])
    def test_a_no_of_the_kept_one_after_the_merge(self, two, source, settings, tmp_path):
        """A file with the other's number brings nobody back."""
        settings.MEDIA_ROOT = tmp_path
        for each in two:
            consent.record(each, GRANTED, source=Source.REPLY, happened_at=NOON)
        kept = merge(*two)
        if source == "reply":
            consent.record(kept, WITHDRAWN, source=Source.REPLY, happened_at=timezone.now(), text="BAJA")
        elif source == "many":
            said = consent.Act(consent=WITHDRAWN, source=Source.PANEL, happened_at=timezone.now())
            assert consent.record_many(kept.account, [kept.pk], said) == 1
        else:
            bring(kept.account, "nombre,celular\nLucía,222 555 0142\n", statement="opt_out")
        assert kept.consent_entries.filter(act=WITHDRAWN).count() == 1
        assert {row.mobile_hash for row in Refusal.objects.all()} == {consent.hash_of(each.mobile) for each in two}
        bring(kept.account, "nombre,celular\nLucía,222 555 0143\n", statement="store")
        assert not kept.account.contacts.filter(consent=GRANTED).exists()

    def test_a_no_of_the_kept_one_is_not_of_whoever_has_the_number_since(self, two):
        kept = merge(*two)
        since = newcomer(kept.account, "Beto", "222 555 0143")
        consent.record(since, GRANTED, source=Source.FORM, happened_at=timezone.now())
        consent.record(kept, WITHDRAWN, source=Source.REPLY, happened_at=timezone.now(), text="BAJA")
        since.refresh_from_db()
        assert since.consent == GRANTED

    def test_queries_of_a_no_do_not_grow_with_the_merges(self, two):
        def queries():
            with CaptureQueriesContext(connection) as found:
                consent.record(kept, WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
            return len(found)

        kept = merge(*two)
        first = queries()
        for n in range(5):
            kept = merge(kept, newcomer(kept.account, "Lucy", f"222 555 016{n}"))
        assert queries() == first

    def test_a_list_of_opt_outs_ends_a_return(self, two, settings, tmp_path):
        """The number that it names is withdrawn already; the person came back by the other one since."""
        settings.MEDIA_ROOT = tmp_path
        consent.record(two[1], WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        kept = merge(*two)
        consent.record(kept, GRANTED, source=Source.REPLY, happened_at=timezone.now())
        assert kept.consent == GRANTED
        for _again in range(2):
            bring(kept.account, "nombre,celular\nLucía,222 555 0143\n", statement="opt_out")
        kept.refresh_from_db()
        assert kept.consent == WITHDRAWN
        assert kept.consent_entries.filter(source=Source.IMPORT).count() == 1

    def test_the_person_may_come_back(self, two):
        consent.record(two[1], WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        kept = merge(*two)
        later = timezone.now() + timedelta(minutes=1)
        consent.record(kept, GRANTED, source=Source.REPLY, happened_at=later, text="ALTA")
        assert kept.consent == GRANTED


@pytest.mark.django_db
class TestAbove:
    @pytest.fixture
    def owner(self):
        return make.business()

    def test_messages_and_replies_follow_but_what_has_not_left(self, owner):
        one, other = make.contact(owner.account), make.contact(owner.account)
        batch = make.batch(owner.account)
        sent = make.message(batch, other)
        queued = make.message(batch, other, status=Status.QUEUED)
        reply = make.wrote(owner.account, other.mobile).replies.get()
        kept = merge(one, other)
        assert list(kept.messages.all()) == [sent]
        assert Message.objects.get(pk=queued.pk).contact_id is None
        assert Reply.objects.get(pk=reply.pk).contact == kept

    def test_what_failed_at_the_others_number_says_nothing_of_this_one(self, owner):
        one, other = make.contact(owner.account), make.contact(owner.account)
        message = make.message(make.batch(owner.account), other)
        kept = merge(one, other)
        marks.note([(message.pk, Mark.NO_WHATSAPP)])
        kept.refresh_from_db()
        assert kept.undelivered_at is None

    def test_an_audience_that_names_the_lost_one(self, owner):
        one, other, third = (make.contact(owner.account) for _ in range(3))
        chosen = audiences.define(Kind.CONTACTS, [other.pk, third.pk])
        both = audiences.define(Kind.CONTACTS, [one.pk, other.pk])
        kept = merge(one, other)
        assert set(audiences.people(owner.account, chosen)) == {kept, third}
        assert list(audiences.people(owner.account, both)) == [kept]
        draft = make.broadcast(owner.account, audience=audiences.write(chosen))
        assert forecast.forecast(draft).people == 2


NUMBERS = ["+522225550140", "+522225550151", "+522225550162", "+522225550173"]
ACTS = st.tuples(st.sampled_from(["no", "yes"]), st.integers(0, 3), st.integers(-48, 48))
MERGES = st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3))


class TestOrders(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.one_of(ACTS, MERGES), max_size=12))
    def test_nobody_who_said_no_can_be_sent_to(self, steps):
        """A person is all the numbers merged so far. All have said yes in a file, and may again: that revives nobody."""
        self.account, self.actor = make.account(), make.user()
        self.rows = [newcomer(self.account, f"Persona {n}", mobile).pk for n, mobile in enumerate(NUMBERS)]
        self.person, self.refused = [0, 1, 2, 3], set()
        for n in range(4):
            self._yes(n, 0)
        for kind, n, other in steps:
            {"yes": self._yes, "no": self._no, "merge": self._merge}[kind](n, other)
        granted = self.account.contacts.filter(consent=GRANTED).values_list("pk", flat=True)
        assert {*granted} == {self.rows[n] for n in {*self.person} - self.refused}
        for n in {*range(4)} - {*self.person}:  # the numbers of those who were lost
            again = newcomer(self.account, "Otra vez", NUMBERS[n])
            assert (again.consent == WITHDRAWN) == (self.person[n] in self.refused)

    def _yes(self, n, at):
        consent.grant_number(self.account, NUMBERS[n], source=Source.IMPORT, happened_at=hour(at))

    def _no(self, n, at):
        consent.withdraw_number(self.account, NUMBERS[n], source=Source.REPLY, happened_at=hour(at))
        self.refused.add(self.person[n])

    def _merge(self, n, other):
        kept, lost = self.person[n], self.person[other]
        if kept == lost:
            return
        merging.merge(self.account, self.rows[kept], self.rows[lost], {}, self.actor)
        if lost in self.refused:
            self.refused.add(kept)
        self.person = [kept if each == lost else each for each in self.person]
