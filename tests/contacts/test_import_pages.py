"""The pages of an import: upload, review, commit; and who may."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts import imports, people, rules, segments
from pregon.contacts.models import Consent, ConsentEntry, ContactImport
from tests import make
from tests.contacts.test_imports import CLIENTS

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


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def upload(browser, content=CLIENTS, name="clientes.csv"):
    data = content.encode() if isinstance(content, str) else content
    return browser.post(url("import_new"), {"file": SimpleUploadedFile(name, data)}, follow=True)


def save(browser, **data):
    import_ = ContactImport.objects.latest("id")
    return browser.post(url("import_commit", import_.pk), data, follow=True)


def words(page):
    """What a person reads: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


class TestWalk:
    def test_from_the_file_to_the_people(self, owner, browser):
        review = upload(browser)
        assert "Todavía no se ha guardado nada" in review.text
        assert "8 + 3 = 11 filas . La cuenta cuadra." in words(review)
        assert "Declaro que estas 4 personas aceptaron" in words(review)
        assert "Guardar 7 contactos y 1 baja" in words(review)
        assert not owner.account.contacts.exists()
        done = save(browser, statement="store", wording="Quiero promociones", tag="Feria", declared="on")
        assert "Guardamos 7 contactos y 1 baja" in words(done)
        assert "4 personas más ya pueden recibir promociones" in words(done)
        assert owner.account.contacts.filter(consent=Consent.GRANTED, tags__name="Feria").count() == 4
        assert ConsentEntry.objects.filter(actor=owner.user, text__contains="Quiero promociones").count() == 4

    def test_pasted_cells(self, owner, browser):
        page = browser.post(url("import_new"), {"cells": "Nombre\tCelular\nAna\t2225550117\n"}, follow=True)
        assert "1 + 0 = 1 fila" in words(page)
        save(browser, statement="none")
        assert owner.account.contacts.get().consent == Consent.UNKNOWN

    def test_the_figures_follow_the_statement(self, browser):
        upload(browser)
        address = url("import_review", ContactImport.objects.get().pk)
        assert "Anotar 7 bajas" in words(browser.get(address, {"statement": "opt_out"}))
        none = words(browser.get(address, {"statement": "none"}))
        assert "Declaro" not in none
        assert "Guardar 7 contactos y 1 baja" in none
        assert browser.get(address, {"statement": "inventado"}).status_code == 200

    def test_columns_are_changed(self, owner, browser):
        upload(browser, "A,B,C\nAna,2225550117,Centro\n")
        import_ = ContactImport.objects.get()
        chosen = {"column_0": "new:text", "column_1": "mobile", "column_2": "name"}
        browser.post(url("import_columns", import_.pk), chosen)
        save(browser, statement="none")
        contact = owner.account.contacts.get()
        assert (contact.name, contact.fields) == ("Centro", {"a": "Ana"})

    def test_columns_must_make_sense(self, browser):
        upload(browser, "A,B\nAna,2225550117\n")
        address = url("import_columns", ContactImport.objects.get().pk)
        assert "en qué columna está el celular" in browser.post(address, {"column_0": "name"}).text
        twice = browser.post(address, {"column_0": "mobile", "column_1": "mobile"})
        assert "Elige Celular para una sola columna" in twice.text

    @pytest.mark.parametrize("name", ["import_columns", "import_commit"])
    def test_the_address_of_a_refused_form_leads_to_the_review(self, browser, name):
        upload(browser)
        pk = ContactImport.objects.get().pk
        assert browser.get(url(name, pk)).url == url("import_review", pk)

    def test_a_table_without_numbers_asks_for_them(self, browser):
        page = upload(browser, "Nombre,Ciudad\nAna,Puebla\n")
        assert "en qué columna está el celular" in page.text
        assert "column_1" in page.text
        rejects = browser.get(url("import_rejects", ContactImport.objects.get().pk))
        assert (rejects.status_code, "en qué columna" in rejects.text) == (422, True)

    def test_rejects(self, browser):
        upload(browser)
        address = url("import_rejects", ContactImport.objects.get().pk)
        before = browser.get(address).getvalue()
        assert len(before.splitlines()) == 1 + 3
        save(browser, statement="store", declared="on")
        assert browser.get(address).getvalue() == before

    def test_discarded(self, owner, browser):
        upload(browser)
        import_ = ContactImport.objects.get()
        page = browser.post(url("import_discard", import_.pk), follow=True)
        assert "No se guardó nada" in page.text
        assert browser.get(url("import_review", import_.pk)).status_code == 404

    def test_pressed_twice(self, owner, browser):
        upload(browser)
        save(browser, statement="store", declared="on")
        again = save(browser, statement="store", declared="on")
        assert "ya se guardó" in again.text
        assert owner.account.contacts.count() == 7


