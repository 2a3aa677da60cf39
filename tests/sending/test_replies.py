"""Answers of people: BAJA by word and by button, ALTA, the 24 h window, repetitions, strangers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pregon.contacts import consent
from pregon.contacts.models import Consent, ConsentEntry, Contact, Refusal, Source
from pregon.sending import references, replies
from pregon.sending.models import Message, Reply, Wamid
from pregon.whatsapp.cloud.events import InboundMessage, PreferenceEvent
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import rows

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture
def number() -> Number:
    return rows.business(people=0)


@pytest.fixture
def ana(number: Number) -> Contact:
    return make.contact(number.account, "Ana", mobile="+522225550142", consent_at=NOW - timedelta(days=9))


def says(number: Number, text: str, **fields: object) -> InboundMessage:
    message = InboundMessage(
        phone_number_id=number.phone_number_id, wamid="wamid.in", sender="5212225550142", user_id="MX.1",
        profile_name="Ana", at=NOW, kind="text", text=text,
    )  # fmt: skip
    return replace(message, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["BAJA", "baja", " Baja. ", "STOP", "no más", "🛑 salir"])
def test_a_keyword_withdraws(number: Number, ana: Contact, text: str) -> None:
    replies.receive([says(number, text)])
    ana.refresh_from_db()
    assert ana.consent == Consent.WITHDRAWN
    entry = ConsentEntry.objects.get(contact=ana, source=Source.REPLY)
    assert (entry.text, entry.happened_at, entry.evidence) == (text, NOW, {"wamid": "wamid.in"})


def test_a_sentence_with_the_word_does_not(number: Number, ana: Contact) -> None:
    replies.receive([says(number, "quiero cancelar mi pedido")])
    ana.refresh_from_db()
    assert ana.consent == Consent.GRANTED
    assert Reply.objects.get().text == "quiero cancelar mi pedido"


def test_the_opt_out_button_withdraws_and_finds_its_message(number: Number, ana: Contact) -> None:
    batch = rows.launch(number)
    message = Message.objects.get(batch=batch)
    payload = references.make(message.pk) + references.OPT_OUT
    replies.receive([says(number, "No recibir promociones", kind="button", payload=payload)])
    ana.refresh_from_db()
    reply = Reply.objects.get()
    assert ana.consent == Consent.WITHDRAWN
    assert (reply.message, reply.batch, reply.opted_out) == (message, batch, True)
    assert ConsentEntry.objects.get(contact=ana, act=Consent.WITHDRAWN).source == Source.BUTTON


def test_another_button_is_only_an_answer(number: Number, ana: Contact) -> None:
    message = Message.objects.get(batch=rows.launch(number))
    replies.receive([says(number, "Apartar mi charola", kind="button", payload=references.make(message.pk))])
    ana.refresh_from_db()
    assert ana.consent == Consent.GRANTED
    assert Reply.objects.get().message == message


def test_a_quoted_message_is_found_by_its_wamid(number: Number, ana: Contact) -> None:
    message = Message.objects.get(batch=rows.launch(number))
    Wamid.objects.create(wamid="wamid.out", message=message)
    replies.receive([says(number, "¿a qué hora abren?", context_wamid="wamid.out")])
    assert Reply.objects.get().message == message


def test_anothers_message_is_not_theirs_to_answer(number: Number, ana: Contact) -> None:
    other = rows.business(people=1)
    message = Message.objects.get(batch=rows.launch(other))
    replies.receive([says(number, "hola", kind="button", payload=references.make(message.pk))])
    assert Reply.objects.get().message is None


def test_the_same_message_twice_counts_once(number: Number, ana: Contact) -> None:
    replies.receive([says(number, "BAJA"), says(number, "BAJA")])
    replies.receive([says(number, "BAJA")])
    assert Reply.objects.count() == 1
    assert ConsentEntry.objects.filter(act=Consent.WITHDRAWN).count() == 1


def test_alta_brings_them_back(number: Number, ana: Contact) -> None:
    replies.receive([says(number, "BAJA", wamid="1"), says(number, "ALTA", wamid="2", at=NOW + timedelta(hours=1))])
    ana.refresh_from_db()
    assert ana.consent == Consent.GRANTED


def test_an_answer_opens_the_window_and_proves_whatsapp(number: Number, ana: Contact) -> None:
    Contact.objects.update(no_whatsapp_at=NOW, undelivered_at=NOW)
    replies.receive([says(number, "hola", wamid="2"), says(number, "hola", wamid="1", at=NOW - timedelta(hours=2))])
    ana.refresh_from_db()
    assert (ana.last_inbound_at, ana.no_whatsapp_at, ana.undelivered_at) == (NOW, None, None)


def test_the_no_of_a_stranger_is_kept_as_a_hash(number: Number) -> None:
    replies.receive([says(number, "BAJA")])
    assert Refusal.objects.get().mobile_hash == consent.hash_of("+522225550142")
    assert Contact.objects.count() == 0


def test_metas_own_stop_and_resume(number: Number, ana: Contact) -> None:
    def prefers(choice: str, hours: int) -> PreferenceEvent:
        return PreferenceEvent(
            number.phone_number_id, "522225550142", "", choice, "marketing_messages", NOW + timedelta(hours=hours)
        )

    replies.prefer([prefers("stop", 1)])
    ana.refresh_from_db()
    assert ana.consent == Consent.WITHDRAWN
    replies.prefer([prefers("resume", 2)])
    ana.refresh_from_db()
    assert ana.consent == Consent.GRANTED


def test_a_number_that_is_not_ours_is_nobodys(number: Number, ana: Contact) -> None:
    replies.receive([says(number, "BAJA", phone_number_id="999")])
    ana.refresh_from_db()
    assert ana.consent == Consent.GRANTED and not Reply.objects.exists()


def test_a_hidden_number_is_found_by_metas_id(number: Number, ana: Contact) -> None:
    Contact.objects.update(meta_user_id="MX.1")
    replies.receive([says(number, "BAJA", sender="")])
    ana.refresh_from_db()
    assert ana.consent == Consent.WITHDRAWN


@pytest.mark.parametrize("odd", ["1234", "1" * 21])
def test_an_odd_number_is_nobodys_and_never_stops_the_others(number: Number, ana: Contact, odd: str) -> None:
    replies.receive([says(number, "BAJA", sender=odd, user_id=""), says(number, "BAJA", wamid="wamid.2")])
    ana.refresh_from_db()
    assert ana.consent == Consent.WITHDRAWN and Reply.objects.count() == 1


def test_nul_bytes_do_no_harm(number: Number, ana: Contact) -> None:
    replies.receive([says(number, "hola\0")])
    assert Reply.objects.get().text == "hola"
