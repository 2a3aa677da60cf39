"""vCards of every version, and what Google and Outlook export: all end in the same columns."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.lib import spreadsheets
from pregon.lib.spreadsheets import SpreadsheetError, Table
from tests.lib.tables import FILES, check, read

HEADERS = ["Nombre", "Apellido", "Celular", "Celular (2)", "Correo", "Etiquetas", "Empresa", "Cumpleaños"]
JOSE = ["José", "Ñandú", "222 555 0142", "", "jose@example.com", "", "", ""]
ANA = ["Ana", "López", "222 555 0143", "", "ana@example.com", "", "", ""]


def told(table: Table) -> list[tuple[int, str]]:
    return [tuple(problem) for problem in table.problems]


@pytest.mark.parametrize(
    "name",
    [
        "agenda_con_foto.vcf",
        "agenda_con_marca.vcf",
        "agenda_latin1.vcf",
        "agenda_lineas_dobladas.vcf",
        "agenda_utf16.vcf",
    ],
)
def test_the_same_cards_in_every_dress(name: str) -> None:
    table, rows = read(name)
    assert table.headers == HEADERS
    assert rows == [JOSE, ANA]
    assert table.sample == rows
    assert table.problems == []
    mapping = spreadsheets.guess_mapping(table.headers, table.sample)
    assert mapping == {"name": 0, "last_name": 1, "mobile": 2, "email": 4, "tags": 5}


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("agenda_21_quoted_printable.vcf", "222 555 9999"),
        ("agenda_3_iphone.vcf", "222 555 9999"),
        ("agenda_4.vcf", "222-555-9999"),
    ],
)
def test_of_several_numbers_the_mobile_comes_first(name: str, second: str) -> None:
    _table, rows = read(name)
    assert rows == [[*JOSE[:3], second, *JOSE[4:]], ANA]


def test_cards_know_their_line() -> None:
    table = spreadsheets.open(io.BytesIO((FILES / "agenda_21_quoted_printable.vcf").read_bytes()), "x.vcf")
    assert [row.line for row in table.rows] == [1, 15]


def test_a_card_without_a_number_is_a_row_and_an_empty_one_is_told() -> None:
    table, rows = read("agenda_sin_celular.vcf")
    company = "Tortas La Güera, S.A."
    assert rows == [
        ["Ana", "López", "", "", "ana@example.com", "", "", ""],
        [company, "", "222 555 0145", "", "", "VIP, Puebla, centro", company, "1985-04-12"],
    ]
    assert told(table) == [(8, "Este contacto está vacío: no se lee.")]


def test_a_number_twice_is_one_and_the_third_is_told() -> None:
    table, rows = read("agenda_dos_celulares.vcf")
    assert rows[0][2:4] == ["222 555 0143", "222 555 0146"]
    assert told(table) == [(1, "Tiene 3 números: leemos los dos primeros.")]


def test_a_card_without_an_end_is_read_if_another_follows() -> None:
    _table, rows = read("agenda_dos_celulares.vcf")
    assert [row[:3] for row in rows[1:]] == [["Eva sin fin", "", "222 555 0147"], ["José;", "Ñandú", "222 555 0142"]]


def test_a_card_that_is_cut_off_is_told_and_not_read() -> None:
    """Half a number may be somebody else's."""
    table, rows = read("agenda_cortada.vcf")
    assert rows == [JOSE]
    assert told(table) == [(8, "Esta tarjeta no termina, el archivo está cortado: no se lee.")]


def test_a_file_of_half_a_card_is_empty() -> None:
    with pytest.raises(SpreadsheetError, match="vacío"):
        spreadsheets.open(io.BytesIO(b"BEGIN:VCARD\nFN:Ana\nTEL:2225550142"), "x.vcf")


def test_googles_joined_values_and_labels() -> None:
    table, rows = read("google_varios_celulares.csv")
    assert table.headers == HEADERS
    assert rows == [
        ["Ana María", "López", "222 555 0143", "222 555 0146", "ana@example.com", "VIP, Puebla", "", "1985-04-12"],
        ["Tortas La Güera", "", "222 555 0145", "", "", "", "Tortas La Güera", ""],
    ]
    assert [line for line, _text in told(table)] == [2, 4]


def test_outlooks_mobile_wins_over_its_other_phones() -> None:
    table, rows = read("outlook_cp1252.csv")
    assert table.headers == HEADERS
    assert rows == [
        ["José", "Ñandú", "222 555 0142", "222 555 9991", "jose@example.com", "VIP, Puebla", "Tortas", ""],
        ["Ana", "López", "222 555 0143", "", "ana@example.com", "", "", "4/12/1985"],
    ]


def test_outlook_in_spanish() -> None:
    assert read("outlook_en_espanol.csv")[1] == [[*JOSE[:3], "222 555 9991", *JOSE[4:]]]


def test_a_businesss_own_table_keeps_its_columns() -> None:
    content = "First Name,Last Name,Mobile Phone,E-mail Address,Sucursal\nAna,López,2225550143,,Centro\n"
    table = spreadsheets.open(io.BytesIO(content.encode()), "x.csv")
    assert table.headers[-1] == "Sucursal"


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=40)


def escaped(value: str) -> str:
    for letter in "\\,;":
        value = value.replace(letter, "\\" + letter)
    return value


def folded(line: str) -> str:
    return "\r\n ".join(line[place : place + 60] for place in range(0, len(line), 60))


@given(st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=6), st.booleans())
def test_a_written_card_reads_the_same(people: list[tuple[str, str, str]], named: bool) -> None:
    cards = [
        [
            "BEGIN:VCARD",
            "VERSION:4.0",
            f"N:{escaped(family)};{escaped(given_)};;;",
            f"ORG:{escaped(company)}",
            "END:VCARD",
        ]
        for given_, family, company in people
    ]
    content = "".join(folded(line) + "\r\n" for card in cards for line in card).encode()
    table = spreadsheets.open(io.BytesIO(content), "x.vcf" if named else "x")
    rows = [row.cells for row in table.rows]
    unquoted = [
        tuple(word[1:] if word.startswith(("'=", "'+", "'-", "'@")) else word for word in who) for who in people
    ]
    assert [(cells[0], cells[1], cells[6]) for cells in rows] == unquoted


LINES = st.sampled_from([
    "BEGIN:VCARD", "END:VCARD", "VERSION:2.1", "N:a;b", "FN:", "TEL;CELL:2225550142", "TEL", ":", "PHOTO;ENCODING=b:QUJD",
    "N;ENCODING=QUOTED-PRINTABLE;CHARSET=nada:=C3=", "=B1;x", " sigue", "\tsigue", "", 'TEL;TYPE="a:b:c', "CATEGORIES:a,b\\",
    "BDAY:0/0/00", "ORG:;;;", "a.b.TEL:1", "FN;QUOTED-PRINTABLE:=ZZ=",
])  # fmt: skip


@given(st.lists(LINES, max_size=25), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_lines_are_cards_or_a_sentence(lines: list[str], end: str) -> None:
    check(end.join(["BEGIN:VCARD", *lines]).encode(), "x.vcf")
