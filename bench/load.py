"""Presses a server with prepared requests: so many connections, each sends its next when the last was answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Load:
    """What came back: how long each request took (seconds), and the statuses that were not 200."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    odd: list[bytes] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * share))]


def press(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """All `requests` (whole HTTP messages), spread over the connections."""
    import uvloop

    return uvloop.run(_press(port, requests, connections))


async def _press(port: int, requests: Sequence[bytes], connections: int) -> Load:
    load, waiting = Load(), iter(requests)
    started = time.perf_counter()

    async def press_one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        for request in waiting:
            await _ask(reader, writer, request, load)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(press_one() for _connection in range(connections)))
    load.seconds = time.perf_counter() - started
    return load


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, load: Load) -> None:
    started = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    await _body(reader, head.lower())
    load.times.append(time.perf_counter() - started)
    if not head.startswith(b"HTTP/1.1 200"):
        load.odd.append(head.partition(b"\r\n")[0])


async def _body(reader: asyncio.StreamReader, head: bytes) -> None:
    if b"content-length: " in head:
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    else:
        while await reader.readline() != b"0\r\n":
            pass
        await reader.readline()
