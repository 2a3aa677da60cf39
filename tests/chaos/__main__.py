"""python -m tests.chaos [--kills 20] [--messages 2000] [--seed 1]: ends with one line of JSON."""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from pregon.embedded import server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pregon-chaos-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with server.running(home) as url:
            _prepare(home, url)
            from tests.chaos import worker_kills

            report = worker_kills.run(home, url, kills=given.kills, messages=given.messages, seed=given.seed)
    print(json.dumps(asdict(report)))
    return int(not report.good)


def _prepare(home: Path, url: str) -> None:
    for name in [name for name in os.environ if name.startswith("PREGON_")]:
        del os.environ[name]
    os.environ |= {"PREGON_HOME": str(home), "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "pregon.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
