"""Test messages: to one's own phone only, counted, once per click."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from pregon.accounts.models import Account, Member, Role
from pregon.contacts import consent, people
from pregon.contacts.models import Consent, ConsentEntry, Contact, Source
from pregon.promotions import launch, trials
from pregon.promotions.models import Trial, Version, Way
from pregon.quota.models import Period
from pregon.sending.models import Batch, Message
from tests import make
from tests.promotions.test_launch import together
from tests.promotions.test_quiet import during

MINE = "222 555 0199"


@pytest.fixture
def owner(db):
    return make.business()


def own(member: Member) -> Contact:
    """Said by a member, and shown by their phone."""
    make.proved(member, "+522225550199")
    return trials.own(member, MINE)


@pytest.fixture
def version(owner) -> Version:
    return make.promotion(owner.account).versions.get()


def test_ones_own_number_is_a_contact_with_ones_statement(owner):
    own(owner)
    owner.refresh_from_db()
    assert owner.mobile == "+522225550199"
    person = trials.phone(owner)
    assert (person.name, person.consent) == ("Lucía Mendoza", Consent.GRANTED)
    entry = ConsentEntry.objects.get(contact=person)
    assert (entry.actor, entry.source) == (owner.user, Source.PANEL)
    assert "Es mi celular" in entry.text


def test_a_number_that_cannot_be(owner):
    with pytest.raises(people.BadNumber):
        trials.own(owner, "123")
    assert not Contact.objects.exists()


def test_a_number_that_said_no_stays_in_peace(owner, version):
    refused = make.contact(owner.account, mobile="+522225550199")
    consent.record(refused, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now(), text="BAJA")
    with pytest.raises(launch.Refused, match="Escribe ALTA"):
        trials.own(owner, MINE)
    refused.refresh_from_db()
    assert refused.consent == Consent.WITHDRAWN
    with pytest.raises(launch.Refused, match="cuál es tu celular"):
        trials.send(owner, version, uuid4())


def test_a_phone_that_did_not_show_it_is_nobodys_own(owner):
    known = make.contact(owner.account, mobile="+522225550199", consent=Consent.UNKNOWN, consent_at=None)
    for _ in range(2):
        with pytest.raises(trials.Unproved, match=r"a tu número \+52 222 555 0142"):
            trials.own(owner, MINE)
    with pytest.raises(trials.Unproved) as asked:
        trials.own(owner, "222 555 0188")
    known.refresh_from_db()
    assert (known.consent, owner.mobile) == (Consent.UNKNOWN, "")
    assert owner.account.contacts.get(mobile="+522225550188").consent == Consent.UNKNOWN, "kept, for when it writes"
    assert not ConsentEntry.objects.exists()
    make.wrote(owner.account, "+522225550188", f"Pregón {asked.value.code}.")
    assert trials.own(owner, "222 555 0188").mobile == "+522225550188"


def test_a_customer_who_wrote_is_not_ones_own_phone(owner, version):
    make.wrote(owner.account, "+522225550199", "¿A qué hora abren?")
    own(make.member(owner.account))  # whose code it is that came from there
    with pytest.raises(trials.Unproved) as asked:
        trials.own(owner, MINE)
    for near in (f"1{asked.value.code}", f"{asked.value.code}0", asked.value.code[:7]):
        make.wrote(owner.account, "+522225550199", near)
    make.wrote(owner.account, "+522225550188", asked.value.code)
    owner.mobile = "+522225550199"  # stated when it took less
    owner.save()
    with pytest.raises(trials.Unproved):
        trials.own(owner, MINE)
    with pytest.raises(launch.Refused, match="cuál es tu celular"):
        trials.send(owner, version, uuid4())


def test_without_a_number_to_write_to_it_says_so(owner):
    owner.account.numbers.all().delete()
    with pytest.raises(launch.Refused, match="Aún no conectas un número"):
        trials.own(owner, MINE)


def test_what_a_virtual_phone_proved_does_not_count_for_a_real_one(owner):
    numbers, accounts = owner.account.numbers, Account.objects.filter(pk=owner.account_id)
    numbers.update(practice=True)
    accounts.update(practice=True)
    owner.account.refresh_from_db()
    trials.own(owner, MINE)
    make.proved(owner, "+522225550199")
    assert trials.phone(owner) is not None
    accounts.update(practice=False)
    owner.account.refresh_from_db()
    assert trials.phone(owner) is None
    with pytest.raises(launch.Refused):
        trials.own(owner, MINE)


def test_it_goes_to_ones_own_phone_and_counts(owner, version):
    make.contact(owner.account, "Otra persona")
    own(owner)
    trial = trials.send(owner, version, uuid4())
    message = Message.objects.get()
    assert (message.batch, message.mobile, message.values) == (trial.batch, "+522225550199", ["Lucía"])
    month = owner.account.periods.get()
    assert (month.reserved, month.entries.latest("id").reference) == (1, f"batch:{trial.batch_id}")
    assert trial.batch.promotion is None, "it does not count as having received the promotion"
    assert trial.batch.ends_at < timezone.now() + timedelta(hours=2)


def test_what_one_lacks_is_invented(owner):
    promotion = make.promotion(owner.account, values={"body.1": "{{correo}}"}, fallbacks={})
    own(owner)
    trials.send(owner, promotion.versions.get(), uuid4())
    assert Message.objects.get().values == ["mariana@example.com"]


def test_it_is_not_held_at_night(owner, version):
    own(owner)
    Account.objects.filter(pk=owner.account_id).update(**during(owner.account))
    assert not trials.send(owner, version, uuid4()).batch.held


def test_the_same_click_is_one_test(owner, version):
    own(owner)
    token = uuid4()
    assert trials.send(owner, version, token) == trials.send(owner, version, token)
    assert trials.send(owner, version, uuid4()).pk
    assert Batch.objects.count() == 2


def test_somebody_elses_token_is_their_own(owner, version):
    other = make.business()
    token = uuid4()
    own(owner)
    own(other)
    trials.send(owner, version, token)
    trials.send(other, make.promotion(other.account).versions.get(), token)
    assert set(Trial.objects.values_list("account_id", flat=True)) == {owner.account_id, other.account_id}


def test_not_too_many_in_an_hour(owner, version):
    own(owner)
    for _ in range(trials.PER_HOUR):
        trials.send(owner, version, uuid4())
    with pytest.raises(launch.Refused, match="en una hora"):
        trials.send(owner, version, uuid4())
    Trial.objects.update(created_at=timezone.now() - timedelta(hours=2))
    trials.send(owner, version, uuid4())


def empty_quota(owner: Member) -> None:
    Period.objects.update(limit=0)


def suspend(owner: Member) -> None:
    Account.objects.update(suspended_at=timezone.now(), suspension_reason="Falta un pago.")
    owner.account.refresh_from_db()


def pause_template(owner: Member) -> None:
    owner.account.templates.update(status="PAUSED")


def stop_number(owner: Member) -> None:
    owner.account.numbers.update(stopped_at=timezone.now(), stop_reason="Se acabó el saldo")


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (empty_quota, "una prueba usa uno"), (suspend, "Falta un pago"), (pause_template, "en pausa"),
        (stop_number, "Se acabó el saldo"),
    ],
)  # fmt: skip
def test_what_stops_a_broadcast_stops_a_test(owner, version, harm, sentence):
    own(owner)
    harm(owner)
    with pytest.raises(launch.Refused, match=sentence):
        trials.send(owner, Version.objects.get(), uuid4())
    assert not Trial.objects.exists()
    assert not Batch.objects.exists()


def test_free_text_needs_an_open_window(owner):
    promotion = make.promotion(owner.account, way=Way.TEXT, detail="Hoy hay pan", values={}, fallbacks={})
    person = own(owner)
    with pytest.raises(launch.Refused, match="manda antes un mensaje"):
        trials.send(owner, promotion.versions.get(), uuid4())
    Contact.objects.filter(pk=person.pk).update(last_inbound_at=timezone.now())
    assert trials.send(owner, promotion.versions.get(), uuid4())


@pytest.mark.django_db(transaction=True)
def test_race_two_clicks_at_once():
    member = make.business()
    version = make.promotion(member.account).versions.get()
    own(member)
    token = uuid4()
    made = together([lambda: trials.send(Member.objects.get(pk=member.pk), version, token)] * 4)
    assert len(set(made)) == Trial.objects.count() == Message.objects.count() == 1
    assert member.account.periods.get().reserved == 1
    assert member.role == Role.OWNER


@pytest.mark.django_db(transaction=True)
def test_race_two_clicks_on_the_first_test():
    Account.objects.filter(pk=(member := make.business()).account_id).update(practice=True)
    made = together([lambda: trials.own(Member.objects.get(pk=member.pk), MINE)] * 4)
    assert len(set(made)) == Contact.objects.count() == ConsentEntry.objects.count() == 1
