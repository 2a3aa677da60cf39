"""The tutorial's checklist: every tick comes from data, none is a box to click."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from pregon.promotions.forecast import Forecast
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch


@dataclass(frozen=True)
class Checklist:
    """`contacts_reviewed` and `result_reviewed` say when; the others whether."""

    contacts_reviewed: datetime | None
    quota_confirmed: bool
    preview_approved: bool
    result_reviewed: datetime | None

    @property
    def done(self) -> int:
        return sum(
            map(bool, (self.contacts_reviewed, self.quota_confirmed, self.preview_approved, self.result_reviewed))
        )


def of(broadcast: Broadcast, predicted: Forecast | None) -> Checklist:
    """`predicted` is None once it is launched: then its quota was reserved."""
    fits = predicted is None or predicted.fits or predicted.choice == Broadcast.Choice.FIT
    return Checklist(
        contacts_reviewed=broadcast.omissions_seen_at,
        quota_confirmed=fits,
        preview_approved=broadcast.approved_at is not None,
        result_reviewed=broadcast.result_seen_at,
    )


def see_result(broadcast: Broadcast) -> None:
    """A member opens the card: it counts once nothing waits any more."""
    batch = broadcast.batch
    if batch is None or not ended(batch):
        return
    seen = Broadcast.objects.filter(pk=broadcast.pk, result_seen_at=None)
    if seen.update(result_seen_at=timezone.now()):
        broadcast.refresh_from_db(fields=["result_seen_at"])


def ended(batch: Batch) -> bool:
    """Whether everybody of the batch has left the queue."""
    return batch.queued == 0
