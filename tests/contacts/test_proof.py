"""The acts of consent as proof: every column says what the act was given."""

import csv
import io
import tracemalloc
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from pregon.accounts.models import User
from pregon.contacts import consent, identities, imports, people, proof
from pregon.contacts.models import Consent, ConsentEntry, Contact, Source
from tests import make
from tests.contacts.test_imports import bring

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SHEET = "Nombre;Celular;Permiso\nMariana Torres;222 555 0117;sí\nRosa;222 555 0118;sí\n"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def account():
    return make.account(time_zone="America/Mexico_City")


def read(chunks):
    return list(csv.DictReader(io.StringIO(b"".join(chunks).decode("utf-8-sig"))))


class TestOfAPerson:
    def test_a_permission_from_a_file(self, account):
        bring(account, SHEET, wording="Acepto recibir promociones")
        person = account.contacts.get(mobile="+522225550117")
        import_ = person.source
        [row] = proof.of_person(person)
        assert (row.act, row.words, row.source) == ("Permiso", "Se apuntó en la tienda", "Archivo")
        assert (row.name, row.mobile, row.number_hash) == (
            "Mariana Torres",
            person.mobile,
            consent.hash_of(person.mobile),
        )
        assert row.statement == "Se apuntaron en la tienda"
        assert row.text == "Acepto recibir promociones"  # what they read, and nothing besides
        assert (row.file, row.line, row.digest) == ("clientes.csv", "2", import_.digest) and len(row.digest) == 64
        assert row.by == f"{import_.created_by.name} <{import_.created_by.email}>"
        assert row.remark == ""

    def test_what_an_owner_noted(self, account):
        owner: User = make.member(account).user
        person = make.contact(account, consent=Consent.UNKNOWN)
        said = {"happened_at": NOON, "actor": owner, "ip": "2001:db8::7", "text": "Lo dijo en caja"}
        consent.record(person, Consent.GRANTED, source=Source.PANEL, **said)
        [row] = proof.of_person(person)
        assert (row.happened, row.by, row.ip) == (
            "2026-03-04 06:00:00-06:00",
            f"{owner.name} <{owner.email}>",
            "2001:db8::7",
        )
        assert row.text == "Lo dijo en caja"

    def test_a_form_that_nobody_confirmed(self, account):
        person = make.contact(account, consent=Consent.UNKNOWN)
        shown = {"confirmed": False, "page": "la-espiga", "version": 3}
        consent.record(person, Consent.GRANTED, source=Source.FORM, happened_at=NOON, text="Acepto", evidence=shown)
        [row] = proof.of_person(person)
        assert (row.form, row.remark) == ("la-espiga, versión 3", "Sin confirmar: nadie escribió desde ese celular.")

    def test_the_message_that_says_it(self, account):
        person = make.contact(account)
        shown = {"wamid": "wamid.HBgN"}
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON, text="BAJA", evidence=shown)
        [row] = proof.of_person(person)
        assert (row.act, row.words, row.wamid) == ("Baja", "Respondió BAJA", "wamid.HBgN")

    def test_a_file_that_was_undone_counts_for_nothing(self, account):
        bring(account, SHEET)
        person = account.contacts.get(mobile="+522225550117")
        make.tag(account, "Clienta", person)  # touched: she stays when the file goes
        import_ = person.source
        imports.undo(import_, make.user())
        imports.finish(import_)
        [row] = proof.of_person(Contact.objects.select_related("account").get(pk=person.pk))
        assert row.remark.startswith("El archivo se deshizo el ")

    def test_the_number_of_an_act_is_not_the_one_that_came_after(self, account):
        person = people.add(account, people.Details("Ana", "222 555 0117"))
        consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        person = people.edit(person, people.Details("Ana", "222 555 0118"), actor=make.user())
        lapse, earlier = proof.of_person(person)
        assert (earlier.mobile, earlier.number_hash) == ("", consent.hash_of("+522225550117"))
        assert lapse.act == "El permiso terminó"

    def test_what_was_said_before_the_number_was_in_the_base(self, account):
        consent.withdraw_number(account, "+522225550117", source=Source.REPLY, happened_at=NOON, text="BAJA")
        person = people.add(account, people.Details("Ana", "222 555 0117"))
        assert [row.text for row in proof.of_person(person)] == ["BAJA"]

    def test_what_was_said_by_somebody_of_whom_metas_id_alone_was_known(self, account):
        consent.withdraw_number(account, "", user_id="MX.7", source=Source.META, happened_at=NOON)
        person = identities.add(account, "MX.7", "Ana")
        [row] = proof.of_person(person)
        assert (row.act, row.number_hash) == ("Baja", consent.hash_of(None, "MX.7"))

    def test_evidence_is_what_is_known(self, account):
        person = make.contact(account)
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON, text="BAJA")
        [row] = proof.of_person(person)
        assert [name for name, _value in proof.evidence(row)] == ["Huella del número", "Origen", "Texto", "Anotado"]


class TestOfEverybody:
    def test_the_last_noted_first_and_nobody_elses(self, account):
        first, second = make.contact(account, "Ana"), make.contact(account, "Berta")
        for person in (first, second, make.contact(make.account("Otra"), "Nadie de aquí")):
            consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        assert [row.name for row in proof.all_of(account)] == ["Berta", "Ana"]

    def test_who_is_no_contact_is_a_hash(self, account):
        consent.withdraw_number(account, "+522225550117", source=Source.REPLY, happened_at=NOON)
        [row] = proof.all_of(account)
        assert (row.name, row.mobile, row.number_hash) == ("", "", consent.hash_of("+522225550117"))

    def test_every_cell_is_a_column_and_none_a_formula(self, account):
        person = make.contact(account, "=HYPERLINK(1)")
        consent.record(person, Consent.GRANTED, source=Source.PANEL, happened_at=NOON, text="+cmd|' /C calc'!A0")
        [row] = read(proof.csv(proof.all_of(account)))
        assert len(row) == len(proof.Row._fields) and None not in row
        assert (row["Nombre"], row["Texto"]) == ("'=HYPERLINK(1)", "'+cmd|' /C calc'!A0")

    def test_parts_are_queries_and_lines_come_once(self, account, django_assert_num_queries):
        many(account, 2 * proof.PART + 1)
        with django_assert_num_queries(4):
            seen = [row.text for row in proof.all_of(account)]
        assert seen == [str(n) for n in reversed(range(2 * proof.PART + 1))]

    def test_memory_does_not_grow_with_the_acts(self, account):
        def peak():
            tracemalloc.start()
            for _chunk in proof.csv(proof.all_of(account)):
                pass
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        many(account, 2 * proof.PART)
        two = peak()
        many(account, 4 * proof.PART)
        assert peak() < 1.3 * two

    def test_the_latest_and_whether_there_are_more(self, account):
        many(account, 3)
        assert [len(proof.latest(account, 3)[0]), proof.latest(account, 3)[1]] == [3, False]
        rows, more = proof.latest(account, 2)
        assert ([row.text for row in rows], more) == (["2", "1"], True)


def many(account, figure):
    """So many acts of nobody in the base, told apart by their text."""
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            account=account, mobile_hash="ab" * 32, act=Consent.WITHDRAWN, source=Source.API, happened_at=timezone.now(),
            text=str(n),
        )
        for n in range(figure)
    )  # fmt: skip
