"""Is a port free, does somebody listen on it, does it answer?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from gettext import gettext as _

from pregon.embedded.errors import EmbeddedError

HOST = "127.0.0.1"


def require_free(ports: Iterable[int]) -> None:
    """Raises EmbeddedError for the first port that somebody else uses."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise EmbeddedError(_sentence(port, error)) from None


def _sentence(port: int, error: OSError) -> str:
    words = {"port": port, "why": error.strerror}
    return _("No se puede usar el puerto %(port)s (%(why)s). Elige otro, por ejemplo: PORT=8100 make run") % words


async def listens(port: int) -> bool:
    """Whether a connection to the port opens."""
    try:
        _reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def answers(port: int, path: str) -> bool:
    """Whether a GET is answered, and not with a failure of the server."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {HOST}:{port}\r\n\r\n".encode())
        status = (await asyncio.wait_for(reader.readline(), 5)).split()[1:2]
        writer.close()
    except (OSError, TimeoutError):
        return False
    return bool(status) and status[0] < b"500"
