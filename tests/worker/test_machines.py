"""`pregon worker` as other machines run it: real processes on one database. `python -m bench.scale` measures the same."""

import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from pregon.cli.worker import READY
from pregon.sending import references
from pregon.sending.hand import Limits
from pregon.sending.models import Message
from tests.databases import url
from tests.sending import line, rows
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)

MPS = 20
FOLLOWED_SECONDS = 3.0  # a second on a quiet machine, as the measurement has it


@pytest.fixture
def other_home(home: Path) -> Path:
    """Another machine's: of the first one's files it has the secrets alone."""
    shutil.copytree(Path(settings.PREGON_HOME) / "secrets", home / "secrets")
    return home


def worker(home: Path, **environment: str) -> subprocess.Popen[str]:
    given = {"DATABASE_URL": url(), "PREGON_HOME": str(home)} | environment
    return subprocess.Popen(
        [sys.executable, "-m", "pregon", "worker"],
        env=os.environ | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def pair(other_home: Path) -> Iterator[tuple[line.Meta, list[subprocess.Popen[str]]]]:
    """Two workers that work, and the Meta they write to."""
    with line.running() as meta:
        homes = [Path(settings.PREGON_HOME), other_home]
        both = [worker(home, PREGON_GRAPH_URL=meta.url) for home in homes]
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == READY
        yield meta, both
        for process in both:
            process.terminate()
            process.communicate(timeout=30)


def test_a_killed_worker_is_followed(pair: tuple[line.Meta, list[subprocess.Popen[str]]]) -> None:
    meta, both = pair
    heard: dict[str, list[float]] = defaultdict(list)

    def answer(message: dict[str, Any], count: int) -> line.Answer:
        heard[message["biz_opaque_callback_data"]].append(time.monotonic())
        return line.accept(message, count)

    meta.answer = answer
    batches = [rows.launch(rows.business(people=140, mps=MPS)) for _number in range(4)]
    time.sleep(2)
    both[0].kill()
    wait_until_finished([batch.pk for batch in batches])

    assert {len(times) for times in heard.values()} == {1}
    limits = Limits.of(MPS)
    for batch in batches:
        assert_balanced(batch)
        assert batch.queued == 0 and batch.accepted + batch.unconfirmed == 140
        assert batch.unconfirmed <= limits.concurrency + limits.flush
        times = sorted(heard[reference][0] for reference in map(references.make, ids(batch.pk)) if reference in heard)
        assert max(later - earlier for earlier, later in pairwise(times)) < FOLLOWED_SECONDS


def ids(batch_id: int) -> list[int]:
    return list(Message.objects.filter(batch=batch_id).values_list("id", flat=True))


def wait_until_finished(batch_ids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while Message.objects.filter(batch__in=batch_ids, status="queued").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_machine_without_the_installations_key_says_so(home: Path) -> None:
    rows.business(people=0)
    process = worker(home)
    _out, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no tiene la clave" in told and "Traceback" not in told


def test_a_machine_that_does_not_reach_the_database_says_so(other_home: Path) -> None:
    process = worker(other_home, DATABASE_URL="postgresql://pregon@127.0.0.1:1/pregon")
    _out, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "No se puede usar la base de datos" in told and "Traceback" not in told
