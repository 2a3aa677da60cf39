"""How fast Meta's reports are checked, committed and answered, and how fast they reach the messages they are about.

A worker sends a broadcast to the stub. Then each of its messages is reported sent, delivered and read: one status per
request as fast as the receiver takes them; a thousand per request, about in the order in which they were sent; and one per
request in any order, at a steady pace, beside the worker that reads them.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from bench import load, processes
from bench.figures import Figure, at_least, at_most
from bench.send import add_people
from pregon.sending import references
from pregon.sending.models import Batch, Message
from pregon.webhooks.app import PATH
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import signature
from tests import make
from tests.ports import free_port
from tests.sending import rows
from tests.sending.books import assert_closed

MESSAGES = 36_000
CLOSED = 20_000  # requests of the closed loop that are measured
PER_SECOND = 3_000  # of the open loop, for as long as the messages last
PER_POST = 1_000  # Meta's own maximum
CONNECTIONS = 64
SECRET = "medida"
WAITING = Arrival.objects.filter(processed_at=None)


def measure() -> list[Figure]:
    with processes.stub() as meta, _receiver() as port:
        with _worker(meta):
            batch = _sent()
        posts = Posts(batch)
        figures = _closed(port, posts)
        with _worker(meta):
            _wait_until_read()
            figures += _together(port, posts) + _open(port, posts)
        batch.refresh_from_db()
        assert (batch.sent, batch.delivered, batch.read) == (MESSAGES, MESSAGES, MESSAGES), batch.__dict__
        assert_closed(batch)
        return figures


def _closed(port: int, posts: "Posts") -> list[Figure]:
    """Nobody reads meanwhile: what the receiver alone can take."""
    requests = posts.single("sent")
    load.press(port, requests[: MESSAGES - CLOSED], CONNECTIONS)
    found = _press(port, requests[MESSAGES - CLOSED :])
    return [
        at_least("webhook.per_s", CLOSED / found.seconds, "req/s", 8_000),
        Figure("webhook.p99_ms_saturated", round(found.percentile(0.99) * 1_000, 2), "ms"),
    ]


def _open(port: int, posts: "Posts") -> list[Figure]:
    found = _press(port, posts.single("read"), per_second=PER_SECOND)
    behind = WAITING.count()
    return [
        at_most("webhook.p99_ms", found.percentile(0.99) * 1_000, "ms", 25),
        Figure("webhook.p50_ms", round(found.percentile(0.5) * 1_000, 2), "ms"),
        at_most("webhook.backlog", behind, "arrivals", PER_SECOND),
        Figure("webhook.backlog_read_s", round(_wait_until_read(), 3), "s"),
    ]


def _together(port: int, posts: "Posts") -> list[Figure]:
    started = time.perf_counter()
    _press(port, posts.many("delivered"), connections=4)
    _wait_until_read()
    return [at_least("statuses.per_s", MESSAGES / (time.perf_counter() - started), "statuses/s", 20_000)]


def _press(port: int, requests: Sequence[bytes], connections: int = CONNECTIONS, per_second: float = 0) -> load.Load:
    found = load.press(port, requests, connections, per_second=per_second)
    assert not found.odd, found.odd[:3]
    return found


def _wait_until_read() -> float:
    started = time.perf_counter()
    while WAITING.exists():
        time.sleep(0.02)
    return time.perf_counter() - started


@contextmanager
def _receiver() -> Iterator[int]:
    port = free_port()
    settings_of_process = ("uvicorn", "pregon.webhooks.app:application", "--port", str(port), "--log-level", "warning")
    with processes.running(*settings_of_process, PREGON_META_APP_SECRET=SECRET):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port


@contextmanager
def _worker(meta: str) -> Iterator[None]:
    with processes.running("pregon", "worker", PREGON_GRAPH_URL=meta):
        yield


def _sent() -> Batch:
    """A broadcast that Meta took, every message of it."""
    account = make.account()
    make.period(account, limit=MESSAGES)
    add_people(account, MESSAGES)
    batch = rows.launch(make.number(account, mps=10_000, daily_limit=None))
    while batch.queued:
        time.sleep(0.1)
        batch.refresh_from_db()
    assert batch.accepted == MESSAGES, batch.__dict__
    return batch


class Posts:
    """Meta's requests about the messages of a batch."""

    def __init__(self, batch: Batch) -> None:
        self.phone_number_id = batch.number.phone_number_id
        self.messages = list(Message.objects.filter(batch=batch).order_by("position").values_list("id", flat=True))
        self.chance = random.Random(1)

    def single(self, word: str) -> list[bytes]:
        return [self._post([message], word) for message in self._shuffled(0, MESSAGES)]

    def many(self, word: str) -> list[bytes]:
        return [self._post(self._shuffled(n, n + PER_POST), word) for n in range(0, MESSAGES, PER_POST)]

    def _shuffled(self, start: int, end: int) -> list[int]:
        messages = self.messages[start:end]
        return self.chance.sample(messages, len(messages))

    def _post(self, messages: Sequence[int], word: str) -> bytes:
        metadata = {"display_phone_number": "522225550142", "phone_number_id": self.phone_number_id}
        statuses = [_status(message, word) for message in messages]
        value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses}
        change = {"field": "messages", "value": value}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {settings.ALLOWED_HOSTS[0]}\r\nContent-Type: application/json\r\n"
            f"X-Hub-Signature-256: {signature.sign(SECRET, body)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _status(message: int, word: str) -> dict[str, object]:
    return {
        "id": f"wamid.HBgNNTIxNTU1MDAwMDAwMBUCABEYE{message:020d}",
        "status": word,
        "timestamp": "1763650000",
        "recipient_id": f"52155{message:08d}",
        "biz_opaque_callback_data": references.make(message),
        "conversation": {"id": f"{message:032x}", "origin": {"type": "marketing"}},
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
    }
