"""From where an act of consent came: the address of whoever acted, the whole text, and which file it was."""

import hashlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from pregon.accounts.models import Member
from pregon.contacts import consent
from pregon.contacts.models import Consent, ConsentEntry, ContactImport, Source
from tests import make

pytestmark = pytest.mark.django_db
FILE = b"nombre,celular\nAna,2225550142\n"
IP = "203.0.113.9"


@pytest.fixture
def owner() -> Member:
    return make.business()


@pytest.fixture
def browser(owner: Member) -> Client:
    return make.signed_in(owner)


def test_acts_at_the_panel_have_an_address(owner: Member, browser: Client) -> None:
    people = [make.contact(owner.account, consent=Consent.UNKNOWN) for _ in range(2)]
    said = {"statement": "store", "day": "2026-03-05", "text": "Firmó la hoja"}
    browser.post(reverse("panel:contact_consent", args=[people[0].pk]), said, REMOTE_ADDR=IP)
    browser.post(reverse("panel:contact_withdraw", args=[people[0].pk]), {"text": "Lo pidió\0"}, REMOTE_ADDR=IP)
    many = {"pick": [people[1].pk], "confirmed": "1"}
    browser.post(reverse("panel:contacts_bulk"), many | said | {"act": "consent"}, REMOTE_ADDR=IP)
    browser.post(reverse("panel:contacts_bulk"), many | {"act": "opt_out"}, REMOTE_ADDR=IP)
    entries = ConsentEntry.objects.order_by("id")
    assert [(entry.act, entry.ip, entry.actor) for entry in entries] == [
        (act, IP, owner.user) for act in (Consent.GRANTED, Consent.WITHDRAWN) * 2
    ]
    assert entries[1].text == "Lo pidió"


def test_a_file_is_known_by_its_sum_and_its_last_word_by_its_address(
    browser: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    given = {"file": SimpleUploadedFile("clientes.csv", FILE)}
    browser.post(reverse("panel:import_new"), given, REMOTE_ADDR="203.0.113.1")
    import_ = ContactImport.objects.get()
    assert (import_.digest, import_.ip) == (hashlib.sha256(FILE).hexdigest(), "203.0.113.1")
    said = {"statement": "store", "declared": "on"}
    browser.post(reverse("panel:import_commit", args=[import_.pk]), said, REMOTE_ADDR=IP)
    import_.refresh_from_db()
    assert import_.ip == IP, "of who stated where the permission comes from"
    with import_.file.open() as kept:
        assert hashlib.sha256(kept.read()).hexdigest() == import_.digest


def test_a_text_is_kept_whole() -> None:
    ana, text = make.contact(make.account()), "Acepto. " * 100
    assert consent.record(ana, Consent.GRANTED, source=Source.FORM, happened_at=ana.created_at, text=text).text == text


@pytest.mark.parametrize(
    ("heard", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 2001:DB8::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("'; DROP TABLE", None),
        ("203.0.113.9:4711", None),
    ],
)
def test_an_address_is_one_or_none(
    browser: Client, owner: Member, settings: Settings, heard: str, address: str
) -> None:
    settings.SECURE = True
    person = make.contact(owner.account)
    browser.post(reverse("panel:contact_withdraw", args=[person.pk]), headers={"X-Forwarded-For": heard})
    assert person.consent_entries.get().ip == address
