"""Whole imports of hostile tables: whatever a file holds, each row is saved or left out, and is counted once."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from pregon.accounts.models import User
from pregon.contacts import field_values, imports, statements
from pregon.contacts.models import Contact, ContactImport
from pregon.lib import spreadsheets
from pregon.lib.spreadsheets import SpreadsheetError
from tests import make
from tests.contacts.test_consent import NOON
from tests.contacts.test_imports import base, left_out, save

pytestmark = pytest.mark.django_db
Status = ContactImport.Status

HOSTILE = [
    "", " ", "-", "'", '"', "\\", "\\N", "\\.", "\x00", "\x1d", "\x1e", "\x1f", "\t", "\r", "\n", "a\nb", "\ufeff", "\u2028",
    "\u202e", "\ud7ff", "=1+1", "'=1+1", "{{nombre}}", "%s", "%(x)s", "{}", "<b>", "'; DROP TABLE contacts_contact; --", "🥖",
    "\U0001f469\u200d\U0001f467", "İ", "\ufb01", "A" * 300, "ana@example.com", "ana@@x", "@", "sí", "no", "BAJA", "x", "1",
    "VIP, Centro", "03/04/1990", "31/02/1990", "13/04/1990", "1990-04-03", "0000-00-00", "12.5", "1,234", "1.234", "5.1987E+10",
    "-0", "1e400", "NaN", "007",
]  # fmt: skip
NUMBERS = [
    "2225550101", "222 555 0102", "+52 1 222 555 0103", "52225550104.0", "0052 222 555 0105", "222555", "+1 212 555 0106",
    "2225550101 / 2225550102", "+", "٢٢٢٥٥٥٠١٠٧", "(222) 555-0108", "1" * 40,
]  # fmt: skip
HEADS = [
    "Nombre", "Apellido", "Celular", "Teléfono", "Correo", "Permiso", "Baja", "Etiquetas", "Sucursal", "sucursal ", "Cumpleaños",
    "Edad", "Phone 1 - Value", "", "dato", "nombre completo", "🥖", "2024", "a__b", "@email",
]  # fmt: skip
CELLS = (
    st.sampled_from(HOSTILE) | st.sampled_from(NUMBERS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
COLUMNS = ["text", "number", "date", "day_first", "month_first", "yes_no", "choice"]


@st.composite
def tables(draw):
    """Heads, which may be missing, and rows of any width; a column of numbers is likely."""
    heads = draw(st.lists(st.sampled_from(HEADS) | CELLS, min_size=1, max_size=8))
    number = st.sampled_from(NUMBERS)
    rows = draw(st.lists(st.lists(CELLS, max_size=9), max_size=12))
    if draw(st.booleans()):
        heads, rows = ["Celular", *heads], [[draw(number), *row] for row in rows]
    return [heads, *rows] if draw(st.booleans()) else rows


def as_csv(rows, delimiter, encoding):
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue().encode(encoding, "replace")


def as_lines(rows, delimiter, encoding):
    """As somebody joins cells who has never heard of quotes."""
    return "\n".join(delimiter.join(row) for row in rows).encode(encoding, "replace")


def as_cards(rows, delimiter, encoding):
    cards = []
    for row in rows:
        name, tel, email, day, note = [*row, "", "", "", "", ""][:5]
        lines = [f"FN:{name}", f"TEL;TYPE=CELL:{tel}", f"EMAIL:{email}", f"BDAY:{day}", f"CATEGORIES:{note}"]
        cards += ["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD"]
    return "\n".join(cards).encode(encoding, "replace")


def as_book(rows, delimiter, encoding):
    book, written = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row])
    book.save(written)
    return written.getvalue()


SHAPES = {"a.csv": as_csv, "b.csv": as_lines, "c.vcf": as_cards, "d.xlsx": as_book}
WAYS = ["store", statements.NONE, statements.OPT_OUT]


def rows_of(content, name):
    return sum(1 for _row in spreadsheets.open(io.BytesIO(content), name).rows)


def check(account, content, name, statement, kinds):
    actor = User.objects.create(
        email=f"{account.pk}@example.com"
    )  # without a password, whose hash takes longer than a file
    try:
        import_ = begin(account, content, name, actor)
    except SpreadsheetError:
        return
    assert import_.status in (Status.REVIEWING, Status.BROKEN)
    say_kinds(import_, kinds)
    if import_.problem:
        return
    review_and_save(account, import_, statement, rows_of(content, name))
    before = base(account)
    import_ = begin(account, content, name, actor)
    say_kinds(import_, kinds)  # of columns without names nothing is remembered
    import_.statement = statement
    if not import_.problem:
        save(import_, actor)
        assert base(account) == before, "the same file again changes nothing"


def say_kinds(import_, kinds):
    if import_.mapping.get("fields") and import_.status == Status.REVIEWING and "mobile" in import_.mapping:
        own = dict(zip(import_.mapping["fields"], kinds * 12, strict=False))
        imports.change_columns(import_, import_.mapping | {"kinds": own})
        imports.finish(import_)


def begin(account, content, name, actor):
    import_ = imports.start(account, io.BytesIO(content), name, actor)
    imports.finish(import_)
    return import_


def review_and_save(account, import_, statement, rows):
    for each in WAYS:
        import_.statement = each
        review = imports.review(import_)
        assert review.saved + review.left_out == review.rows == rows
    import_.statement = statement
    predicted, out = imports.review(import_), left_out(import_)
    saved = save(import_, import_.created_by)
    assert saved.counts == predicted.counts
    assert left_out(import_) == out
    cells = sum(import_.remarks.get("counts", {}).values())
    if cells:
        with imports.remarks(import_) as file:
            assert len([*csv.reader(io.StringIO(file.read().decode("utf-8-sig"), newline=""))]) == cells + 1
    known = {field.name: field for field in account.own_fields.all()}
    for person in account.contacts.all():
        for name, value in person.fields.items():
            assert fits(known[name], value)


def fits(field, value):
    reading = field_values.Reading(field.kind, field_values.DAY_FIRST, ".", field.choices)
    return field_values.reader(reading)(value) == value != ""


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    tables(),
    st.sampled_from([*SHAPES]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    st.sampled_from(WAYS),
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4),
)
def test_every_row_is_saved_or_left_out(settings, tmp_path, rows, name, delimiter, encoding, statement, kinds):
    settings.MEDIA_ROOT = tmp_path
    account = make.account()
    make.contact(account, "Ana", mobile="+522225550101", consent="withdrawn", consent_at=NOON)
    check(account, SHAPES[name](rows, delimiter, encoding), name, statement, kinds)
    assert Contact.objects.get(account=account, name="Ana", mobile="+522225550101").consent == "withdrawn"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda end: b"Nombre,Celular\nAna,2225550101\n" + end))
def test_any_bytes_are_a_table_or_a_sentence(settings, tmp_path, content):
    settings.MEDIA_ROOT = tmp_path
    check(make.account(), content, "a.csv", "store", ["text"])


def test_cards_with_a_nul():
    rows = [["Ana\0", "2225550101", "\0", "", "VIP\0"], ["\0", "2225550102", "", "\0", ""]]
    check(make.account(), as_cards(rows, "", "utf-8"), "c.vcf", "store", ["text"])