@pytest.mark.django_db(transaction=True)  # a large file is read beside the connection that tells how far it is
class TestUnderway:
    LONG = "nombre,celular,nota\n" + "".join(f"Ana {n},222{n:07d},{'x' * 100}\n" for n in range(5_000))

    def test_how_far_it_is_while_a_worker_reads_and_saves(self, owner, browser):
        page = upload(browser, self.LONG)
        assert ("Leemos tu archivo" in page.text, "filas leídas" in page.text) == (True, True)
        import_ = ContactImport.objects.get()
        ContactImport.objects.update(rows=1_234, read_bytes=100_000)
        partial = browser.get(url("import_progress", import_.pk))
        assert "1,234 filas leídas" in words(partial)
        assert "every 1s" in partial.text
        imports.finish(import_)
        assert browser.get(url("import_progress", import_.pk)).headers["HX-Refresh"] == "true"
        assert "Guardamos tus contactos" in save(browser, statement="store", declared="on").text
        import_.parts.create(after=1, upto=2_501, rows=2_500, counts={})
        assert "2,500 de 5,000 filas" in words(browser.get(url("import_progress", import_.pk)))

    def test_stopped_while_it_is_read(self, browser):
        upload(browser, self.LONG)
        import_ = ContactImport.objects.get()
        assert "No se guardó nada" in browser.post(url("import_discard", import_.pk), follow=True).text
        import_.refresh_from_db()
        assert import_.status == ContactImport.Status.DISCARDED

    def test_stopped_while_it_is_saved(self, owner, browser):
        upload(browser, self.LONG)
        import_ = ContactImport.objects.get()
        imports.finish(import_)
        save(browser, statement="store", declared="on")
        page = browser.post(url("import_stop", import_.pk), follow=True)
        assert "Deshacemos la importación" in page.text
        imports.finish(import_)
        assert "Importación deshecha" in browser.get(url("import_review", import_.pk)).text
        assert not owner.account.contacts.exists()

    def test_an_undo_asks_first(self, owner, browser):
        upload(browser)
        done = save(browser, statement="store", declared="on")
        import_ = ContactImport.objects.get()
        assert f'href="{url("import_undo", import_.pk)}"' in done.text
        assert f'action="{url("import_undo", import_.pk)}"' not in done.text
        asked = words(browser.get(url("import_undo", import_.pk)))
        assert "Se van 7 personas que llegaron con el archivo." in asked
        assert "1 baja se queda" in asked
        assert import_.status == ContactImport.objects.get().status
        page = browser.post(url("import_undo", import_.pk), follow=True)
        assert "7 personas como antes" in words(page)
        assert "1 baja se queda" in words(page)
        assert not owner.account.contacts.exists()
        assert "se deshizo" in browser.post(url("import_undo", import_.pk), follow=True).text

    def test_what_an_undo_says_is_what_it_does(self, owner, browser):
        known = make.contact(owner.account, "Ana", mobile="+522225550101")
        touched = make.contact(owner.account, "Eva", mobile="+522225550102")
        upload(browser, "nombre,celular,zona\n" + "".join(f"P {n},22255501{n:02d},B\n" for n in range(1, 8)))
        save(browser, statement="store", declared="on")
        import_ = ContactImport.objects.get()
        people.edit(touched, people.Details(name="Eva Luna", mobile=touched.mobile), actor=make.user())
        owner.account.contacts.filter(mobile="+522225550103").update(last_inbound_at=timezone.now())
        make.tag(owner.account, "VIP", owner.account.contacts.get(mobile="+522225550104"))
        asked = words(browser.get(url("import_undo", import_.pk)))
        assert "Se van 3 personas" in asked
        assert "1 persona que ya tenías vuelve" in asked
        assert "3 personas se quedan" in asked
        done = words(browser.post(url("import_undo", import_.pk), follow=True))
        assert "4 personas como antes" in done
        assert "3 personas se quedan" in done
        known.refresh_from_db()
        assert known.fields == {}

    def test_an_undo_names_the_segments_that_ask_for_its_fields(self, owner, browser):
        upload(browser, "nombre,celular,zona\nAna,2225550101,B\n")
        save(browser, statement="store", declared="on")
        for name, field in (("De la zona", "own:zona"), ("Otro", "own:otro")):
            rule = {"field": field, "op": "is_not", "value": "B"}
            segments.save(segments.new(owner.account, None), name, rules.parse({"all": [rule]}))
        address = url("import_undo", ContactImport.objects.get().pk)
        asked = words(browser.get(address))
        assert "se van también estos datos: Zona." in asked
        assert "Un segmento pide esos datos y dejaría de servir: De la zona Sí" in asked
        browser.post(address)
        assert "Una de sus condiciones pide algo que ya no existe" in browser.get(url("segments")).text

    def test_nothing_to_undo_is_not_asked(self, browser):
        upload(browser)
        address = url("import_undo", ContactImport.objects.get().pk)
        assert "Revisa antes de guardar" in browser.get(address, follow=True).text
        save(browser, statement="opt_out")
        page = browser.get(address, follow=True)
        assert page.redirect_chain
        assert "Una baja no se deshace" in page.text

    def test_a_list_of_opt_outs_offers_no_undo(self, browser):
        upload(browser)
        page = save(browser, statement="opt_out")
        assert "Anotamos 7 bajas" in words(page)
        assert "Guardamos" not in words(page)
        assert "Una baja no se deshace" in page.text
        assert "Deshacer esta importación" not in page.text


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({}, "Dinos de dónde viene el permiso"),
            ({"statement": "store"}, "marca que lo aceptaron"),
            ({"statement": "other", "declared": "on"}, "Cuenta cómo aceptaron"),
            ({"statement": "inventado", "declared": "on"}, "inventado"),
        ],
    )
    def test_a_permission_needs_its_origin_and_a_signature(self, owner, browser, data, sentence):
        upload(browser)
        assert sentence in save(browser, **data).text
        assert not owner.account.contacts.exists()

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [(b"%PDF-1.7", "no es una tabla"), (b"", "vac"), ((b"a," * 300 + b"\n") * 2, "columnas")],
    )
    def test_what_is_no_table(self, browser, content, sentence):
        page = upload(browser, content)
        assert sentence in page.text
        assert 'aria-invalid="true"' in page.text
        assert not ContactImport.objects.exists()

    def test_nothing_chosen(self, browser):
        assert "Elige un archivo" in browser.post(url("import_new"), {}).text

    def test_trouble_further_down_the_file(self, browser):
        rows = "".join(f"Ana,2225{n:06d}\n" for n in range(60))
        page = upload(browser, f'nombre,celular\n{rows}"{"x" * 200_000}\n')
        assert page.status_code in (200, 422)
        assert "Traceback" not in page.text


