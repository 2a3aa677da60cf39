"""python -m bench [--only send,page]: measures on a database of its own, prints a table, writes var/bench/latest.json.

Goals are set for two cores that the load generator, the stub and PostgreSQL share. A missed goal is an exit status of 1.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from bench.figures import Figure, table, write
from pregon.embedded import server

MODULES = {
    "send": "bench.send",
    "paced": "bench.paced",
    "growth": "bench.growth",
    "launch": "bench.launch",
    "webhook": "bench.webhook",
    "import": "bench.contact_import",
    "page": "bench.page",
}
RESULT = Path("var/bench/latest.json")


def main() -> int:
    arguments = _arguments()
    chosen = [name for name in MODULES if any(name.startswith(prefix) for prefix in arguments.only)]
    if not chosen:
        sys.exit(f"No figure starts with {', '.join(arguments.only)}. There are: {', '.join(MODULES)}.")
    with tempfile.TemporaryDirectory(prefix="pregon-bench-") as home:
        Path(home).chmod(0o755)
        with server.running(Path(home)) as url:
            prepare(Path(home), url)
            figures = _measure(chosen)
    write(figures, RESULT)
    print(f"\n{table(figures)}\n\n{RESULT}")
    return int(any(figure.ok is False for figure in figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=[""], help="prefixes of figures: send,page"
    )
    return parser.parse_args()


def prepare(home: Path, url: str) -> None:
    for name in [name for name in os.environ if name.startswith("PREGON_")]:
        del os.environ[name]
    (home / "static").mkdir()
    os.environ |= {"PREGON_HOME": str(home), "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "pregon.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _measure(chosen: Sequence[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in chosen:
        measure: Callable[[], list[Figure]] = import_module(MODULES[name]).measure
        print(f"… {name}", flush=True)
        figures += measure()
    return figures


if __name__ == "__main__":
    sys.exit(main())
