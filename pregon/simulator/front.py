"""The way in for messages: raw ASGI, because it carries thousands a second; all else goes to Starlette."""

import asyncio
import random
import re
import time
from collections.abc import Callable
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from pregon.simulator import access, faults, messages, refusals
from pregon.simulator.keeping import Journal
from pregon.simulator.limits import Bucket
from pregon.simulator.timeline import Timeline
from pregon.simulator.world import Json, Number, World

VERSIONED = re.compile(r"/v(\d+)\.\d+(?=/)")
SEND = re.compile(r"/(\d+)/messages")
SUPPORTED = range(17, 27)
LATEST = b"v26.0"
JSON_TYPE = (b"content-type", b"application/json; charset=UTF-8")
HTML_TYPE = (b"content-type", b"text/html")
HTML = b"<!DOCTYPE html><html><body><h1>Sorry, something went wrong.</h1></body></html>"


class Front:
    """Answers `POST /{phone_number_id}/messages` itself."""

    def __init__(self, world: World, timeline: Timeline, journal: Journal | None, rest: ASGIApp) -> None:
        self.world = world
        self.timeline = timeline
        self.journal = journal
        self.rest = rest
        self.buckets: dict[str, Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.rest(scope, receive, send)
            return
        version = VERSIONED.match(scope["path"])
        path = scope["path"][version.end() :] if version else scope["path"]
        if version and int(version[1]) not in SUPPORTED:
            await reply(
                send, 400, refusals.Refusal(2635, "(#2635) You are calling a deprecated version of the API.").body()
            )
        elif scope["method"] == "POST" and (match := SEND.fullmatch(path)):
            await self.message(match[1], scope, receive, send)
        else:
            await self.rest({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    async def message(self, number_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """One message, with whatever goes wrong on purpose."""
        raw = await _body(receive)
        await self._slowly()
        fault = self.world.faults.next()
        try:
            status, answer, fault = self._accept(number_id, scope, raw, fault)
        except refusals.Refusal as refusal:
            status, answer, fault = refusal.http, refusal.body(), ""
        except faults.Mishap as mishap:
            fault = mishap.fault
        if fault:
            await self._fail(fault, send)
        else:
            await reply(send, status, answer)

    def _accept(self, number_id: str, scope: Scope, raw: bytes, fault: str) -> tuple[int, bytes, str]:
        """Status, body, and the fault that strikes now that the message is accepted."""
        if fault and not fault.endswith("_after"):
            raise faults.Mishap(fault)
        access.check(self.world, scope["headers"], number_id, "POST")
        number, body = self._number(number_id), _json(raw)
        if body.get("status") == "read":
            return 200, b'{"success":true}', ""
        if not self._bucket(number).take(time.monotonic()):
            raise throttled()
        message = messages.receive(self.world, number, body)
        if self.journal:
            self.journal.add(message)
        self.timeline.plan(message)
        given = str(body.get("to") or body.get("recipient"))
        return (
            200,
            orjson.dumps(messages.answer(self.world, message, given)),
            fault or messages.twist(self.world, message),
        )

    def _number(self, number_id: str) -> Number:
        if number_id not in self.world.numbers:
            raise refusals.unknown_object(number_id, "POST")
        return self.world.numbers[number_id]

    def _bucket(self, number: Number) -> Bucket:
        bucket = self.buckets.get(number.id)
        if bucket is None or bucket.rate != number.mps:
            bucket = self.buckets[number.id] = Bucket(number.mps, number.mps, time.monotonic())
        return bucket

    async def _slowly(self) -> None:
        if high := self.world.faults.latency_high:
            await asyncio.sleep(random.uniform(self.world.faults.latency_low, high) / 1000)

    async def _fail(self, fault: str, send: Send) -> None:
        kind, _, after = fault.partition("_")
        if kind == "hang":
            await asyncio.sleep(self.world.faults.hang_seconds)
        if kind in ("hang", "reset"):
            await _reset(send)
        elif kind == "gateway":
            await reply(send, 504 if after else 502, HTML, HTML_TYPE)
        else:
            refusal = REFUSED[kind]()
            await reply(send, refusal.http, refusal.body())


def throttled() -> refusals.Refusal:
    """Meta's 130429."""
    return refusals.Refusal(
        130429, "(#130429) Rate limit hit", details="Cloud API message throughput has been reached."
    )


def internal() -> refusals.Refusal:
    """Meta's 131000."""
    return refusals.Refusal(131000, "(#131000) Something went wrong", details="Something went wrong.", http=500)


def unavailable() -> refusals.Refusal:
    """Meta's 131016."""
    return refusals.Refusal(
        131016, "(#131016) Service unavailable", details="Service is temporarily unavailable.", http=503
    )


REFUSED: dict[str, Callable[[], refusals.Refusal]] = {
    "throttle": throttled,
    "internal": internal,
    "unavailable": unavailable,
}


async def reply(send: Send, status: int, body: bytes, kind: tuple[bytes, bytes] = JSON_TYPE) -> None:
    """A whole answer, with the headers that Graph API gives."""
    headers = [
        kind,
        (b"content-length", str(len(body)).encode()),
        (b"facebook-api-version", LATEST),
        (b"x-fb-trace-id", b"practica"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _reset(send: Send) -> None:
    """End the connection without an answer. ASGI has no word for it, so this reaches for uvicorn's transport."""
    cycle: Any = getattr(send, "__self__", None)
    cycle.transport.abort()
    await asyncio.sleep(0)  # lets uvicorn see it, which else complains that there was no answer


async def _body(receive: Receive) -> bytes:
    chunk = await receive()
    body: bytes = chunk.get("body", b"")
    while chunk.get("more_body"):
        chunk = await receive()
        body += chunk.get("body", b"")
    return body


def _json(raw: bytes) -> Json:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise refusals.Refusal(100, "(#100) The request body is not a JSON object")
    return body
