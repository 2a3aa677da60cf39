"""What a cell says as a number, a date, yes or no: read in one way, or not at all."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.contacts import field_values
from pregon.contacts.field_values import ASK, DATE, DAY_FIRST, MONTH_FIRST, Reading

COUNTRIES = {"MX": (".", DAY_FIRST), "CL": (",", DAY_FIRST), "PA": (".", MONTH_FIRST), "PY": (",", DAY_FIRST)}


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_has_its_own_point_and_order(country):
    assert (field_values.point(country), field_values.order(country)) == COUNTRIES[country]


@pytest.mark.parametrize(
    ("cell", "point", "value"),
    [
        ("12", ".", "12"),
        ("12.50", ".", "12.5"),
        ("12,5", ".", "12.5"),
        ("1,234", ".", "1234"),
        ("1.234", ".", "1.234"),
        ("1.234", ",", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234,56", ".", "1234.56"),
        ("1,234.56", ",", "1234.56"),
        ("1.234.567", ".", "1234567"),
        ("1 234 567,8", ".", "1234567.8"),
        ("1'234.5", ".", "1234.5"),
        ("$ 1,234.50", ".", "1234.5"),
        ("$ 45.000", ".", "45000"),
        ("$ 45,000", ",", "45000"),
        ("$ 45.5", ",", "45.5"),
        ("S/ 12.50", ".", "12.5"),
        ("US$12", ".", "12"),
        ("15 %", ".", "15"),
        ("-3", ".", "-3"),
        ("-0", ".", "0"),
        ("0.5", ".", "0.5"),
        ("12.300000000000001", ".", "12.3"),
        ("007", ".", ""),
        ("5.1987E+10", ".", ""),
        ("1.2.3", ".", ""),
        ("1,23,456", ".", ""),
        ("12-3", ".", ""),
        ("doce", ".", ""),
        ("12 años", ".", ""),
        ("٣", ".", ""),
        ("9" * 16, ".", ""),
    ],
)
def test_numbers(cell, point, value):
    assert field_values.read_number(cell, point) == value


@pytest.mark.parametrize(
    ("cell", "day_first", "month_first", "by_itself"),
    [
        ("03/04/1990", "1990-04-03", "1990-03-04", ""),
        ("3-4-90", "1990-04-03", "1990-03-04", ""),
        ("3.4.26", "2026-04-03", "2026-03-04", ""),
        ("13/04/1990", "1990-04-13", "", "1990-04-13"),
        ("04/13/1990", "", "1990-04-13", "1990-04-13"),
        ("5/5/1990", "1990-05-05", "1990-05-05", "1990-05-05"),
        ("1990-04-03", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("1990/4/3", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("19900403", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("1990-04-03 00:00:00", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("3 de abril de 1990", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("3 ABR 1990", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("3-abr-90", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("April 3, 1990", "1990-04-03", "1990-04-03", "1990-04-03"),
        ("3 de março de 1990", "1990-03-03", "1990-03-03", "1990-03-03"),
        ("29/02/2024", "2024-02-29", "", "2024-02-29"),
        ("29/02/2023", "", "", ""),
        ("31/02/1990", "", "", ""),
        ("1604-04-03", "", "", ""),
        ("--04-03", "", "", ""),
        ("3/4", "", "", ""),
        ("ayer", "", "", ""),
        ("2026-99-99", "", "", ""),
    ],
)
def test_dates(cell, day_first, month_first, by_itself):
    assert field_values.read_date(cell, DAY_FIRST) == day_first
    assert field_values.read_date(cell, MONTH_FIRST) == month_first
    assert field_values.read_date(cell) == by_itself


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("Cumpleaños", ["03/04/1990", "-", "05/06/1991"], ASK),
        ("Cumpleaños", ["03/04/1990", "25/06/1991"], DAY_FIRST),
        ("Cumpleaños", ["03/04/1990", "06/25/1991"], MONTH_FIRST),
        ("Cumpleaños", ["25/04/1990", "06/25/1991", "1/2/1999"], DATE),
        ("Cumpleaños", ["1990-04-03", "3 de mayo de 1991", "5/5/1990"], DATE),
        ("Cumpleaños", ["5/5/1990", "3/4/1990"], ASK),
        ("Cumpleaños", ["13/04/1990"], DAY_FIRST),
        ("Cumpleaños", ["03/04/1990", "no sé"], "text"),
        ("Cumpleaños", ["13/04/1990", "31/02/1990", "14/04/1990"], DAY_FIRST),
        ("Edad", ["12", "33"], "number"),
        ("Saldo", ["$1,200.50", "0"], "number"),
        ("Puntos", ["12", "muchos"], "text"),
        ("DNI", ["12345678"], "text"),
        ("Código postal", ["06700", "72000"], "text"),
        ("Código postal", ["72000"], "text"),
        ("Nota", ["012"], "text"),
        ("Vegetariana", ["sí", "No"], "yes_no"),
        ("Sexo", ["f", "f"], "text"),
        ("Sucursal", ["Centro", "norte", "Centro"] * 6, "choice"),
        ("Sucursal", ["Centro", "Norte"], "text"),
        ("Nota", [], "text"),
        ("Nota", ["-", "n/a"], "text"),
    ],
)
def test_what_a_column_is(header, cells, kind):
    assert field_values.guess(header, cells, ".") == kind


def test_an_option_is_written_in_its_own_way():
    read = field_values.reader(Reading("choice", choices=["Sucursal Centro"]))
    assert (read("sucursal  CENTRO"), read("Norte")) == ("Sucursal Centro", "")
    assert field_values.reader(Reading("choice"))("Norte") == "Norte"


CELLS = (
    st.text(max_size=30)
    | st.text("0123456789.,'- $/E+", max_size=14)
    | st.from_regex(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}.{0,9}", fullmatch=True)
)
READINGS = st.builds(
    Reading,
    st.sampled_from(["number", "date", "yes_no"]),
    st.sampled_from(["", DAY_FIRST, MONTH_FIRST]),
    st.sampled_from(".,"),
)


@settings(deadline=None)
@given(CELLS, READINGS)
def test_whatever_a_cell_holds_its_value_is_of_the_kind_and_is_read_again(cell, reading):
    value = field_values.reader(reading)(" ".join(cell.split()))
    if value and reading.kind == "number":
        assert float(value) == float(field_values.read_number(value, "."))
        assert field_values.read_number(value, ".") == value
    elif value and reading.kind == "date":
        assert date.fromisoformat(value) == field_values.day(value)
        assert field_values.read_date(value, reading.order) == value
    elif value:
        assert value in (field_values.YES, field_values.NO)


@settings(deadline=None)
@given(st.decimals(-(10**9), 10**9, places=3), st.sampled_from(".,"), st.sampled_from(["", "g"]))
def test_a_number_of_the_country_is_that_number(number, point, groups):
    written = f"{number:,.3f}" if groups else f"{number:.3f}"
    if point == ",":
        written = written.translate(str.maketrans(".,", ",."))
    assert float(field_values.read_number(written, point)) == float(number)


@settings(deadline=None)
@given(
    st.dates(date(1940, 1, 1), date(2039, 12, 31)),
    st.sampled_from(["{0}/{1}/{2}", "{0:02}-{1:02}-{2}", "{0}.{1}.{3:02}"]),
)
def test_a_date_of_the_country_is_that_day(day, shape):
    day_first = shape.format(day.day, day.month, day.year, day.year % 100)
    month_first = shape.format(day.month, day.day, day.year, day.year % 100)
    assert field_values.read_date(day_first, DAY_FIRST) == day.isoformat()
    assert field_values.read_date(month_first, MONTH_FIRST) == day.isoformat()
