"""*Tus datos*: the page of a business's own fields; their controls in a contact's form; the columns of an import."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from pregon.accounts.models import Role
from pregon.contacts import fields, imports, people
from pregon.contacts.field_values import Reading
from pregon.contacts.models import ContactImport, Field
from tests import make

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
def own(owner):
    """One of each kind, and Ana, who has something in all of them."""
    fields.ensure(
        owner.account,
        {
            "nota": Reading("text"),
            "compras": Reading("number"),
            "cumple": Reading("date"),
            "vip": Reading("yes_no"),
            "talla": Reading("choice", choices=["M", "G"]),
        },
    )
    given = {"nota": "Prefiere la tarde", "compras": "12.5", "cumple": "1990-04-03", "vip": "sí", "talla": "M"}
    people.add(owner.account, people.Details("Ana", "2225550101", fields=given))
    return {field.name: field for field in owner.account.own_fields.all()}


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


class TestPage:
    def test_nothing_yet(self, browser):
        assert "Aún no tienes datos propios" in browser.get(url("settings_fields")).text
        assert url("settings_fields") in browser.get(url("settings")).text

    def test_the_list(self, browser, own, django_assert_max_num_queries):
        with django_assert_max_num_queries(10):
            page = browser.get(url("settings_fields"))
        assert "5 datos" in words(page)
        assert "{{cumple}}" in page.text
        assert "every 2s" not in page.text
        Field.objects.filter(name="nota").update(work="converting")
        assert "Cambiando sus valores" in (page := browser.get(url("settings_fields"))).text
        assert "every 2s" in page.text
        part = browser.get(url("settings_fields"), headers={"HX-Request": "true"})
        assert "<html" not in part.text
        assert 'id="datos"' in part.text

    def test_renamed(self, browser, own):
        address = url("settings_field", own["nota"].pk)
        page = browser.post(address, {"label": "Apuntes", "kind": "text", "choices": ""}, follow=True)
        assert "Guardamos «Apuntes»" in page.text
        assert "Ya tienes otro dato" in browser.post(address, {"label": "Talla", "kind": "text"}).text

    def test_another_kind(self, owner, browser, own):
        address = url("settings_field", own["compras"].pk)
        page = browser.post(address, {"label": "Compras", "kind": "yes_no"}, follow=True)
        assert "No todos sus valores caben en «sí o no»: «12.5»." in page.text
        browser.post(address, {"label": "Compras", "kind": "choice"})
        field = Field.objects.get(name="compras")
        assert (field.kind, field.choices, field.problem) == ("choice", ["12.5"], "")

    def test_a_date_stays_one_whatever_comes_first(self, browser, own):
        page = browser.get(url("settings_field", own["cumple"].pk))
        assert '<option value="day_first" selected>' in page.text
        browser.post(url("settings_field", own["cumple"].pk), {"label": "Cumple", "kind": "month_first"})
        assert Field.objects.get(name="cumple").kind == "date"

    def test_options(self, browser, own):
        address = url("settings_field", own["talla"].pk)
        assert "M\nG</textarea>" in browser.get(address).text
        page = browser.post(address, {"label": "Talla", "kind": "choice", "choices": "G"}, follow=True)
        assert "Hay personas con «M»" in page.text
        assert "G\nM</textarea>" in page.text
        assert "al menos una" in browser.post(address, {"label": "Talla", "kind": "choice", "choices": ""}).text
        browser.post(address, {"label": "Talla", "kind": "choice", "choices": "CH\r\nM\r\n\r\n G \r\n"})
        assert Field.objects.get(name="talla").choices == ["CH", "M", "G"]

    def test_moved(self, owner, browser, own):
        browser.post(url("settings_field_move", own["compras"].pk), {"to": "up"})
        browser.post(url("settings_field_move", own["cumple"].pk), {"to": "down"})
        assert fields.names(owner.account) == ["compras", "nota", "vip", "cumple", "talla"]

    def test_deleted(self, owner, browser, own):
        page = browser.post(url("settings_field_delete", own["nota"].pk), follow=True)
        assert "Borramos «Nota»" in page.text
        assert "nota" not in owner.account.contacts.get().fields
        assert browser.get(url("settings_field", own["nota"].pk)).status_code == 404

    def test_while_a_file_is_saved(self, owner, browser, own):
        owner.account.imports.create(file="x", file_name="x", status=ContactImport.Status.SAVING)
        page = browser.post(url("settings_field_delete", own["nota"].pk), follow=True)
        assert "Se está guardando un archivo" in page.text
        page = browser.post(url("settings_field", own["nota"].pk), {"label": "Nota", "kind": "number"})
        assert "Se está guardando un archivo" in page.text
        assert Field.objects.get(name="nota").work == ""

    def test_who_may(self, owner, own):
        pk = own["nota"].pk
        pages = [url("settings_fields"), url("settings_field", pk)]
        posts = [url(name, pk) for name in ("settings_field", "settings_field_move", "settings_field_delete")]
        assert {make.signed_in(make.member(owner.account, Role.MANAGER)).get(a).status_code for a in pages} == {200}
        editor = make.signed_in(make.member(owner.account, Role.EDITOR))
        assert {*(editor.get(a).status_code for a in pages), *(editor.post(a).status_code for a in posts)} == {403}
        stranger = make.signed_in(make.business())
        assert stranger.get(pages[1]).status_code == 404
        assert {stranger.post(a).status_code for a in posts} == {404}


class TestContact:
    def test_each_control_is_of_its_kind(self, owner, browser, own):
        page = browser.get(url("contact_edit", owner.account.contacts.get().pk))
        assert 'type="date" name="own_2" value="1990-04-03"' in page.text
        assert 'name="own_1" value="12.5" inputmode="decimal"' in page.text
        assert '<option value="M" selected>M</option>' in page.text
        assert '<option value="sí" selected>sí</option>' in page.text

    def test_a_new_person_has_them_too(self, owner, browser, own):
        data = {"name": "Eva", "mobile": "2225550102", "own_1": "1,200.5", "own_2": "5/6/1991", "own_4": "G"}
        browser.post(url("contact_new"), data)
        assert owner.account.contacts.get(name="Eva").fields == {
            "compras": "1200.5",
            "cumple": "1991-06-05",
            "talla": "G",
        }

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            ({"own_1": "doce"}, "Escribe un número"),
            ({"own_2": "31/02/1990"}, "Escribe una fecha"),
            ({"own_4": "XG"}, "Elige una"),
        ],
    )
    def test_what_does_not_fit_is_refused_and_kept(self, owner, browser, own, data, told):
        page = browser.post(url("contact_new"), {"name": "Eva", "mobile": "2225550102", **data})
        assert told in page.text
        assert not owner.account.contacts.filter(name="Eva").exists()

    def test_what_was_there_stays_whatever_it_is(self, owner, browser, own):
        ana = owner.account.contacts.get()
        ana.fields = {"talla": "XXL", "compras": "muchas", "cumple": "abril", "ajena": "1"}
        ana.save()
        page = browser.get(url("contact_edit", ana.pk))
        assert '<option value="XXL" selected>' in page.text
        data = {"name": "Ana", "mobile": "2225550101", "own_1": "muchas", "own_2": "abril", "own_4": "XXL"}
        browser.post(url("contact_edit", ana.pk), data)
        ana.refresh_from_db()
        assert ana.fields == {"talla": "XXL", "compras": "muchas", "cumple": "abril", "ajena": "1"}

    def test_shown_as_people_write(self, browser, owner, own):
        page = browser.get(url("contact", owner.account.contacts.get().pk))
        assert "<dt>Cumple</dt><dd>3 de abril de 1990</dd>" in page.text
        assert "<dt>Compras</dt><dd>12.5</dd>" in page.text


CONTENT = """\
Nombre,Celular,Correo,Cumpleaños,Talla,Puntos
Ana,2225550101,ana@x,03/04/1990,M,12
Eva,2225550102,,05/06/1991,XXL,doce
"""


def upload(browser, content=CONTENT):
    return browser.post(url("import_new"), {"file": SimpleUploadedFile("a.csv", content.encode())}, follow=True)


class TestColumns:
    def test_the_order_of_dates_is_asked_then_remembered(self, owner, browser, own):
        page = upload(browser)
        assert "Dinos si en «Cumpleaños» va primero el día o el mes." in page.text
        assert '<option value="new:ask" selected>Fecha: ¿primero el día o el mes?</option>' in page.text
        assert '<option value="own:choice:talla" selected>Talla</option>' in page.text
        assert "03/04/1990" in page.text, "real cells"
        import_ = ContactImport.objects.get()
        chosen = {
            f"column_{at}": what
            for at, what in enumerate(["name", "mobile", "email", "new:ask", "own:choice:talla", ""])
        }
        assert "Dinos si en «Cumpleaños»" in browser.post(url("import_columns", import_.pk), chosen).text
        chosen |= {"column_3": "own:day_first:cumple", "column_5": "new:number"}
        page = browser.post(url("import_columns", import_.pk), chosen, follow=True)
        assert "Celdas que no se guardan como están" in page.text
        assert "Descargar las 3" in words(page)
        assert "No es una de sus opciones" in page.text
        rows = browser.get(url("import_cells", import_.pk)).getvalue().decode("utf-8-sig").splitlines()
        assert rows[1:] == [
            "2,Ana,2225550101,Correo,ana@x,No es un correo: queda vacío.",
            "3,Eva,2225550102,Talla,XXL,No es una de sus opciones: queda vacía.",
            "3,Eva,2225550102,Puntos,doce,No es un número: queda vacío.",
        ]
        done = browser.post(url("import_commit", import_.pk), {"statement": "store", "declared": "on"}, follow=True)
        assert "Descargar las 3 celdas" in words(done)
        assert owner.account.contacts.get(name="Eva").fields == {"cumple": "1991-06-05"}
        assert owner.account.contacts.get(name="Ana").fields["puntos"] == "12"
        assert "Dinos si" not in upload(browser).text
        assert ContactImport.objects.latest("id").mapping["kinds"]["cumple"] == "day_first"

    def test_one_field_for_one_column(self, browser, own):
        upload(browser)
        chosen = {"column_0": "own:text:nota", "column_1": "mobile", "column_2": "own:text:nota"}
        page = browser.post(url("import_columns", ContactImport.objects.get().pk), chosen)
        assert "Elige Nota para una sola columna" in page.text
        chosen = {"column_1": "mobile", "column_3": "own:day_first:cumple", "column_4": "own:month_first:cumple"}
        page = browser.post(url("import_columns", ContactImport.objects.get().pk), chosen)
        assert "Elige Cumple, fecha" in page.text

    def test_others_fields_are_out_of_reach(self, browser, own):
        fields.ensure(make.account("Otra"), {"ajena": Reading("text")})
        upload(browser)
        chosen = {"column_1": "mobile", "column_2": "own:text:ajena"}
        browser.post(url("import_columns", ContactImport.objects.get().pk), chosen)
        assert ContactImport.objects.get().mapping["fields"].keys() == {"cumpleaños", "talla", "puntos"}

    def test_a_list_of_opt_outs_speaks_of_no_cells(self, browser, own):
        upload(browser, "Celular,Correo\n2225550101,x\n")
        address = url("import_review", ContactImport.objects.get().pk)
        assert "Celdas que no se guardan" in browser.get(address).text
        assert "Celdas que no se guardan" not in browser.get(address, {"statement": "opt_out"}).text

    def test_all_is_well(self, browser):
        upload(browser, "Celular,Correo\n2225550101,ana@example.com\n")
        import_ = ContactImport.objects.get()
        page = browser.get(url("import_cells", import_.pk), follow=True)
        assert "Todas sus celdas se guardan como están" in page.text

    def test_whose_cells(self, owner, browser, own):
        upload(browser, "Celular,Correo\n2225550101,x\n")
        address = url("import_cells", ContactImport.objects.get().pk)
        assert make.signed_in(make.member(owner.account, Role.EDITOR)).get(address).getvalue()
        assert make.signed_in(make.member(owner.account, Role.VIEWER)).get(address).status_code == 403
        assert make.signed_in(make.business()).get(address).status_code == 404

    def test_hostile_cells_are_text(self, browser):
        page = upload(browser, 'Celular,Correo,<b>x</b>\n2225550101,"<script>alert(1)</script>",<i>\n')
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text
        assert "<b>x</b>" not in page.text


def test_queries_do_not_grow_with_cells_that_do_not_fit(browser, django_assert_max_num_queries):
    upload(browser, "celular,correo\n" + "".join(f"222{n:07d},correo {n}\n" for n in range(500)))
    import_ = ContactImport.objects.get()
    imports.review(import_)
    with django_assert_max_num_queries(24):
        browser.get(url("import_review", import_.pk))
