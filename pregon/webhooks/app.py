"""Where Meta calls: a raw ASGI application in a process of its own.

    GET  /webhooks/meta   Meta checks the address
    POST /webhooks/meta   a signed payload: committed, then answered with 200
    GET  /healthz         200 while the database takes arrivals

Nothing is read here: whatever carries a good signature is kept, and `inbox` reads it later.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pregon.settings")

from django.conf import settings
from django.utils.log import configure_logging

from pregon.webhooks.group_commit import GroupCommit, NotStored
from pregon.whatsapp.cloud import signature

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = "/webhooks/meta"
MAX_BYTES = 4 * 1024 * 1024  # Meta sends at most 3 MB

commits = GroupCommit()
configure_logging(
    settings.LOGGING_CONFIG, settings.LOGGING
)  # as `django.setup()` does, which this process spares itself


class TooLarge(Exception):
    """More than Meta ever sends."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI entry point."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await _answer(send, *await _respond(scope, receive))


async def _respond(scope: Scope, receive: Receive) -> tuple[int, bytes]:
    route = scope["method"], scope["path"]
    if route == ("POST", PATH):
        return await _arrival(scope, receive)
    if route == ("GET", PATH):
        return _verification(scope)
    if route == ("GET", "/healthz"):
        return await _health()
    return 404, b"not found"


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await commits.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _arrival(scope: Scope, receive: Receive) -> tuple[int, bytes]:
    try:
        raw = await _body(receive)
    except TooLarge:
        return 413, b"too large"
    header = next((value for name, value in scope["headers"] if name == b"x-hub-signature-256"), b"")
    if not signature.verify(settings.META_APP_SECRETS, raw, header.decode("latin-1")):
        return 403, b"wrong signature"
    try:
        await commits.add(raw)
    except NotStored:
        return 503, b"not stored: send it again"
    return 200, b"ok"


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BYTES:
            raise TooLarge
        if not message.get("more_body"):
            return b"".join(parts)


def _verification(scope: Scope) -> tuple[int, bytes]:
    query = parse_qs(scope["query_string"].decode("latin-1"))
    token, challenge = query.get("hub.verify_token", [""])[0], query.get("hub.challenge", [""])[0]
    known = compare_digest(token.encode(), settings.META_VERIFY_TOKEN.encode())
    if query.get("hub.mode") == ["subscribe"] and known:
        return 200, challenge.encode()
    return 403, b"wrong verify token"


async def _health() -> tuple[int, bytes]:
    try:
        await asyncio.wait_for(commits.check(), 5)
    except (NotStored, TimeoutError):
        return 503, b"no database"
    return 200, b"ok"


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
