"""Typed fields out of a file's columns: guessed, chosen, kept in one way; what does not fit is told for its row."""

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from pregon.contacts import fields, import_rows, imports
from pregon.contacts.field_values import Reading
from pregon.contacts.models import ContactImport, Field
from tests import make
from tests.contacts.test_export import content
from tests.contacts.test_imports import begin, bring, left_out, save, some

pytestmark = pytest.mark.django_db

TYPED = """\
Nombre,Celular,Correo,Cumpleaños,Compras,Vegetariana,Nota
Ana,2225550101,ana@example.com,25/12/1990,"1,200.50",sí,"007"
Eva,2225550102,eva@example,31/02/1990,doce,a veces,
Iris,2225550103,-,n/a,,-,Prefiere la tarde
Olga,2225550104,,3 de abril de 1991,3,no,
"""


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def account():
    return make.account()


def kinds(account):
    return {field.name: field.kind for field in fields.of(account)}


def values(account):
    return {person.name: person.fields for person in account.contacts.all()}


def with_kinds(import_, **kinds):
    imports.change_columns(import_, import_.mapping | {"kinds": import_.mapping["kinds"] | kinds})
    imports.finish(import_)
    return import_


def cells(import_):
    with imports.remarks(import_) as file:
        return [*csv.reader(io.StringIO(file.read().decode("utf-8-sig")))]


class TestKinds:
    def test_guessed_from_the_cells(self, account):
        towns = ["Centro", "NORTE", "Norte", "Norte"]
        rows = [
            f"Ana,222555{n:04d},{n + 13}/04/1990,{n},{'sí' if n % 2 else 'no'},{towns[n % 4]},{n:08d}"
            for n in range(12)
        ]
        content = "\n".join(["nombre,celular,cumple,puntos,vip,sucursal,dni", *rows])
        bring(account, content)
        expected = {"cumple": "date", "puntos": "number", "vip": "yes_no", "sucursal": "choice", "dni": "text"}
        assert kinds(account) == expected
        assert fields.of(account)[3].choices == ["Centro", "Norte"]
        assert account.contacts.get(mobile__endswith="0001").fields == {
            "cumple": "1990-04-14", "puntos": "1", "vip": "sí", "sucursal": "Norte", "dni": "00000001",
        }  # fmt: skip

    def test_chosen_by_people_and_kept_in_one_way(self, account):
        import_ = with_kinds(
            begin(account, TYPED, statement="store"), compras="number", cumpleaños="day_first", vegetariana="yes_no"
        )
        import_.statement = "store"
        save(import_)
        assert kinds(account) == {"cumpleaños": "date", "compras": "number", "vegetariana": "yes_no", "nota": "text"}
        assert [field.label for field in fields.of(account)] == ["Cumpleaños", "Compras", "Vegetariana", "Nota"]
        assert values(account) == {
            "Ana": {"cumpleaños": "1990-12-25", "compras": "1200.5", "vegetariana": "sí", "nota": "007"},
            "Eva": {},
            "Iris": {"nota": "Prefiere la tarde"},
            "Olga": {"cumpleaños": "1991-04-03", "compras": "3", "vegetariana": "no"},
        }

    def test_cells_that_do_not_fit_are_told_for_their_row(self, account):
        import_ = with_kinds(begin(account, TYPED), compras="number", cumpleaños="day_first", vegetariana="yes_no")
        assert import_.remarks["counts"] == {"@email": 1, "compras": 1, "cumpleaños": 1, "vegetariana": 1}
        assert import_.remarks["examples"][0] == [3, "Eva", "2225550102", "@email", "eva@example"]
        told = cells(import_)
        assert told[0] == ["Fila", "Nombre", "Celular en tu archivo", "Dato", "En tu archivo", "Qué pasó"]
        assert [row[3:5] for row in told[1:]] == [
            ["Correo", "eva@example"], ["Cumpleaños", "31/02/1990"], ["Compras", "doce"], ["Vegetariana", "a veces"],
        ]  # fmt: skip
        assert [row[0] for row in told[1:]] == ["3"] * 4
        assert "No es un número: queda vacío." in told[3]
        import_.statement = "store"
        review = save(import_)
        assert review.saved + review.left_out == 4
        assert cells(import_) == told, "as before it was saved"

    def test_what_is_cut_is_told(self, account):
        import_ = begin(account, f"nombre,celular,nota\n{'A' * 150},2225550101,{'x' * 201}\n", statement="store")
        assert [row[3] for row in cells(import_)[1:]] == ["nombre", "nota"]
        save(import_)
        [person] = account.contacts.all()
        assert (len(person.name), len(person.fields["nota"])) == (120, 200)

    def test_a_file_where_all_fits_has_nothing_to_tell(self, account):
        import_ = begin(account, "nombre,celular,correo\nAna,2225550101,ana@example.com\nEva,2225550102,-\n")
        assert import_.remarks == {}
        with pytest.raises(imports.ImportProblem, match="se guardan como están"):
            imports.remarks(import_)

    def test_formulas_in_the_file_of_cells_run_nowhere(self, account):
        import_ = begin(account, "nombre,celular,correo\n=1+1,2225550101,=cmd()\n")
        assert cells(import_)[1][1:5] == ["'=1+1", "2225550101", "correo", "'=cmd()"]

    def test_a_discarded_file_takes_its_cells_along(self, account):
        import_ = begin(account, "nombre,celular,correo\nAna,2225550101,x\n")
        path = import_.file.path
        imports.discard(import_)
        assert not [*Path(path).parent.iterdir()]


