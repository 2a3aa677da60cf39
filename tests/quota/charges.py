"""Charges as the product makes them: messages of a batch go from one state to another (`sending.books`), the quota follows.

Each has the shape of the ledger's own functions: the period, how many, and a reference, which is the period's newest batch.
"""

from pregon.quota.models import Period
from pregon.sending import books
from pregon.sending.books import Move, State
from pregon.sending.models import Batch, Delivery, Status
from tests import make

QUEUED = State(Status.QUEUED, Delivery.NONE, False)
USED = State(Status.ACCEPTED, Delivery.SENT, True)


def consume(period_id: int, messages: int, _reference: str = "") -> None:
    """Reserved messages were accepted."""
    _move(period_id, QUEUED, USED, messages)


def release(period_id: int, messages: int, _reference: str = "") -> None:
    """Reserved messages were refused."""
    _move(period_id, QUEUED, State(Status.FAILED, Delivery.NONE, False), messages)


def refund(period_id: int, messages: int, _reference: str = "") -> None:
    """Used messages were reported undelivered."""
    _move(period_id, USED, State(Status.ACCEPTED, Delivery.FAILED, False), messages)


def _move(period_id: int, before: State, after: State, messages: int) -> None:
    batch = Batch.objects.filter(period=period_id).order_by("id").last()
    if batch is None:
        period = Period.objects.get(pk=period_id)
        batch = make.batch(period.account, period=period)
    books.post([Move(batch.pk, before, after, messages)])
