"""A person's data erased: nothing of them is found anywhere, their no stays, figures and other people are as before."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Account, User
from pregon.contacts import consent, merging, optin, people
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactImport, Erasure, OptinRequest, Refusal, Source
from pregon.sending import erasure, outbox, replies
from pregon.sending.models import Batch, Message, Omission, Status
from pregon.sending.outbox import Advance
from pregon.whatsapp.models import Number
from tests import make
from tests.contacts.test_imports import begin, bring
from tests.sending import rows
from tests.sending.books import assert_balanced
from tests.sending.test_replies import says
from tests.sending.zoraida import EARLIER, FILE, MOBILE, NOON, TWIN, as_meta_writes, erase, found, known, tables

# Every table is in one of these. A new one: does it say anything of the people whom a business writes to? Then `erase` has to
# know it, and `zoraida.known` puts her there; else it belongs to OTHERS.
OF_PEOPLE = {
    "contacts_before", "contacts_change", "contacts_consententry", "contacts_contact", "contacts_contactimport",
    "contacts_merge", "contacts_optinrequest", "sending_message", "sending_reply", "sending_wamid",
}  # fmt: skip
HASHED_OR_COUNTED = {
    "contacts_contact_tags", "contacts_erasure", "contacts_pair", "contacts_refusal", "contacts_taskpart", "contacts_tally",
    "sending_reached", "sending_reachedminute", "sending_window",
}  # fmt: skip
ENDED_BY_TIME = {"webhooks_arrival"}  # Meta's webhooks as they came
WRITTEN_BY_HAND = {  # about what they like; nothing is put there by itself
    "contacts_field", "contacts_optinpage", "contacts_optintext", "contacts_segment", "contacts_tag", "contacts_task",
    "promotions_promotion", "promotions_version", "staff_act", "support_attachment", "support_case", "support_reply",
}  # fmt: skip
OTHERS = {
    "account_emailaddress", "account_emailconfirmation", "accounts_account", "accounts_member", "accounts_user", "auth_group",
    "auth_group_permissions", "auth_permission", "contacts_importpart", "contacts_rememberedmapping", "django_content_type",
    "django_migrations", "django_session", "procrastinate_events", "procrastinate_jobs", "procrastinate_periodic_defers",
    "procrastinate_workers", "promotions_broadcast", "promotions_rate", "promotions_recurrence", "promotions_trial",
    "quota_ledgerentry", "quota_period", "sending_batch", "sending_chunk", "sending_lease", "subscriptions_plan",
    "subscriptions_subscription", "whatsapp_number", "whatsapp_portfolio", "whatsapp_template",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def number() -> Number:
    return rows.business(people=2)


@pytest.fixture
def owner(number: Number) -> User:
    return make.member(number.account).user


def counters() -> list[dict[str, int]]:
    return list(
        Batch.objects.order_by("pk").values("queued", "accepted", "failed", "omitted", "sent", "delivered", "read")
    )


@pytest.mark.django_db
class TestNothingIsLeft:
    def test_of_her_in_any_table(self, number, owner):
        person = known(number)
        assert found() == OF_PEOPLE, "the control: before, she is everywhere that people are"
        before = counters()
        erase(person, owner)
        assert found() == set()
        assert counters() == before

    def test_every_table_is_looked_at_by_somebody(self):
        """See OF_PEOPLE."""
        assert tables() == OF_PEOPLE | HASHED_OR_COUNTED | ENDED_BY_TIME | WRITTEN_BY_HAND | OTHERS

    def test_of_her_and_all_of_the_others(self, number, owner):
        person = known(number)
        kept = Contact.objects.exclude(pk=person.pk).order_by("pk")
        others, acts = list(kept.values()), ConsentEntry.objects.filter(contact__in=kept).count()
        assert others and acts
        erase(person, owner)
        assert list(kept.all().values()) == others
        assert ConsentEntry.objects.filter(contact__in=kept.all()).count() == acts
        assert found("Rosa Quiroz") == {"contacts_contact"}

    def test_what_was_done_is_written_down(self, number, owner):
        person = known(number)
        done = erase(person, owner)
        assert (done.account, done.actor, done.reason) == (number.account, owner, "asked")
        assert done.mobile_hash == consent.hash_of(MOBILE)

    def test_of_someone_without_a_number(self, number, owner):
        person = make.contact(
            number.account, "Zoraida", mobile=None, mobile_raw="222-555 07 77", mobile_problem="incomplete"
        )
        consent.record(person, Consent.WITHDRAWN, source=Source.PANEL, happened_at=NOON, text="Zoraida")
        assert erase(person, owner).mobile_hash == ""
        assert found() == set()
        assert not ConsentEntry.objects.exists() and not Refusal.objects.exists()

    def test_of_someone_who_confirmed_a_form_without_showing_the_number(self, number, owner):
        page = optin.publish(number.account, optin.Offer(title="Altas", text="Quiero"), owner)
        hers, other = (optin.ask(page, mobile, name="Zoraida") for mobile in (MOBILE, "+522225550142"))
        replies.receive([says(number, f"ALTA {hers.code}", sender="", user_id="MX.1")])
        erase(Contact.objects.get(meta_user_id="MX.1"), owner)
        assert OptinRequest.objects.get() == other

    def test_of_someone_who_was_deleted_in_the_meantime(self, number, owner):
        person = known(number)
        people.delete(number.account, [person.pk], actor=owner)
        with pytest.raises(Contact.DoesNotExist):
            erasure.erase(person, reason=Erasure.Reason.ASKED, actor=owner)

    def test_files_that_show_nothing_any_more_are_not_written_again(self, number, owner):
        hers, his = known(number), number.account.contacts.get(name="Rosa Quiroz")
        erase(hers, owner)
        with CaptureQueriesContext(connection) as queries:
            erase(his, owner)
        assert not [query for query in queries if 'UPDATE "contacts_contactimport"' in query["sql"]]

    def test_what_a_launch_under_way_wrote_down_meanwhile(self, number, owner):
        """A launch of many people takes its list before, and commits after."""
        person = known(number)
        batch = Batch.objects.latest("pk")
        erase(person, owner)
        late = Message.objects.create(
            account=number.account, batch=batch, position=77, contact_id=person.pk, name="Zoraida", mobile=MOBILE,
            status=Status.QUEUED, values=["Zoraida"],
        )  # fmt: skip
        assert erasure.finish() == 1
        late.refresh_from_db()
        assert (late.contact_id, late.name, late.mobile, late.values) == (None, "", "", [""])
        assert erasure.finish() == 0

    def test_of_another_business_that_knows_her_too(self, number, owner):
        elsewhere = make.contact(make.account("Otra"), "Zoraida", mobile=MOBILE)
        erase(known(number), owner)
        elsewhere.refresh_from_db()
        assert (elsewhere.name, elsewhere.consent) == ("Zoraida", Consent.GRANTED)


@pytest.mark.django_db
class TestTheNoStays:
    def test_bare_under_the_hash_of_the_number(self, number, owner):
        erase(known(number), owner)
        [entry] = ConsentEntry.objects.filter(mobile_hash=consent.hash_of(MOBILE))
        assert (entry.act, entry.source, entry.contact, entry.actor) == (Consent.WITHDRAWN, Source.PANEL, None, None)
        assert (entry.text, entry.evidence, entry.ip, entry.import_file_id, entry.row_no) == ("", {}, None, None, None)
        assert Refusal.objects.filter(account=number.account, mobile_hash=entry.mobile_hash).exists()

    def test_with_its_own_time_and_way_where_it_was_said_before(self, number, owner):
        person = make.contact(number.account, mobile=MOBILE)
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON, text="BAJA")
        erase(person, owner)
        [entry] = ConsentEntry.objects.all()
        assert (entry.source, entry.happened_at, entry.text) == (Source.REPLY, NOON, "")

    def test_no_file_brings_her_back(self, number, owner):
        erase(known(number), owner)
        review = bring(number.account, FILE)
        assert (review.saved, review.counts["withdrawn"]) == (0, 1)
        person = people.add(number.account, people.Details(name="Zoraida", mobile=MOBILE))
        bring(number.account, FILE)
        person.refresh_from_db()
        assert person.consent == Consent.WITHDRAWN

    def test_of_the_number_of_whoever_was_merged_into_her(self, number, owner):
        """Both said yes; the other's ended with the merge, and goes."""
        account = number.account
        hers, twin = [people.add(account, people.Details("Zoraida", mobile)) for mobile in (MOBILE, TWIN)]
        for person in (hers, twin):
            consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        merging.merge(account, hers.pk, twin.pk, {}, owner)
        erase(hers, owner)
        assert {row.mobile_hash for row in Refusal.objects.all()} == {consent.hash_of(MOBILE), consent.hash_of(TWIN)}
        assert bring(account, FILE.replace("222-555 07 77", "222 555 0779")).counts["withdrawn"] == 1
        assert not account.contacts.filter(consent=Consent.GRANTED, name__startswith="Zoraida").exists()

    def test_but_not_of_one_that_is_somebody_elses_now(self, number, owner):
        account = number.account
        hers, twin = [people.add(account, people.Details("Zoraida", mobile)) for mobile in (MOBILE, TWIN)]
        merging.merge(account, hers.pk, twin.pk, {}, owner)
        his = people.add(account, people.Details("Pedro", TWIN))
        consent.record(his, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        erase(hers, owner)
        consent.settle(account.pk, [his])
        his.refresh_from_db()
        assert his.consent == Consent.GRANTED

    def test_only_she_does(self, number, owner):
        erase(known(number), owner)
        bring(number.account, FILE)
        replies.receive([says(number, "ALTA", sender=MOBILE[1:], wamid="wamid.later", at=timezone.now())])
        assert number.account.contacts.get(mobile=MOBILE).consent == Consent.GRANTED

    def test_the_no_of_a_number_that_she_had_before(self, number, owner):
        person = make.contact(number.account, "Zoraida", mobile=EARLIER)
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON, text="BAJA")
        person = people.edit(person, people.Details(name="Zoraida", mobile=MOBILE), actor=owner)
        erase(person, owner)
        assert {row.mobile_hash for row in Refusal.objects.all()} == {consent.hash_of(MOBILE), consent.hash_of(EARLIER)}
        assert set(ConsentEntry.objects.values_list("act", "text")) == {("withdrawn", "")}

    def test_what_somebody_else_said_for_a_number_that_was_hers(self, number, owner):
        """Her yes ended with her having it, his counts; neither does the erasure change that."""
        hers = make.contact(number.account, "Zoraida", mobile=EARLIER, consent=Consent.UNKNOWN)
        consent.record(hers, Consent.GRANTED, source=Source.REPLY, happened_at=NOON, text="ALTA Zoraida")
        hers = people.edit(hers, people.Details(name="Zoraida", mobile=MOBILE), actor=owner)
        his = people.add(number.account, people.Details(name="Pedro", mobile=EARLIER))
        assert his.consent == Consent.UNKNOWN
        consent.record(his, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now(), text="ALTA")
        erase(hers, owner)
        assert found("Zoraida") == set()
        his.refresh_from_db()
        consent.settle(number.account.pk, [his])
        his.refresh_from_db()
        assert his.consent == Consent.GRANTED
        ConsentEntry.objects.filter(contact=his).delete()
        consent.settle(number.account.pk, [his])
        his.refresh_from_db()
        assert his.consent == Consent.UNKNOWN, "her yes does not become his"

    def test_a_yes_that_ended_with_her_does_not_begin_again(self, number, owner):
        """It was given for the number before anybody had it; what he said for it counts for nothing."""
        consent.grant_number(number.account, EARLIER, source=Source.REPLY, happened_at=NOON)
        hers = people.add(number.account, people.Details(name="Zoraida", mobile=EARLIER))
        hers = people.edit(hers, people.Details(name="Zoraida", mobile=MOBILE), actor=owner)
        his = people.add(number.account, people.Details(name="Pedro", mobile=EARLIER))
        undone = ContactImport.objects.create(account=number.account, status="undone", undone_at=timezone.now())
        ConsentEntry.objects.create(
            account=number.account, contact=his, mobile_hash=consent.hash_of(EARLIER), act=Consent.GRANTED,
            source=Source.IMPORT, happened_at=timezone.now(), import_file=undone,
        )  # fmt: skip
        erase(hers, owner)
        consent.settle(number.account.pk, [his])
        his.refresh_from_db()
        assert his.consent == Consent.UNKNOWN

    def test_what_somebody_else_said_while_her_number_was_his(self, number, owner):
        his = make.contact(number.account, "Pedro", mobile=MOBILE, consent=Consent.UNKNOWN)
        consent.record(his, Consent.GRANTED, source=Source.REPLY, happened_at=NOON, text="ALTA")
        his = people.edit(his, people.Details(name="Pedro", mobile=EARLIER), actor=owner)
        hers = people.add(number.account, people.Details(name="Zoraida", mobile=MOBILE))
        consent.record(hers, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now(), text="ALTA Zoraida")
        erase(hers, owner)
        assert set(ConsentEntry.objects.filter(contact=his).values_list("act", "text")) == {
            ("granted", "ALTA"),
            ("unknown", ""),
        }
        assert Refusal.objects.get().mobile_hash == consent.hash_of(MOBILE)