class TestDates:
    CONTENT = "celular,cumpleaños\n2225550101,03/04/1990\n2225550102,05/06/1991\n"

    def test_what_leaves_the_order_open_is_asked_once(self, account):
        import_ = begin(account, self.CONTENT, statement="store")
        with pytest.raises(imports.ImportProblem, match="primero el día o el mes"):
            imports.review(import_)
        with pytest.raises(imports.ImportProblem):
            imports.commit(import_, make.user())
        with_kinds(import_, cumpleaños="month_first")
        import_.statement = "store"
        save(import_)
        assert sorted(row["cumpleaños"] for row in account.contacts.values_list("fields", flat=True)) == [
            "1990-03-04",
            "1991-05-06",
        ]
        assert some(imports.review(begin(account, self.CONTENT)))["unchanged"] == 2, "remembered with the columns"

    def test_a_program_says_it_at_once(self, account):
        import_ = imports.start(account, io.BytesIO(self.CONTENT.encode()), "a.csv", make.user(), order="day_first")
        imports.finish(import_)
        assert import_.problem == ""
        assert import_.mapping["kinds"] == {"cumpleaños": "day_first"}

    def test_a_cell_in_the_other_order_is_told(self, account):
        rows = "".join(f"2225550{n:03d},{n % 15 + 13}/04/1990\n" for n in range(17)) * 2 + "2225550100,04/25/1990\n"
        import_ = begin(account, f"celular,cumpleaños\n{rows}")
        assert import_.problem == ""
        assert [row[4] for row in cells(import_)[1:]] == ["04/25/1990"]


class TestNumbers:
    @pytest.mark.parametrize(("country", "value"), [("MX", "1.234"), ("CL", "1234")])
    def test_a_point_is_what_it_is_in_the_country(self, country, value):
        account = make.account(country=country)
        bring(account, "celular,deuda\n+522225550101,1.234\n")
        assert account.contacts.get().fields == {"deuda": value}

    def test_figures_of_a_workbook_have_a_point_whatever_the_country(self):
        account, sheet = make.account(country="CL"), io.BytesIO()
        book = Workbook()
        for row in (["celular", "deuda"], ["+522225550101", 1.234]):
            book.active.append(row)
        book.save(sheet)
        bring(account, sheet.getvalue(), name="a.xlsx")
        assert account.contacts.get().fields == {"deuda": "1.234"}

    @pytest.mark.parametrize("country", ["MX", "CL"])
    def test_what_is_exported_is_read_again_and_changes_nothing(self, country):
        account = make.account(country=country)
        bring(account, 'celular,deuda,día\n+522225550101,"1,5",1990-04-03\n+522225550102,1234567,1990-03-04\n')
        fields.rename(account.own_fields.get(name="deuda"), "Lo que debe")
        exported = content(account)
        assert "Lo que debe" in exported.decode()
        assert some(imports.review(begin(account, exported, statement="none"))) == {"unchanged": 2}
        account.contacts.update(fields={"deuda": "1.234"})
        assert some(imports.review(begin(account, content(account), statement="none"))) == {"unchanged": 2}


