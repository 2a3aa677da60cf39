"""Tables that people bring: CSV in every dress, vCards, XLSX, XLS and ODS; and tables that they take away.

    table = spreadsheets.open(upload, "clientes.xlsx")
    mapping = spreadsheets.guess_mapping(table.headers, table.sample)
    for row in table.rows: ...            # once, as a stream: memory does not grow with the file
    table.problems                        # complete when the rows have been read

Whatever the file holds, the only error is `SpreadsheetError`, a sentence for the person; it may also come up while
rows are read (a broken archive shows late).
"""

from pregon.lib.spreadsheets.columns import Field, guess_mapping, is_withdrawal, read_permission
from pregon.lib.spreadsheets.export import DAY_STYLE, write_csv, write_workbook
from pregon.lib.spreadsheets.reading import MAX_TEXT, MAX_WORKBOOK, open  # noqa: A004 (called as spreadsheets.open)
from pregon.lib.spreadsheets.table import MAX_COLUMNS, Row, RowProblem, SpreadsheetError, Table

__all__ = [
    "DAY_STYLE",
    "MAX_COLUMNS",
    "MAX_TEXT",
    "MAX_WORKBOOK",
    "Field",
    "Row",
    "RowProblem",
    "SpreadsheetError",
    "Table",
    "guess_mapping",
    "is_withdrawal",
    "open",
    "read_permission",
    "write_csv",
    "write_workbook",
]
