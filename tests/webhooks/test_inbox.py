"""Arrivals become what they mean; a bad one holds up none of the others."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django import app as job_app

from pregon.contacts.models import Consent, ConsentEntry
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
    assert not inbox.drain()
    message.refresh_from_db()
    ana.refresh_from_db()
    assert message.delivery == Delivery.DELIVERED
    assert ana.consent == Consent.WITHDRAWN
    assert not Arrival.objects.filter(processed_at=None).exists()


def test_nonsense_is_read_past_and_kept() -> None:
    Arrival.objects.create(body=b"{not json")
    Arrival.objects.create(body=b"[1, 2")
    Arrival.objects.create(body=b"null")
    arrive({"anything": 1}, field="a_field_of_next_year")
    inbox.drain()
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


def test_a_group_ends_where_it_would_hold_up_the_pumps() -> None:
    Arrival.objects.bulk_create(Arrival(body=b" " * 150_000) for _arrival in range(4))
    Arrival.objects.create(body=b" " * inbox.GROUP_BYTES * 2)
    waiting = []
    while inbox.drain():
        waiting.append(Arrival.objects.filter(processed_at=None).count())
    assert waiting == [3, 1, 0]  # two, two, and the large one alone


def test_a_group_is_a_thousand_at_most() -> None:
    Arrival.objects.bulk_create(Arrival(body=b"{}") for _arrival in range(inbox.GROUP + 1))
    assert inbox.drain()
    assert Arrival.objects.filter(processed_at=None).count() == 1
    assert not inbox.drain()


@pytest.mark.django_db(transaction=True)
def test_two_workers_read_different_ones() -> None:
    message, other = Message.objects.filter(batch=rows.launch(rows.business(people=2)))
    first = arrive(reported(message, "read"))
    with transaction.atomic():
        [claimed], _more = inbox.claim("processed_at IS NULL", order="attempts, id")
        assert claimed.id == first.pk
        arrive_elsewhere = ThreadPoolExecutor(1).submit(_arrive_and_drain, reported(other, "read"))
        arrive_elsewhere.result(10)  # does not wait for us
        inbox.read([claimed])
    assert set(Message.objects.values_list("delivery", flat=True)) == {Delivery.READ}


def _arrive_and_drain(value: dict[str, Any]) -> None:
    try:
        arrive(value)
        inbox.drain()
    finally:
        connection.close()


def test_a_choice_without_a_time_counts_from_when_it_came() -> None:
    number = rows.business(people=0)
    ana = make.contact(number.account, mobile="+522225550142")
    choice = {"wa_id": "5212225550142", "category": "marketing_messages", "value": "stop"}
    value = {"metadata": {"phone_number_id": number.phone_number_id}, "user_preferences": [choice]}
    arrival = arrive(value, field="user_preferences")
    arrive(value, field="user_preferences")
    Arrival.objects.update(received_at=arrival.received_at)
    inbox.drain()
    [entry] = ConsentEntry.objects.filter(contact=ana)  # told twice, said once
    assert (entry.act, entry.happened_at) == (Consent.WITHDRAWN, arrival.received_at)


def test_old_arrivals_are_pruned_a_slice_at_a_time() -> None:
    month_ago = timezone.now() - timedelta(days=31)
    Arrival.objects.bulk_create(Arrival(body=b"{}") for _arrival in range(inbox.PRUNE_SLICE + 3))
    Arrival.objects.update(received_at=month_ago, processed_at=timezone.now())
    waiting, new = arrive({}), arrive({})
    Arrival.objects.filter(pk=waiting.pk).update(received_at=month_ago)
    Arrival.objects.filter(pk=new.pk).update(processed_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert inbox.prune() == inbox.PRUNE_SLICE + 3
    assert len(queries) == 3  # two slices with old ones, one without
    assert set(Arrival.objects.values_list("id", flat=True)) == {waiting.pk, new.pk}


def test_pruning_is_a_job_of_every_night() -> None:
    [task] = [task for task in job_app.tasks.values() if task.name == "webhooks:prune"]
    assert [p.cron for p in job_app.periodic_registry.periodic_tasks.values() if p.task is task] == ["41 3 * * *"]
    Arrival.objects.create(body=b"{}", processed_at=timezone.now())
    Arrival.objects.update(received_at=timezone.now() - timedelta(days=31))
    task(timestamp=0)
    assert not Arrival.objects.exists()
