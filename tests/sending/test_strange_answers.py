"""Answers of Meta's that a database does not keep: each settles its own message with an honest word, and no other's."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from pregon.sending.models import Message, Status, Wamid
from pregon.sending.pump import Pump
from pregon.whatsapp.cloud import errors
from tests.sending import line, rows
from tests.sending.books import assert_balanced

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


def taken(wamid: Any) -> line.Answer:
    return 200, {"messages": [{"id": wamid, "message_status": "accepted"}]}


NUL = "uno\0dos"
REFUSED = {"message": NUL, "type": "OAuthException", "code": 131009, "fbtrace_id": NUL}
STRANGE = {
    "its id with NUL": (taken(NUL), Status.ACCEPTED, "unodos"),
    "its id longer than any": (taken("w" * 1_000), Status.ACCEPTED, "w" * 160),
    "no id": (taken(None), Status.UNCONFIRMED, ""),
    "NUL for an id": (taken("\0"), Status.UNCONFIRMED, ""),
    "NUL in its reasons": (
        (400, {"error": REFUSED | {"error_data": {"details": NUL}}}), Status.FAILED, (131009, "unodos", "unodos")
    ),
    "NUL in its message": ((400, {"error": REFUSED}), Status.FAILED, (131009, "unodos", "unodos")),
    "a code beyond numbers": (
        (400, {"error": REFUSED | {"code": 10**12}}), Status.FAILED, (errors.UNREADABLE, "unodos", "unodos")
    ),
}  # fmt: skip


@pytest.mark.parametrize("answer", STRANGE)
def test_it_poisons_nothing(meta: line.Meta, answer: str) -> None:
    number = rows.business(people=6)
    batch = rows.launch(number)
    strange, status, word = STRANGE[answer]
    odd, *others = Message.objects.filter(batch=batch).order_by("position")
    meta.answer = lambda message, n: strange if message["to"] == odd.mobile else line.accept(message, n)

    assert asyncio.run(Pump(number, idle=0.1).run())

    odd.refresh_from_db()
    assert odd.status == status
    if status == Status.FAILED:
        assert (odd.error_code, odd.error_details, odd.trace_id) == word
    else:
        assert "".join(Wamid.objects.filter(message=odd).values_list("wamid", flat=True)) == word
    for message in others:
        message.refresh_from_db()
        assert message.status == Status.ACCEPTED
    assert_balanced(batch)
