"""uvicorn, able to refuse connections for a while."""

import asyncio
import socket
from typing import Any

import uvicorn

from pregon.simulator.app import Simulator

KEEP_ALIVE = 75  # seconds, about what Meta's edge keeps an idle connection


class Server(uvicorn.Server):
    """Serves a simulator on 127.0.0.1; port 0 takes any, `port` says which."""

    def __init__(self, simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(
            uvicorn.Config(
                simulator,
                log_level="warning",
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=2,
                server_header=False,
            )
        )
        self.socket = socket.create_server((host, port), backlog=2048)
        self.port = int(self.socket.getsockname()[1])
        simulator.refuse = self.refuse

    async def serve_here(self) -> None:
        """Until told to exit (SIGTERM, Ctrl-C)."""
        await self.serve(sockets=[self.socket])

    async def refuse(self, seconds: float) -> None:
        """Close the listening socket now, open it again after `seconds`."""
        for server in self.servers:
            server.close()
        self._return = asyncio.create_task(self._listen_again(seconds))

    async def _listen_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.socket = socket.create_server(("127.0.0.1", self.port), backlog=2048)
        self.servers = [await asyncio.get_running_loop().create_server(self._protocol, sock=self.socket)]

    def _protocol(self) -> asyncio.Protocol:
        """What `uvicorn.Server.startup` makes for each connection."""
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol
