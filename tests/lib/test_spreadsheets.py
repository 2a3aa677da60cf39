"""Every file of `tests/spreadsheets/`, each named for its trouble: a table, or a sentence."""

import csv
import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.lib import spreadsheets
from tests.lib.tables import FILES, check, read, refusal

HEADERS = ["Nombre", "Celular", "Correo", "Permiso"]
PEOPLE = [
    ["José Ñandú", "222 555 0142", "jose@example.com", "sí"],
    ["Ana López", "222 555 0143", "ana@example.com", "no"],
]


@pytest.mark.parametrize(
    "name",
    [
        "antiguo.xls", "barras.txt", "columnas_vacias_al_final.csv", "comas_utf8.csv", "fines_de_linea_mac.csv",
        "hoja_oculta_y_portada_vacia.xlsx", "libro.xlsx", "lineas_en_blanco.csv", "nul.csv", "opendocument.ods",
        "punto_y_coma_latin1.csv", "sep_en_la_primera_linea.csv", "tabulaciones.tsv", "titulos_combinados.xlsx",
        "utf16_be_con_bom.csv", "utf16_be_sin_bom.csv", "utf16_le_con_bom.csv", "utf16_le_sin_bom.csv",
        "utf32_con_bom.csv", "utf32_sin_bom.csv", "utf8_con_bom.csv",
    ],
)  # fmt: skip
def test_the_same_people_in_every_dress(name: str) -> None:
    table, rows = read(name)
    assert table.headers == HEADERS
    assert rows == PEOPLE
    assert table.sample == PEOPLE
    mapping = spreadsheets.guess_mapping(table.headers, table.sample)
    assert mapping == {"name": 0, "mobile": 1, "email": 2, "consent": 3}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("antiguo_cortado.xls", "No pudimos abrir"),
        ("celda_en_la_ultima_esquina.xlsx", "demasiado grande"),
        ("columnas_10000.csv", "10000 columnas y el máximo es 256"),
        ("comillas_sin_cerrar.csv", "La línea 3 abre unas comillas"),
        ("con_contrasena.xlsx", "tiene contraseña"),
        ("datos.json", "no es una tabla"),
        ("imagen_con_nombre_de_libro.xlsx", "no es una tabla"),
        ("libro_cortado.xlsx", "No pudimos abrir"),
        ("opendocument_cortado.ods", "No pudimos abrir"),
        ("libro_vacio.xlsx", "no tiene hojas con datos"),
        ("pagina_web_con_nombre_de_libro.xls", "página web"),
        ("pdf_con_nombre_de_tabla.csv", "no es una tabla"),
        ("ruido.csv", "no es una tabla"),
        ("solo_espacios.csv", "está vacío"),
        ("vacio.csv", "está vacío"),
        ("zip_cualquiera.xlsx", "No pudimos abrir"),
    ],
)
def test_what_is_no_table_gets_a_sentence_with_a_next_step(name: str, sentence: str) -> None:
    message = refusal((FILES / name).read_bytes(), name)
    assert sentence in message
    assert ":" in message  # what happened: what to do


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_every_file_of_the_corpus_is_a_table_or_a_sentence(path: Path) -> None:
    check(path.read_bytes(), path.name)


def test_quoted_cells_keep_commas_quotes_and_lines() -> None:
    table, rows = read("comillas_y_saltos.csv")
    assert rows[0] == ['López, Ana "Anita"', "222 555 0143", "dos\nlíneas; y más"]
    assert table.problems == []


def test_rows_know_their_line() -> None:
    with (FILES / "comillas_y_saltos.csv").open("rb") as file:
        assert [row.line for row in spreadsheets.open(file, "x.csv").rows] == [2, 4]
    with (FILES / "titulos_combinados.xlsx").open("rb") as file:
        assert [row.line for row in spreadsheets.open(file, "x.xlsx").rows] == [4, 5]


def test_the_nuls_of_a_wide_encoding_are_no_problem() -> None:
    for name in ("utf16_le_con_bom.csv", "utf32_con_bom.csv", "utf32_sin_bom.csv"):
        assert read(name)[0].problems == []


def test_nul_bytes_are_told() -> None:
    table, _rows = read("nul.csv")
    assert [(problem.line, problem.text) for problem in table.problems] == [
        (3, "El archivo tenía caracteres vacíos (NUL): los quitamos.")
    ]


