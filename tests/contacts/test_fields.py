"""The fields of a business's own: named, ordered, of another kind where all values fit, gone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pregon.contacts import consent, field_work, fields, jobs, people
from pregon.contacts.field_values import Reading
from pregon.contacts.models import Contact, ContactImport, Field
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return make.account()


def field(account, name, *values, kind="text", **more):
    """One that these people have, one each."""
    fields.ensure(account, {name: Reading(kind, **more)})
    for value in values:
        make.contact(account, fields={name: value, "otro": "x"})
    return account.own_fields.get(name=name)


def change(row, column):
    field_work.change_kind(row, column)
    field_work.go_on(row)
    row.refresh_from_db()
    return row


def kept(account, name):
    return [values.get(name) for values in account.contacts.order_by("id").values_list("fields", flat=True)]


class TestMade:
    def test_by_whoever_writes_a_value(self, account):
        people.add(account, people.Details("Ana", "2225550101", fields={"sucursal": "Centro"}))
        [made] = fields.of(account)
        assert (made.name, made.label, made.kind) == ("sucursal", "Sucursal", "text")
        people.add(account, people.Details("Eva", "2225550102", fields={"sucursal": "Norte"}))
        assert len(fields.of(account)) == 1

    def test_each_business_has_its_own(self, account):
        field(account, "zona", "A")
        assert fields.of(make.account("Otra")) == []


class TestNamed:
    def test_another_word_keeps_the_name(self, account):
        row = field(account, "sucursal", "Centro")
        fields.rename(row, "  La   tienda ")
        row.refresh_from_db()
        assert (row.name, row.label, kept(account, "sucursal")) == ("sucursal", "La tienda", ["Centro"])

    def test_two_are_never_called_the_same(self, account):
        field(account, "sucursal")
        other = field(account, "tienda")
        for label in ("SUCURSAL", "súcursal"):
            with pytest.raises(fields.Refused, match="otro dato"):
                fields.rename(other, label)
        fields.rename(other, "TIENDA")

    def test_moved(self, account):
        rows = [field(account, name) for name in "abc"]
        fields.move(rows[0], 1)
        assert fields.names(account) == ["b", "a", "c"]
        fields.move(rows[2], -1)
        assert fields.names(account) == ["b", "c", "a"]
        fields.move(rows[1], -1)
        fields.move(rows[0], 1)
        assert fields.names(account) == ["b", "c", "a"]


class TestKind:
    @pytest.mark.parametrize(
        ("column", "before", "after", "kind"),
        [
            ("number", ["12,50", "1,200", "", "3"], ["12.5", "1200", "", "3"], "number"),
            ("day_first", ["3/4/1990", "1990-04-05"], ["1990-04-03", "1990-04-05"], "date"),
            ("month_first", ["3/4/1990"], ["1990-03-04"], "date"),
            ("yes_no", ["Si", "x", "NO"], ["sí", "sí", "no"], "yes_no"),
            ("choice", ["Centro", "Centro", "CENTRO", "Norte"], ["Centro", "Centro", "Centro", "Norte"], "choice"),
        ],
    )
    def test_changed_where_all_values_fit(self, account, column, before, after, kind):
        row = field(account, "dato", *before)
        stranger = make.contact(make.account("Otra"), fields={"dato": before[0]})
        changed = dict(account.contacts.values_list("id", "updated_at"))
        change(row, column)
        assert (row.kind, row.work, row.problem) == (kind, "", "")
        assert kept(account, "dato") == after
        assert {values["otro"] for values in account.contacts.values_list("fields", flat=True)} == {"x"}
        assert Contact.objects.get(pk=stranger.pk).fields == {"dato": before[0]}
        assert dict(account.contacts.values_list("id", "updated_at")) == changed, "nobody has touched the people"
        assert row.choices == (["Centro", "Norte"] if kind == "choice" else [])

    def test_nothing_changes_where_one_does_not_fit(self, account):
        row = change(field(account, "dato", "12,5", "doce", "mil", "cien", "uno"), "number")
        assert (row.kind, row.work) == ("text", "")
        assert row.problem == "No todos sus valores caben en «número»: «cien», «doce», «mil» y 1 más."
        assert kept(account, "dato")[0] == "12,5"

    def test_too_many_for_a_list(self, account):
        row = change(field(account, "dato", *map(str, range(51))), "choice")
        assert "51 valores distintos" in row.problem

    def test_back_to_a_text(self, account):
        row = change(field(account, "dato", "2026-07-01", kind="date"), "text")
        assert (row.kind, kept(account, "dato")) == ("text", ["2026-07-01"])

    def test_a_large_base_is_left_to_a_worker(self, account):
        row = field(account, "dato")
        many = field_work.SMALL + 1
        Contact.objects.bulk_create(Contact(account=account, fields={"dato": f"{n},0"}) for n in range(1, many + 1))
        change(row, "number")
        assert (row.work, row.kind) == ("checking", "text")
        assert field_work.due() == [row.pk]
        steps = 0
        while field_work.advance(row.pk):
            steps += 1
            row.refresh_from_db()
            assert row.kind == "number", "from the first step on: who writes a value writes it so"
        row.refresh_from_db()
        assert (row.work, kept(account, "dato"), steps) == ("", [str(n) for n in range(1, many + 1)], 4)

    def test_one_change_at_a_time(self, account):
        row = field(account, "dato", "1")
        field_work.change_kind(row, "number")
        with pytest.raises(fields.Refused, match="ya está cambiando"):
            field_work.change_kind(row, "yes_no")

    @pytest.mark.parametrize("act", ["kind", "delete", "choices"])
    def test_not_while_a_file_is_saved(self, account, act):
        row = field(account, "dato", "1", kind="choice", choices=["1"])
        account.imports.create(file="x", file_name="x", status=ContactImport.Status.SAVING)
        with pytest.raises(fields.Refused, match="Se está guardando un archivo"):
            {
                "kind": lambda: field_work.change_kind(row, "number"),
                "delete": lambda: field_work.delete(row),
                "choices": lambda: field_work.change_choices(row, ["2"]),
            }[act]()

    def test_a_file_that_began_meanwhile_stops_the_change(self, account):
        row = field(account, "dato", "1")
        field_work.change_kind(row, "number")
        account.imports.create(file="x", file_name="x", status=ContactImport.Status.SAVING)
        assert not field_work.advance(row.pk)
        row.refresh_from_db()
        assert (row.kind, row.work) == ("text", "")
        assert "Se está guardando un archivo" in row.problem


class TestChoices:
    def test_added_and_ordered(self, account):
        row = field(account, "talla", "M", kind="choice", choices=["M", "G"])
        field_work.change_choices(row, ["CH", "M", "m", "G", "XG"])
        row.refresh_from_db()
        assert (row.choices, row.work) == (["CH", "M", "G", "XG"], ""), "nobody has to be looked at"

    def test_taken_out_at_once_and_then_looked_for(self, account):
        row = field(account, "talla", "M", kind="choice", choices=["M", "G"])
        field_work.change_choices(row, ["CH", "M"])
        row.refresh_from_db()
        assert (row.choices, row.work) == (["CH", "M"], "checking")
        field_work.go_on(row)
        row.refresh_from_db()
        assert (row.choices, row.work, row.problem) == (["CH", "M"], "", "")

    @pytest.mark.parametrize("wanted", [["CH", "G"], ["CH", "m", "G"]])
    def test_those_that_people_have_stay(self, account, wanted):
        row = field(account, "talla", "M", "XG", "M", kind="choice", choices=["M", "G", "XG"])
        field_work.change_choices(row, wanted)
        field_work.go_on(row)
        row.refresh_from_db()
        assert (row.choices, row.work) == (["CH", "G", "M", "XG"], "")
        assert row.problem == "Hay personas con «M»: cámbialas antes de quitar esa opción."
        assert kept(account, "talla") == ["M", "XG", "M"]

    def test_a_click_looks_at_nobody_in_a_large_base(self, account):
        """As many as `SMALL` are looked at within the click; more are a worker's."""
        row = field(account, "talla", "M", kind="choice", choices=["M", "G"])
        usual, field_work.SMALL = field_work.SMALL, 0
        try:
            with CaptureQueriesContext(connection) as queries:
                field_work.change_choices(row, ["G"])
                field_work.go_on(row)
        finally:
            field_work.SMALL = usual
        assert not [query for query in queries if "contacts_contact " in query["sql"]]
        row.refresh_from_db()
        assert row.work == "checking"
        jobs.change_field.func(type("Context", (), {"should_abort": lambda self: False})(), row.pk)
        row.refresh_from_db()
        assert (row.choices, row.work) == (["G", "M"], "")

    def test_one_change_at_a_time(self, account):
        row = field(account, "talla", "M", kind="choice", choices=["M", "G"])
        field_work.change_choices(row, ["M"])
        with pytest.raises(fields.Refused, match="ya está cambiando"):
            field_work.change_choices(row, ["M", "G"])

    def test_at_least_one_and_not_too_many(self, account):
        row = field(account, "talla", "M", kind="choice", choices=["M", "G"])
        with pytest.raises(fields.Refused, match="al menos una"):
            field_work.change_choices(row, [])
        with pytest.raises(fields.Refused, match="Caben 50"):
            field_work.change_choices(row, ["M", *map(str, range(50))])
        row.refresh_from_db()
        assert (row.choices, row.work) == (["M", "G"], "")


