"""PostgreSQL as the system's packages bring it (Debian 12: version 15), reached over TCP with a password.

A cluster of its own for one measurement; a cluster that the system runs is left alone.
"""

import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pregon.embedded import owner
from tests.ports import free_port

MISSING = (
    "The server programs of PostgreSQL (initdb, postgres) are neither in PATH nor under /usr/lib/postgresql. "
    "On Debian and Ubuntu: apt-get install postgresql. Then try again."
)
START_SECONDS = 30
SETTINGS = {
    "max_connections": "200",  # one per number that is being sent from, and a dozen per worker
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True)
class Server:
    """`process` is the postmaster. `url` names a database of a role without privileges, as an installation has it."""

    process: subprocess.Popen[bytes]
    host: str
    port: int
    password: str

    def url(self, name: str = "") -> str:
        """`name` shows in pg_stat_activity. A peer that falls silent is noticed in about five seconds."""
        silence = "connect_timeout=5&tcp_user_timeout=5000&keepalives_idle=2&keepalives_interval=1&keepalives_count=3"
        return f"postgresql://pregon:{self.password}@{self.host}:{self.port}/pregon?{silence}&application_name={name}"


def find() -> Path:
    """The folder of the programs: that of PATH, else the newest of Debian's. Ends the program where there is none."""
    if in_path := shutil.which("initdb"):
        return Path(in_path).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not installed:
        sys.exit(MISSING)
    return installed[-1].parent


@contextmanager
def running(folder: Path, host: str) -> Iterator[Server]:
    """A new cluster in `folder`, listening on `host` for as long as the block lasts."""
    programs, who, data = find(), owner.choose(folder / "data"), folder / "data"
    password, port = secrets.token_urlsafe(), free_port()
    who.own(data)
    _init(programs, who, data, password)
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all samenet scram-sha-256\n")
    options = SETTINGS | {"listen_addresses": host, "port": str(port), "unix_socket_directories": str(data)}
    command = [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())]
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen[bytes](command, cwd="/", stdout=log, stderr=log, **who.popen())
    try:
        _create(Server(process, host, port, password), folder / "postgres.log")
        yield Server(process, host, port, password)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _init(programs: Path, who: owner.Owner, data: Path, password: str) -> None:
    file = data.with_name("password")
    file.write_text(password)
    file.chmod(0o644)  # only while the cluster is made
    options = ("-U", "pregon_admin", "-A", "scram-sha-256", "--pwfile", file, "-E", "UTF8", "--locale=C.UTF-8")
    subprocess.run([programs / "initdb", "-D", data, *options], check=True, capture_output=True, cwd="/", **who.popen())
    file.unlink()


def _create(server: Server, log: Path) -> None:
    admin = f"postgresql://pregon_admin:{server.password}@{server.host}:{server.port}/postgres"
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = psycopg.connect(admin, autocommit=True)
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"PostgreSQL does not start: {log.read_text()[-500:]}")
            time.sleep(0.05)
        else:
            break
    with connection:
        connection.execute(f"CREATE ROLE pregon LOGIN PASSWORD '{server.password}'")
        connection.execute("CREATE DATABASE pregon OWNER pregon")
    connection.close()