def test_a_first_line_of_data_is_kept() -> None:
    table, rows = read("sin_encabezados.csv")
    assert table.headers == ["Columna 1", "Columna 2", "Columna 3"]
    assert rows[0] == ["Ana López", "222 555 0143", "ana@example.com"]
    assert "La primera línea ya es un contacto" in table.problems[0].text
    assert spreadsheets.guess_mapping(table.headers, table.sample) == {"name": 0, "mobile": 1, "email": 2}


def test_titles_above_the_table_are_passed_over() -> None:
    table, rows = read("titulos_arriba.csv")
    assert table.headers == ["Nombre", "Celular", "Ciudad"]
    assert rows == [["Ana", "2225550143", "Puebla"]]
    assert table.problems[0].text == "Los títulos sobre la tabla no se leen."


def test_repeated_headers_are_told_apart() -> None:
    table, rows = read("encabezados_repetidos.csv")
    assert table.headers == ["Nombre", "Teléfono", "Teléfono (2)", "Teléfono (3)", "Columna 5"]
    assert rows == [["Ana", "2225550143", "", "2225550144", "x"]]
    assert table.problems[0].text == "La columna «Teléfono» aparece más de una vez."


def test_cells_beyond_the_headers_are_told() -> None:
    content = b"Nombre,Celular\n" + b"Ana,2225550143\n" * 30 + b"Eva,2225550144,sobra\n"
    table = spreadsheets.open(io.BytesIO(content), "x.csv")
    assert [row.cells for row in table.rows][-1] == ["Eva", "2225550144"]
    assert [problem.line for problem in table.problems] == [32]


def test_two_hundred_columns_are_a_table() -> None:
    table, rows = read("columnas_200.csv")
    assert len(table.headers) == len(rows[0]) == 200


def test_figures_of_a_sheet_lose_nothing() -> None:
    _table, rows = read("numeros_como_figuras.xlsx")
    assert rows[0] == ["Ana", "2225550143", "2026-07-01", "12.5", "True"]
    assert rows[1][1] == "522225550144"
    assert [spreadsheets.read_permission(row[4]) for row in rows] == [True, False]


def test_formulas_are_values_in_a_book_and_text_in_a_csv() -> None:
    assert read("formulas.xlsx")[1] == [["ANA", "2225550143"], ["=1+1", "2225550144"]]
    assert read("formulas.csv")[1][0] == ["=cmd|' /C calc'!A0", "2225550143", "=1+1"]


def test_other_sheets_are_told() -> None:
    table, _rows = read("hoja_oculta_y_portada_vacia.xlsx")
    assert table.problems[0].text == "Leímos la hoja «Clientes»; hay 1 más que no se lee."


def test_a_letter_of_latin1_after_much_utf8_is_read_as_what_it_is() -> None:
    assert read("latin1_muy_tarde.csv")[1][-1] == ["José", "2225550142"]
    assert [cells[0] for cells in read("codificaciones_mezcladas.csv")[1]] == ["José", "Núñez"]


def test_old_macs_lines_end_in_a_return_and_cells_may_hold_one() -> None:
    assert read("mac_con_comillas.csv")[1] == [
        ["López, Ana", "222 555 0143", "dos\rlíneas"],
        ["Eva", "222 555 0144", 'una "más"'],
    ]


def test_djangos_uploaded_files_can_be_read() -> None:
    for name in ("comas_utf8.csv", "libro.xlsx"):
        upload = SimpleUploadedFile(name, (FILES / name).read_bytes())
        assert [row.cells for row in spreadsheets.open(upload, name).rows] == PEOPLE  # type: ignore[arg-type]
        assert not upload.closed


def test_a_table_that_nobody_finishes_leaves_no_process() -> None:
    with (FILES / "libro.xlsx").open("rb") as file:
        table = spreadsheets.open(file, "libro.xlsx")
        assert next(table.rows).cells == PEOPLE[0]
        del table  # the generator's end kills and waits for the child; a zombie would raise ResourceWarning


