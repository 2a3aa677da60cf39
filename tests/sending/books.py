"""The books as an auditor reads them: every counter recomputed from the messages."""

from django.db.models import Count, Q, Sum

from pregon.quota.models import LedgerEntry, Period
from pregon.sending.models import Batch, Delivery, Message, Status

COUNTED = Q(status=Status.ACCEPTED) & ~Q(delivery=Delivery.FAILED)


def assert_balanced(batch: Batch) -> None:
    """Counters equal the messages, the ledger's sums the period's counters, quota used and reserved what the messages say."""
    assert_counted(batch)
    assert_quota(batch.period_id)


def assert_counted(batch: Batch) -> None:
    batch.refresh_from_db()
    counted = Message.objects.filter(batch=batch).aggregate(
        people=Count("id"),
        queued=Count("id", Q(status=Status.QUEUED)),
        accepted=Count("id", COUNTED),
        failed=Count("id", Q(status=Status.FAILED) | Q(status=Status.ACCEPTED, delivery=Delivery.FAILED)),
        unconfirmed=Count("id", Q(status=Status.UNCONFIRMED)),
        omitted=Count("id", Q(status=Status.OMITTED)),
        sent=Count("id", Q(delivery__in=[Delivery.SENT, Delivery.DELIVERED, Delivery.READ])),
        delivered=Count("id", Q(delivery__gte=Delivery.DELIVERED)),
        read=Count("id", Q(delivery=Delivery.READ)),
    )
    assert counted == {name: getattr(batch, name) for name in counted}


def assert_quota(period_id: int) -> None:
    period = Period.objects.get(pk=period_id)
    sums = LedgerEntry.objects.filter(period=period).aggregate(
        limit=Sum("limit_delta"), used=Sum("used_delta"), reserved=Sum("reserved_delta")
    )
    assert sums == {"limit": period.limit, "used": period.used, "reserved": period.reserved}
    counted = Message.objects.filter(batch__period=period).aggregate(
        used=Count("id", Q(charged=True)),
        reserved=Count("id", Q(status__in=[Status.QUEUED, Status.UNCONFIRMED])),
        wrongly_charged=Count("id", Q(charged=True) & ~COUNTED),
    )
    assert counted == {"used": period.used, "reserved": period.reserved, "wrongly_charged": 0}


def assert_closed(batch: Batch) -> None:
    """Nothing is left open: used is what was accepted, nothing is reserved."""
    assert_balanced(batch)
    assert batch.queued == batch.unconfirmed == 0
    assert batch.finished_at and batch.closed_at
    assert batch.period.reserved == 0
