"""The network between a worker and the simulator: a TCP proxy that goes wrong on command."""

import asyncio
import random
import re
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from enum import StrEnum
from typing import Self

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (
    len(GATEWAY),
    GATEWAY,
)


class Fault(StrEnum):
    """What becomes of a request; but for `HALF`, it is the dice whether it had reached the simulator before."""

    NONE = ""
    HANG = "hang"  # silence until the fault ends, then a reset
    RESET = "reset"  # RST instead of an answer
    GATEWAY = "gateway"  # 502 and HTML
    DROP = "drop"  # new connections are accepted and closed, open ones are closed at their next request
    HALF = "half"  # half of the answer, then the connection ends
    REFUSE = "refuse"  # nobody listens; what comes on open connections is answered, and these are closed


class Wire:
    """A context manager: while it is open, `url` leads to the simulator's port."""

    def __init__(self, target: int, seed: int = 1) -> None:
        self.target = target
        self.asked = 0  # requests that came in whole
        self.struck = 0  # requests, or connections, whose answer was lost
        self._fault = Fault.NONE
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="wire")
        self._opened = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._opened.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def become(self, fault: Fault) -> None:
        """From now on; the fault before it ends."""
        asyncio.run_coroutine_threadsafe(self._become(fault), self._loop).result()

    def _run(self) -> None:
        self._loop.run_until_complete(self._open())
        self._opened.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _open(self, port: int = 0) -> None:
        self._calm = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=1_024)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        """Cut off whoever is connected."""
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _become(self, fault: Fault) -> None:
        if fault == Fault.REFUSE:
            self._server.close()
        elif self._fault == Fault.REFUSE:
            await self._open(self.port)
        self._fault = fault
        self._calm.set()
        self._calm = asyncio.Event()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if self._fault == Fault.DROP:
                self.struck += 1
            else:
                await self._relay(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side ended the connection
        finally:
            writer.close()

    async def _relay(self, reader: StreamReader, writer: StreamWriter) -> None:
        above, below = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            while await self._exchange(await _message(reader), writer, (above, below)):
                await writer.drain()
        finally:
            below.close()

    async def _exchange(self, request: bytes, writer: StreamWriter, above: tuple[StreamReader, StreamWriter]) -> bool:
        """Whether the connection goes on."""
        self.asked += 1
        fault, calm = self._fault, self._calm
        self.struck += fault not in (Fault.NONE, Fault.REFUSE)
        arrives = fault in (Fault.NONE, Fault.REFUSE, Fault.HALF) or self._chance.random() < 0.5
        answer = await _ask(request, *above) if arrives else b""
        match fault:
            case Fault.NONE:
                writer.write(answer)
            case Fault.REFUSE:
                writer.write(answer.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
            case Fault.GATEWAY:
                writer.write(BAD_GATEWAY)
            case Fault.HALF:
                writer.write(answer[: len(answer) // 2])
            case Fault.HANG:
                await calm.wait()
        if fault in (Fault.HANG, Fault.RESET):
            _reset(writer)
        return fault in (Fault.NONE, Fault.GATEWAY)


async def _ask(request: bytes, reader: StreamReader, writer: StreamWriter) -> bytes:
    writer.write(request)
    await writer.drain()
    return await _message(reader)


async def _message(reader: StreamReader) -> bytes:
    """One request or answer of HTTP/1.1, of known length as all of ours are."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


def _reset(writer: StreamWriter) -> None:
    """RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
