"""Arrivals become what they mean; a bad one holds up none of the others."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pregon.contacts.models import Consent, Contact
from pregon.sending import references
from pregon.sending.models import Delivery, Message
from pregon.webhooks import inbox
from pregon.webhooks.models import Arrival
from tests import make
from tests.sending import rows

pytestmark = pytest.mark.django_db


def arrive(value: dict[str, Any], field: str = "messages") -> Arrival:
    payload = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}],
    }
    return Arrival.objects.create(body=json.dumps(payload).encode())


def reported(message: Message, status: str) -> dict[str, Any]:
    return {
        "metadata": {"phone_number_id": message.batch.number.phone_number_id},
        "statuses": [
            {
                "id": "w",
                "status": status,
                "timestamp": "1763650000",
                "biz_opaque_callback_data": references.make(message.pk),
            }
        ],
    }


def test_statuses_and_replies_arrive_where_they_belong() -> None:
    number = rows.business(people=0)
    ana = make.contact(number.account, mobile="+522225550142")
    message = Message.objects.get(batch=rows.launch(number))
    arrive(reported(message, "delivered"))
    arrive(
        {
            "metadata": {"phone_number_id": number.phone_number_id},
            "messages": [
                {
                    "from": "5212225550142",
                    "id": "in",
                    "timestamp": "1893456000",
                    "type": "text",
                    "text": {"body": "BAJA"},
                }
            ],
        }
    )
    assert inbox.drain() == 2
    message.refresh_from_db()
    ana.refresh_from_db()
    assert message.delivery == Delivery.DELIVERED
    assert ana.consent == Consent.WITHDRAWN
    assert not Arrival.objects.filter(processed_at=None).exists()
    assert inbox.drain() == 0


def test_nonsense_is_read_past_and_kept() -> None:
    Arrival.objects.create(body=b"{not json")
    Arrival.objects.create(body=b"[1, 2")
    Arrival.objects.create(body=b"null")
    arrive({"anything": 1}, field="a_field_of_next_year")
    assert inbox.drain() == 4
    assert Arrival.objects.filter(processed_at=None).count() == 0
    assert Arrival.objects.filter(error="not JSON").count() == 2


def test_one_that_cannot_be_applied_does_not_hold_up_the_others() -> None:
    message, other = Message.objects.filter(batch=rows.launch(rows.business(people=2)))
    poison = arrive(reported(other, "sent"))
    body = json.loads(bytes(poison.body))
    body["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"] = [{"code": 10**12}]  # no integer of PostgreSQL's
    body["entry"][0]["changes"][0]["value"]["statuses"][0]["status"] = "failed"
    Arrival.objects.filter(pk=poison.pk).update(body=json.dumps(body).encode())
    arrive(reported(message, "read"))

    for _round in range(inbox.TRIES):
        inbox.drain()

    message.refresh_from_db()
    poison.refresh_from_db()
    assert message.delivery == Delivery.READ
    assert poison.processed_at and "out of range" in poison.error and poison.attempts == inbox.TRIES


def test_old_arrivals_are_pruned() -> None:
    old, new = arrive({}), arrive({})
    Arrival.objects.filter(pk=old.pk).update(processed_at=timezone.now() - timedelta(days=31))
    Arrival.objects.filter(pk=new.pk).update(processed_at=timezone.now())
    assert inbox.prune() == 1
    assert Contact.objects.count() == 0
