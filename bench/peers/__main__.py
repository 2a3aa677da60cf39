"""python -m bench.peers [--only pywa,celery] [--latency 0,150]: Pregón and what people use today, against the same stub.

One after the other, with a PostgreSQL and a Redis of this run alone. Prints a table, and keeps what was found in
var/bench/peers.json. A peer's rate is counted where its messages arrive, from the first to the last: neither its start nor the
filling of its queue is held against it.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import processes
from bench.__main__ import prepare
from bench.peers import around, result
from bench.peers.result import Row
from pregon.embedded import server

RESULT = Path("var/bench/peers.json")


def main() -> None:
    arguments = _arguments()
    around.look_for_what_is_needed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="pregon-peers-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)
        url = stack.enter_context(server.running(home))
        prepare(home, url)
        del os.environ["DJANGO_SETTINGS_MODULE"]  # Celery would look for Django
        os.environ |= {
            "PEERS_DATABASE": around.database(url),
            "PEERS_REDIS": stack.enter_context(around.redis(home / "redis")),
        }
        around.python("-m", "procrastinate", "--app", "bench.peers.with_procrastinate.app", "schema", "--apply")
        rows = _measure(arguments.latency, arguments.only)
    result.keep(rows, around.versions(), RESULT)
    print(f"\n{result.table(rows)}\n\n{RESULT}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=[""], help="beginnings of names: pywa,celery"
    )
    parser.add_argument(
        "--latency", type=lambda text: [int(ms) for ms in text.split(",")], default=[0, 150], help="of the stub, in ms"
    )
    return parser.parse_args()


def _measure(latencies: Sequence[int], prefixes: Sequence[str]) -> list[Row]:
    from bench.peers import runs  # models: only once Django is ready

    rows = []
    for latency in latencies:
        with processes.stub(latency, "--log") as url:
            os.environ |= {"PEERS_STUB": f"{url}/v26.0", "PREGON_GRAPH_URL": url}
            for peer in runs.PEERS:
                if any(peer.name.lower().startswith(prefix) for prefix in prefixes):
                    print(f"… {peer.name}, {latency} ms", flush=True)
                    rows.append(runs.measure(peer, latency, url))
    return rows


if __name__ == "__main__":
    main()
