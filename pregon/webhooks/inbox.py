"""Reads the arrivals that were kept, as often as needed: what they cause is the same the second time."""

import logging
from collections.abc import Sequence
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from pregon.webhooks import routing
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import events

log = logging.getLogger(__name__)

GROUP = 100  # arrivals read in one transaction
TRIES = 5


def drain() -> int:
    """Read the next group of waiting arrivals; several workers may do so at once. Returns how many were read."""
    with transaction.atomic():
        waiting = Arrival.objects.filter(processed_at=None).order_by("attempts", "id")
        group = list(waiting.select_for_update(skip_locked=True)[:GROUP])
        if group and not _read(group):
            for arrival in group:  # one of them cannot be read: find out which, so that it holds up none of the others
                _read([arrival])
    return len(group)


def _read(group: Sequence[Arrival]) -> bool:
    """False when reading failed; a single arrival then keeps the error, and after some tries is put aside."""
    try:
        with transaction.atomic():
            routing.route([event for arrival in group for event in _parse(arrival)])
    except OperationalError:
        raise  # the database's trouble, not theirs
    except Exception as error:
        log.exception("could not read %s arrivals, the first is %s", len(group), group[0].pk)
        if len(group) == 1:
            _note_failure(group[0], error)
        return False
    Arrival.objects.filter(pk__in=[arrival.pk for arrival in group]).update(processed_at=timezone.now())
    return True


def _parse(arrival: Arrival) -> list[events.Event]:
    try:
        payload = orjson.loads(bytes(arrival.body))
    except orjson.JSONDecodeError:
        Arrival.objects.filter(pk=arrival.pk).update(error="not JSON")
        return []
    return events.parse(payload)


def _note_failure(arrival: Arrival, error: Exception) -> None:
    arrival.attempts += 1
    arrival.error = f"{type(error).__name__}: {error}"[:300]
    arrival.processed_at = timezone.now() if arrival.attempts >= TRIES else None
    arrival.save(update_fields=["attempts", "error", "processed_at"])


def prune() -> int:
    """Forget what was read long ago (`PREGON_ARRIVALS_DAYS`). Returns how many arrivals."""
    old = timezone.now() - timedelta(days=settings.ARRIVALS_DAYS)
    count, _by_model = Arrival.objects.filter(processed_at__lte=old).delete()
    return count
