"""A CSV that Excel opens as it is, and that cannot run anything there."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

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
