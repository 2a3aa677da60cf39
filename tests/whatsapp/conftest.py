"""A simulator that answers over HTTP, and the product pointed at it."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pregon.simulator import app, server
from pregon.simulator.app import Simulator


@pytest.fixture
def simulator(settings: Any) -> Iterator[Simulator]:
    """Both Meta and the practice WhatsApp are this one. It stops with the test."""
    made = app.create_app()
    made.world.settings.callback = ""
    served = server.Server(made)
    thread = threading.Thread(target=lambda: asyncio.run(served.serve_here()), daemon=True)
    thread.start()
    settings.GRAPH_URL = settings.SIMULATOR_URL = f"http://127.0.0.1:{served.port}"
    yield made
    served.should_exit = True
    thread.join(10)
