"""Run as a program of its own by `import_process`: reads a file of contacts, so that the worker's Python goes on sending.

Standard input: one JSON object. Standard output: frames, each a JSON object on a line ({"rows", "at", "size", "notices"}) and
`size` bytes for COPY; a last one without rows, or {"error": sentence}. Knows no database, and of the secrets only the hashes'.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

import django
from django.conf import settings
from django.utils import translation

MEMORY = 1 << 30
"""Bytes of address space."""
SECONDS = 900
"""Of processor time: half a gigabyte of text takes two minutes."""


def main() -> None:
    os.nice(5)  # sending goes first
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    given = json.load(sys.stdin)
    settings.configure(USE_I18N=True, LOCALE_PATHS=given["locale"])
    django.setup()
    with translation.override(given["language"]), Path(given["path"]).open("rb") as file:
        _read(file, given)


def _read(file: BinaryIO, given: dict[str, Any]) -> None:
    from pregon.contacts import import_rows  # needs Django set up: its sentences are translated
    from pregon.lib.spreadsheets import SpreadsheetError

    try:
        for frame in import_rows.frames(file, given["name"], import_rows.How(*given["how"]), *given["share"]):
            head = {"rows": frame.rows, "at": frame.at, "size": len(frame.lines), "notices": frame.notices}
            _write(head, frame.lines)
    except SpreadsheetError as error:
        _write({"error": str(error)}, b"")


def _write(head: dict[str, Any], lines: bytes) -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + lines)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
