"""A file of contacts read by processes of their own (`import_child`), which take turns: each splits it, and reads half of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pregon.contacts.import_rows import Frame, How
from pregon.lib.spreadsheets import SpreadsheetError

PROCESSES = 2  # splitting takes a third of the time: a third one would hardly help


def frames(path: str, name: str, how: How) -> Iterator[Frame]:
    """As `import_rows.frames`, nearly in the file's order. Raises SpreadsheetError, also for a file that they could not bear."""
    language = get_language() or settings.LANGUAGE_CODE
    locale = [str(folder) for folder in settings.LOCALE_PATHS]
    given = {"path": path, "name": name, "how": how, "language": language, "locale": locale}
    children = [_start(given | {"share": (turn, PROCESSES)}) for turn in range(PROCESSES)]
    try:
        yield from _in_turn([child.stdout for child in children if child.stdout])
    finally:
        for child in children:
            _end(child)


def _in_turn(streams: list[IO[bytes]]) -> Iterator[Frame]:
    """A frame of each, as long as they last; then what all of them found odd."""
    notices: set[tuple[int, str]] = set()
    while streams:
        for stream in [*streams]:
            frame = _read(stream)
            if frame.rows:
                yield frame
                continue
            streams.remove(stream)
            notices.update(frame.notices)
    yield frame._replace(notices=sorted(notices))


def _start(given: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Without our environment. It ends by itself when this process does: nobody reads what it writes."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pregon.contacts.import_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    assert child.stdin is not None
    with child.stdin as stdin:
        stdin.write(json.dumps(given).encode())
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    assert child.stdout is not None
    child.stdout.close()
    child.kill()
    child.wait()


def _read(stream: IO[bytes]) -> Frame:
    told = json.loads(stream.readline() or "{}")
    if "error" in told:
        raise SpreadsheetError(told["error"])
    lines = stream.read(told.get("size", 0))
    if "size" not in told or len(lines) < told["size"]:
        raise SpreadsheetError(_("No pudimos leer el archivo entero: guárdalo como CSV y súbelo otra vez."))
    return Frame(told["rows"], told["at"], lines, [(line, text) for line, text in told["notices"]])
