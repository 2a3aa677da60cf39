"""What a person may ask for, as pages and files: the record, the proof, the erasure; and what is kept how long."""

import csv
import hashlib
import io
import json
import re
import zlib
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from pregon.accounts.models import Role
from pregon.contacts import consent, fields
from pregon.contacts.field_values import Reading
from pregon.contacts.models import Consent, Erasure, Source
from pregon.panel import paper, proofs, records
from pregon.promotions import launch
from pregon.sending import erasure
from pregon.sending.models import Message, Reply, Status
from tests import make
from tests.contacts.test_imports import CLIENTS, begin
from tests.contacts.test_proof import many

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
RECORD = ("record_csv", "record_json", "record_pdf")
PROOF = ("proof_csv", "proof_pdf")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


@pytest.fixture
def ana(owner):
    """With a message that she got and read, one that failed, and an answer."""
    person = make.contact(
        owner.account, "Ana Peña", mobile="+522225550117", email="ana@example.com", fields={"sucursal": "Centro"}
    )
    make.tag(owner.account, "VIP", person)
    said = {"happened_at": NOON, "actor": owner.user, "text": "Lo dijo en caja"}
    consent.record(person, Consent.GRANTED, source=Source.PANEL, **said)
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    broadcast.refresh_from_db()
    sent = Message.objects.filter(batch=broadcast.batch, contact=person)
    sent.update(status=Status.ACCEPTED, delivery=4, delivered_at=NOON, read_at=NOON)
    Reply.objects.create(
        wamid="wamid.1", account=owner.account, contact=person, text="¿A qué hora abren? 🥐", received_at=NOON
    )
    return person


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def content(response):
    return response.getvalue() if response.streaming else response.content


def words(pdf: bytes) -> str:
    """What is printed, in its order: the strings of the pages' streams."""
    streams = re.findall(rb"stream\r?\n(.*?)\nendstream", pdf, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(stream) for stream in streams)
    strings = re.findall(rb"\(((?:\\.|[^()\\])*)\) Tj", drawn)
    return "\n".join(re.sub(rb"\\([()\\])", rb"\1", string).decode("cp1252") for string in strings)


