"""python -m bench.scale [--only takeover,rates]: several workers on one PostgreSQL of the system, and what one of these carries.

Prints a table and keeps every figure in var/bench/scale.json, those of earlier runs too. A missed goal is an exit status of 1.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from bench.__main__ import prepare
from bench.figures import Figure, table
from bench.scale import debian, machines
from bench.scale.debian import Server

MODULES = ("takeover", "rates", "many", "partitions")
RESULT = Path("var/bench/scale.json")


def main() -> int:
    arguments = _arguments()
    debian.find()  # or end here, with a sentence
    machines.enter()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="pregon-scale-") as folder, machines.lab() as host:
        home = Path(folder)
        home.chmod(0o755)
        with debian.running(home, host) as server:
            prepare(home, server.url("bench"))
            figures = _measure(arguments.only, server, home, host)
    _keep(figures)
    print(f"\n{table(figures)}\n\n{RESULT}")
    return int(any(figure.ok is False for figure in figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(MODULES),
        help=", ".join(MODULES),
    )
    parser.add_argument(machines.INSIDE, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.only) - set(MODULES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    return given


def _measure(names: Sequence[str], server: Server, home: Path, host: str) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        print(f"… {name}", flush=True)
        measure: Callable[[Server, Path, str], list[Figure]] = import_module(f"bench.scale.{name}").measure
        figures += measure(server, home, host)
    return figures


def _keep(figures: Sequence[Figure]) -> None:
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(known | {figure.name: asdict(figure) for figure in figures}, indent=1) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
