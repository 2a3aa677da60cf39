"""A file of contacts read by a process of its own (`import_child`)."""

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


def frames(path: str, name: str, how: How) -> Iterator[Frame]:
    """As `import_rows.frames`. Raises SpreadsheetError, also for a file that the process could not bear."""
    language = get_language() or settings.LANGUAGE_CODE
    locale = [str(folder) for folder in settings.LOCALE_PATHS]
    child = _start({"path": path, "name": name, "how": how, "language": language, "locale": locale})
    assert child.stdout is not None
    try:
        yield from _read(child.stdout)
    finally:
        child.stdout.close()
        child.kill()
        child.wait()


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


def _read(stream: IO[bytes]) -> Iterator[Frame]:
    while head := stream.readline():
        told = json.loads(head)
        if "error" in told:
            raise SpreadsheetError(told["error"])
        lines = stream.read(told["size"])
        if len(lines) < told["size"]:
            break
        yield Frame(told["rows"], told["at"], lines, [(line, text) for line, text in told["notices"]])
        if not told["rows"]:
            return
    raise SpreadsheetError(_("No pudimos leer el archivo entero: guárdalo como CSV y súbelo otra vez."))
