"""What the tests of `spreadsheets` share: the files of the corpus, and how a reading ends."""

import io
from pathlib import Path

import pytest

from pregon.lib import spreadsheets
from pregon.lib.spreadsheets import SpreadsheetError, Table

FILES = Path(__file__).parents[1] / "spreadsheets"


def read(name: str) -> tuple[Table, list[list[str]]]:
    """A file of the corpus, read to its end."""
    table = spreadsheets.open(io.BytesIO((FILES / name).read_bytes()), name)
    return table, [row.cells for row in table.rows]


def refusal(content: bytes, name: str = "clientes.csv") -> str:
    with pytest.raises(SpreadsheetError) as caught:
        list(spreadsheets.open(io.BytesIO(content), name).rows)
    return str(caught.value)


def outcome(content: bytes, name: str) -> Table | str:
    """The table with all of its rows as the sample, or the sentence."""
    try:
        table = spreadsheets.open(io.BytesIO(content), name)
        table.sample = [row.cells for row in table.rows]
    except SpreadsheetError as error:
        return str(error)
    return table


def check(content: bytes, name: str) -> None:
    """Whatever the bytes are: a table, or a sentence."""
    found = outcome(content, name)
    if isinstance(found, str):
        assert found.endswith(".")
    else:
        assert {len(cells) for cells in found.sample} <= {len(found.headers)}
        assert len(set(found.headers)) == len(found.headers)
