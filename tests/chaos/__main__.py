"""python -m tests.chaos [--only worker_kills,network] [--short] [--kills N] [--messages N] [--seed 1]

One line of JSON per trouble as it ends, then a table; exit code 1 when something is not as it must be. `--kills` and
`--messages` replace the sizes of the chosen troubles.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pregon.embedded import server

COLUMNS = ("trouble", "blows", "people", "received", "duplicates", "missing", "unconfirmed", "doubts", "max_doubt")
LAST = 2_000  # characters of each process's log, shown when something is wrong


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nothing stays behind
    with _database() as (home, url):
        from tests.chaos.processes import Installation  # not above: Django has to be ready

        with Installation(home, url) as here:
            lines = list(_run(here, given))
        right = all(line["right"] for line in lines)
        if not right:
            _show_logs(home / "processes")
    print(_table(lines))
    return int(not right)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--short", action="store_true", help="what every test run takes time for")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--messages", type=int)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


@contextmanager
def _database() -> Iterator[tuple[Path, str]]:
    """A home with a server of its own, as durable as everybody's: it will be killed."""
    for name in [name for name in os.environ if name.startswith("PREGON_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="pregon-chaos-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with server.running(home) as url:
            _prepare(home, url)
            yield home, url


def _prepare(home: Path, url: str) -> None:
    os.environ |= {"PREGON_HOME": str(home), "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "pregon.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _run(here: Any, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from tests.chaos import troubles

    names = given.only.split(",") if given.only else list(troubles.TROUBLES)
    if unknown := set(names) - set(troubles.TROUBLES):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(troubles.TROUBLES)}")
    for name in names:
        trouble = troubles.TROUBLES[name]
        size = trouble.short if given.short else trouble.long
        if size is not None:
            began = time.monotonic()
            found = troubles.run(here, name, size.replaced(given.kills, given.messages), given.seed)
            line = asdict(found) | {"right": trouble.accepts(found), "seconds": round(time.monotonic() - began)}
            print(json.dumps(line), flush=True)
            yield line


def _show_logs(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if said := path.read_text()[-LAST:].strip():
            print(f"--- {path.name}\n{said}", file=sys.stderr)


def _table(lines: list[dict[str, Any]]) -> str:
    header = [*COLUMNS, "seconds", ""]
    rows = [[*(str(line[name]) for name in header[:-1]), "right" if line["right"] else "WRONG"] for line in lines]
    widths = [max(len(row[place]) for row in [header, *rows]) for place in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [header, *rows]
    )


if __name__ == "__main__":
    sys.exit(main())
