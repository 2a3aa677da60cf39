"""A simulator on a port of its own, and a receiver for its webhooks; both in threads of this process."""

import asyncio
import hmac
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from pregon.simulator import app, server, setup
from pregon.whatsapp.cloud import events, signature

SECRET = "a secret of the test"
NUMBER, WABA, TOKEN = setup.NUMBER_ID, setup.WABA_ID, setup.TOKEN
QUICK = {"delay": 0.02, "failed": 0.0, "app_secret": SECRET}


@dataclass
class Running:
    """A simulator that answers at `url`."""

    simulator: app.Simulator
    url: str
    stop: Callable[[], None]

    def ask(self, path: str, given: Any = None, *, method: str = "", token: str = TOKEN) -> tuple[int, Any]:
        """Status and JSON of one call; a body makes it a POST."""
        data = None if given is None else orjson.dumps(given)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.url + path, data, headers, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, orjson.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, orjson.loads(error.read())

    def send(self, to: str, reference: str = "", **message: Any) -> tuple[int, Any]:
        """One message; without more, the promotion that the simulator knows."""
        body = {"messaging_product": "whatsapp", "to": to, "biz_opaque_callback_data": reference} | (
            message or PROMOTION
        )
        return self.ask(f"/v26.0/{NUMBER}/messages", body)

    def quiet(self) -> None:
        """Wait until all that was on its way has happened."""
        assert self.ask("/_sim/wait?seconds=15")[1] == {"quiet": True}


PROMOTION = {
    "type": "template",
    "template": {
        "name": "promo_general",
        "language": {"code": "es_MX"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "Posada"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "ven hoy."}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "0",
                "parameters": [{"type": "payload", "payload": "r:baja"}],
            },
        ],
    },
}


@dataclass
class Inbox:
    """What the webhook receiver got. `answers` are the statuses it gives first; then 200."""

    url: str = ""
    posts: list[bytes] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    unsigned: int = 0

    @property
    def events(self) -> list[events.Event]:
        return [event for raw in self.posts for event in events.parse(orjson.loads(raw))]

    def statuses(self, reference: str) -> list[str]:
        return [
            event.status
            for event in self.events
            if isinstance(event, events.StatusEvent) and event.reference == reference
        ]

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.events
            time.sleep(0.01)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status = made.answers.pop(0) if made.answers else 200
            if not hmac.compare_digest(signature.sign(SECRET, raw), self.headers[signature.HEADER]):
                made.unsigned += 1
            if status == 200:
                made.posts.append(raw)
            self._answer(status, b"")

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            known = query["hub.verify_token"] == ["right"]
            self._answer(200 if known else 403, query["hub.challenge"][0].encode() if known else b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as receiver:
        made.url = f"http://127.0.0.1:{receiver.server_address[1]}/webhooks"
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        receiver.shutdown()
        thread.join()


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts simulators; `start(setup, state=path)`. They stop with the test, or by `stop()`."""
    stops: list[Callable[[], None]] = []

    def begin(given: Any = None, *, state: Path | None = None) -> Running:
        made = app.create_app(given, state=state)
        here = server.Server(made)
        thread = threading.Thread(target=asyncio.run, args=(here.serve_here(),))
        thread.start()

        def stop() -> None:
            here.should_exit = True
            thread.join()

        stops.append(stop)
        running = Running(made, f"http://127.0.0.1:{here.port}", stop)
        wait_for(running)
        return running

    yield begin
    for stop in stops:
        stop()


def wait_for(running: Running) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(running.url + "/healthz", timeout=2):
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def meta(start: Callable[..., Running], inbox: Inbox) -> Running:
    """A quick simulator that tells `inbox`."""
    return start({"settings": QUICK | {"callback": inbox.url}})
