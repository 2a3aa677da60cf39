"""The program: Meta's endpoints, `/_sim/…` and the page with the virtual phones, over one world in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pregon.simulator import control, keeping, phones, refusals, setup
from pregon.simulator.courier import Courier
from pregon.simulator.front import Front
from pregon.simulator.graph import Graph
from pregon.simulator.timeline import Timeline
from pregon.simulator.world import World

Refuse = Callable[[float], Coroutine[Any, Any, None]]


class Simulator:
    """An ASGI application. `refuse` closes the listening socket for some seconds, where the server offers it."""

    def __init__(self, world: World, state: Path | None, saved: dict[str, Any]) -> None:
        self.world = world
        self.courier = Courier(world)
        self.timeline = Timeline(world, self.courier)
        self.graph = Graph(world, self.courier)
        self.refuse: Refuse = _cannot_refuse
        self.journal = keeping.Journal(state, saved.get("journal", 0)) if state else None
        keeping.resume(saved, self.timeline, self.courier, self.journal)
        self.asgi: ASGIApp = Front(
            world,
            self.timeline,
            self.journal,
            Starlette(routes=self._routes(), lifespan=self._lifespan, exception_handlers={404: _unknown_path}),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.asgi(scope, receive, send)

    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not (self.timeline.due or self.courier.waiting or self.graph.reviews)

    def keep(self) -> None:
        """Write the state file now, where there is one."""
        if self.journal:
            keeping.save(self.journal, self.timeline, self.courier)

    def forget(self) -> None:
        """Empty phones, counts and faults, and whatever is on its way."""
        self.timeline.due.clear()
        self.courier.forget()
        self.world.forget()

    def _routes(self) -> list[BaseRoute]:
        return [Route("/healthz", _healthy), *control.routes(self), *phones.routes(self), *self.graph.routes()]

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        work = [self.timeline.run(), self.courier.run()]
        self.keep()  # what the last journal said, and a new one
        if self.journal:
            work.append(keeping.keep(self.journal, self.timeline, self.courier))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.keep()
            if self.journal:
                self.journal.close()


def create_app(given: str | Path | dict[str, Any] | None = None, *, state: Path | None = None) -> Simulator:
    """A simulator. `given`: a setup (file or object) upon the default; `state`: the file to go on from and to keep."""
    world, saved = keeping.load(state) if state else (setup.seed(), {})
    if given is not None:
        setup.configure(world, setup.read(given))
    return Simulator(world, state, saved)


async def _unknown_path(request: Request, _: Exception) -> Response:
    refusal = refusals.Refusal(2500, f"Unknown path components: {request.url.path}")
    return Response(refusal.body(), 404, media_type="application/json")


async def _healthy(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


async def _cannot_refuse(_: float) -> None:
    raise ValueError("this server cannot stop listening: run it with `pregon simulator`")
