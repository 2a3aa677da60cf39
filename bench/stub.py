"""The fastest answer there is to `POST …/messages`: accepts everything, counts it. A process of its own.

python -m bench.stub PORT [LATENCY_MS]      GET /count → {"messages": n, "distinct": n}      POST /reset
"""

import asyncio
import json
import random
import re
import sys

REFERENCE = re.compile(rb'"biz_opaque_callback_data":"([^"]*)"')
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Tally:
    """What was received, by reference."""

    def __init__(self) -> None:
        self.messages = 0
        self.references: set[bytes] = set()

    def take(self, body: bytes) -> int:
        self.messages += 1
        found = REFERENCE.search(body)
        if found:
            self.references.add(found[1])
        return self.messages


class Stub(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as the client needs."""

    tally = Tally()
    latency = 0.0
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
        elif request.startswith(b"POST /reset"):
            Stub.tally = Tally()
            self.write({})
        else:
            answer = {
                "messaging_product": "whatsapp",
                "contacts": [{"input": "+5215500000000", "wa_id": "5215500000000"}],
                "messages": [{"id": f"wamid.{self.tally.take(body)}", "message_status": "accepted"}],
            }
            if self.latency:
                pause = random.uniform(0.6, 1.6) * self.latency
                asyncio.get_running_loop().call_later(pause, self.write, answer)
            else:
                self.write(answer)

    def write(self, answer: dict[str, object]) -> None:
        body = json.dumps(answer).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)


async def serve(port: int, latency_ms: float) -> None:
    Stub.latency = latency_ms / 1_000
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", port, backlog=1_024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
