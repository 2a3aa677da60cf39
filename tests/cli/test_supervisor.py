"""The supervisor with small children: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import psutil
import pytest

from pregon.cli import leftovers

PROGRAM = Path(__file__).with_name("fake_run.py")
STAYS = "import os, time; print('ready', os.getpid()); time.sleep(60)"
# Starts a child of its own, and neither listens to SIGTERM.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(60)"])
print("ready", os.getpid(), child.pid)
time.sleep(60)
"""
# Dies the first time, once it is ready.
DIES_ONCE = """
import os, pathlib, time
print("ready", os.getpid())
mark = pathlib.Path(os.environ["MARK"])
if not mark.exists():
    mark.touch()
    os._exit(7)
time.sleep(60)
"""
NEVER = "import sys; sys.exit('no puedo')"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor of the given programs."""
    started: list[subprocess.Popen[str]] = []

    def start(*programs: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), str(tmp_path), *programs]
        variables = {**os.environ, "MARK": str(tmp_path / "mark"), **environment}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
    leftovers.end(tmp_path / "run.json")


def read_until(output: IO[str] | None, word: str) -> list[str]:
    """The lines up to the one that holds `word`."""
    assert output
    lines: list[str] = []
    while not lines or word not in lines[-1]:
        line = output.readline()
        assert line, f"never said {word!r}: {lines}"
        lines.append(line)
    return lines


def pids(lines: list[str]) -> list[int]:
    return [int(word) for line in lines if "ready" in line for word in line.split("|")[1].split() if word.isdecimal()]


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(supervise: Start, order: signal.Signals) -> None:
    process = supervise(STAYS, STAYS)
    children = pids(read_until(process.stdout, "all ready"))
    assert len(children) == 2
    process.send_signal(order)
    rest, _errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "stopped" in rest
    assert not any(map(runs, children))


def test_as_json_every_line_is_an_object_and_a_childs_own_stays_as_it_is(supervise: Start) -> None:
    talks = """import time; print('{"message": "mine"}'); print('ready'); time.sleep(60)"""
    process = supervise(talks, PREGON_LOG_FORMAT="json")
    lines = [json.loads(line) for line in read_until(process.stdout, "all ready")]
    assert {"message": "mine"} in lines
    said = next(line for line in lines if line["message"] == "all ready")
    assert said["logger"] == "pregon.run.pregon" and datetime.fromisoformat(said["time"]).tzinfo


def test_a_child_that_does_not_listen_is_ended_with_all_it_started(supervise: Start) -> None:
    process = supervise(STUBBORN)
    children = pids(read_until(process.stdout, "all ready"))
    assert len(children) == 2
    process.terminate()
    rest, _errors = process.communicate(timeout=10)
    assert "a la fuerza" in rest
    assert not any(map(runs, children))


def test_a_second_signal_changes_nothing(supervise: Start) -> None:
    process = supervise(STUBBORN)
    children = pids(read_until(process.stdout, "all ready"))
    process.terminate()
    time.sleep(0.3)
    process.terminate()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert not any(map(runs, children))


def test_a_crashed_child_starts_again_and_the_log_says_so(supervise: Start) -> None:
    process = supervise(DIES_ONCE)
    lines = read_until(process.stdout, "vuelve a arrancar")
    assert "código 7" in lines[-1]
    assert "child0" in lines[-1]
    assert pids(read_until(process.stdout, "ready"))


def test_a_killed_child_starts_again(supervise: Start) -> None:
    process = supervise(STAYS)
    [first] = pids(read_until(process.stdout, "all ready"))
    os.kill(first, signal.SIGKILL)
    read_until(process.stdout, "código -9")
    [second] = pids(read_until(process.stdout, "ready"))
    assert second != first


def test_what_a_killed_child_had_started_ends_with_it(supervise: Start) -> None:
    process = supervise(STUBBORN)
    child, grandchild = pids(read_until(process.stdout, "all ready"))
    os.kill(child, signal.SIGKILL)
    read_until(process.stdout, "código -9")
    assert pids(read_until(process.stdout, "ready"))
    assert not runs(grandchild)


def test_a_killed_supervisor_leaves_nothing_to_the_next_start(supervise: Start) -> None:
    first = supervise(STAYS, STUBBORN)
    children = pids(read_until(first.stdout, "all ready"))
    first.kill()
    first.wait()
    assert all(map(runs, children))
    second = supervise(STAYS)
    read_until(second.stdout, "all ready")
    assert not any(map(runs, children))


def test_a_number_that_went_to_another_program_is_left_alone(tmp_path: Path) -> None:
    roll = tmp_path / "run.json"
    roll.write_text(f'{{"{os.getpid()}": 1000000000.0}}')
    leftovers.end(roll)
    assert not roll.exists()
    assert runs(os.getpid())


def test_a_child_that_cannot_start_ends_the_rest(supervise: Start) -> None:
    process = supervise(STAYS, NEVER)
    lines = read_until(process.stdout, "no puedo")
    process.terminate()
    process.communicate(timeout=10)
    assert not any(map(runs, pids(lines)))


def test_the_log_outlives_its_reader(supervise: Start) -> None:
    process = supervise(STAYS, DIES_ONCE)
    children = pids(read_until(process.stdout, "all ready"))
    assert process.stdout
    process.stdout.close()
    time.sleep(1)  # it says meanwhile that a child crashed
    assert process.poll() is None
    process.terminate()
    process.wait(10)
    assert not any(map(runs, children))