class TestAccess:
    def test_owner_teammate_viewer_stranger(self, owner, browser):
        upload(browser)
        import_ = ContactImport.objects.get()
        addresses = [url(name, import_.pk) for name in ("import_review", "import_rejects", "import_progress")]
        asks = url("import_undo", import_.pk)
        posts = [
            url(name, import_.pk)
            for name in ("import_columns", "import_commit", "import_discard", "import_stop", "import_undo")
        ]
        editor = make.signed_in(make.member(owner.account, Role.EDITOR))
        viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
        stranger = make.signed_in(make.business())
        for address in addresses:
            answer = editor.get(address)
            assert answer.status_code == 200
            assert not answer.streaming or answer.getvalue()
        for person, status in ((viewer, 403), (stranger, 404)):
            assert {person.get(address).status_code for address in [*addresses, *posts[:2]]} == {status}
            assert {person.post(address, {"statement": "store"}).status_code for address in posts} == {status}
            assert person.get(asks).status_code == status
        import_.refresh_from_db()
        assert import_.status == ContactImport.Status.REVIEWING

    def test_queries_do_not_grow_with_the_rows(self, owner, browser, django_assert_max_num_queries):
        upload(browser, "nombre,celular,etiqueta\n" + "".join(f"Ana,222{n:07d},e{n % 9}\n" for n in range(500)))
        with django_assert_max_num_queries(24):
            browser.get(url("import_review", ContactImport.objects.get().pk))
