"""How fast a broadcast leaves, with every message accounted for, beside the same client without any accounting."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from operator import truediv
from statistics import median

import uvloop
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bench import processes
from bench.figures import Figure, at_least
from pregon.accounts.models import Account
from pregon.quota import ledger
from pregon.sending import intake, references
from pregon.sending.hand import Limits
from pregon.sending.models import Batch, Message
from pregon.sending.pump import Pump
from pregon.whatsapp.cloud import client, payloads
from pregon.whatsapp.models import Number
from pregon.worker.main import tune_collector
from tests import make
from tests.sending.books import assert_closed

MESSAGES = 100_000
ROUNDS = 3
LATENCY_MS = 150  # at random from 0.6 to 1.6 times this: as Meta takes
LIMITS = Limits(concurrency=100, flush=2_000)
PAYLOAD = payloads.template(
    "promo",
    "es_MX",
    [
        payloads.body(
            payloads.text_parameter("{{nombre}}"), payloads.text_parameter("Charolas para tu posada: 15 % menos")
        )
    ],
)
PEOPLE = """
INSERT INTO contacts_contact (account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent, consent_at,
    created_at, updated_at)
SELECT %s, 'María Fernanda ' || n, 'maria fernanda ' || n, '+5255' || lpad(n::text, 8, '0'), '', '', '', '{}', 'granted', now(),
    now(), now() FROM generate_series(1, %s) n
"""
AUDIENCE = """
SELECT id AS contact_id, name, mobile, meta_user_id, ARRAY[name]::text[] AS "values", '' AS omission
FROM contacts_contact WHERE account_id = %(account)s
"""


def measure() -> list[Figure]:
    tune_collector()
    with processes.stub() as url:
        settings.GRAPH_URL = url
        raw, beside, full = [], [], []
        for _round in range(ROUNDS):
            number = _business(MESSAGES)
            raw.append(uvloop.run(_raw(number, LIMITS)))
            with _busy():
                beside.append(uvloop.run(_raw(number, LIMITS)))
            full.append(_full(number, url, LIMITS))
    rate = median(full)
    return [
        at_least("send.msgs_per_s", rate, "msg/s", 8_000),
        # of each round: the machine's own speed drifts between rounds
        at_least("send.ratio_to_raw_client", median(map(truediv, full, raw)), "", 0.85),
        Figure("send.ratio_to_raw_client_beside_load", round(median(map(truediv, full, beside)), 3), ""),
        at_least("send.ratio_to_raw_client_150ms", _ratio_at_latency(), "", 0.85),
        Figure("send.raw_client_msgs_per_s", round(median(raw)), "msg/s"),
    ]


def _ratio_at_latency() -> float:
    """With as many requests in flight as a pump allows itself."""
    with processes.stub(LATENCY_MS) as url:
        settings.GRAPH_URL = url
        number = _business(MESSAGES)
        limits = Limits.of(number.mps)
        raw = uvloop.run(_raw(number, limits))
        return _full(number, url, limits) / raw


@contextmanager
def _busy() -> Iterator[None]:
    """Keeps the other processor busy: where two of them share a core, the bare client too is slower then."""
    process = subprocess.Popen([sys.executable, "-c", "while True: {n: str(n) for n in range(20_000)}"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _business(people: int) -> Number:
    account = make.account()
    make.period(account, limit=people)
    add_people(account, people)
    return make.number(account, mps=1_000_000, daily_limit=None)


def add_people(account: Account, people: int) -> None:
    """So many contacts with permission, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [account.pk, people])
        cursor.execute("VACUUM ANALYZE contacts_contact")


async def _raw(number: Number, limits: Limits) -> float:
    """The same client, concurrency, process and payloads; nothing is written down."""
    render = payloads.compile(PAYLOAD)
    bodies = (render(f"+52155{n:08d}", {"nombre": f"María Fernanda {n}"}, references.make(n)) for n in range(MESSAGES))
    line = client.Client(number.graph_url, number.phone_number_id, number.token, connections=limits.concurrency)
    async with line:
        started = time.perf_counter()
        await asyncio.gather(*(_send_all(line.send, bodies) for _sender in range(limits.concurrency)))
        return MESSAGES / (time.perf_counter() - started)


async def _send_all(send: Callable[[bytes], Awaitable[client.Outcome]], bodies: Iterator[bytes]) -> None:
    for body in bodies:
        assert isinstance(await send(body), client.Accepted)


def _full(number: Number, url: str, limits: Limits) -> float:
    processes.ask(f"{url}/reset", "POST")
    batch = _launch(number)
    started = time.perf_counter()
    uvloop.run(_pump(batch, limits))
    seconds = _seconds(batch, started)
    received = processes.ask(f"{url}/count")
    assert received == {"messages": MESSAGES, "distinct": MESSAGES}, received
    assert_closed(batch)
    return MESSAGES / seconds


@transaction.atomic
def _launch(number: Number) -> Batch:
    period = ledger.current(number.account)
    assert period is not None
    ends_at = timezone.now() + timedelta(hours=72)
    batch = Batch.objects.create(
        account=number.account, number=number, period=period, payload=PAYLOAD, slots=["nombre"], ends_at=ends_at
    )
    queued = intake.enqueue(batch, AUDIENCE, {"account": number.account_id}).queued
    ledger.reserve(period.pk, queued, f"batch:{batch.pk}")
    return batch


async def _pump(batch: Batch, limits: Limits) -> None:
    pump = Pump(batch.number, limits)
    task = asyncio.create_task(pump.run())
    while not task.done() and not await asyncio.to_thread(_finished, batch.pk):
        await asyncio.sleep(0.05)
    pump.stop()
    await task


def _finished(batch_id: int) -> bool:
    return Batch.objects.filter(pk=batch_id, finished_at__isnull=False).exists()


def _seconds(batch: Batch, started: float) -> float:
    """From the start of the pump until the last result was written."""
    batch.refresh_from_db()
    assert batch.finished_at is not None
    since = time.perf_counter() - started - (timezone.now() - batch.finished_at).total_seconds()
    assert Message.objects.filter(batch=batch).count() == MESSAGES
    return since
