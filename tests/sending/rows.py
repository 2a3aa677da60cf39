"""Batches for the pipe's tests, launched as `promotions.launch` does it."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from bench import send
from pregon.accounts.models import Account
from pregon.quota import ledger
from pregon.sending import intake, leases, outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number, Portfolio
from tests import make

SELECT = """
SELECT id AS contact_id, name, mobile, meta_user_id, ARRAY[name]::text[] AS "values",
    CASE WHEN consent = 'granted' THEN '' ELSE 'sin_permiso' END AS omission
FROM contacts_contact WHERE account_id = %(account)s AND id = coalesce(%(chosen)s, id)
"""
PAYLOAD = {"type": "text", "text": {"body": "Hola {{nombre}}"}}


def number(account: Account, **fields: Any) -> Number:
    return make.number(account, **{"mps": 1_000} | fields)


@transaction.atomic
def launch(number: Number, *, chosen: int | None = None, half: int | None = None, **fields: Any) -> Batch:
    """Everybody of the number's account, one chosen contact, or the even (0) or odd (1) half; out of its current period."""
    period = ledger.current(number.account)
    assert period is not None
    given = {"payload": PAYLOAD, "slots": ["nombre"], "ends_at": timezone.now() + timedelta(hours=72)}
    batch = Batch.objects.create(account=number.account, number=number, period=period, **given | fields)
    select = SELECT if half is None else f"{SELECT} AND id %% 2 = {half}"
    enqueued = intake.enqueue(batch, select, {"account": number.account_id, "chosen": chosen})
    ledger.reserve(period.pk, enqueued.queued, f"batch:{batch.pk}")
    batch.refresh_from_db()
    return batch


def business(people: int, *, limit: int = 10_000, **fields: Any) -> Number:
    """A number whose account has so many people with permission, and quota."""
    account = make.account()
    make.period(account, limit=limit)
    for _person in range(people):
        make.contact(account)
    return number(account, **fields)


def add_people(number: Number, people: int) -> None:
    """So many with permission, none of whom Meta's limit of a day holds back."""
    Portfolio.objects.filter(pk=number.portfolio_id).update(daily_limit=None)
    send.add_people(number.account, people)


def flush(batch: Batch, **given: Any) -> outbox.Allowed:
    """What the pump of its number writes at once: `results`, `advances`, `finished`."""
    token = leases.acquire(batch.number_id)
    assert token is not None
    try:
        with transaction.atomic():
            return outbox.flush(batch.number_id, token, outbox.Flush({batch.pk}, **given))
    finally:
        leases.release(batch.number_id)