class TestRecord:
    def test_as_csv(self, browser, ana):
        response = browser.get(url("record_csv", ana.pk))
        assert response["Content-Disposition"] == f'attachment; filename="expediente-{ana.pk}.csv"'
        lines = list(csv.reader(io.StringIO(content(response).decode("utf-8-sig"))))
        assert lines[0] == ["Apartado", "Fecha", "Qué", "Detalle"]
        assert ["Datos", "", "Celular", "+52 222 555 0117"] in lines
        assert ["Datos", "", "Sucursal", "Centro"] in lines and ["Datos", "", "Etiquetas", "VIP"] in lines
        [act] = [line for line in lines if line[0] == "Permiso"]
        assert act[1] == "2026-03-04 06:00:00-06:00" and "Texto: Lo dijo en caja" in act[3]
        [sent] = [line for line in lines if line[0] == "Mensaje"]
        assert sent[2:] == [
            "Charolas para tu posada",
            "Hola Ana, hoy hay pan recién salido.; Leído 2026-03-04 06:00:00-06:00",
        ]
        [reply] = [line for line in lines if line[0] == "Respuesta"]
        assert reply[3] == "¿A qué hora abren? 🥐"

    def test_own_fields_are_written_as_people_read_them(self, owner, browser, ana):
        fields.ensure(owner.account, {"cumple": Reading("date")}, {"cumple": "Su día"})
        type(ana).objects.filter(pk=ana.pk).update(fields={"cumple": "2026-11-20"})
        lines = list(csv.reader(io.StringIO(content(browser.get(url("record_csv", ana.pk))).decode("utf-8-sig"))))
        assert ["Datos", "", "Su día", "20 de noviembre de 2026"] in lines
        assert "20 de noviembre de 2026" in words(content(browser.get(url("record_pdf", ana.pk))))

    def test_as_json(self, browser, ana):
        response = browser.get(url("record_json", ana.pk))
        assert response["Content-Type"] == "application/json"
        told = json.loads(content(response))
        assert told["person"]["mobile"] == "+522225550117" and told["person"]["tags"] == ["VIP"]
        assert told["person"]["fields"] == {"sucursal": "Centro"}
        assert told["consent_acts"][0]["text"] == "Lo dijo en caja"
        assert told["messages"][0]["text"] == "Hola Ana, hoy hay pan recién salido."
        assert told["replies"][0]["text"] == "¿A qué hora abren? 🥐"

    def test_as_pdf(self, browser, ana):
        response = browser.get(url("record_pdf", ana.pk))
        assert response["Content-Type"] == "application/pdf" and content(response).startswith(b"%PDF-")
        said = words(content(response))
        for expected in (
            "Expediente de Ana Peña",
            "+52 222 555 0117",
            "Lo dijo en caja",
            "recién salido",
            "¿A qué hora abren? •",
        ):
            assert expected in said
        assert "Panadería La Espiga" in said and "Página 1 de" in said

    def test_the_seal_is_the_csvs_sum(self, browser, ana):
        sum_ = hashlib.sha256(content(browser.get(url("record_csv", ana.pk)))).hexdigest()
        assert sum_ in words(content(browser.get(url("record_pdf", ana.pk))))

    def test_of_someone_of_whom_little_is_known(self, owner, browser):
        person = make.contact(
            owner.account, mobile=None, mobile_raw="555", mobile_problem="incomplete", consent="unknown"
        )
        said = words(content(browser.get(url("record_pdf", person.pk))))
        assert "No hay ningún acto de permiso anotado." in said and "Ninguno." in said and "Nada." in said

    def test_queries_do_not_grow(self, owner, ana, django_assert_max_num_queries):
        batch = Message.objects.get(contact=ana).batch
        for n in range(30):
            make.message(make.batch(owner.account), ana)
            make.message(batch, ana)
            Reply.objects.create(wamid=f"w{n}", account=owner.account, contact=ana, received_at=NOON)
            consent.record(ana, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        person = owner.account.contacts.select_related("account", "source").prefetch_related("tags").get(pk=ana.pk)
        with django_assert_max_num_queries(5):
            record = records.of(person)
            proofs.of_record(record)
            records.json(record)
        assert len(record.sent) == 61


class TestProof:
    def test_as_csv(self, browser, ana):
        rows = list(csv.DictReader(io.StringIO(content(browser.get(url("proof_csv"))).decode("utf-8-sig"))))
        assert [(row["Nombre"], row["Texto"]) for row in rows] == [("Ana Peña", "Lo dijo en caja")]

    def test_as_pdf_with_the_sum_of_the_csv(self, browser, ana):
        said = words(content(browser.get(url("proof_pdf"))))
        assert "Ana Peña · +52 222 555 0117" in said and "más recientes" not in said
        assert hashlib.sha256(content(browser.get(url("proof_csv")))).hexdigest() in said

    def test_beyond_its_room_a_sentence_says_so(self, owner):
        many(owner.account, proofs.MOST + 1)
        said = words(proofs.of_everybody(owner.account))
        assert f"Aquí están los {proofs.MOST} actos más recientes." in said
        assert said.count("Baja: Lo registró otro programa") == proofs.MOST

    def test_an_endless_text_is_printed_whole(self, owner):
        person = make.contact(owner.account)
        consent.record(
            person, Consent.WITHDRAWN, source=Source.PANEL, happened_at=NOON, text="x" * 4000 + " fin (de verdad) \\"
        )
        said = words(proofs.of_everybody(owner.account))
        assert said.count("x") - said.count("ex") >= 4000 and "fin (de verdad) \\" in said

    @pytest.mark.parametrize(
        ("given", "printed"),
        [
            ("José Ñandú — «Œuvre»… €", "José Ñandú — «Œuvre»… €"),
            ("Cafe\u0301", "Café"),
            ("Dvořák Őry", "Dvorák Ory"),
            ("李小龍", "???"),
            ("Ана", "???"),
            ("pan 🥐👩\u200d🍳", "pan •••"),
            ("a\x00b\tc\r\nd\u2028e", "abc\nd?e"),
            ("نور \u202eabc", "??? abc"),
        ],
    )
    def test_what_the_fonts_lack_is_replaced(self, given, printed):
        assert paper.printable(given) == printed

    def test_hostile_names_never_break_it(self, owner):
        every = "".join(map(chr, range(1, 0x3000, 7)))
        person = make.contact(owner.account, every[:120], fields={every[:40]: every, "": "x"})
        for name in ("(", ")", "\\", "{nb}", "**a**", "%s", " " * 50):
            consent.record(person, Consent.GRANTED, source=Source.PANEL, happened_at=NOON, text=name)
        assert proofs.of_record(records.of(person)).startswith(b"%PDF-")


class TestWhoMay:
    @pytest.mark.parametrize("name", RECORD)
    @pytest.mark.parametrize(("role", "status"), [(Role.MANAGER, 200), (Role.EDITOR, 403), (Role.VIEWER, 403)])
    def test_take_a_record(self, owner, ana, name, role, status):
        browser = make.signed_in(make.member(owner.account, role))
        assert browser.get(url(name, ana.pk)).status_code == status

    @pytest.mark.parametrize("name", PROOF)
    @pytest.mark.parametrize(("role", "status"), [(Role.MANAGER, 200), (Role.EDITOR, 403)])
    def test_take_the_proof(self, owner, name, role, status):
        assert make.signed_in(make.member(owner.account, role)).get(url(name)).status_code == status

    @pytest.mark.parametrize("name", [*RECORD, "contact_erase"])
    def test_nobody_elses(self, browser, name):
        stranger = make.contact(make.account("Otra"), "Ana")
        assert browser.get(url(name, stranger.pk)).status_code == 404

    def test_erase(self, owner, ana):
        browser = make.signed_in(make.member(owner.account, Role.MANAGER))
        assert browser.post(url("contact_erase", ana.pk), {"reason": "asked", "sure": "on"}).status_code == 403
        assert owner.account.contacts.filter(pk=ana.pk).exists()

    def test_see_the_way_there(self, owner, ana):
        page = url("contact", ana.pk)
        for role, shown in ((Role.OWNER, (True, True)), (Role.MANAGER, (True, False)), (Role.EDITOR, (False, False))):
            text = make.signed_in(make.member(owner.account, role)).get(page).text
            assert (url("record_pdf", ana.pk) in text, url("contact_erase", ana.pk) in text) == shown


class TestErasing:
    def test_says_what_goes_and_what_stays(self, browser, ana):
        page = browser.get(url("contact_erase", ana.pk)).text
        assert "Los archivos de contactos listos para descargar" in page
        for expected in (
            "Borrar los datos de Ana Peña",
            "Las cifras de tus resultados no cambian",
            "subiste (30 días)",
        ):
            assert expected in page

    def test_only_knowingly(self, owner, browser, ana):
        page = browser.post(url("contact_erase", ana.pk), {"reason": "asked"})
        assert (page.status_code, owner.account.contacts.filter(pk=ana.pk).exists()) == (422, True)

    def test_erases_and_writes_it_down(self, owner, browser, ana):
        response = browser.post(url("contact_erase", ana.pk), {"reason": "ordered", "sure": "on"}, follow=True)
        assert "Borramos sus datos" in response.text and "Ana Peña" not in response.text
        assert Erasure.objects.get().reason == "ordered"
        assert browser.get(url("contact", ana.pk)).status_code == 404
        privacy = browser.get(url("settings_privacy")).text
        assert "Lo ordenó una autoridad" in privacy and "Ana" not in privacy
        assert (still := "Aún borramos sus mensajes más antiguos") in privacy
        erasure.complete(Erasure.objects.get().pk)
        assert still not in browser.get(url("settings_privacy")).text

    def test_a_file_under_way_comes_first(self, owner, browser, ana):
        import_ = begin(owner.account, CLIENTS)
        page = browser.post(url("contact_erase", ana.pk), {"reason": "asked", "sure": "on"}, follow=True)
        assert "puede traer a esta persona" in page.text and url("import_review", import_.pk) in page.text
        assert owner.account.contacts.filter(pk=ana.pk).exists()

    def test_results_show_somebody_without_a_name(self, owner, browser, ana):
        broadcast = owner.account.broadcasts.get()
        people_page = url("broadcast_bucket", broadcast.pk, "accepted")
        assert "Ana Peña" in browser.get(people_page).text
        browser.post(url("contact_erase", ana.pk), {"reason": "asked", "sure": "on"})
        page = browser.get(people_page)
        assert page.status_code == 200 and "Ana Peña" not in page.text


class TestPrivacy:
    def test_tells_how_long(self, browser):
        page = browser.get(url("settings_privacy")).text
        for expected in ("Archivos de contactos, y sus filas que quedaron fuera", "30 días", "7 días", "Todos, en CSV"):
            assert expected in page

    def test_files_as_long_as_the_business_wants(self, owner, browser):
        assert browser.post(url("settings_privacy"), {"keep_files_days": "10"}).status_code == 302
        owner.account.refresh_from_db()
        assert owner.account.keep_files_days == 10
        assert "10 días" in browser.get(url("settings_privacy")).text

    @pytest.mark.parametrize("days", ["0", "366", "-1", "", "mucho", "99999999"])
    def test_within_reason(self, owner, browser, days):
        page = browser.post(url("settings_privacy"), {"keep_files_days": days})
        assert page.status_code == 422 and "Escribe un número entre 1 y 365." in page.text
        owner.account.refresh_from_db()
        assert owner.account.keep_files_days == 30

    def test_is_for_managers(self, owner):
        assert make.signed_in(make.member(owner.account, Role.EDITOR)).get(url("settings_privacy")).status_code == 403

    def test_queries_are_few(self, owner, browser, django_assert_max_num_queries):
        for _n in range(5):
            Erasure.objects.create(account=owner.account, contact_id=1, reason="asked", actor=owner.user)
        browser.get(url("settings_privacy"))
        with django_assert_max_num_queries(10):
            browser.get(url("settings_privacy"))