class TestDeleted:
    def test_everybodys_value_goes(self, account):
        row = field(account, "dato", "1", "2")
        ana = make.contact(make.account("Otra"), fields={"dato": "1"})
        field_work.delete(row)
        assert "dato" not in fields.names(account), "at once"
        field_work.go_on(row)
        assert not Field.objects.filter(pk=row.pk).exists()
        assert list(account.contacts.values_list("fields", flat=True)) == [{"otro": "x"}] * 2
        assert Contact.objects.get(pk=ana.pk).fields == {"dato": "1"}

    def test_names_that_look_like_paths_are_names(self, account):
        """To Django's look-ups 2024 is a place in a list, and a__b a path."""
        for name in ("2024", "a__b"):
            row = field(account, name, "M", kind="choice", choices=["M", "G"])
            field_work.change_choices(row, ["G"])
            field_work.go_on(row)
            row.refresh_from_db()
            assert "«M»" in row.problem


def test_the_job_goes_on_until_it_is_done(account):
    row = field(account, "dato", "1,5")
    field_work.change_kind(row, "number")
    jobs.change_field.func(type("Context", (), {"should_abort": lambda self: False})(), row.pk)
    assert kept(account, "dato") == ["1.5"]


def test_a_no_is_not_touched(account):
    row = field(account, "dato", "1")
    person = account.contacts.get()
    consent.record(person, "withdrawn", source="reply", happened_at=person.created_at)
    change(row, "number")
    person.refresh_from_db()
    assert person.consent == "withdrawn"
