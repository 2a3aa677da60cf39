"""Strangers and forms: whoever says yes by WhatsApp becomes a contact, with the proof of what they read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from pregon.contacts import consent, history, optin, proof
from pregon.contacts.models import Consent, ConsentEntry, Contact, OptinPage, OptinRequest, Refusal, Source
from pregon.sending import locks, replies
from pregon.sending.models import Reply
from pregon.whatsapp.cloud import events
from pregon.whatsapp.cloud.events import InboundMessage, PreferenceEvent
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import rows

pytestmark = pytest.mark.django_db
MOBILE = "+522225550142"


@pytest.fixture
def number() -> Number:
    return rows.business(people=0)


@pytest.fixture
def page(number: Number) -> OptinPage:
    offer = optin.Offer(title="Entérate primero", text="Quiero sus promociones.", keyword="Espiga")
    return optin.publish(number.account, offer, make.user())


def says(number: Number, text: str, **fields: object) -> InboundMessage:
    message = InboundMessage(
        phone_number_id=number.phone_number_id, wamid="wamid.in", sender="5212225550142", user_id="",
        profile_name="Ana 🌷", at=datetime.now(UTC), kind="text", text=text,
    )  # fmt: skip
    return replace(message, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["ALTA", "Espiga", "¡espiga! 🥖"])
def test_a_stranger_who_says_the_word_is_a_contact(number: Number, page: OptinPage, text: str) -> None:
    replies.receive([says(number, text)])
    ana, reply = Contact.objects.get(), Reply.objects.get()
    assert (ana.name, ana.mobile, ana.consent) == ("Ana 🌷", MOBILE, Consent.GRANTED)
    assert reply.contact == ana and ana.last_inbound_at == reply.received_at
    entry = ana.consent_entries.get()
    assert (entry.source, entry.text, entry.evidence) == (Source.REPLY, text, {"wamid": "wamid.in"})
    assert history.tell_beginning(ana, silent=False) == "Se apuntó por su cuenta"


def test_the_word_of_a_page_that_is_closed_is_a_word_like_others(number: Number, page: OptinPage) -> None:
    OptinPage.objects.update(enabled=False)
    replies.receive([says(number, "Espiga")])
    assert not Contact.objects.exists() and Reply.objects.exists()


def test_the_word_of_another_business_is_too(number: Number, page: OptinPage) -> None:
    other = rows.business(people=0)
    replies.receive([says(other, "Espiga")])
    assert not Contact.objects.exists()


def test_a_form_and_then_the_persons_own_message(number: Number, page: OptinPage) -> None:
    asked = optin.ask(page, MOBILE, name="Ana María", ip="203.0.113.9")
    replies.receive([says(number, f"ALTA {asked.code}")])
    ana = Contact.objects.get()
    assert (ana.name, ana.mobile, ana.consent) == ("Ana María", MOBILE, Consent.GRANTED)
    entry = ana.consent_entries.get()
    assert (entry.source, entry.ip, entry.text) == (Source.FORM, "203.0.113.9", asked.words)
    assert (entry.evidence["wamid"], entry.evidence["page"], entry.evidence["version"]) == ("wamid.in", page.slug, 1)
    assert history.tell(entry) == "Aceptó en un formulario"


def test_it_brings_back_who_withdrew(number: Number, page: OptinPage) -> None:
    ana = make.contact(number.account, "Ana", mobile=MOBILE)
    consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=datetime.now(UTC) - timedelta(hours=1))
    asked = optin.ask(page, MOBILE)
    ana.refresh_from_db()
    assert ana.consent == Consent.WITHDRAWN  # the form alone does not
    replies.receive([says(number, f"ALTA {asked.code}")])
    ana.refresh_from_db()
    assert (ana.name, ana.consent) == ("Ana", Consent.GRANTED) and not Refusal.objects.exists()


def test_a_delivery_that_is_repeated_proves_it_once(number: Number, page: OptinPage) -> None:
    asked = optin.ask(page, MOBILE)
    for _ in range(2):
        replies.receive([says(number, f"ALTA {asked.code}")])
    assert ConsentEntry.objects.count() == 1


def test_a_code_from_another_phone_is_that_phones_own_alta(number: Number, page: OptinPage) -> None:
    asked = optin.ask(page, MOBILE)
    replies.receive([says(number, f"ALTA {asked.code}", sender="5212225550199")])
    person = Contact.objects.get()
    assert (person.mobile, person.consent_entries.get().source) == ("+522225550199", Source.REPLY)
    assert OptinRequest.objects.get().confirmed_at is None


def test_who_hides_their_number_has_the_text_of_the_form_as_proof(number: Number, page: OptinPage) -> None:
    asked = optin.ask(page, MOBILE, name="Ana María", ip="203.0.113.9")
    for wamid in ("wamid.1", "wamid.2"):  # the second time it is a word like others
        replies.receive([says(number, f"ALTA {asked.code}", sender="", user_id="MX.1", wamid=wamid)])
    ana = Contact.objects.get()
    assert (ana.name, ana.mobile, ana.meta_user_id, ana.consent) == ("Ana María", None, "MX.1", Consent.GRANTED)
    entry, again = ana.consent_entries.order_by("id")
    assert (entry.source, entry.text, entry.ip, entry.evidence["page"]) == (
        Source.FORM, asked.words, "203.0.113.9", page.slug,
    )  # fmt: skip
    assert (entry.mobile_hash, again.source) == (consent.hash_of(None, "MX.1"), Source.REPLY)
    assert [row.remark[:27] for row in proof.of_person(ana)] == ["", "Mandó el código del formula"]
    assert not ConsentEntry.objects.filter(mobile_hash=consent.hash_of(MOBILE)).exists()


@pytest.mark.parametrize(("mobile", "source"), [(MOBILE, Source.FORM), ("+522225550199", Source.REPLY)])
def test_who_hides_a_number_that_is_known_is_known_by_it(
    number: Number, page: OptinPage, mobile: str, source: Source
) -> None:
    ana = make.contact(number.account, "Ana", mobile=mobile, meta_user_id="MX.1")
    asked = optin.ask(page, MOBILE)
    replies.receive([says(number, f"ALTA {asked.code}", sender="", user_id="MX.1")])
    entry = ana.consent_entries.get()
    assert (entry.source, "hidden" in entry.evidence) == (source, False)


def test_a_number_that_cannot_be_kept_has_its_yes_all_the_same(number: Number) -> None:
    replies.receive([says(number, "ALTA", sender="990123456789")])
    assert not Contact.objects.exists()
    assert ConsentEntry.objects.get().act == Consent.GRANTED


def test_nobody_joins_between_the_look_and_the_lock(number: Number, page: OptinPage) -> None:
    """What a form's message changes is locked before anything else, as for a bare keyword."""
    event = says(number, "ALTA K7M2PQ4X")
    [said] = locks._said([event])
    assert said.speaks
    assert [one.speaks for one in locks._said([says(number, "Espiga"), says(number, "hola")])] == [True, False]