class TestChoices:
    MANY = "nombre,celular,producto\n" + "".join(f"Ana,222{n:07d},producto {n}\n" for n in range(60))

    def test_too_many_to_be_a_list_are_a_text(self, account):
        import_ = with_kinds(begin(account, self.MANY), producto="choice")
        assert any("más de 50 valores distintos" in problem.text for problem in imports.review(import_).problems)
        import_.statement = "store"
        save(import_)
        assert kinds(account) == {"producto": "text"}

    def test_the_options_of_a_field_are_a_closed_list(self, account):
        fields.ensure(account, {"sucursal": Reading("choice", choices=["Centro", "Norte"])})
        import_ = begin(
            account, "nombre,celular,Sucursal\nAna,2225550101,CENTRO\nEva,2225550102,Sur\n", statement="store"
        )
        assert import_.mapping["kinds"] == {"sucursal": "choice"}
        assert [row[4] for row in cells(import_)[1:]] == ["Sur"]
        save(import_)
        assert sorted(map(str, account.contacts.values_list("fields", flat=True))) == ["{'sucursal': 'Centro'}", "{}"]


class TestFields:
    def test_a_column_called_like_a_field_is_that_field(self, account):
        fields.ensure(account, {"sucursal": Reading("text")}, {"sucursal": "Tienda"})
        for header in ("Tienda", "SUCURSAL", "tienda:"):
            import_ = begin(account, f"nombre,celular,{header}\nAna,2225550101,Centro\n")
            assert import_.mapping["fields"] == {"sucursal": 2}

    def test_two_columns_never_become_one(self, account):
        mapping = begin(account, "nombre,celular,Nota,Nota.\nAna,2225550101,a,b\n").mapping
        assert mapping["fields"] == {"nota": 2, "nota 2": 3}
        assert import_rows.names(["A", "a!", "A 2"], [0, 1, 2]) == {"a": 0, "a 2": 1, "a 2 2": 2}

    def test_an_empty_column_brings_none(self, account):
        bring(account, "nombre,celular,nota,edad\nAna,2225550101,,12\n")
        assert kinds(account) == {"edad": "number"}

    def test_a_field_that_changed_since_the_review_is_read_again(self, account):
        import_ = begin(account, "celular,edad\n2225550101,12\n", statement="store")
        fields.ensure(account, {"edad": Reading("date")})
        with pytest.raises(imports.ImportProblem, match="Tus datos cambiaron"):
            imports.commit(import_, make.user())
        import_.refresh_from_db()
        assert (import_.status, import_.read_as["edad"][0]) == (ContactImport.Status.REVIEWING, "date")
        assert import_.remarks["counts"] == {"edad": 1}

    def test_not_while_a_field_is_changing(self, account):
        fields.ensure(account, {"edad": Reading("number")})
        import_ = begin(account, "nombre,celular,edad\nAna,2225550101,12\n", statement="store")
        account.own_fields.update(work=Field.Work.CONVERTING)
        with pytest.raises(imports.ImportProblem, match="está cambiando"):
            imports.commit(import_, make.user())
        import_.refresh_from_db()
        assert import_.status == ContactImport.Status.REVIEWING
        account.own_fields.update(work=Field.Work.NONE)
        import_.statement = "store"
        save(import_)

    def test_an_undo_takes_the_fields_along_that_nobody_has(self, account):
        fields.ensure(account, {"nota": Reading("text")})
        bring(account, "nombre,celular,nota,edad,zona\nAna,2225550101,a,12,B\n")
        make.contact(account, fields={"zona": "C"})
        import_ = account.imports.get()
        imports.undo(import_, make.user())
        imports.finish(import_)
        assert sorted(kinds(account)) == ["nota", "zona"]

    def test_a_list_of_opt_outs_brings_no_fields(self, account):
        bring(account, "celular,edad\n2225550101,12\n", statement="opt_out")
        assert not Field.objects.exists()

    def test_more_than_there_is_room_for(self, account):
        fields.ensure(account, {f"dato {n}": Reading("text") for n in range(fields.MOST - 1)})
        import_ = begin(account, "nombre,celular,uno,dos\nAna,2225550101,a,b\n")
        assert f"Caben {fields.MOST} datos" in import_.problem

    def test_rejects_stay_as_they_were(self, account):
        import_ = begin(account, "nombre,celular,correo\nAna,2225550101,x\nAna,2225550101,x\n")
        assert len(left_out(import_).splitlines()) == 2
