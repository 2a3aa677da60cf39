"""Whose an id of Meta's is: learned from answers, reports and changes; people who hide their number are people all the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pregon.contacts import consent, history, identities, pairs, people
from pregon.contacts.models import Consent, ConsentEntry, Contact, Refusal, Source
from pregon.sending import references
from pregon.sending.models import Message, Reply, Wamid
from pregon.webhooks import routing
from pregon.whatsapp.cloud.events import InboundMessage, PreferenceEvent, StatusEvent, UserChanged
from pregon.whatsapp.models import Number
from tests import make
from tests.contacts.test_imports import bring
from tests.sending import rows

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MOBILE, ID = "+522225550142", "MX.1"


@pytest.fixture
def number() -> Number:
    return rows.business(people=0)


@pytest.fixture
def ana(number: Number) -> Contact:
    person = make.contact(number.account, "Ana", mobile=MOBILE, consent=Consent.UNKNOWN, consent_at=None)
    consent.record(person, Consent.GRANTED, source=Source.FORM, happened_at=NOON - timedelta(days=9))
    return person


def says(number: Number, text: str, **fields: Any) -> InboundMessage:
    """From Ana's phone, which shows its number."""
    message = InboundMessage(
        phone_number_id=number.phone_number_id, wamid=f"wamid.{next(make.serial)}", sender="5212225550142", user_id=ID,
        profile_name="Ana", at=NOON, kind="text", text=text,
    )  # fmt: skip
    return replace(message, **fields)


def hides(number: Number, text: str, **fields: Any) -> InboundMessage:
    return says(number, text, sender="", **fields)


def reports(message: Message, **fields: Any) -> StatusEvent:
    given = {"recipient_user_id": ID, "reference": references.make(message.pk), "at": NOON} | fields
    return StatusEvent(message.batch.number.phone_number_id, "wamid.out", "delivered", **given)  # type: ignore[arg-type]


def changed(number: Number, kind: str, *, old: str = "", new: str = "", ids: tuple[str, str] = ("", "")) -> UserChanged:
    return UserChanged(number.phone_number_id, kind, old, new, *ids, at=NOON)


def sent_to(number: Number, person: Contact) -> Message:
    return Message.objects.select_related("batch__number").get(batch=rows.launch(number, chosen=person.pk))


def standing(person: Contact) -> str:
    person.refresh_from_db()
    return person.consent


class TestLearning:
    def test_an_answer_with_both_names_stores_the_id(self, number: Number, ana: Contact) -> None:
        routing.route([says(number, "hola")])
        ana.refresh_from_db()
        assert (ana.mobile, ana.meta_user_id, ana.consent) == (MOBILE, ID, Consent.GRANTED)

    def test_from_then_on_they_are_known_without_their_number(self, number: Number, ana: Contact) -> None:
        routing.route([says(number, "hola"), hides(number, "BAJA")])
        assert standing(ana) == Consent.WITHDRAWN
        assert set(Reply.objects.values_list("contact", flat=True)) == {ana.pk}

    def test_a_report_that_hides_the_number_tells_whose_the_id_is(self, number: Number, ana: Contact) -> None:
        routing.route([reports(sent_to(number, ana))])
        routing.route([hides(number, "BAJA")])
        assert standing(ana) == Consent.WITHDRAWN

    def test_a_report_that_shows_it_writes_nothing(self, number: Number, ana: Contact) -> None:
        routing.route([reports(sent_to(number, ana), recipient="5212225550142")])
        ana.refresh_from_db()
        assert ana.meta_user_id is None

    @pytest.mark.parametrize("by", ["quoted", "button"])
    def test_an_answer_to_our_message_tells_it_too(self, number: Number, ana: Contact, by: str) -> None:
        message = sent_to(number, ana)
        Wamid.objects.create(wamid="wamid.ours", message=message)
        named = {"context_wamid": "wamid.ours"} if by == "quoted" else {"payload": references.make(message.pk) + ":0"}
        routing.route([hides(number, "BAJA", **named)])
        assert standing(ana) == Consent.WITHDRAWN

    def test_a_message_to_the_number_they_had_before_tells_nothing(self, number: Number, ana: Contact) -> None:
        message = sent_to(number, ana)
        Contact.objects.filter(pk=ana.pk).update(mobile="+522225550199")
        routing.route([reports(message)])
        ana.refresh_from_db()
        assert ana.meta_user_id is None

    def test_another_business_learns_nothing(self, number: Number, ana: Contact) -> None:
        message, other = sent_to(number, ana), rows.business(people=0)
        routing.route([reports(message)._replace(phone_number_id=other.phone_number_id)])
        routing.route([hides(other, "hola", payload=references.make(message.pk))])
        ana.refresh_from_db()
        assert ana.meta_user_id is None

    def test_the_number_of_someone_known_by_id_is_learned_with_what_they_said(self, number: Number) -> None:
        routing.route([hides(number, "ALTA")])
        routing.route([says(number, "hola", at=NOON + timedelta(hours=1))])
        person = number.account.contacts.get()
        assert (person.mobile, person.meta_user_id, person.consent) == (MOBILE, ID, Consent.GRANTED)
        assert people.read_number(number.account, "222 555 0142") == person.mobile  # the one a file would bring

    def test_what_is_old_changes_nothing(self, number: Number, ana: Contact) -> None:
        routing.route([says(number, "hola")])
        routing.route([says(number, "hola", user_id="MX.old", at=NOON - timedelta(hours=1))])
        ana.refresh_from_db()
        assert ana.meta_user_id == ID

    def test_a_known_person_costs_no_more_queries(
        self, number: Number, ana: Contact, django_assert_num_queries: Any
    ) -> None:
        routing.route([says(number, "hola")])
        with CaptureQueriesContext(connection) as first:
            routing.route([says(number, "hola", user_id="")])
        with django_assert_num_queries(len(first) + 1):  # whether the id is news
            routing.route([says(number, "hola")])


