"""Batches for the pipe's tests, launched as `promotions.launch` does it."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.quota import ledger
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number
from tests import make

SELECT = """
SELECT id AS contact_id, name, mobile, meta_user_id, ARRAY[name]::text[] AS "values",
    CASE WHEN consent = 'granted' THEN '' ELSE 'sin_permiso' END AS omission
FROM contacts_contact WHERE account_id = %(account)s
"""
PAYLOAD = {"type": "text", "text": {"body": "Hola {{nombre}}"}}


def number(account: Account, **fields: Any) -> Number:
    return make.number(account, **{"mps": 1_000} | fields)


@transaction.atomic
def launch(number: Number, **fields: Any) -> Batch:
    """Everybody of the number's account, out of its current period."""
    period = ledger.current(number.account)
    assert period is not None
    given = {"payload": PAYLOAD, "slots": ["nombre"], "ends_at": timezone.now() + timedelta(hours=72)}
    batch = Batch.objects.create(account=number.account, number=number, period=period, **given | fields)
    enqueued = outbox.enqueue(batch, SELECT, {"account": number.account_id})
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
