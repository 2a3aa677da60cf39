"""When a pump begins anew: after a fault of ours not at once, with a new token at once."""

import asyncio
import logging
import time
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection
from pytest_django import Settings

from pregon.sending.models import Batch, Lease, Message, Status
from pregon.whatsapp.models import Number
from tests.sending import line, rows
from tests.sending.books import assert_closed
from tests.worker.test_pumps import until, working

pytestmark = pytest.mark.django_db(transaction=True)

FAILED_SECONDS = 2.0


@pytest.fixture
def meta(settings: Settings) -> Iterator[line.Meta]:
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        yield meta


def ask(question: partial[object]) -> object:
    try:
        return question()
    finally:
        connection.close()


async def sent(batch: Batch) -> None:
    queued = partial(Batch.objects.filter(pk=batch.pk, queued__gt=0).exists)
    async with asyncio.timeout(15):
        while await asyncio.to_thread(ask, queued):
            await asyncio.sleep(0.05)


def starts(number: Number) -> int:
    """How often it was pumped."""
    return Lease.objects.get(number=number).token


def save_token(number: Number, token: str) -> None:
    """As a person does in the panel."""
    row = Number.objects.get(pk=number.pk)
    row.token = token
    row.save(update_fields=["token_encrypted"])


def test_after_a_fault_of_ours_a_number_waits_and_the_others_go_on(
    meta: line.Meta, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = rows.business(people=5), rows.business(people=5)
    waiting, batch = rows.launch(broken), rows.launch(sound)
    Number.objects.filter(pk=broken.pk).update(token_encrypted="not one of ours")

    async def run() -> float:
        async with working(failed_seconds=FAILED_SECONDS):
            await until(lambda: "its pump failed" in caplog.text)
            failed = time.monotonic()
            await sent(batch)
            await asyncio.sleep(FAILED_SECONDS / 2)
            assert await asyncio.to_thread(ask, partial(starts, broken)) == 1
            await asyncio.to_thread(ask, partial(save_token, broken, "uno-nuevo"))
            await sent(waiting)
            return time.monotonic() - failed

    with caplog.at_level(logging.ERROR, "pregon.worker"):
        assert FAILED_SECONDS < asyncio.run(run()) < FAILED_SECONDS + 3
    assert starts(broken) == 2
    assert sorted(meta.received.values()) == [1] * 10
    assert_closed(waiting)
    assert_closed(batch)


def test_a_new_token_is_used_at_once(meta: line.Meta) -> None:
    number = rows.business(people=160, mps=40)
    batch = rows.launch(number)
    save_token(number, "el-viejo")

    async def run() -> int:
        async with working():
            await until(lambda: len(meta.requests) >= 30)
            await asyncio.to_thread(ask, partial(save_token, number, "el-nuevo"))
            before = len(meta.requests)
            await until(lambda: "el-nuevo" in meta.tokens, 2)
            await sent(batch)
            return before

    before = asyncio.run(run())
    old = meta.tokens.count("el-viejo")
    assert meta.tokens == ["el-viejo"] * old + ["el-nuevo"] * (160 - old)
    assert old <= before + 40  # within a second
    assert sorted(meta.received.values()) == [1] * 160
    assert set(Message.objects.values_list("status", flat=True)) == {Status.ACCEPTED}
    assert_closed(batch)
