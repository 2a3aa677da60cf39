"""Files made to hurt: each is refused or read within bounds of memory and time. They are made here, for they are large."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.lib import spreadsheets
from pregon.lib.spreadsheets import SpreadsheetError, workbooks
from tests.lib.tables import FILES, check, refusal

# Reads a file in a process of its own: rows, and megabytes by which its memory has grown over an empty table's.
MEASURE = """
import re, sys
from pathlib import Path
from django.conf import settings
settings.configure(USE_I18N=False)
from pregon.lib import spreadsheets

def read(path):
    with open(path, "rb") as file:
        return sum(1 for row in spreadsheets.open(file, path).rows)

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # not its parent's

read(sys.argv[1])
before = peak()
try:
    rows = read(sys.argv[2])
except spreadsheets.SpreadsheetError as error:
    print(error, file=sys.stderr)
    rows = -1
print(rows, peak() - before)
"""


def measure(path: Path) -> tuple[int, float]:
    small = FILES / ("agenda.vcf" if path.suffix == ".vcf" else "comas_utf8.csv")
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(path)],
        check=True,
        stdout=subprocess.PIPE,
        timeout=150,
        text=True,
    )
    rows, grown = told.stdout.split()
    return int(rows), float(grown)


def write(path: Path, blocks: Iterator[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(blocks)
    return path


def people(count: int) -> Iterator[bytes]:
    yield b"Nombre,Celular,Correo,Ciudad,Permiso\r\n"
    for start in range(0, count, 1000):
        yield "".join(
            f"María López {n},222 555 {n % 10_000:04d},maria{n}@example.com,Puebla,sí\r\n"
            for n in range(start, start + 1000)
        ).encode()


def test_text_is_read_with_flat_memory(tmp_path: Path) -> None:
    rows, grown = measure(write(tmp_path / "clientes.csv", people(300_000)))  # 20 MB
    assert rows == 300_000
    assert grown < 12


@pytest.mark.long
def test_nearly_500_megabytes_are_read_with_flat_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "clientes.csv", people(6_900_000))
    assert 450_000_000 < path.stat().st_size < spreadsheets.MAX_TEXT
    rows, grown = measure(path)
    assert rows == 6_900_000
    assert grown < 12


def test_text_of_500_megabytes_and_workbooks_of_50_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "clientes.csv"
    for size, start, sentence in [
        (spreadsheets.MAX_TEXT, b"Nombre,Celular\n", "menos de 500 MB"),
        (spreadsheets.MAX_TEXT - 1, b"Nombre,Celular\n", "una sola línea"),  # read, and found to be one long line
        (spreadsheets.MAX_WORKBOOK, b"PK\x03\x04", "menos de 50 MB"),
    ]:
        path.write_bytes(start)
        with path.open("r+b") as file:
            file.truncate(size)
            with pytest.raises(SpreadsheetError, match=sentence):
                list(spreadsheets.open(file, path.name).rows)


def photo(megabytes: int, fold: bytes) -> Iterator[bytes]:
    yield b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:;Ana;;;\r\nPHOTO;ENCODING=b;TYPE=JPEG:"
    for _piece in range(megabytes * 1_000_000 // 75):
        yield b"QUJD" * 18 + b"QUJ" + fold
    yield b"\r\nTEL;TYPE=CELL:222 555 0142\r\nEND:VCARD\r\n"


@pytest.mark.parametrize("fold", [b"\r\n ", b""], ids=["folded", "one endless line"])
def test_a_cards_photo_of_megabytes_is_not_even_held(tmp_path: Path, fold: bytes) -> None:
    path = write(tmp_path / "agenda.vcf", photo(10, fold))
    rows, grown = measure(path)
    assert rows == 1
    assert grown < 5
    with path.open("rb") as file:
        [row] = spreadsheets.open(file, "agenda.vcf").rows
    assert row.cells[:3] == ["Ana", "", "222 555 0142"]


@pytest.mark.parametrize(
    "blocks",
    [
        [b"FN:" + b"A" * 10_000_000],
        [b"FN:A\r\n", b" A\r\n" * 1_000_000],
        [b"TEL:2225550142\r\n" * 300_000],
    ],
    ids=["one line", "folded", "many numbers"],
)
def test_an_endless_card_is_bounded(tmp_path: Path, blocks: list[bytes]) -> None:
    path = write(tmp_path / "agenda.vcf", iter([b"BEGIN:VCARD\r\n", *blocks, b"\r\nEND:VCARD\r\n"]))
    rows, grown = measure(path)
    assert rows == 1
    assert grown < 1


@pytest.mark.parametrize(
    ("blocks", "read"),
    [
        ([b"," * 5_000_000], -1),
        ([b"Nombre,Celular\n", (b"a," * 499_000 + b"\n") * 30], -1),
        ([b"Nombre,Celular\n", b"Ana,2225550142\n" * 30, (b"a," * 499_000 + b"\n") * 30], 60),
        ([b'"a\n', b'b","a\n' * 2_000_000], -1),
        ([b"Nombre,Celular\n", b'"Ana\n' + b"b\n" * 1_000_000], -1),
    ],
    ids=["five million commas", "wide lines", "wide lines later", "a row of many lines", "a cell of many lines"],
)
def test_lines_of_millions_of_cells_are_bounded(tmp_path: Path, blocks: list[bytes], read: int) -> None:
    rows, grown = measure(write(tmp_path / "bomba.csv", iter(blocks)))
    assert rows == read
    assert grown < 60


def test_endless_blank_lines_are_refused() -> None:
    assert "filas en blanco" in refusal(b"Nombre,Celular\n" + b"\n" * 1_100_000)


def armed(tmp_path: Path, name: str, parts: dict[str, Iterator[bytes]]) -> bytes:
    """A workbook of ours with some of its parts exchanged."""
    bomb = tmp_path / name
    with zipfile.ZipFile(FILES / name) as book, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, True, 1) as copy:
        for each in sorted(set(book.namelist()) - set(parts)):
            copy.writestr(each, book.read(each))
        for part, blocks in parts.items():
            with copy.open(part, "w") as inside:
                inside.writelines(blocks)
    assert bomb.stat().st_size < 10_000_000
    return bomb.read_bytes()


def one_huge_cell(megabytes: int) -> Iterator[bytes]:
    """Of 800 MB of text 3.5 MB are in the archive."""
    yield b'<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>'
    for _megabyte in range(megabytes):
        yield b"A" * 1_000_000
    yield b"</t></is></c></row></sheetData></worksheet>"


def one_string_everywhere() -> Iterator[bytes]:
    """100,000 cells that all stand for the same 30,000 letters."""
    yield b"<worksheet><sheetData>"
    for row in range(1, 100_001):
        yield b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row)
    yield b"</sheetData></worksheet>"


def repeated_cells() -> Iterator[bytes]:
    """Seventeen thousand million cells in a line."""
    names = b"".join(
        b' xmlns:%s="urn:oasis:names:tc:opendocument:xmlns:%s:1.0"' % (name, name)
        for name in (b"office", b"table", b"text")
    )
    yield b'<?xml version="1.0"?><office:document-content%s><office:body><office:spreadsheet>' % names
    yield b'<table:table table:name="Hoja1"><table:table-row table:number-rows-repeated="1048576">'
    yield b'<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>x</text:p>'
    yield b"</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"


@pytest.mark.parametrize("megabytes", [5, 800])
def test_a_zip_bomb_only_ends_its_own_process(tmp_path: Path, megabytes: int) -> None:
    bomb = armed(tmp_path, "libro.xlsx", {"xl/worksheets/sheet1.xml": one_huge_cell(megabytes)})
    assert "demasiado grande" in refusal(bomb, "bomba.xlsx")


def test_a_bomb_of_shared_strings_only_ends_its_own_process(tmp_path: Path) -> None:
    strings = b"<sst><si><t>" + b"A" * 30_000 + b"</t></si></sst>"
    parts = {"xl/sharedStrings.xml": iter([strings]), "xl/worksheets/sheet1.xml": one_string_everywhere()}
    assert "demasiado grande" in refusal(armed(tmp_path, "libro.xlsx", parts), "bomba.xlsx")


def test_a_sheet_of_repeated_cells_only_ends_its_own_process(tmp_path: Path) -> None:
    bomb = armed(tmp_path, "opendocument.ods", {"content.xml": repeated_cells()})
    assert "guárdala otra vez como XLSX o CSV" in refusal(bomb, "bomba.ods")  # calamine itself gives up


def test_a_book_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    slow = armed(tmp_path, "libro.xlsx", {"xl/worksheets/sheet1.xml": one_huge_cell(800)})
    with pytest.raises(SpreadsheetError, match="tarda demasiado"):
        workbooks.read(io.BytesIO(slow), patience=0.001)


def test_our_own_slowness_is_not_the_books() -> None:
    """The child may wait for its reader as long as the reader likes."""
    with (FILES / "libro.xlsx").open("rb") as file:
        table = workbooks.read(file, patience=20)
        child_waits = next(table.rows)
        assert child_waits.cells
        assert len(list(table.rows)) > 0


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["libro.xlsx", "opendocument.ods", "antiguo.xls"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0.2, 1),
)
def test_a_damaged_book_is_a_table_or_a_sentence(name: str, changes: list[tuple[float, int]], kept: float) -> None:
    content = bytearray((FILES / name).read_bytes())
    for place, byte in changes:
        content[int(4 + place * (len(content) - 4))] = byte
    check(bytes(content[: int(len(content) * kept)]), name)
