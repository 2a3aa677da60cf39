"""What Prometheus reads: right figures, a fixed number of queries, and nothing for whoever brings no token."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from pregon.sending.models import Batch
from pregon.settings.env import Environment
from pregon.staff import metrics
from pregon.webhooks.models import Arrival
from pregon.whatsapp.models import Number
from tests.sending import rows
from tests.sending.test_statuses import batch_of

pytestmark = pytest.mark.django_db
QUERIES = 11


def readings() -> dict[str, float]:
    """`name{label}` → value."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value for sample in samples
    }


def test_the_figures() -> None:
    batch_of(2, "unconfirmed")
    rows.launch(rows.business(people=3, limit=100))
    held, paused = rows.launch(rows.business(people=4, limit=4)), rows.launch(rows.business(people=5))
    Batch.objects.filter(pk=held.pk).update(held_until=timezone.now() + timedelta(hours=1), hold=Batch.Hold.LIMIT)
    Batch.objects.filter(pk=paused.pk).update(status=Batch.Status.PAUSED)
    Number.objects.filter(pk=paused.number_id).update(stopped_at=timezone.now(), quality="RED")
    Arrival.objects.create(body=b"{}", processed_at=timezone.now(), error="a bug")
    Arrival.objects.create(body=b"{}")
    Arrival.objects.filter(processed_at=None).update(received_at=timezone.now() - timedelta(seconds=90))

    found = readings()

    assert found["pregon_messages_queued{running}"] == 3
    assert found["pregon_messages_queued{held}"] == 4
    assert found["pregon_messages_queued{paused}"] == 5
    assert found["pregon_messages_unconfirmed"] == 2
    assert found["pregon_arrivals_waiting"] == 1
    assert 90 <= found["pregon_arrivals_lag_seconds"] < 120
    assert found["pregon_arrivals_unreadable"] == 1
    assert found["pregon_arrivals_total"] == Arrival.objects.latest("id").pk
    assert (found["pregon_numbers{working}"], found["pregon_numbers{stopped}"]) == (3, 1)
    assert found["pregon_numbers_low_quality"] == 1
    assert found["pregon_numbers_unattended"] == 1  # nobody pumps here
    assert found["pregon_quota_messages{limit}"] == 100 + 4 + 10_000 * 2
    assert found["pregon_quota_messages{reserved}"] == 2 + 3 + 4 + 5
    assert found["pregon_quota_messages{used}"] == 0
    assert found["pregon_quota_spent_accounts"] == 1
    assert found["pregon_workers"] == 0
    assert found["pregon_database_bytes"] > 1_000_000


def test_as_many_queries_and_series_with_a_hundred_businesses() -> None:
    for _business in range(3):
        rows.launch(rows.business(people=1))
    with CaptureQueriesContext(connection) as few:
        series = readings().keys()
    for _business in range(20):
        rows.launch(rows.business(people=1))
    with CaptureQueriesContext(connection) as many:
        assert readings().keys() == series
    assert len(few) == len(many) == QUERIES


def test_only_with_the_token(client: Client, settings: Settings) -> None:
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "una-clave"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer otra"}).status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer ñ"}).status_code == 404
    assert client.post("/metrics", headers={"authorization": "Bearer una-clave"}).status_code == 405
    answer = client.get("/metrics", headers={"authorization": "Bearer una-clave"})
    assert answer.status_code == 200
    assert b"pregon_messages_unconfirmed 0.0" in answer.content


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", None),
        ("127.0.0.1:9108", ("127.0.0.1", 9108)),
        ("10.0.4.7:80", ("10.0.4.7", 80)),
        ("[::1]:9108", ("::1", 9108)),
    ],
)
def test_where_a_worker_tells(value: str, address: tuple[str, int] | None) -> None:
    name = "PREGON_METRICS_ADDRESS"
    assert Environment({name: value}).private_address(name) == address


@pytest.mark.parametrize(
    "value",
    ["9108", ":9108", "0.0.0.0:9108", "[::]:9108", "8.8.8.8:9108", "localhost:9108", "127.0.0.1:0", "127.0.0.1:x"],
)
def test_never_where_the_internet_reaches(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="private IP address"):
        Environment({"PREGON_METRICS_ADDRESS": value}).private_address("PREGON_METRICS_ADDRESS")
