"""Presses a server with prepared requests.

Closed loop: so many connections, each sends its next when the last was answered. Open loop: requests come when they come,
whether the server keeps up or not, and a request's time counts from the moment at which it should have left.
"""

import asyncio
import gc
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat


@dataclass
class Load:
    """What came back: how long each request took (seconds), and the statuses that were not 200."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    odd: list[bytes] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * share))]


def press(port: int, requests: Sequence[bytes], connections: int, *, per_second: float = 0) -> Load:
    """All `requests` (whole HTTP messages), spread over the connections; with `per_second` an open loop of that mean rate."""
    import uvloop

    gc.collect()
    gc.disable()  # a stall of ours would count against the server
    try:
        return uvloop.run(_press(port, requests, connections, per_second))
    finally:
        gc.enable()


async def _press(port: int, requests: Sequence[bytes], connections: int, per_second: float) -> Load:
    load, started = Load(), time.perf_counter()
    waiting = zip(_times(started, per_second), requests, strict=False)

    async def press_one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        for due, request in waiting:
            await asyncio.sleep(due - time.perf_counter())
            await _ask(reader, writer, request, load, due)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(press_one() for _connection in range(connections)))
    load.seconds = time.perf_counter() - started
    return load


def _times(start: float, per_second: float) -> Iterator[float]:
    """When each request should leave: as a Poisson process has it, or at once."""
    if not per_second:
        yield from repeat(0.0)
    chance = random.Random(1)
    while True:
        start += chance.expovariate(per_second)
        yield start


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, load: Load, due: float
) -> None:
    started = due or time.perf_counter()
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