@pytest.mark.django_db
class TestWhatIsOnItsWay:
    def test_a_queued_message_is_left_out_when_its_turn_comes(self, number, owner):
        batch = rows.launch(number)
        person = number.account.contacts.order_by("pk").first()
        erase(person, owner)
        leased = outbox.lease(number.pk, 10)
        assert leased is not None
        assert [len(row.values) for row in leased.rows] == [1, 1], "a pump fills as many slots as there were"
        rows.flush(batch, advances=[Advance(leased.id, batch.pk, leased.first, leased.end)])
        left_out = Message.objects.get(batch=batch, status=Status.OMITTED)
        assert (left_out.omission, left_out.mobile) == (Omission.NO_CONSENT, "")
        assert_balanced(batch)

    def test_a_message_that_is_just_leaving_is_first(self, number, owner):
        """Else Meta's id of it, in which the number is written, would come after."""
        batch = rows.launch(number)
        leased = outbox.lease(number.pk, 10)
        person = number.account.contacts.order_by("pk").first()
        with pytest.raises(erasure.Leaving):
            erase(person, owner)
        rows.flush(batch, finished=[leased.id])
        erase(person, owner)
        assert not number.account.contacts.filter(pk=person.pk).exists()

    def test_a_reply_is_read_once_even_if_meta_repeats_it(self, number, owner):
        """Meta's id of it went with the rest, so what comes again is somebody's of whom nothing is known."""
        person = known(number)
        erase(person, owner)
        replies.receive([says(number, "BAJA", sender=MOBILE[1:], wamid=as_meta_writes(MOBILE) + "2")])
        assert Refusal.objects.filter(mobile_hash=consent.hash_of(MOBILE)).exists()

    def test_a_file_under_review_is_first(self, number, owner):
        person = make.contact(number.account, "Zoraida", mobile=MOBILE)
        import_ = begin(number.account, FILE)
        with pytest.raises(erasure.Underway) as underway:
            erase(person, owner)
        assert underway.value.files == [import_]
        assert number.account.contacts.filter(pk=person.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_part_of_a_file_that_is_being_saved() -> None:
    """The control: without the base's lock it would be over before the part commits."""
    number = rows.business(people=1)
    person, owner = number.account.contacts.get(), make.member(number.account).user
    started = threading.Event()

    def run() -> None:
        started.set()
        erase(person, owner)
        connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        consent.lock_base(number.account_id, shared=True)
        thread.start()
        started.wait()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert not Account.objects.get(pk=number.account_id).contacts.exists()


@pytest.mark.django_db(transaction=True)
def test_the_page_of_whoever_is_deleted_while_it_is_sent() -> None:
    account = rows.business(people=1).account
    person, browser = account.contacts.get(), make.signed_in(make.member(account))
    asked, codes = {"reason": "asked", "sure": "on"}, []

    def run() -> None:
        codes.append(browser.post(reverse("panel:contact_erase", args=[person.pk]), asked).status_code)
        connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        consent.lock_base(account.pk, shared=True)
        people.delete(account, [person.pk], actor=make.user())
        thread.start()
        thread.join(1)
        assert thread.is_alive(), "it found the person, and waits for the base"
    thread.join()
    assert codes == [404]
    assert not Erasure.objects.exists()


@pytest.mark.django_db
def test_those_of_long_ago_are_not_looked_for(number, owner):
    done = erase(known(number), owner)
    Erasure.objects.filter(pk=done.pk).update(erased_at=timezone.now() - timedelta(days=8))
    batch = Batch.objects.latest("pk")
    Message.objects.create(
        account=number.account, batch=batch, position=78, contact_id=done.contact_id, status=Status.OMITTED
    )
    assert erasure.finish() == 0
