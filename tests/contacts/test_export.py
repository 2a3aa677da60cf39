"""Exports: what a spreadsheet shows, what an import reads again; nothing in them runs, and they do not stay."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone, translation
from openpyxl import load_workbook

from pregon.contacts import bulk, consent, export_files, fields, imports, people, traces
from pregon.contacts.bulk import Kind, Status
from pregon.contacts.field_values import Reading
from pregon.contacts.import_staging import Outcome
from pregon.contacts.models import Consent, Contact, Source, Task
from tests import make
from tests.contacts.crowd import ANAS, begin, do, gather
from tests.contacts.test_consent import NOON

pytestmark = pytest.mark.django_db
HEAD = ["Nombre", "Celular", "Correo", "Permiso", "Permiso desde", "Etiquetas", "Id de WhatsApp"]
DRESSES = ["csv", "xlsx"]


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def export(account, dress, **who):
    return do(account, Kind.EXPORT, {"format": dress}, **who)


def content(account):
    """The bytes of a CSV."""
    return Path(export(account, "csv").file.path).read_bytes()


def read(task):
    """All rows as a spreadsheet has them; a blank cell is empty."""
    path = Path(task.file.path)
    if task.args["format"] == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    sheet = load_workbook(path).active
    return [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]


def files(root):
    return [path for path in (root / "exports").rglob("*") if path.is_file()]


@pytest.mark.parametrize("dress", DRESSES)
class TestContent:
    def test_one_of_each(self, dress):
        account = make.account()
        rosa = people.add(
            account,
            people.Details("Rosa", "2225550184", email="r@example.com", tags=["VIP", "Centro"], fields={"zona": "Sur"}),
        )
        consent.record(rosa, Consent.GRANTED, source=Source.FORM, happened_at=datetime(2026, 3, 2, 3, tzinfo=UTC))
        ivan = people.add(account, people.Details("Iván", "2225550185", fields={"cumple": "4 de mayo"}))
        consent.record(ivan, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        make.contact(account, "Ana", mobile=None, mobile_raw="222 55", mobile_problem="incomplete", consent="unknown",
            consent_at=None)  # fmt: skip
        head, *rows = read(export(account, dress))
        assert head == [*HEAD, "Zona", "Cumple"]
        assert rows == [
            # in Mexico City it was still the day before
            ["Rosa", "+522225550184", "r@example.com", "sí", "2026-03-01", "Centro, VIP", "", "Sur", ""],
            ["Iván", "+522225550185", "", "baja", f"{NOON:%Y-%m-%d}", "", "", "", "4 de mayo"],
            ["Ana", "222 55", "", "", "", "", "", "", ""],
        ]

    def test_in_the_words_of_whoever_asked(self, dress):
        account = make.account()
        gather(account, 1)
        with translation.override("en"):
            task = begin(account, Kind.EXPORT, {"format": dress})
        bulk.finish(task)
        assert read(task)[0][:2] == ["Name", "Mobile"]

    def test_what_was_typed_comes_out_as_it_was(self, dress):
        odd = ['Ana "la de\nCentro"', "a, b; c", "<b>&amp;</b>", " espacios ", "emoji 🎂", "tab\taquí", "\\n", "]]>"]
        account = make.account()
        for n, name in enumerate(odd):
            make.contact(account, name, fields={"una, columna <rara>": name, "n": str(n)})
        head, *rows = read(export(account, dress))
        assert head[7:] == ["Una, columna <rara>", "N"]
        assert [row[0] for row in rows] == [row[7] for row in rows] == odd

    def test_nobody_left(self, dress):
        account = make.account()
        gather(account, 3)
        task = begin(account, Kind.EXPORT, {"format": dress})
        account.contacts.all().delete()
        bulk.finish(task)
        assert (task.status, task.done, read(task)) == (Status.DONE, 0, [HEAD])

    def test_an_import_reads_it_again_and_changes_nothing(self, dress):
        account = make.account()
        people.add(account, people.Details("=1+1", "2225550184", tags=["VIP"], fields={"zona": "@x"}))
        ivan = people.add(account, people.Details("Iván", "2225550185"))
        consent.record(ivan, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        task = export(account, dress)
        with Path(task.file.path).open("rb") as file:
            import_ = imports.start(account, file, f"lista.{dress}", make.user())
        imports.finish(import_)
        counts = imports.review(import_).counts
        assert {outcome: counts[outcome] for outcome in Outcome.values if counts[outcome]} == {
            "unchanged": 1,
            "withdrawn": 1,
        }


FORMULAS = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c calc'!A1", '=HYPERLINK("http://x")']
PLAIN = ["+52 222 555 0142", "-5", "1=1", "'=1"]


def test_nothing_is_calculated_in_a_csv():
    account = make.account()
    for value in FORMULAS + PLAIN:
        make.contact(account, value)
    assert [row[0] for row in read(export(account, "csv"))[1:]] == [f"'{value}" for value in FORMULAS] + PLAIN


def test_nothing_is_calculated_in_a_workbook():
    """Text stays text, whatever it begins with; what XML cannot hold is left out."""
    account = make.account()
    for value in [*FORMULAS[:4], "uno\x01dos", "x" * 120]:
        make.contact(account, value)
    task = export(account, "xlsx")
    sheet = load_workbook(task.file.path).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}  # "f" were a formula
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [*FORMULAS[:4], "unodos", "x" * 120]
    assert sheet.freeze_panes == "A2"


NUMBERS = {
    "12.5": 12.5,
    "-3": -3,
    "0": 0,
    "1234567890123456": "1234567890123456",
    "007": "007",
    "=1+1": "=1+1",
    "1.234": 1.234,
}
DAYS = {
    "1990-11-20": "1990-11-20 00:00:00", "1900-01-05": "1900-01-05", "2026-02-31": "2026-02-31", "abril": "abril",
    "=1+1": "=1+1", "2026-1": "2026-1", "2024-02-29": "2024-02-29 00:00:00",
}  # fmt: skip


@pytest.mark.parametrize("country", ["MX", "AR"])
def test_numbers_and_days_are_cells_of_their_kind(country):
    """What does not fit its kind stays a text, and so do a phone and a text of digits."""
    account = make.account(country=country)
    fields.ensure(account, {"gasto": Reading("number"), "cumple": Reading("date"), "dni": Reading("text")})
    for gasto, cumple in zip(NUMBERS, DAYS, strict=True):
        make.contact(account, "Ana", fields={"gasto": gasto, "cumple": cumple, "dni": "12345678"})
    _head, *rows = read(export(account, "xlsx"))
    assert [row[7] for row in rows] == [*NUMBERS.values()]
    assert [str(row[8]) for row in rows] == [*DAYS.values()]
    assert [isinstance(row[8], datetime) for row in rows] == [day.endswith(":00") for day in DAYS.values()]
    assert {(type(row[1]), row[9]) for row in rows} == {(str, "12345678")}


@pytest.mark.parametrize("country", ["MX", "AR"])
def test_numbers_and_days_of_a_workbook_are_read_again_as_they_were(country):
    account = make.account(country=country)
    fields.ensure(account, {"gasto": Reading("number"), "cumple": Reading("date")})
    for gasto in ("12.5", "1200", "1.234", "-0.25", "1234567890123.456"):
        make.contact(
            account, "Ana", consent="unknown", consent_at=None, fields={"gasto": gasto, "cumple": "1990-04-03"}
        )
    with Path(export(account, "xlsx").file.path).open("rb") as file:
        import_ = imports.start(account, file, "lista.xlsx", make.user())
    imports.finish(import_)
    counts = imports.review(import_).counts
    assert {outcome: counts[outcome] for outcome in Outcome.values if counts[outcome]} == {"unchanged": 5}
    assert not import_.remarks.get("counts")


@pytest.mark.parametrize("dress", DRESSES)
def test_in_several_parts_as_in_one(dress):
    account = make.account()
    gather(account, 50)
    whole = read(export(account, dress, query=ANAS))
    usual, bulk.PART = bulk.PART, 4
    parted = read(export(account, dress, query=ANAS))
    bulk.PART = usual
    assert parted == whole
    assert [row[0] for row in whole[1:]] == [f"Ana {n}" for n in range(0, 50, 3)]


def test_too_many_for_a_sheet():
    account = make.account()
    gather(account, 3)
    usual = export_files.MOST["xlsx"]
    export_files.MOST["xlsx"] = 2
    with pytest.raises(bulk.Refused, match="elige CSV"):
        begin(account, Kind.EXPORT, {"format": "xlsx"})
    assert begin(account, Kind.EXPORT, {"format": "csv"}).total == 3
    export_files.MOST["xlsx"] = usual


class TestKept:
    def test_a_week(self, tmp_path):
        account = make.account()
        gather(account, 3)
        task = export(account, "xlsx")
        assert export_files.expires_at(task) == task.finished_at + timedelta(days=7)
        bulk.tidy()
        assert len(files(tmp_path)) == 1
        Task.objects.update(finished_at=timezone.now() - timedelta(days=7))
        task.refresh_from_db()
        assert export_files.expires_at(task) is None
        bulk.tidy()
        task.refresh_from_db()
        assert (files(tmp_path), task.file.name) == ([], "")
        assert account.contacts.count() == 3

    @pytest.mark.parametrize("dress", DRESSES)
    def test_one_that_is_stopped_leaves_nothing(self, dress, tmp_path):
        account = make.account()
        gather(account, 30)
        usual, bulk.PART = bulk.PART, 7
        task = begin(account, Kind.EXPORT, {"format": dress})
        bulk.advance(task.pk)
        bulk.PART = usual
        assert len(files(tmp_path)) == 1
        bulk.stop(task)
        assert (files(tmp_path), bulk.advance(task.pk)) == ([], False)

    def test_a_file_that_is_gone_is_told(self, tmp_path):
        account = make.account()
        gather(account, 30)
        usual, bulk.PART = bulk.PART, 7
        task = begin(account, Kind.EXPORT, {"format": "csv"})
        bulk.advance(task.pk)
        Path(task.file.path).write_bytes(b"")
        bulk.finish(task)
        bulk.PART = usual
        assert (task.status, task.problem) == (Status.BROKEN, "No pudimos escribir el archivo. Pídelo otra vez.")
        assert files(tmp_path) == []

    @pytest.mark.parametrize("dress", DRESSES)
    def test_one_whose_file_went_with_somebody_who_was_erased_is_told(self, dress, tmp_path):
        account = make.account()
        gather(account, 30)
        usual, bulk.PART = bulk.PART, 7
        task = begin(account, Kind.EXPORT, {"format": dress})
        bulk.advance(task.pk)
        bulk.PART = usual
        traces.erase(account.contacts.first())
        bulk.finish(task)
        assert (task.status, task.problem) == (Status.BROKEN, "No pudimos escribir el archivo. Pídelo otra vez.")
        assert files(tmp_path) == []

    @pytest.mark.parametrize("dress", DRESSES)
    def test_somebody_erased_while_the_file_is_being_closed_is_not_in_it(self, dress, tmp_path):
        account = make.account()
        gather(account, 3)
        task, more = begin(account, Kind.EXPORT, {"format": dress}), True
        while more:
            last, more = bulk._part(task.pk)
        traces.erase(account.contacts.first())
        Path(last.file.path if dress == "csv" else f"{last.file.path}.rows").write_bytes(b"it was open already")
        with pytest.raises(FileNotFoundError):
            bulk._publish(last)
        assert files(tmp_path) == []
        bulk.finish(task)
        assert (task.status, task.problem) == (Status.BROKEN, "No pudimos escribir el archivo. Pídelo otra vez.")

    def test_closed_too_late_it_leaves_nothing_behind(self, tmp_path):
        account = make.account()
        gather(account, 3)
        task = export(account, "xlsx")
        with pytest.raises(FileNotFoundError):
            export_files.close(task)
        assert [path.name for path in files(tmp_path)] == [Path(task.file.name).name]

    def test_and_may_be_stopped(self):
        account = make.account()
        gather(account, 2)
        task = begin(account, Kind.EXPORT, {"format": "csv"})
        traces.erase(account.contacts.first())
        bulk.stop(task)
        assert task.status == Status.STOPPED

    def test_it_touches_nobody(self):
        account = make.account()
        gather(account, 3)
        before = list(Contact.objects.values())
        export(account, "csv")
        assert list(Contact.objects.values()) == before
