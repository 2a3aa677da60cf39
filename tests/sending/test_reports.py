"""What Meta reports of a thousand messages in one POST, through the receiver and the inbox: whatever its order, and whether it
comes before our own commit, the end is the same."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import hypothesis
import orjson
import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from pregon.sending import books, outbox, references
from pregon.sending.models import Batch, Message
from pregon.webhooks import app, inbox
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import signature
from pregon.whatsapp.models import Number
from tests.sending import rows
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, UPDATES = 300, 1_000
SECRET = "app-secret"
FATES: tuple[tuple[tuple[str, int | None], ...], ...] = (
    (),
    (("sent", None),),
    (("sent", None), ("delivered", None)),
    (("sent", None), ("delivered", None), ("read", None)),
    (("failed", 131026),),
    (("sent", None), ("failed", 131049)),
    (("failed", 131049), ("delivered", None)),
)


def status(message: Message, word: str, code: int | None) -> dict[str, Any]:
    """As it stands in Meta's payload; each word has a second of its own."""
    errors = [{"code": code, "title": "Not delivered", "error_data": {"details": "because"}}] if code else []
    return {
        "id": f"wamid.{message.pk}",
        "status": word,
        "timestamp": str(1_795_200_000 + message.position * 10 + len(word)),
        "biz_opaque_callback_data": references.make(message.pk),
        "errors": errors,
    }


def post(batch: Batch, statuses: Sequence[dict[str, Any]]) -> None:
    """One signed POST to the receiver, answered with 200 once it is committed, and read by the inbox."""
    value = {"metadata": {"phone_number_id": batch.number.phone_number_id}, "statuses": statuses}
    changes = [{"field": "messages", "value": value}]
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})
    assert asyncio.run(answer(body)) == 200
    inbox.drain()
    assert not Arrival.objects.filter(processed_at=None).exists()


async def answer(body: bytes) -> int:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-hub-signature-256", signature.sign(SECRET, body).encode())]
    await app.application({"type": "http", "method": "POST", "path": app.PATH, "headers": headers}, receive, send)
    await app.commits.close()
    return int(sent[0]["status"])


def settle(batch: Batch, messages: Sequence[Message], answers: Sequence[str]) -> None:
    """What Meta answered to our requests, as the pump writes it."""
    results = [
        {"id": message.pk, "wamid": f"wamid.{message.pk}"}
        if answers[message.position] == "accepted"
        else {"id": message.pk, "status": answers[message.position]}
        for message in messages
    ]
    rows.flush(batch, results=results)


def ended(batch: Batch) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    """All that can be seen of a batch afterwards; the quota is what its messages say."""
    assert_balanced(batch)
    columns = ("position", "status", "delivery", "charged", "error_code", "error_details", "delivered_at", "read_at")
    counters = {name: getattr(batch, name) for name in books.COLUMNS}
    found = batch.messages.order_by("position").values_list(*columns)
    return list(found), counters


@transaction.atomic
def launched(number: Number) -> tuple[Batch, list[Message]]:
    """On their way: leased, and below the horizon."""
    batch = rows.launch(number)
    leased = outbox.lease(number.pk, PEOPLE)
    assert leased is not None
    rows.flush(batch, advances=[outbox.Advance(leased.id, batch.pk, 0, PEOPLE)])
    return batch, list(batch.messages.order_by("position"))


def test_a_thousand_updates_in_one_post(settings: Settings) -> None:
    settings.META_APP_SECRETS = [SECRET]
    number = rows.business(people=PEOPLE)

    @hypothesis.settings(max_examples=5, deadline=None)
    @given(seed=st.integers(0, 2**32), early=st.integers(0, PEOPLE))
    def whatever_their_order(seed: int, early: int) -> None:
        """`early` of the messages are settled only after the POST, which comes once more when all are."""
        random = Random(seed)
        fates = random.sample(FATES * PEOPLE, PEOPLE)
        answers = [random.choice(["accepted", "accepted", "unconfirmed"]) for _person in range(PEOPLE)]

        batch, messages = launched(number)
        settle(batch, messages, answers)
        for stage in range(3):
            post(batch, [status(m, *fates[m.position][stage]) for m in messages if len(fates[m.position]) > stage])
        expected = ended(batch)

        batch, messages = launched(number)
        updates = [status(message, *report) for message in messages for report in fates[message.position]]
        updates += random.choices(updates, k=UPDATES - len(updates))
        random.shuffle(updates)
        mixed = random.sample(messages, PEOPLE)
        settle(batch, mixed[early:], answers)
        post(batch, updates)
        settle(batch, mixed[:early], answers)
        assert ended(batch) == expected
        post(batch, updates)
        assert ended(batch) == expected

    whatever_their_order()
