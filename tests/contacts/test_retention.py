"""What was kept long enough goes: files, rows of them, forms. The rest stays."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from pregon.contacts import imports, retention
from pregon.contacts.models import ContactImport, OptinRequest
from tests import make
from tests.contacts.test_imports import CLIENTS, begin, bring, left_out

pytestmark = pytest.mark.django_db
Status = ContactImport.Status


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def account():
    return make.account(keep_files_days=7)


def kept() -> int:
    """Files on disk."""
    return sum(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))


def age(import_: ContactImport, days: int) -> ContactImport:
    then = timezone.now() - timedelta(days=days)
    moments = {"created_at": then} | ({"committed_at": then} if import_.committed_at else {})
    ContactImport.objects.filter(pk=import_.pk).update(**moments)
    import_.refresh_from_db()
    return import_


class TestFiles:
    def test_those_that_are_through(self, account):
        bring(account, CLIENTS)
        import_ = age(ContactImport.objects.get(), 8)
        counts, people = import_.counts, account.contacts.count()
        assert kept() == 2 and import_.sample and import_.reviews["grants"]["examples"]
        retention.forget()
        import_.refresh_from_db()
        assert (kept(), bool(import_.file), bool(import_.rejects), import_.sample) == (0, False, False, [])
        assert "Torres" not in str(import_.reviews)
        assert (import_.counts, import_.file_name, account.contacts.count()) == (counts, "clientes.csv", people)

    def test_not_before_their_time(self, account):
        bring(account, CLIENTS)
        age(ContactImport.objects.get(), 6)
        retention.forget()
        assert kept() == 2

    def test_each_business_has_its_own(self, account):
        for business in (account, make.account("Otra", keep_files_days=90)):
            bring(business, CLIENTS)
        for import_ in ContactImport.objects.all():
            age(import_, 30)
        retention.forget()
        assert [bool(import_.file) for import_ in ContactImport.objects.order_by("pk")] == [False, True]

    def test_one_that_nobody_came_back_to(self, account):
        import_ = age(begin(account, CLIENTS), 8)
        retention.forget()
        import_.refresh_from_db()
        assert (import_.status, kept()) == (Status.DISCARDED, 0)

    def test_one_that_is_no_table_after_all(self, account):
        import_ = age(begin(account, CLIENTS), 8)
        ContactImport.objects.filter(pk=import_.pk).update(status=Status.BROKEN)
        retention.forget()
        assert kept() == 0

    @pytest.mark.parametrize("status", [Status.READING, Status.SAVING, Status.UNDOING])
    def test_not_while_something_happens_to_them(self, account, status):
        import_ = age(begin(account, CLIENTS), 8)
        ContactImport.objects.filter(pk=import_.pk).update(status=status)
        retention.forget()
        import_.refresh_from_db()
        assert (import_.status, kept()) == (status, 1)

    def test_one_can_still_be_undone(self, account):
        account.keep_files_days = 1
        account.save()
        bring(account, CLIENTS)
        import_ = age(ContactImport.objects.get(), 2)
        retention.forget()
        import_.refresh_from_db()
        imports.undo(import_, make.user())
        imports.finish(import_)
        assert (import_.status, account.contacts.count()) == (Status.UNDONE, 0)

    def test_a_second_night_finds_nothing(self, account, django_assert_num_queries):
        bring(account, CLIENTS)
        age(ContactImport.objects.get(), 8)
        retention.forget()
        with django_assert_num_queries(3):  # files under review, files that are through, forms
            retention.forget()


def test_what_stayed_out_is_told_to_be_gone():
    owner = make.business()
    bring(owner.account, CLIENTS)
    import_ = age(ContactImport.objects.get(), 31)
    browser = make.signed_in(owner)
    page, file = (reverse(f"panel:{name}", args=[import_.pk]) for name in ("import_review", "import_rejects"))
    assert file in browser.get(page).text
    assert left_out(import_)
    retention.forget()
    assert file not in browser.get(page).text
    refused = browser.get(file)
    assert (refused.status_code, "Este archivo ya se borró" in refused.text) == (422, True)


def test_forms_are_kept_for_a_week(account):
    now = timezone.now()
    for n, days in enumerate((1, 6, 8, 30)):
        row = OptinRequest.objects.create(account=account, code=f"K7M2PQ4{n}", mobile="+522225550117", confirmed_at=now)
        OptinRequest.objects.filter(pk=row.pk).update(created_at=now - timedelta(days=days))
    retention.forget()
    assert [row.code[-1] for row in OptinRequest.objects.order_by("pk")] == ["0", "1"]


def test_more_forms_than_go_at_once(account):
    old = timezone.now() - timedelta(days=8)
    rows = [OptinRequest(account=account, code=f"{n:08}", mobile="+522225550117") for n in range(retention.SLICE + 1)]
    OptinRequest.objects.bulk_create(rows)
    OptinRequest.objects.update(created_at=old)
    retention.forget()
    assert not OptinRequest.objects.exists()
