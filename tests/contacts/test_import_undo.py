"""Imports taken back: everybody is as before, but for what was said and done since."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pregon.contacts import consent, imports, people, tags
from pregon.contacts.models import Before, Consent, ConsentEntry, Contact, ContactImport, Refusal, Source
from tests import make
from tests.contacts.sheets import bring, sheet, take_back

pytestmark = pytest.mark.django_db(transaction=True)
Status = ContactImport.Status


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def consents(account):
    return dict(account.contacts.order_by("mobile").values_list("mobile", "consent"))


class TestUndo:
    def test_everybody_is_as_before(self, small_parts):
        account = make.account()
        eva = people.add(account, people.Details("Eva", "2225550001", email="eva@example.com", tags=["VIP"]))
        lia = people.add(account, people.Details("Lía", "2225550002"))
        consent.record(lia, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        before = list(account.contacts.order_by("id").values("name", "search", "email", "fields", "consent"))
        undone = take_back(bring(account, sheet(250)))
        assert (undone.status, undone.stayed) == (Status.UNDONE, 0)
        assert list(account.contacts.order_by("id").values("name", "search", "email", "fields", "consent")) == before
        assert [tag.name for tag in eva.tags.all()] == ["VIP"]
        assert [tag.name for tag in account.tags.all()] == ["VIP"]
        assert not Before.objects.exists()

    def test_who_was_touched_since_stays(self):
        account = make.account()
        import_ = bring(account, sheet(8))
        one, two, three, four, five, *_others = account.contacts.order_by("id")
        consent.record(one, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now(), text="ALTA")
        people.edit(two, people.Details("Otro nombre", two.mobile), actor=make.user())
        tags.put(account, [three.pk], ["VIP"])
        Contact.objects.filter(pk=four.pk).update(last_inbound_at=timezone.now())
        consent.record(five, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
        undone = take_back(import_)
        assert undone.stayed == 5
        assert consents(account) == {
            one.mobile: "granted", two.mobile: "unknown", three.mobile: "unknown", four.mobile: "unknown",
            five.mobile: "withdrawn",
        }  # fmt: skip

    def test_its_permission_is_void_and_its_evidence_stays(self):
        account = make.account()
        ana = people.add(account, people.Details("Ana 1", "2225550001", tags=["Centro"]))
        import_ = bring(account, sheet(3))
        ana.refresh_from_db()
        assert ana.consent == Consent.GRANTED
        take_back(import_)
        ana.refresh_from_db()
        assert (ana.consent, ana.consent_at) == (Consent.UNKNOWN, None)
        assert ConsentEntry.objects.filter(import_file=import_, act="granted").count() == 3
        assert [tag.name for tag in ana.tags.all()] == ["Centro"]

    def test_a_no_of_the_file_stays(self):
        account = make.account()
        content = "nombre,celular,permiso\nAna,2225550001,sí\nEva,2225550002,baja\n"
        take_back(bring(account, content))
        assert Refusal.objects.get().mobile_hash == consent.hash_of("+522225550002")
        with pytest.raises(imports.ImportProblem, match="baja no se deshace"):
            imports.undo(bring(account, content, "opt_out"), make.user())

    def test_nobody_is_revived(self):
        account = make.account()
        import_ = bring(account, sheet(3))
        ana = account.contacts.first()
        consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
        take_back(import_)
        ana.refresh_from_db()
        assert ana.consent == Consent.WITHDRAWN
        bring(account, sheet(3))
        ana.refresh_from_db()
        assert ana.consent == Consent.WITHDRAWN

    def test_the_file_may_come_again(self, small_parts):
        account = make.account()
        take_back(bring(account, sheet(250)))
        assert bring(account, sheet(250)).counts["grants"] == 250

    def test_once_written_to_it_is_too_late(self):
        account = make.account()
        import_ = bring(account, sheet(3))
        assert imports.may_not_undo(import_) == ""
        make.message(make.batch(account), account.contacts.first())
        with pytest.raises(imports.ImportProblem, match="escribiste"):
            imports.undo(import_, make.user())

    def test_nothing_refers_to_nobody(self, small_parts):
        take_back(bring(make.account(), sheet(250)))
        with connection.cursor() as cursor:
            for table in ("contacts_contact_tags", "contacts_consententry"):
                cursor.execute(
                    f"SELECT count(*) FROM {table} AS t WHERE contact_id IS NOT NULL "
                    "AND NOT EXISTS (SELECT FROM contacts_contact AS c WHERE c.id = t.contact_id)"
                )
                assert cursor.fetchone() == (0,)


def test_undo_has_an_end():
    import_ = bring(make.account(), sheet(3))
    ContactImport.objects.update(committed_at=timezone.now() - timedelta(days=imports.UNDO_DAYS, seconds=1))
    import_.refresh_from_db()
    with pytest.raises(imports.ImportProblem, match="30 días"):
        imports.undo(import_, make.user())