class TestSignup:
    """An invitation that is accepted inside WhatsApp."""

    def event(self, number: Number, choice: str) -> PreferenceEvent:
        item = {"wa_id": "5212225550142", "category": "marketing_messages", "value": choice, "timestamp": 1731705721}
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "522225550142", "phone_number_id": number.phone_number_id},
            "contacts": [{"profile": {"name": "Ana"}, "wa_id": "5212225550142"}],
            "user_preferences": [item | ({"signup_id": "77"} if choice == "signup" else {})],
        }
        change = {"field": "user_preferences", "value": value}
        [event] = events.parse(orjson.loads(orjson.dumps({"entry": [{"id": "1", "changes": [change]}]})))
        assert isinstance(event, PreferenceEvent)
        return event

    def test_it_is_a_yes_and_a_stranger_a_contact(self, number: Number) -> None:
        for _ in range(2):  # deliveries are repeated
            replies.prefer([self.event(number, "signup")])
        ana = Contact.objects.get()
        entry = ana.consent_entries.get()
        assert (ana.name, ana.mobile, ana.consent) == ("Ana", MOBILE, Consent.GRANTED)
        assert (entry.source, entry.evidence) == (Source.META, {"choice": "signup", "signup": "77"})

    def test_who_only_resumes_was_known_once_and_is_not_brought_in_again(self, number: Number) -> None:
        replies.prefer([self.event(number, "resume")])
        assert not Contact.objects.exists() and ConsentEntry.objects.get().act == Consent.GRANTED
