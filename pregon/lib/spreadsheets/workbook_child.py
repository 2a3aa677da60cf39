"""Run as a program of its own by `workbooks`: a workbook on standard input, JSON lines on standard output.

calamine holds a whole sheet in memory, and an archive of 50 kB may unfold to gigabytes; here that ends this process
only. The first line is about the book (`{"sheet": …, "line": …, "others": …}` or `{"error": …}`), each of the others
one row; `null` at the end says that all was told. An error may still come among the rows.
"""

import io
import json
import sys
from typing import Any

import python_calamine

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The stream that a locked XLSX consists of; calamine does not know such a file at all."""


_LONGEST_ROW = 4_000_000
"""Letters of JSON: the reader holds a row in memory."""


def main(memory: int, seconds: int) -> None:
    _limit(memory, seconds)
    content = sys.stdin.buffer.read()
    try:
        _tell(python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)))
    except python_calamine.PasswordError:
        _say({"error": "password"})
    except MemoryError:
        _say({"error": "too_big"})
    except (python_calamine.CalamineError, ValueError):
        _say({"error": "password" if _ENCRYPTED in content else "broken"})


def _limit(memory: int, seconds: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _tell(book: python_calamine.CalamineWorkbook) -> None:
    """The first visible sheet that holds something."""
    visible = [sheet.name for sheet in book.sheets_metadata if _shown(sheet)]
    for place, name in enumerate(visible):
        sheet = book.get_sheet_by_name(name)
        if sheet.start is not None and sheet.height:
            _say({"sheet": name, "line": sheet.start[0] + 1, "others": len(visible) - place - 1})
            for row in sheet.iter_rows():
                _say_row([_text(cell) for cell in row])
            break
    else:
        _say({"error": "empty"})
    _say(None)


def _shown(sheet: python_calamine.SheetMetadata) -> bool:
    return (sheet.visible, sheet.typ) == (
        python_calamine.SheetVisibleEnum.Visible,
        python_calamine.SheetTypeEnum.WorkSheet,
    )


def _text(cell: Any) -> str:
    """Figures without a false `.0`, so that a number kept as a figure loses nothing."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e16:
        return str(int(cell))
    return cell if isinstance(cell, str) else str(cell)


def _say_row(cells: list[str]) -> None:
    line = json.dumps(cells)
    if len(line) > _LONGEST_ROW:
        raise MemoryError
    sys.stdout.write(line + "\n")


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