CELLS = st.text(st.characters(codec="utf-16", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(
    lambda cell: "x" + cell.strip() + "x"
)


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_written_table_reads_the_same(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str, end: str
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("Nombre", "Celular", "Nota"), *rows])
    table = spreadsheets.open(io.BytesIO(buffer.getvalue().encode(encoding)), "x.csv")
    assert table.headers == ["Nombre", "Celular", "Nota"]
    assert [tuple(row.cells) for row in table.rows] == rows


@settings(deadline=None)  # some are given to the workbooks' own process
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", b"a,b\n", b'"', b"\xef\xbb\xbf"]))
def test_any_bytes_are_a_table_or_a_sentence(noise: bytes, start: bytes) -> None:
    if start == b"PK\x03\x04":
        noise = noise[:20]
    check(start + noise, "x")


DANGEROUS = ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


def written(*rows: list[object]) -> bytes:
    return b"".join(spreadsheets.write_csv(rows))


@pytest.mark.parametrize("cell", DANGEROUS)
def test_an_exported_formula_is_text(cell: str) -> None:
    content = written(["Nombre"], [cell]).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(content.split("\r\n", 1)[1], newline="")))[0] == "'" + cell


@pytest.mark.parametrize("cell", ["+522225550142", "+52 222 555 0142", "-1", "-12.5", "Ana", "a=b"])
def test_harmless_cells_stay(cell: str) -> None:
    assert written([cell]).decode("utf-8-sig") == cell + "\r\n"


def test_an_export_comes_back_as_it_was() -> None:
    rows: list[list[object]] = [["Nombre", "Celular", "Nota"], ["=Ana", "+522225550142", None], ["-Eva", 5, 'di"jo, "']]
    table = spreadsheets.open(io.BytesIO(written(*rows)), "x.csv")
    assert [row.cells for row in table.rows] == [["=Ana", "+522225550142", ""], ["-Eva", "5", 'di"jo, "']]


def test_an_export_is_a_stream() -> None:
    chunks = spreadsheets.write_csv([str(n)] for n in range(1200))
    assert [chunk.count(b"\n") for chunk in chunks] == [500, 500, 200]


@pytest.mark.parametrize(
    ("headers", "mapping"),
    [
        (["NOMBRES", "APELLIDOS", "WHATSAPP", "Grupo"], {"name": 0, "last_name": 1, "mobile": 2, "tags": 3}),
        (["Teléfono fijo", "Número de celular", "Cliente"], {"mobile": 1, "name": 2}),
        (["Teléfono", "Móvil"], {"mobile": 1}),
        (["First Name", "Last Name", "Mobile Phone"], {"name": 0, "last_name": 1, "mobile": 2}),
        (["Correo electrónico", "E-mail Address"], {"email": 0}),
        (["Nome", "Sobrenome", "Telefone", "Aceita"], {"name": 0, "last_name": 1, "mobile": 2, "consent": 3}),
        (["Acepta WhatsApp", "WhatsApp", "Nombre completo"], {"consent": 0, "mobile": 1, "name": 2}),
        (["nombre", "tel.", "Baja", "Opt-in"], {"name": 0, "mobile": 1, "opt_out": 2, "consent": 3}),
        (["Número de pedido", "Número"], {"mobile": 1}),
        (["Nombre de la empresa", "Contacto", "Cel"], {"name": 1, "mobile": 2}),
        (["Fecha", "Total"], {}),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_names(headers: list[str], mapping: dict[str, int]) -> None:
    assert spreadsheets.guess_mapping(headers, []) == mapping


def test_what_the_cells_hold_corrects_and_completes_the_names() -> None:
    headers = ["WhatsApp", "Dato", "Persona o lugar", "DNI"]
    sample = [["sí", "987 654 321", "Ana", "45678912"], ["no", "987654322", "Eva", "45678913"]]
    assert spreadsheets.guess_mapping(headers, sample) == {"mobile": 1, "name": 2}


def test_consent_is_never_guessed_from_cells() -> None:
    assert spreadsheets.guess_mapping(["Dato", "Celular"], [["sí", "2225550143"], ["no", "2225550144"]]) == {
        "mobile": 1
    }


@pytest.mark.parametrize("cell", ["sí", "Si", "SÍ ", "x", "1", "1.0", "Acepta", "yes", "TRUE", "✓", "✔️", "Sí."])
def test_yes(cell: str) -> None:
    assert spreadsheets.read_permission(cell) is True


@pytest.mark.parametrize("cell", ["no", "NO", "0", "baja", "De baja", "false", "No acepta", "❌"])
def test_no(cell: str) -> None:
    assert spreadsheets.read_permission(cell) is False


@pytest.mark.parametrize("cell", ["", " ", "?", "tal vez", "2", "2225550143", "n/a"])
def test_anything_else_says_nothing(cell: str) -> None:
    assert spreadsheets.read_permission(cell) is None