class TestTwoContacts:
    """Number and id are of two contacts: people decide whether they are one; a no is for both."""

    @pytest.fixture
    def other(self, number: Number, ana: Contact) -> Contact:
        return make.contact(number.account, "A.", mobile=None, meta_user_id=ID)

    def test_neither_is_changed_and_people_are_asked_once(self, number: Number, ana: Contact, other: Contact) -> None:
        routing.route([says(number, "hola")])
        pair = pairs.opened(number.account).get()
        assert (pair.low, pair.high, pair.why) == (ana, other, "meta")
        pairs.tell_apart(number.account, [pair.pk], make.user())
        routing.route([says(number, "otra vez", wamid="wamid.again")])
        assert not pairs.opened(number.account)
        assert list(number.account.contacts.order_by("id").values_list("mobile", "meta_user_id")) == [
            (MOBILE, None),
            (None, ID),
        ]

    def test_a_no_is_for_both(self, number: Number, ana: Contact, other: Contact) -> None:
        routing.route([says(number, "BAJA")])
        assert (standing(ana), standing(other)) == (Consent.WITHDRAWN, Consent.WITHDRAWN)

    def test_a_yes_is_for_the_number(self, number: Number, ana: Contact, other: Contact) -> None:
        for person in (ana, other):
            consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON - timedelta(days=1))
        routing.route([says(number, "ALTA")])
        assert (standing(ana), standing(other)) == (Consent.GRANTED, Consent.WITHDRAWN)

    def test_an_older_no_of_either_holds_for_both(self, number: Number, ana: Contact, other: Contact) -> None:
        consent.record(other, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON - timedelta(days=1))
        for _again in range(2):
            routing.route([says(number, "hola")])
        entry = ana.consent_entries.get(act=Consent.WITHDRAWN)
        assert (standing(ana), entry.source, entry.happened_at) == (
            Consent.WITHDRAWN, Source.META, NOON - timedelta(days=1),
        )  # fmt: skip
        routing.route([says(number, "ALTA", at=NOON + timedelta(hours=1)), says(number, "hola")])
        assert (standing(ana), standing(other)) == (Consent.GRANTED, Consent.WITHDRAWN)
        assert ana.consent_entries.filter(act=Consent.WITHDRAWN).count() == 1

    def test_a_no_of_the_number_ends_an_earlier_yes_of_the_id(self, number: Number) -> None:
        routing.route([hides(number, "ALTA", at=NOON - timedelta(hours=9))])
        ana = make.contact(number.account, "Ana", mobile=MOBILE, consent=Consent.UNKNOWN, consent_at=None)
        consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON - timedelta(hours=2))
        routing.route([says(number, "hola")])
        assert set(number.account.contacts.values_list("consent", flat=True)) == {Consent.WITHDRAWN}

    def test_a_file_does_not_bring_back_who_said_no_without_a_number(
        self, number: Number, settings: Any, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        for hours, word in ((9, "ALTA"), (8, "BAJA")):
            routing.route([hides(number, word, at=NOON - timedelta(hours=hours))])
        bring(number.account, "nombre,celular\nAna,222 555 0142\n", "store")
        assert number.account.contacts.get(mobile=MOBILE).consent == Consent.GRANTED
        routing.route([says(number, "hola")])
        assert number.account.contacts.get(mobile=MOBILE).consent == Consent.WITHDRAWN

    def test_an_id_whose_contact_has_another_number(self, number: Number) -> None:
        """A no counts for the number it came from as well; a yes is not one for the number that somebody typed."""
        person = make.contact(number.account, "Rosa", mobile="+522225550199", meta_user_id=ID, consent=Consent.UNKNOWN)
        routing.route([says(number, "ALTA")])
        assert standing(person) == Consent.UNKNOWN
        routing.route([says(number, "BAJA", at=NOON + timedelta(hours=1))])
        assert standing(person) == Consent.WITHDRAWN
        assert {row.mobile_hash for row in Refusal.objects.all()} == {
            consent.hash_of(MOBILE),
            consent.hash_of("+522225550199"),
        }


class TestStrangers:
    def test_a_yes_makes_a_contact(self, number: Number) -> None:
        routing.route([hides(number, "ALTA", profile_name="  Nora \0 Oculta ")])
        person = number.account.contacts.get()
        assert (person.name, person.search, person.mobile, person.meta_user_id) == (
            "Nora Oculta",
            "nora oculta",
            None,
            ID,
        )
        assert (person.consent, person.consent_at) == (Consent.GRANTED, NOON)
        assert Reply.objects.get().contact == person

    def test_anything_else_makes_none(self, number: Number) -> None:
        routing.route([hides(number, "hola"), hides(number, "BAJA")])
        assert not Contact.objects.exists()

    def test_the_same_yes_again_makes_none(self, number: Number) -> None:
        event = hides(number, "ALTA")
        routing.route([event])
        people.delete(number.account, [number.account.contacts.get().pk], actor=make.user())
        routing.route([event])
        assert not Contact.objects.exists()

    def test_a_no_is_kept_under_the_id(self, number: Number) -> None:
        routing.route([hides(number, "BAJA")])
        assert Refusal.objects.get().mobile_hash == consent.hash_of(None, ID) != ""

    def test_a_no_outlives_the_contact_and_only_the_person_ends_it(self, number: Number) -> None:
        routing.route([hides(number, "ALTA"), hides(number, "BAJA", at=NOON + timedelta(hours=1))])
        people.delete(number.account, [number.account.contacts.get().pk], actor=make.user())
        assert Refusal.objects.count() == 1
        assert identities.add(number.account, ID, "Nora").consent == Consent.WITHDRAWN
        routing.route([hides(number, "ALTA", at=NOON + timedelta(hours=2))])
        assert number.account.contacts.get().consent == Consent.GRANTED
        assert not Refusal.objects.exists()

    def test_a_yes_ends_with_the_contact(self, number: Number) -> None:
        routing.route([hides(number, "ALTA")])
        people.delete(number.account, [number.account.contacts.get().pk], actor=make.user())
        assert identities.add(number.account, ID, "Nora").consent == Consent.UNKNOWN

    def test_a_no_said_without_a_number_holds_once_it_is_known(self, number: Number, ana: Contact) -> None:
        """Nobody knew that it was Ana's; then she writes and shows her number."""
        routing.route([hides(number, "BAJA")])
        assert standing(ana) == Consent.GRANTED
        routing.route([says(number, "hola", at=NOON + timedelta(hours=1))])
        assert standing(ana) == Consent.WITHDRAWN
        assert Refusal.objects.get().mobile_hash == consent.hash_of(MOBILE)

    def test_a_choice_in_whatsapp_counts_once(self, number: Number) -> None:
        stop = PreferenceEvent(number.phone_number_id, "", ID, "stop", "marketing_messages", NOON)
        routing.route([stop, stop])
        routing.route([stop])
        assert ConsentEntry.objects.get().mobile_hash == consent.hash_of(None, ID)


class TestChanges:
    def test_another_number_starts_without_permission(self, number: Number, ana: Contact) -> None:
        routing.route([says(number, "hola", at=NOON - timedelta(hours=1))])
        Contact.objects.update(created_at=NOON - timedelta(days=9))
        event = changed(number, "user_changed_number", old="5212225550142", new="5212225550199")
        routing.route([event, event])
        ana.refresh_from_db()
        assert (ana.mobile, ana.meta_user_id, ana.consent) == ("+522225550199", None, Consent.UNKNOWN)
        assert people.add(number.account, people.Details("Otra", "222 555 0142")).consent == Consent.UNKNOWN

    def test_as_its_own_log_says(self, number: Number, ana: Contact) -> None:
        Contact.objects.update(created_at=NOON - timedelta(days=9))
        consent.grant_number(number.account, "+522225550199", source=Source.REPLY, happened_at=NOON)
        routing.route([changed(number, "user_changed_number", old="5212225550142", new="5212225550199")])
        assert standing(ana) == Consent.GRANTED

    def test_a_no_goes_along(self, number: Number, ana: Contact) -> None:
        Contact.objects.update(created_at=NOON - timedelta(days=9))
        consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON - timedelta(days=1))
        routing.route([changed(number, "user_changed_number", old="5212225550142", new="5212225550199")])
        assert standing(ana) == Consent.WITHDRAWN
        assert Refusal.objects.count() == 2

    def test_a_number_that_somebody_has_is_left_to_people(self, number: Number, ana: Contact) -> None:
        Contact.objects.update(created_at=NOON - timedelta(days=9))
        there = make.contact(number.account, mobile="+522225550199")
        routing.route([changed(number, "user_changed_number", old="5212225550142", new="5212225550199")])
        assert (standing(ana), ana.mobile, standing(there)) == (Consent.UNKNOWN, MOBILE, Consent.GRANTED)

    def test_a_no_goes_along_to_a_number_that_somebody_has(
        self, number: Number, ana: Contact, settings: Any, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        Contact.objects.update(created_at=NOON - timedelta(days=9))
        consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON - timedelta(days=1))
        bring(number.account, "nombre,celular\nAna,222 555 0199\n", "store")
        there = number.account.contacts.get(mobile="+522225550199")
        routing.route([changed(number, "user_changed_number", old="5212225550142", new="5212225550199")])
        assert (standing(there), there.consent_at) == (Consent.WITHDRAWN, NOON - timedelta(days=1))
        assert history.tell(history.latest([there])[there.pk]) == "Había pedido su baja con su número anterior"

    def test_a_no_that_was_said_without_a_number_says_so(self, number: Number, ana: Contact) -> None:
        routing.route([hides(number, "ALTA", user_id="MX.9"), hides(number, "BAJA", user_id="MX.9", at=NOON)])
        routing.route([says(number, "hola", user_id="MX.9")])
        assert standing(ana) == Consent.WITHDRAWN
        assert history.tell(history.latest([ana])[ana.pk]) == "Había pedido su baja sin mostrar su número"

    def test_who_has_the_number_since_is_somebody_else(self, number: Number, ana: Contact) -> None:
        """The contact was made after the change, of which we hear late."""
        Contact.objects.update(created_at=NOON + timedelta(hours=1))
        routing.route([changed(number, "user_changed_number", old="5212225550142", new="5212225550199")])
        assert (standing(ana), ana.mobile) == (Consent.GRANTED, MOBILE)

    @pytest.mark.parametrize("mobile", [MOBILE, None])
    def test_another_id_takes_the_permission_along(self, number: Number, mobile: str | None) -> None:
        person = make.contact(number.account, mobile=mobile, meta_user_id=ID, consent=Consent.UNKNOWN)
        consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=NOON - timedelta(days=1))
        routing.route([changed(number, "user_changed_user_id", ids=(ID, "MX.2"))])
        person.refresh_from_db()
        assert (person.mobile, person.meta_user_id, person.consent) == (mobile, "MX.2", Consent.GRANTED)
        routing.route([hides(number, "BAJA", user_id="MX.2")])
        assert standing(person) == Consent.WITHDRAWN

    def test_strangers_and_numbers_that_are_not_ours(self, number: Number, ana: Contact) -> None:
        event = changed(number, "user_changed_number", old="5212225550142", new="5212225550199")
        routing.route([replace(event, phone_number_id="999"), replace(event, old_number="5212225550100")])
        assert (standing(ana), ana.mobile) == (Consent.GRANTED, MOBILE)
