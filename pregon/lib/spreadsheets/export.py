"""A CSV or an XLSX that Excel opens as it is, and that cannot run anything there."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FIGURE = re.compile(r"[+-]?[0-9][0-9 .,]*").fullmatch
_BATCH = 500


def write_csv(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Chunks of UTF-8 with a mark for Excel and CRLF ends, for a streaming response; None is a blank cell.

    A cell that a spreadsheet would calculate gets an apostrophe before it, which `open` takes away again. Signed
    figures and numbers such as "+52 222 555 0142" stay as they are: digits alone calculate nothing.
    """
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    for count, row in enumerate(rows, 1):
        writer.writerow([_safe(cell) for cell in row])
        if count % _BATCH == 0:
            yield _drain(buffer)
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return content.encode()


def _safe(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return "'" + text if text.startswith(_FORMULA) and not _FIGURE(text) else text


DAY_STYLE = 1  # of a cell that holds a day, as the number that sheets keep


def write_workbook(rows: Iterable[bytes], columns: int, into: BinaryIO) -> None:
    """An XLSX of one sheet, its first row always in sight. `rows` are blocks of the sheet's own `<row>` elements."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in _PARTS.items():
            book.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{content}')
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(_SHEET_BEGINS.format(columns).encode())
            for block in rows:
                sheet.write(block)
            sheet.write(b"</sheetData></worksheet>")


_OPEN = "http://schemas.openxmlformats.org"
_SPREADSHEET, _RELATIONS = f"{_OPEN}/spreadsheetml/2006/main", f"{_OPEN}/package/2006/relationships"
_OFFICE, _TYPE = (
    f"{_OPEN}/officeDocument/2006/relationships",
    "application/vnd.openxmlformats-officedocument.spreadsheetml",
)
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_OPEN}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # The second style shows a number as a day, in the order of whoever opens it.
    "xl/styles.xml": f'<styleSheet xmlns="{_SPREADSHEET}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_SHEET_BEGINS = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="{_SPREADSHEET}"><sheetViews>'
    '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
    '</sheetViews><cols><col min="1" max="{}" width="22" customWidth="1"/></cols><sheetData>'
)
