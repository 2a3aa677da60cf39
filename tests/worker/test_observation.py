"""A broadcast with every kind of failure, through real processes: what they tell of it, and what they keep to themselves."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from pregon.sending.models import Batch, Message, Reply, Status
from pregon.simulator import setup
from pregon.webhooks.models import Arrival
from tests import databases, make
from tests.chaos.arena import PAYLOAD
from tests.chaos.processes import Installation, answers, wait_until
from tests.ports import free_port
from tests.sending import rows

TOKEN = "EAAGm0PX4ZCpsBAKZCsecreto"
FAILING = ("0001", "0002", "0003", "0008", "0009", "0010", "0013", "0015")  # how, says simulator.personas
OTHERS = ("0011", "0012", "0014", "7001", "7002", "7003")  # 0011 answers BAJA
MOBILES = [f"+52222555{ending}" for ending in (*FAILING, *OTHERS)]


@pytest.fixture
def _no_jobs(transactional_db: None) -> Iterator[None]:
    """Procrastinate's tables are not emptied with the others."""
    tables = "TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers, procrastinate_events CASCADE"
    with connection.cursor() as cursor:
        cursor.execute(tables)
        yield
        cursor.execute(tables)


@pytest.fixture
def here(home: Path, _no_jobs: None) -> Iterator[Installation]:
    """Its processes write JSON, and share our keys."""
    installation = Installation(home, databases.url())
    installation.environment |= {"PREGON_LOG_FORMAT": "json", "PREGON_SECRET_KEY": ",".join(settings.SECRET_KEYS)}
    with installation:
        installation.ask("setup", {"settings": {"tokens": {TOKEN: "*"}, "delay": 0.2, "app_secret": secret(home)}})
        yield installation


def secret(home: Path) -> str:
    return (home / "secrets" / "simulator_app_secret").read_text().strip()


def launch() -> Batch:
    account = make.account()
    make.period(account)
    for mobile in MOBILES:
        make.contact(account, mobile=mobile)
    number = make.number(account, phone_number_id=setup.NUMBER_ID, waba_id=setup.WABA_ID, mps=80, practice=True)
    number.token = TOKEN
    number.save()
    return rows.launch(number, payload=PAYLOAD)


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value for sample in samples
    }


def told(home: Path) -> list[dict[str, Any]]:
    """The lines of all processes; each is an object but for the worker's word that it is ready."""
    lines = [line for path in sorted((home / "processes").iterdir()) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_what_a_broadcast_leaves_in_metrics_and_logs(here: Installation, home: Path) -> None:
    batch, port = launch(), free_port()
    worker = here.start("pregon", "worker", PREGON_METRICS_ADDRESS=f"127.0.0.1:{port}")
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/metrics"))
    series = scrape(port)
    wait_until(lambda: not Message.objects.filter(status=Status.QUEUED).exists())
    wait_until(lambda: Reply.objects.exists() and not Arrival.objects.filter(processed_at=None).exists())

    batch.refresh_from_db()
    found = scrape(port)
    settled = sum(found[f"pregon_messages_total{{{status}}}"] for status in ("accepted", "failed", "unconfirmed"))
    assert settled == len(MOBILES)
    assert series.keys() <= found.keys() | {
        f"pregon_pump_{name}{{{batch.number_id}}}" for name in ("in_flight", "pace", "pace_factor")
    }
    assert found["process_resident_memory_bytes"] > 10_000_000

    worker.terminate()
    assert worker.wait(30) == 0
    refused = [line for line in told(home) if line["logger"] == "pregon.sending.journal"]
    assert {line["code"] for line in refused} >= {131009, 131026, 131049}
    assert {line["batch"] for line in refused} == {batch.pk}
    assert {line["message_id"] for line in refused} <= set(Message.objects.values_list("id", flat=True))
    keep_to_themselves(home)


def keep_to_themselves(home: Path) -> None:
    """No number of the audience in any way of writing it, no token, no secret."""
    written = "".join(path.read_text() for path in (home / "processes").iterdir())
    assert len(written) > 1_000
    for mobile in MOBILES:
        assert not re.search(r"[ ().-]{0,2}".join(mobile.removeprefix("+52")), written), mobile
    for word in (TOKEN, secret(home), *settings.SECRET_KEYS):
        assert word not in written


def test_two_workers_on_one_address(here: Installation) -> None:
    port = free_port()
    first = here.start("pregon", "worker", PREGON_METRICS_ADDRESS=f"127.0.0.1:{port}")
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/metrics"))
    second = here.start("pregon", "worker", PREGON_METRICS_ADDRESS=f"127.0.0.1:{port}")
    wait_until(lambda: here.says(second, "worker: listo"))  # it works all the same
    assert here.says(second, "no metrics on 127.0.0.1")
    assert first.poll() is None
