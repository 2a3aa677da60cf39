"""What a failure leaves with the person, and what it does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pregon.contacts import consent, merging, people
from pregon.contacts.models import Consent, Contact, Refusal, Source
from pregon.contacts.people import Details
from pregon.promotions import forecast
from pregon.promotions.models import Broadcast
from pregon.sending import marks
from pregon.sending.models import Message, Omission
from pregon.whatsapp.cloud import errors
from pregon.whatsapp.cloud.codes import Mark
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def broadcast() -> Broadcast:
    """A draft for one person, who was written to before."""
    owner = make.business()
    draft = make.broadcast(owner.account)
    make.message(make.batch(owner.account), make.contact(owner.account, mobile="+522225550142"))
    return draft


def fails(code: int, subcode: int = 0, **ago: Any) -> Contact:
    mark = errors.classify(code, subcode).mark
    assert mark is not None
    message = Message.objects.get()
    marks.note([(message.pk, mark)], timezone.now() - timedelta(**ago))
    return Contact.objects.get()


def omitted(broadcast: Broadcast) -> list[Omission]:
    return list(forecast.forecast(broadcast).omissions)


@pytest.mark.parametrize(("code", "subcode"), [(130403, 0), (131021, 0), (137000, 0), (131009, 2494010)])
def test_what_only_the_business_can_mend_is_tried_again(broadcast: Broadcast, code: int, subcode: int) -> None:
    person = fails(code, subcode)
    assert (person.cooled_at, person.undelivered_at, person.no_whatsapp_at) == (None, None, None)
    assert (person.consent, omitted(broadcast)) == (Consent.GRANTED, [])


def test_metas_cap_is_waited_for_a_day(broadcast: Broadcast) -> None:
    fails(131049, hours=25)
    assert omitted(broadcast) == []
    fails(131049, hours=23)
    assert omitted(broadcast) == [Omission.META_WAIT]


def test_only_the_second_time_within_a_month_it_has_no_whatsapp(broadcast: Broadcast) -> None:
    for days in (40, 9):
        fails(131026, days=days)
        assert omitted(broadcast) == []
    fails(131026, days=1)
    assert omitted(broadcast) == [Omission.NO_WHATSAPP]


def test_who_refused_promotions_is_withdrawn(broadcast: Broadcast) -> None:
    assert fails(131050).consent == Consent.WITHDRAWN
    assert omitted(broadcast) == [Omission.OPT_OUT]


def test_who_refused_at_an_earlier_number_is_withdrawn_there(broadcast: Broadcast) -> None:
    """The number that they have now said yes for itself."""
    person = people.edit(Contact.objects.get(), Details("Ana", "222 555 0143"), actor=make.user())
    consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
    assert fails(131050).consent == Consent.GRANTED
    assert Refusal.objects.get().mobile_hash == consent.hash_of("+522225550142")


def test_who_refused_at_the_number_of_a_merged_contact_is_withdrawn_with_both(broadcast: Broadcast) -> None:
    twin = make.contact(broadcast.account, "Ana", mobile="+522225550143")
    merging.merge(broadcast.account, twin.pk, Message.objects.get().contact_id or 0, {}, make.user())
    assert fails(131050).consent == Consent.WITHDRAWN
    hashes = {consent.hash_of(mobile) for mobile in ("+522225550142", "+522225550143")}
    assert {row.mobile_hash for row in Refusal.objects.all()} == hashes


def test_who_refused_without_showing_a_number_is_withdrawn_with_it(broadcast: Broadcast) -> None:
    Message.objects.update(mobile="", meta_user_id="MX.1")
    Contact.objects.update(meta_user_id="MX.1")
    assert fails(131050).consent == Consent.WITHDRAWN
    assert Refusal.objects.get().mobile_hash == consent.hash_of("+522225550142")


def test_every_mark_has_its_case(broadcast: Broadcast) -> None:
    assert {errors.classify(code).mark for code in (130403, 131021, 131026, 131049, 131050)} == set(Mark)


def test_a_corrected_number_starts_anew(broadcast: Broadcast) -> None:
    for days in (9, 1):
        person = fails(131026, days=days)
    Contact.objects.update(cooled_at=timezone.now(), last_inbound_at=timezone.now())
    person = people.edit(person, Details("Ana", "222 555 0143"), actor=make.user())
    assert (person.mobile, person.no_whatsapp_at, person.cooled_at) == ("+522225550143", None, None)
    assert person.last_inbound_at is None
    assert omitted(broadcast) == [Omission.NO_CONSENT]
