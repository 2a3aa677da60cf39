"""How the installation is: what the worker, the queues and the database say of themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from pregon.sending.models import Batch, Lease

SILENT = timedelta(seconds=15)  # a worker's heart beats every two seconds
LAST = 20_000  # arrivals that are looked through for errors
STUCK = timedelta(minutes=2)  # arrivals are read within a second


@dataclass(frozen=True)
class Health:
    """Readings of one moment."""

    at: datetime
    heartbeat: datetime | None  # the last of any worker
    workers: int  # with a heart that beats
    jobs: dict[str, int]  # todo, doing, failed
    arrivals: int  # that wait to be read
    oldest_arrival: datetime | None
    unreadable: int  # of the LAST arrivals, those put aside with an error
    queued: int  # messages that wait to leave
    pumps: int  # numbers that are being sent from
    doubts: int  # messages that Meta has not confirmed
    database: str  # version
    database_bytes: int
    connections: int

    @property
    def working(self) -> bool:
        return self.workers > 0

    @property
    def reading(self) -> bool:
        return self.oldest_arrival is None or self.at - self.oldest_arrival < STUCK

    @property
    def well(self) -> bool:
        return self.working and self.reading and not self.jobs["failed"]


def read() -> Health:
    """Seven queries."""
    now = timezone.now()
    beats = ProcrastinateWorker.objects.aggregate(
        last=Max("last_heartbeat"), alive=Count("id", filter=Q(last_heartbeat__gt=now - SILENT))
    )
    waiting = _arrivals().filter(processed_at=None).aggregate(n=Count("id"), oldest=Min("received_at"))
    open_batches = Batch.objects.filter(closed_at=None).aggregate(queued=Sum("queued"), doubts=Sum("unconfirmed"))
    version, size, connections = _database()
    return Health(
        at=now,
        heartbeat=beats["last"],
        workers=beats["alive"],
        jobs=_jobs(),
        arrivals=waiting["n"],
        oldest_arrival=waiting["oldest"],
        unreadable=_unreadable(),
        queued=open_batches["queued"] or 0,
        pumps=Lease.objects.filter(expires_at__gt=now).count(),
        doubts=open_batches["doubts"] or 0,
        database=version,
        database_bytes=size,
        connections=connections,
    )


def _arrivals() -> QuerySet[Any]:
    """By name: the packages of the provider and of Meta's webhooks stand side by side, and do not import each other."""
    return apps.get_model("webhooks", "Arrival")._default_manager.all()


def _unreadable() -> int:
    last = _arrivals().order_by("-id").values("pk")[:LAST]
    return _arrivals().filter(pk__in=last).exclude(error="").count()


def _jobs() -> dict[str, int]:
    rows = ProcrastinateJob.objects.filter(status__in=("todo", "doing", "failed"))
    counted: dict[str, Any] = dict(rows.values_list("status").annotate(n=Count("id")).order_by())
    return {status: counted.get(status, 0) for status in ("todo", "doing", "failed")}


def _database() -> tuple[str, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        version, size, connections = cursor.fetchone()
    return str(version), int(size), int(connections)
