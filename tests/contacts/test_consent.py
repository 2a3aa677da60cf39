"""What the acts of consent amount to, in whatever order they arrive."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from pregon.accounts.models import Role
from pregon.contacts import consent, people
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, ConsentEntry, Contact, Refusal, Source
from tests import make

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
GRANTED, WITHDRAWN, UNKNOWN = Consent.GRANTED, Consent.WITHDRAWN, Consent.UNKNOWN


def newcomer(account, mobile="222 555 0142"):
    return people.add(account, people.Details(name="Mariana Torres", mobile=mobile))


def hour(n):
    return NOON + timedelta(hours=n)


@pytest.mark.django_db
class TestRecord:
    def test_a_grant_and_then_a_withdrawal(self):
        contact = newcomer(make.account())
        consent.record(contact, GRANTED, source=Source.FORM, happened_at=NOON, text="Sí quiero")
        assert (contact.consent, contact.consent_at) == (GRANTED, NOON)
        entry = consent.record(contact, WITHDRAWN, source=Source.REPLY, happened_at=hour(1), evidence={"wamid": "w1"})
        assert (contact.consent, contact.consent_at) == (WITHDRAWN, hour(1))
        assert entry.evidence == {"wamid": "w1"}
        assert contact.consent_entries.count() == 2

    def test_a_tie_goes_to_the_withdrawal(self):
        contact = newcomer(make.account())
        consent.record(contact, WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        consent.record(contact, GRANTED, source=Source.REPLY, happened_at=NOON)
        assert contact.consent == WITHDRAWN

    def test_a_late_withdrawal_that_happened_before_the_persons_own_yes_changes_nothing(self):
        contact = newcomer(make.account())
        consent.record(contact, GRANTED, source=Source.REPLY, happened_at=hour(2))
        consent.record(contact, WITHDRAWN, source=Source.BUTTON, happened_at=hour(1))
        assert (contact.consent, contact.consent_at) == (GRANTED, hour(2))
        assert not Refusal.objects.exists()

    @pytest.mark.parametrize("source", [Source.IMPORT, Source.API])
    def test_a_file_or_program_never_brings_back(self, source):
        contact = newcomer(make.account())
        consent.record(contact, WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        consent.record(contact, GRANTED, source=source, happened_at=hour(5))
        assert contact.consent == WITHDRAWN
        assert Refusal.objects.get().happened_at == NOON

    @pytest.mark.parametrize(
        ("role", "expected"), [(Role.OWNER, GRANTED), (Role.MANAGER, WITHDRAWN), (Role.EDITOR, WITHDRAWN)]
    )
    def test_only_an_owner_brings_back_by_hand(self, role, expected):
        account = make.account()
        actor = make.member(account, role).user
        contact = newcomer(account)
        consent.record(contact, WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        consent.record(contact, GRANTED, source=Source.PANEL, happened_at=hour(1), actor=actor, text="Firmó otra hoja")
        assert contact.consent == expected
        assert Refusal.objects.exists() == (expected == WITHDRAWN)

    def test_an_owners_earlier_evidence_does_not_bring_back(self):
        account = make.account()
        contact = newcomer(account)
        consent.record(contact, WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        actor = make.member(account).user
        consent.record(contact, GRANTED, source=Source.PANEL, happened_at=hour(-1), actor=actor)
        assert contact.consent == WITHDRAWN

    def test_an_act_for_someone_deleted_meanwhile_is_kept_for_the_number(self):
        account = make.account()
        contact = newcomer(account)
        Contact.objects.filter(pk=contact.pk).delete()
        consent.record(contact, WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        assert Refusal.objects.get().mobile_hash == consent.hash_of(contact.mobile)

    def test_someone_without_a_number_can_withdraw(self):
        account = make.account()
        one, other = (
            make.contact(account, name, mobile=None, mobile_problem="incomplete", consent=UNKNOWN) for name in "ab"
        )
        consent.record(one, WITHDRAWN, source=Source.PANEL, happened_at=NOON)
        other.refresh_from_db()
        assert (one.consent, other.consent) == (WITHDRAWN, UNKNOWN)
        assert not Refusal.objects.exists()

    def test_the_no_of_one_without_a_number_who_is_gone_is_nobody_elses(self):
        account = make.account()
        other = make.contact(account)
        gone = make.contact(account, "b", mobile=None, mobile_problem="incomplete", consent=UNKNOWN)
        Contact.objects.filter(pk=gone.pk).delete()
        consent.record(gone, WITHDRAWN, source=Source.PANEL, happened_at=NOON)
        other.refresh_from_db()
        assert other.consent == GRANTED


@pytest.mark.django_db
class TestNumbers:
    def test_a_no_from_outside_the_base_waits_for_the_number(self):
        account = make.account()
        consent.withdraw_number(account, "+522225550142", source=Source.REPLY, happened_at=NOON, text="BAJA")
        assert newcomer(account).consent == WITHDRAWN
        assert newcomer(make.account("Otra")).consent == UNKNOWN

    def test_a_later_yes_from_outside_the_base_ends_it(self):
        account = make.account()
        consent.withdraw_number(account, "+522225550142", source=Source.REPLY, happened_at=NOON)
        consent.grant_number(account, "+522225550142", source=Source.REPLY, happened_at=hour(1))
        assert not Refusal.objects.exists()

    def test_a_number_in_the_base_is_its_contact(self):
        account = make.account()
        contact = newcomer(account)
        entry = consent.withdraw_number(account, "+522225550142", source=Source.REPLY, happened_at=NOON)
        contact.refresh_from_db()
        assert (entry.contact_id, contact.consent) == (contact.pk, WITHDRAWN)

    def test_the_hash_tells_no_number(self):
        consent.withdraw_number(make.account(), "+522225550142", source=Source.REPLY, happened_at=NOON)
        assert "5550142" not in str(ConsentEntry.objects.values().get()) + str(Refusal.objects.values().get())


@pytest.mark.django_db
def test_many_at_once_leave_other_accounts_alone():
    account, stranger = make.account(), make.contact(make.account("Otra"))
    ours = [newcomer(account, f"222 555 01{n}") for n in range(10, 15)]
    said = Act(consent=WITHDRAWN, source=Source.PANEL, happened_at=NOON)
    assert consent.record_many(account, [*(c.pk for c in ours), stranger.pk], said) == 5
    assert account.contacts.filter(consent=WITHDRAWN).count() == 5
    stranger.refresh_from_db()
    assert stranger.consent == Consent.GRANTED


ACTS = st.tuples(
    st.sampled_from([GRANTED, WITHDRAWN, UNKNOWN]),
    st.sampled_from([Source.IMPORT, Source.REPLY, Source.META, Source.REFUSED]),
    st.integers(0, 5).map(hour),
)


def told(acts):
    """The rules as one would tell them: go through the acts by the time they happened."""
    rank = {UNKNOWN: 0, GRANTED: 1, WITHDRAWN: 2}
    state = UNKNOWN
    for act, source, _when in sorted(acts, key=lambda a: (a[2], rank[a[0]], a[1] in consent.OF_THE_PERSON)):
        if act == WITHDRAWN or state != WITHDRAWN or (act == GRANTED and source in consent.OF_THE_PERSON):
            state = act
    return state


class TestOrders(TestCase):
    @settings(max_examples=150, deadline=None)
    @given(acts=st.lists(ACTS, max_size=7), order=st.randoms(use_true_random=False))
    def test_the_order_of_arrival_does_not_matter(self, acts, order):
        account = make.account()
        contact = newcomer(account)
        arriving = list(acts)
        order.shuffle(arriving)
        for act, source, when in arriving:
            consent.record(contact, act, source=source, happened_at=when)
        assert contact.consent == told(acts)
        assert Refusal.objects.filter(account=account).exists() == (contact.consent == WITHDRAWN)
