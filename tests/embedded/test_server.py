"""The embedded server against real kills, real folders and real users of the system."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg
import pytest

from pregon.embedded import place, server
from pregon.embedded.errors import Busy, EmbeddedError

T = TypeVar("T")
Holder = Callable[[str, float], subprocess.Popen[str]]

HOLDER = """
import pathlib, sys, time
from pregon.embedded import server
with server.running(pathlib.Path(sys.argv[1]), shared=sys.argv[2] == "shared") as url:
    print(url, flush=True)
    time.sleep(float(sys.argv[3]))
"""


def write(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (line int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row
        return int(row[0])


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def eventually(ask: Callable[[], T], seconds: float = 20) -> T:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (psycopg.OperationalError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture
def holder(home: Path) -> Iterator[Holder]:
    """Starts another process that runs the server of `home`, and waits until it does."""
    started: list[subprocess.Popen[str]] = []

    def start(mode: str, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(home), mode, str(seconds)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline().startswith("postgresql://")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_start_finds_its_data(home: Path) -> None:
    with server.running(home) as url:
        write(url)
    with server.running(home) as url:
        write(url)
        assert count(url) == 2


def test_a_killed_server_comes_back_with_its_data(home: Path) -> None:
    with server.running(home) as url:
        write(url)
        first = postmaster(home)
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: count(url)) == 1
        assert postmaster(home) != first


def test_nothing_runs_once_it_is_stopped(home: Path) -> None:
    with server.running(home) as url:
        pass
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_a_killed_supervisor_leaves_a_server_that_the_next_start_replaces(home: Path, holder: Holder) -> None:
    process = holder("alone", 60)
    orphan = postmaster(home)
    process.kill()
    process.wait()
    with server.running(home) as url:
        write(url)
        assert postmaster(home) != orphan


def test_a_pid_file_whose_number_went_to_another_program_stops_nothing(home: Path) -> None:
    with server.running(home):
        file = home / "postgres" / "data" / "postmaster.pid"
        content = file.read_text()
    file.write_text(content.replace(content.split()[0], str(os.getpid()), 1))
    with server.running(home) as url:
        write(url)


def test_an_interrupted_first_start_is_begun_again(home: Path) -> None:
    (home / "postgres" / "data.partial" / "base").mkdir(parents=True)
    where = place.arrange(home)
    assert not where.data.exists()
    with server.running(home) as url:
        write(url)


def test_only_one_server_per_home(home: Path) -> None:
    with server.running(home), pytest.raises(Busy) as refusal, server.running(home):
        pass
    assert refusal.value.holder.pid == os.getpid()
    assert "PREGON_HOME" in str(refusal.value)


def test_a_command_joins_a_server_that_is_shared(home: Path, holder: Holder) -> None:
    holder("shared", 60)
    with server.reachable(home) as url:
        write(url)
        assert count(url) == 1


def test_a_command_waits_for_one_that_keeps_the_server_to_itself(home: Path, holder: Holder) -> None:
    process = holder("alone", 1)
    with server.reachable(home) as url:
        assert process.poll() is not None
        write(url)


def test_a_command_gives_up_with_a_sentence(home: Path, holder: Holder) -> None:
    process = holder("alone", 60)
    with pytest.raises(Busy, match=str(process.pid)), server.reachable(home, patience=0.2):
        pass


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    deep = home / ("carpeta-de-nombre-largo/" * 6)
    deep.mkdir(parents=True)
    with server.running(deep) as url:
        write(url)
    sockets = place.arrange(deep).sockets
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= place.SOCKET_PATH_LIMIT
    assert sockets.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()


def test_a_short_socket_folder_of_somebody_else_is_refused(home: Path) -> None:
    deep = home / ("carpeta-de-nombre-largo/" * 6)
    deep.mkdir(parents=True)
    sockets = place.arrange(deep).sockets
    sockets.rmdir()
    sockets.symlink_to(home)
    with pytest.raises(EmbeddedError, match="otra cuenta"):
        place.arrange(deep)
    sockets.unlink()


def test_a_folder_that_only_its_owner_may_enter(home: Path) -> None:
    """As root, PostgreSQL (someone else) could not enter it: its data live aside, and a link says where."""
    home.chmod(0o700)
    with server.running(home) as url:
        write(url)
    with server.running(home) as url:
        assert count(url) == 1
    assert (home / "postgres").is_symlink() == (os.geteuid() == 0)


def test_data_of_a_deleted_home_are_set_aside_not_used(home: Path) -> None:
    home.chmod(0o700)
    with server.running(home) as url:
        write(url)
    (home / "postgres").rename(home / "moved")
    with server.running(home) as url, pytest.raises(psycopg.errors.UndefinedTable):
        count(url)


@pytest.mark.parametrize("name", ["nobody", "postgres"])
def test_it_goes_on_as_whoever_owns_the_data(home: Path, name: str) -> None:
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    uid = known.get(name, known["nobody"]) if os.geteuid() == 0 else os.geteuid()
    (home / "postgres").mkdir()
    os.chown(home / "postgres", uid, -1)
    with server.running(home) as url:
        write(url)
        assert (home / "postgres" / "data" / "postmaster.pid").stat().st_uid == uid


def test_data_of_another_version_are_refused(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    if os.geteuid() == 0:
        os.chown(home / "postgres", pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(EmbeddedError, match="PostgreSQL 15"), server.running(home):
        pass


def test_what_postgresql_says_is_in_the_sentence(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="no_such_setting"), server.running(home, settings={"no_such_setting": "1"}):
        pass


def test_mobiles_never_reach_the_log(home: Path) -> None:
    with server.running(home) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (mobile text UNIQUE)")
        connection.execute("INSERT INTO people VALUES ('+522225550142')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('+522225550142')")
        logs = list((home / "postgres" / "data" / "log").iterdir())
        eventually(lambda: _holds(logs, "people_mobile_key"))
        assert not any("5550142" in log.read_text() for log in logs)


def test_its_memory_is_a_part_of_the_machine_s(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: real._replace(total=2 * 2**30))
    with server.running(home) as url, psycopg.connect(url) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("shared_buffers", "wal_buffers")]
    assert shown == [("256MB",), ("16MB",)]


def _holds(logs: list[Path], word: str) -> None:
    assert any(word in log.read_text() for log in logs)
