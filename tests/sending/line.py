"""A Meta for the pipe's tests: a real HTTP server that answers as told, and remembers whom it heard of."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from aiohttp import web

Answer = tuple[int, dict[str, Any]]


def accept(message: dict[str, Any], count: int) -> Answer:
    wamid = f"wamid.{message['biz_opaque_callback_data']}.{count}"
    return 200, {"messages": [{"id": wamid, "message_status": "accepted"}]}


def refuse(code: int, http: int = 400, details: str = "") -> Answer:
    error = {"message": f"(#{code})", "type": "OAuthException", "code": code, "fbtrace_id": "Atrace"}
    return http, {"error": error | {"error_data": {"messaging_product": "whatsapp", "details": details}}}


class Meta:
    """`answer(message, n)` decides what the n-th request for a message gets; None hangs up without an answer."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any], int], Answer | None] = accept
        self.latency = 0.0
        self.received: Counter[str] = Counter()  # accepted, by reference
        self.requests: list[dict[str, Any]] = []
        self.tokens: list[str] = []  # of each request
        self.url = ""

    async def messages(self, request: web.Request) -> web.StreamResponse:
        message = orjson.loads(await request.read())
        self.requests.append(message)
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        reference = message["biz_opaque_callback_data"]
        count = sum(known["biz_opaque_callback_data"] == reference for known in self.requests[-5_000:])
        if self.latency:
            await asyncio.sleep(self.latency)
        answer = self.answer(message, count)
        if answer is None or answer[0] == 200:
            self.received[reference] += 1
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(status=answer[0], body=orjson.dumps(answer[1]), content_type="application/json")


@contextmanager
def running() -> Iterator[Meta]:
    """A Meta on a free port of this machine, in a thread."""
    meta = Meta()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/{version}/{number}/messages", meta.messages)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        meta.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield meta
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
