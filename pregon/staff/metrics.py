"""What the database knows of the installation, for Prometheus: read at each scrape, by a fixed number of queries.

No label names a business, a person or a message: there are as many series with ten businesses as with a thousand. What the
workers know of themselves they tell on an address of their own (`worker.metrics`).
"""

from collections.abc import Iterator, Mapping

from django.db import connection
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pregon.sending import outbox
from pregon.staff import health
from pregon.staff.health import Health


def exposition() -> bytes:
    """The readings of this moment, in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Facts())
    return generate_latest(registry)


class Facts(Collector):
    """Reads when it is asked."""

    def collect(self) -> Iterator[Metric]:
        yield from _of_messages()
        yield from _of_health(health.read())
        yield from _of_numbers()
        yield from _of_quota()


def _of_messages() -> Iterator[Metric]:
    row = _row(
        f"""
        SELECT coalesce(sum(queued) FILTER (WHERE status = 'running' AND {outbox.AWAKE}), 0) AS running,
            coalesce(sum(queued) FILTER (WHERE status = 'running' AND NOT {outbox.AWAKE}), 0) AS held,
            coalesce(sum(queued) FILTER (WHERE status = 'paused'), 0) AS paused, coalesce(sum(unconfirmed), 0) AS unconfirmed
        FROM sending_batch batch WHERE closed_at IS NULL
        """
    )
    unconfirmed = row.pop("unconfirmed")
    yield _by("pregon_messages_queued", "Messages that wait to leave, by what their broadcast does", "broadcast", row)
    yield GaugeMetricFamily("pregon_messages_unconfirmed", "Messages that may have left, without news", unconfirmed)


def _of_health(now: Health) -> Iterator[Metric]:
    lag = (now.at - now.oldest_arrival).total_seconds() if now.oldest_arrival else 0
    yield GaugeMetricFamily("pregon_arrivals_waiting", "Webhooks that wait to be read", now.arrivals)
    yield GaugeMetricFamily("pregon_arrivals_lag_seconds", "Age of the oldest webhook that waits", lag)
    words = f"Of the last {health.LAST} webhooks, those put aside with an error"
    yield GaugeMetricFamily("pregon_arrivals_unreadable", words, now.unreadable)
    yield _by("pregon_jobs", "Jobs in the queue", "status", now.jobs)
    yield GaugeMetricFamily("pregon_workers", "Workers whose heart beats", now.workers)
    yield GaugeMetricFamily("pregon_database_bytes", "Size of the database", now.database_bytes)
    yield GaugeMetricFamily("pregon_database_connections", "Sessions of the database", now.connections)


def _of_numbers() -> Iterator[Metric]:
    row = _row(
        """
        SELECT count(*) FILTER (WHERE stopped_at IS NULL) AS working, count(*) FILTER (WHERE stopped_at IS NOT NULL) AS stopped,
            count(*) FILTER (WHERE quality = 'RED') AS low_quality,
            (SELECT coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = current_schema()
                AND sequencename = 'webhooks_arrival_id_seq') AS arrivals
        FROM whatsapp_number
        """
    )
    yield CounterMetricFamily("pregon_arrivals", "Webhooks that were kept", row.pop("arrivals"))
    low = row.pop("low_quality")
    yield _by("pregon_numbers", "WhatsApp numbers", "state", row)
    yield GaugeMetricFamily("pregon_numbers_low_quality", "Numbers that Meta rates RED", low)
    unattended = len(outbox.numbers_with_work())
    yield GaugeMetricFamily(
        "pregon_numbers_unattended", "Numbers with something to send that no worker sends from", unattended
    )


def _of_quota() -> Iterator[Metric]:
    row = _row(
        """
        SELECT coalesce(sum("limit"), 0) AS "limit", coalesce(sum(used), 0) AS used, coalesce(sum(reserved), 0) AS reserved,
            count(*) FILTER (WHERE used + reserved >= 0.9 * "limit") AS spent
        FROM quota_period WHERE starts_at <= now() AND ends_at > now()
        """
    )
    spent = row.pop("spent")
    yield _by("pregon_quota_messages", "The current months of all businesses together", "kind", row)
    yield GaugeMetricFamily("pregon_quota_spent_accounts", "Businesses with nine tenths of their month gone", spent)


def _row(sql: str) -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(zip([column.name for column in cursor.description], map(float, cursor.fetchone()), strict=True))


def _by(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, figure in values.items():
        family.add_metric([value], figure)
    return family
