"""What stops `pregon run` before it starts: one sentence, exit code 2, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pregon.embedded import lock


def pregon(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**inherited, "PREGON_HOME": str(home), **variables}
    command = [sys.executable, "-m", "pregon", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2, result
    assert "Traceback" not in result.stderr + result.stdout
    [sentence] = result.stderr.splitlines()
    return sentence


@pytest.mark.parametrize("offset", range(3))
def test_a_taken_port(home: Path, port: int, offset: int) -> None:
    with socket.create_server(("127.0.0.1", port + offset)):
        sentence = refused(pregon(home, "run", PORT=str(port)))
    assert str(port + offset) in sentence
    assert "PORT=" in sentence


def test_a_port_that_is_no_number(home: Path) -> None:
    assert "PORT" in refused(pregon(home, "run", PORT="ochenta"))
    assert "PORT" in refused(pregon(home, "run", PORT="65535"))


def test_an_unknown_variable(home: Path, port: int) -> None:
    assert "PREGON_CUPO" in refused(pregon(home, "run", PORT=str(port), PREGON_CUPO="1"))


def test_a_home_that_another_run_uses(home: Path, port: int) -> None:
    with lock.hold(home / "run.lock"):
        sentence = refused(pregon(home, "run", PORT=str(port)))
    assert str(os.getpid()) in sentence
    assert str(home) in sentence


def test_a_home_that_cannot_be_written(home: Path, port: int) -> None:
    (home / "file").touch()
    assert "file" in refused(pregon(home / "file" / "home", "run", PORT=str(port)))


def test_a_database_that_does_not_answer(home: Path, port: int) -> None:
    result = pregon(home, "run", PORT=str(port), DATABASE_URL="postgresql://nadie@127.0.0.1:1/nada")
    assert result.returncode == 1
    assert "No se puede usar la base de datos" in result.stdout
    assert "Traceback" not in result.stderr + result.stdout


def test_help_lists_the_commands_without_a_database(home: Path) -> None:
    listing = pregon(home, "--help").stdout
    assert all(
        name in listing for name in ("run", "worker", "simulator", "import", "send", "results", "webhooks", "manage")
    )
    assert not (home / "postgres").exists()


def test_a_command_starts_a_database_for_itself(home: Path) -> None:
    result = pregon(
        home,
        "manage",
        "shell",
        "-v",
        "0",
        "-c",
        "from django.db import connection as c; print(c.vendor, c.is_usable())",
    )
    assert result.returncode == 0, result.stderr
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()
