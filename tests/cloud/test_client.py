"""The client against sockets that behave badly: what is certain, what is doubtful, and nothing sent twice."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import pytest

from pregon.whatsapp.cloud import client, errors, management, payloads
from pregon.whatsapp.cloud.client import Accepted, Rejected, Unanswered, Unsent

BODY = payloads.addressed(payloads.text("Hola"), "+522225550117", "pregon:casa:1")
OK = {"messages": [{"id": "wamid.1", "message_status": "accepted"}]}


@dataclass
class Wire:
    """A server that reads whole requests and lets `behave` answer each."""

    behave: Callable[["Wire", asyncio.StreamWriter], Awaitable[None]]
    requests: list[bytes] = field(default_factory=list)
    base_url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(length(head))
                self.requests.append(head + body)
                await self.behave(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return int(next((line[15:] for line in lines if line.startswith(b"content-length:")), 0))


def respond(status: int, body: bytes, *headers: str) -> Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]:
    async def behave(_: Wire, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return behave


def refuse(code: int, status: int = 400, *headers: str) -> Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]:
    return respond(status, orjson.dumps({"error": {"code": code, "message": "no", "fbtrace_id": "A1"}}), *headers)


async def reset(_: Wire, writer: asyncio.StreamWriter) -> None:
    """As a crashed proxy does: the connection ends with RST, without a byte."""
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def hang_up(_: Wire, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def half_an_answer(_: Wire, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
    await writer.drain()
    writer.close()


async def hang(_: Wire, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


@asynccontextmanager
async def wire(behave: Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[Wire]:
    made = Wire(behave)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


def sent(
    behave: Callable[[Wire, asyncio.StreamWriter], Awaitable[None]], *, timeout: float = 5.0
) -> tuple[client.Outcome, Wire]:
    """The outcome of one message against this behaviour, and what the server saw of it."""

    async def run() -> tuple[client.Outcome, Wire]:
        async with wire(behave) as server, client.Client(server.base_url, "106", "secret", timeout=timeout) as line:
            return await line.send(BODY), server

    return asyncio.run(run())


def test_accepted() -> None:
    outcome, server = sent(respond(200, orjson.dumps(OK)))
    assert outcome == Accepted("wamid.1")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v26.0/106/messages ") and b"Authorization: Bearer secret" in head
    assert b"Content-Type: application/json" in head and body == BODY


def test_held_back_by_meta() -> None:
    held = {"messages": [{"id": "wamid.1", "message_status": "held_for_quality_assessment"}]}
    assert sent(respond(200, orjson.dumps(held)))[0] == Accepted("wamid.1", held=True)


@pytest.mark.parametrize(
    ("code", "reaction"), [(131009, "never"), (190, "reauthenticate"), (132001, "pause_broadcast")]
)
def test_rejected(code: int, reaction: str) -> None:
    outcome, _ = sent(refuse(code))
    assert isinstance(outcome, Rejected) and outcome.error.rule.reaction == reaction


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 7", 7.0),
        ("Retry-After: Tue, 01 Sep 2026", None),
        ('X-Business-Use-Case-Usage: {"1":[{"type":"whatsapp","estimated_time_to_regain_access":3}]}', 180.0),
        ("X-Business-Use-Case-Usage: [[", None),
        ('X-Business-Use-Case-Usage: {"1":[3,{"a":1}],"2":4}', None),
    ],
)
def test_how_long_meta_asks_to_wait(header: str, seconds: float | None) -> None:
    outcome, _ = sent(refuse(130429, 429, header))
    assert isinstance(outcome, Rejected) and outcome.error.rule.again and outcome.error.retry_after == seconds


def test_an_error_inside_a_200_is_an_error() -> None:
    assert isinstance(sent(refuse(131008, 200))[0], Rejected)


def test_an_internal_error_of_meta_is_doubtful() -> None:
    outcome, _ = sent(refuse(131000, 500))
    assert isinstance(outcome, Unanswered) and outcome.error and outcome.error.fbtrace_id == "A1"


@pytest.mark.parametrize(
    "behave",
    [
        reset,
        hang_up,
        half_an_answer,
        respond(502, b"<html>Bad gateway</html>"),
        respond(503, b""),
        respond(504, b"{}"),
        respond(500, b"[1]"),
        respond(400, b"<html>"),
        respond(307, b"", "Location: /elsewhere"),
        respond(200, b"<html>"),
        respond(200, b""),
        respond(200, b'{"messages":[]}'),
        respond(200, b'{"messages":{"id":1}}'),
        respond(200, b'{"messages":["wamid"]}'),
        respond(200, b'{"error":"text"}'),
    ],
)
def test_doubtful_and_sent_only_once(behave: Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]) -> None:
    outcome, server = sent(behave)
    assert isinstance(outcome, Unanswered) and len(server.requests) == 1


def test_no_answer_in_time_is_doubtful() -> None:
    outcome, server = sent(hang, timeout=0.3)
    assert isinstance(outcome, Unanswered) and len(server.requests) == 1


def test_a_kept_connection_that_the_server_closes_is_doubtful_and_not_repeated() -> None:
    async def answer_once(server: Wire, writer: asyncio.StreamWriter) -> None:
        await (respond(200, orjson.dumps(OK)) if len(server.requests) == 1 else reset)(server, writer)

    async def run() -> tuple[list[client.Outcome], Wire]:
        async with wire(answer_once) as server, client.Client(server.base_url, "106", "secret") as line:
            return [await line.send(BODY), await line.send(BODY)], server

    (first, second), server = asyncio.run(run())
    assert isinstance(first, Accepted) and isinstance(second, Unanswered) and len(server.requests) == 2


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:{port}", "http://no.such.host.invalid", "https://127.0.0.1:{port}"]
)
def test_a_connection_that_never_opened_is_safe(base_url: str) -> None:
    async def run() -> client.Outcome:
        async with client.Client(base_url.format(port=refused_port()), "106", "secret", timeout=4) as line:
            return await line.send(BODY)

    assert isinstance(asyncio.run(run()), Unsent)


def test_a_server_without_tls_never_saw_the_message() -> None:
    async def run() -> client.Outcome:
        async with (
            wire(respond(200, b"")) as server,
            client.Client(server.base_url.replace("http:", "https:"), "106", "secret", timeout=4) as line,
        ):
            return await line.send(BODY)

    assert isinstance(asyncio.run(run()), Unsent)


def called(behave: Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]) -> None:
    async def run() -> None:
        async with wire(behave) as server, client.Client(server.base_url, "106", "secret") as line:
            await management.phone_number(line)

    asyncio.run(run())


def test_management_tells_refused_from_unanswered() -> None:
    with pytest.raises(errors.ApiError) as refused:
        called(refuse(190, 401))
    assert refused.value.rule.reaction is errors.Reaction.REAUTHENTICATE
    with pytest.raises(errors.NoAnswer):
        called(respond(502, b"<html>"))


def test_management_tells_what_never_left() -> None:
    async def run() -> None:
        async with client.Client(f"http://127.0.0.1:{refused_port()}", "106", "secret") as line:
            await management.templates(line, "102")

    with pytest.raises(errors.NotSent):
        asyncio.run(run())


def test_a_closed_client_says_so_and_shows_no_token() -> None:
    line = client.Client("https://example.com/", "106", "secret", version="")
    assert repr(line) == "Client(https://example.com, 106)"
    with pytest.raises(RuntimeError, match="Open the client first"):
        asyncio.run(line.call("GET", "1"))
