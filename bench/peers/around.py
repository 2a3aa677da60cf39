"""What the peers need around them: an environment of their own, Redis, a database."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tests.ports import free_port

PYTHON = Path(".cache/peers/bin/python")  # with the packages of requirements/peers.txt
PACKAGES = ("pywa", "httpx", "celery", "redis", "gevent", "procrastinate", "psycopg")
NO_REDIS = "There is no redis-server in PATH, and Celery needs one. On Debian and Ubuntu: apt-get install redis-server."
NO_PEERS = "The peers have an environment of their own, which `make bench-peers` prepares and uses."


def look_for_what_is_needed() -> None:
    if not shutil.which("redis-server"):
        sys.exit(NO_REDIS)
    if not PYTHON.exists():
        sys.exit(NO_PEERS)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The address of a Redis with the settings that it has by itself, which keep a snapshot in `folder`."""
    folder.mkdir()
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    process = subprocess.Popen([*command, "--logfile", str(folder / "redis.log")])
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def database(url: str) -> str:
    """One beside Pregón's, in the same server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE peers")
    return make_conninfo(url, dbname="peers")


def versions() -> dict[str, str]:
    read = f"from importlib.metadata import version; print(*map(version, {PACKAGES}))"
    versions = dict(zip(PACKAGES, python("-c", read).split(), strict=True))
    told = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True).stdout
    return versions | {"redis-server": told.split("v=")[1].split()[0]}


def python(*arguments: str) -> str:
    """What a module of the peers' environment prints."""
    return subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
