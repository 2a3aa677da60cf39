"""The fastest answer there is to `POST …/messages`: accepts everything, counts it. A process of its own.

python -m bench.stub PORT [LATENCY_MS] [--host ADDRESS] [--log] [--limit PER_SECOND]
    GET /count → {"messages": n, "distinct": n}      POST /reset
    GET /refused, with --limit → {"refused": n}: by Meta's 130429, those of a number beyond the limit in any second
    GET /arrivals, with --log → [[time, phone number id, reference], …] as they came
"""

import argparse
import asyncio
import gc
import json
import os
import random
import re
import time
from collections import defaultdict, deque
from contextlib import suppress

PHONE_NUMBER_ID = re.compile(rb"POST /[^/]*/([^/]*)/messages")
REFERENCE = re.compile(rb'"biz_opaque_callback_data":"([^"]*)"')
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ACCEPTED = (
    b'{"messaging_product":"whatsapp","contacts":[{"input":"+5215500000000","wa_id":"5215500000000"}],'
    b'"messages":[{"id":"wamid.%d","message_status":"accepted"}]}'
)
REFUSED = (
    b'{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_data":'
    b'{"messaging_product":"whatsapp","details":"Cloud API message throughput has been reached."},"fbtrace_id":"A"}}'
)


class Tally:
    """What was received, by reference."""

    def __init__(self) -> None:
        self.messages = 0
        self.references: set[bytes] = set()
        self.arrivals: list[tuple[float, bytes, bytes]] = []

    def take(self, request: bytes, body: bytes, *, log: bool) -> int:
        self.messages += 1
        found = REFERENCE.search(body)
        if found:
            self.references.add(found[1])
        if log and found and (number := PHONE_NUMBER_ID.match(request)):
            self.arrivals.append((time.time(), number[1], found[1]))
        return self.messages


class Limiter:
    """A number's messages in any one second, however they are spread over it."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self.taken: dict[bytes, deque[float]] = defaultdict(lambda: deque(maxlen=per_second))
        self.refused = 0

    def allows(self, request: bytes) -> bool:
        number, now = PHONE_NUMBER_ID.match(request), time.monotonic()
        taken = self.taken[number[1] if number else b""]
        if len(taken) == self.per_second and now - taken[0] < 1:
            self.refused += 1
            return False
        taken.append(now)
        return True


class Stub(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as the client needs."""

    tally = Tally()
    latency = 0.0
    log = False
    limiter: Limiter | None = None
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.buffer, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                return
            request, self.buffer = self.buffer[:size], self.buffer[size:]
            self.respond(request, request[end + 4 :])

    def respond(self, request: bytes, body: bytes) -> None:
        if request.startswith(b"GET /count"):
            self.write({"messages": self.tally.messages, "distinct": len(self.tally.references)})
        elif request.startswith(b"GET /refused") and self.limiter:
            self.write({"refused": self.limiter.refused})
        elif request.startswith(b"GET /arrivals"):
            self.write([(at, number.decode(), reference.decode()) for at, number, reference in self.tally.arrivals])
        elif request.startswith(b"POST /reset"):
            Stub.tally = Tally()
            self.write({})
        elif self.limiter and not self.limiter.allows(request):
            self.answer_late(REFUSED, b"400 Bad Request")
        else:
            self.answer_late(ACCEPTED % self.tally.take(request, body, log=self.log))

    def answer_late(self, body: bytes, status: bytes = b"200 OK") -> None:
        if self.latency:
            pause = random.uniform(0.6, 1.6) * self.latency
            asyncio.get_running_loop().call_later(pause, self.answer, body, status)
        else:
            self.answer(body, status)

    def write(self, answer: object) -> None:
        self.answer(json.dumps(answer).encode())

    def answer(self, body: bytes, status: bytes = b"200 OK") -> None:
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        if not self.transport.is_closing():  # whoever asked may have been killed meanwhile
            self.transport.write(head + body)


def be_punctual() -> None:
    """Meta does not share our processors: where the system allows it, this process need not wait for its turn on them."""
    gc.freeze()
    gc.disable()
    with suppress(PermissionError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


async def serve(host: str, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Stub, host, port, backlog=1_024)
    async with server:
        await server.serve_forever()


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(prog="python -m bench.stub", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("latency_ms", type=float, nargs="?", default=0.0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    Stub.latency, Stub.log = given.latency_ms / 1_000, given.log
    Stub.limiter = Limiter(given.limit) if given.limit else None
    be_punctual()
    uvloop.run(serve(given.host, given.port))


if __name__ == "__main__":
    main()
