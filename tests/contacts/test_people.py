"""Adding, changing and deleting contacts."""

from datetime import UTC, datetime

import pytest

from pregon.contacts import consent, people, tag_names, tags
from pregon.contacts.models import Consent, Refusal, Source, Task
from pregon.contacts.people import Details
from tests import make

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def details(name="Mariana Torres", mobile="222 555 0142", **others):
    return Details(name=name, mobile=mobile, **others)


class TestAdd:
    def test_number_and_tags_are_read(self):
        contact = people.add(make.account(), details(mobile="+52 1 222 555 0142", tags=["VIP", "vip", "Centro"]))
        assert (contact.mobile, contact.mobile_raw) == ("+522225550142", "+52 1 222 555 0142")
        assert sorted(tag.name for tag in contact.tags.all()) == ["Centro", "VIP"]
        assert contact.consent == Consent.UNKNOWN

    def test_the_same_number_in_another_form_leads_to_who_has_it(self):
        account = make.account()
        first = people.add(account, details())
        with pytest.raises(people.AlreadyThere) as caught:
            people.add(account, details("Otra", "521 222 555 0142"))
        assert caught.value.contact == first
        people.add(make.account("Otro negocio"), details())

    def test_a_bad_number_says_what_is_missing(self):
        with pytest.raises(people.BadNumber, match="Faltan 2 dígitos"):
            people.add(make.account(), details(mobile="222 555 01"))


class TestEdit:
    def test_a_changed_number_starts_without_permission(self):
        account = make.account()
        actor = make.member(account).user
        contact = people.add(account, details())
        consent.record(contact, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        changed = people.edit(contact, details(mobile="222 555 0199"), actor=actor)
        assert (changed.mobile, changed.consent) == ("+522225550199", Consent.UNKNOWN)
        back = people.edit(changed, details(), actor=actor)
        assert back.consent == Consent.UNKNOWN

    def test_a_changed_number_that_refused_stays_refused(self):
        account = make.account()
        consent.withdraw_number(account, "+522225550199", source=Source.REPLY, happened_at=NOON)
        contact = people.add(account, details())
        changed = people.edit(contact, details(mobile="2225550199"), actor=make.member(account).user)
        assert changed.consent == Consent.WITHDRAWN

    def test_the_same_number_written_otherwise_keeps_the_permission(self):
        account = make.account()
        contact = people.add(account, details())
        consent.record(contact, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        changed = people.edit(contact, details("Mariana Luna", "+52 1 222 555 0142"), actor=make.member(account).user)
        assert (changed.name, changed.search, changed.consent) == ("Mariana Luna", "mariana luna", Consent.GRANTED)

    def test_a_corrected_number_keeps_the_no_said_without_it(self):
        account = make.account()
        fields = {"mobile": None, "mobile_raw": "222 555 01", "mobile_problem": "incomplete", "consent": "unknown"}
        contact = make.contact(account, "Ramiro", **fields)
        consent.record(contact, Consent.WITHDRAWN, source=Source.PANEL, happened_at=NOON)
        changed = people.edit(contact, details("Ramiro"), actor=make.member(account).user)
        assert (changed.consent, changed.mobile_problem) == (Consent.WITHDRAWN, "")
        assert Refusal.objects.count() == 1

    def test_anothers_number_leads_to_them(self):
        account = make.account()
        other = people.add(account, details(mobile="222 555 0199"))
        contact = people.add(account, details())
        with pytest.raises(people.AlreadyThere) as caught:
            people.edit(contact, details(mobile="222 555 0199"), actor=make.member(account).user)
        assert caught.value.contact == other


class TestDelete:
    @pytest.mark.parametrize(
        ("said", "after"), [(Consent.GRANTED, Consent.UNKNOWN), (Consent.WITHDRAWN, Consent.WITHDRAWN)]
    )
    def test_a_no_outlives_the_contact_and_a_yes_does_not(self, said, after):
        account = make.account()
        contact = people.add(account, details())
        consent.record(contact, said, source=Source.REPLY, happened_at=NOON)
        people.delete(account, [contact.pk], actor=make.member(account).user)
        assert not account.contacts.exists()
        assert people.add(account, details()).consent == after

    def test_strangers_are_not_deleted(self):
        account, stranger = make.account(), make.contact(make.account("Otra"))
        assert people.delete(account, [stranger.pk], actor=make.member(account).user) == 0
        assert stranger.account.contacts.count() == 1


class TestTags:
    def test_split(self):
        assert tag_names.split("Centro, VIP;centro | Charolas ") == ["Centro", "VIP", "Charolas"]

    def test_put_and_take(self):
        account = make.account()
        contacts = [make.contact(account) for _ in range(3)]
        ids = [contact.pk for contact in contacts]
        first = tags.put(account, ids[:1], ["VIP", "vip"])
        task = Task.objects.create(account=account, kind=Task.Kind.TAG, audience={}, upto=ids[-1], total=3)
        rest = tags.put(account, ids, ["Vip"], task)
        tag = account.tags.get()
        assert first + rest == ids
        assert tags.take(account, ids[:2], tag.pk) == ids[:2]
        tags.forget(account, [tag.pk])
        assert list(tag.contacts.all()) == contacts[2:]
        tags.put(account, ids[1:2], ["VIP"])  # again, and not for the task
        assert tags.unlink(task, ids) == ids[2:]
        tags.forget(account, [tag.pk])
        assert tags.take(account, ids, tag.pk) == ids[1:2]
        tags.forget(account, [tag.pk])
        assert not account.tags.exists()
        tags.revive(account, tag.pk, "VIP")
        assert account.tags.get() == tag

    def test_others_are_left_alone(self):
        account, stranger = make.account(), make.contact(make.account("Otra"))
        theirs = make.tag(stranger.account, "Suya", stranger)
        assert tags.put(account, [stranger.pk], ["VIP"]) == []
        assert tags.take(account, [stranger.pk], theirs.pk) == []
        tags.forget(account, [make.tag(stranger.account, "Vacía").pk])
        assert stranger.account.tags.count() == 2
