"""The receiver as Meta meets it: a real process, real HTTP, rows in PostgreSQL before the 200."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from pregon.webhooks.app import MAX_BYTES, PATH
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import signature
from tests import databases
from tests.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)
SECRET, TOKEN = "app-secret", "palabra-de-paso"


class Receiver:
    """A line to the process under test."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as line:
            line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = line.getresponse()
            return answer.status, answer.read()

    def post(self, body: bytes, secret: str = SECRET) -> int:
        return self.ask("POST", PATH, body, X_Hub_Signature_256=signature.sign(secret, body))[0]


@pytest.fixture
def receiver(home: Path) -> Iterator[Receiver]:
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": databases.url(),
        "PREGON_HOME": str(home),
        "PREGON_META_APP_SECRET": SECRET,
        "PREGON_META_VERIFY_TOKEN": TOKEN,
    }
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "pregon.webhooks.app:application",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(command, env=environment)
    line = Receiver(port)
    try:
        wait_for(line)
        yield line
    finally:
        process.terminate()
        process.wait(10)


def wait_for(line: Receiver) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert line.ask("GET", "/healthz") == (200, b"ok")
            return
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def bodies() -> list[bytes]:
    return [bytes(body) for body in Arrival.objects.order_by("id").values_list("body", flat=True)]


def test_meta_checks_the_address(receiver: Receiver) -> None:
    query = f"?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={TOKEN}"
    assert receiver.ask("GET", PATH + query) == (200, b"1158201444")
    assert receiver.ask("GET", PATH + query.replace(TOKEN, "otra"))[0] == 403
    assert receiver.ask("GET", PATH + query.replace("subscribe", "x"))[0] == 403
    assert receiver.ask("GET", PATH)[0] == 403


def test_signed_is_kept_as_it_came(receiver: Receiver) -> None:
    raw = b'{"object":"whatsapp_business_account", "entry":[{"id":"\\u00e1\\/"}] }'
    assert receiver.post(raw) == 200
    assert bodies() == [raw]


@pytest.mark.parametrize("raw", [b"", b"{not json", b"\x00\xff\xfe", json.dumps({"object": "something_new"}).encode()])
def test_whatever_is_signed_is_kept(receiver: Receiver, raw: bytes) -> None:
    assert receiver.post(raw) == 200
    assert bodies() == [raw]


def test_a_wrong_signature_is_refused_and_not_kept(receiver: Receiver) -> None:
    assert receiver.post(b"{}", secret="otro") == 403
    assert receiver.ask("POST", PATH, b"{}")[0] == 403
    assert receiver.ask("POST", PATH, b"{}", X_Hub_Signature_256="sha256=é")[0] == 403
    assert bodies() == []


def test_more_than_meta_sends_is_refused(receiver: Receiver) -> None:
    try:
        assert receiver.post(b"x" * (MAX_BYTES + 1)) == 413
    except ConnectionError:
        pass  # answered and closed before all of it was sent
    assert receiver.post(b"{}") == 200


def test_other_addresses(receiver: Receiver) -> None:
    assert receiver.ask("GET", "/")[0] == 404
    assert receiver.ask("PUT", PATH)[0] == 404


def test_many_at_once_are_all_kept(receiver: Receiver) -> None:
    raws = [json.dumps({"n": n}).encode() for n in range(300)]
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(receiver.post, raws)) == {200}
    assert sorted(bodies()) == sorted(raws)


def test_it_goes_on_after_its_database_session_was_ended(receiver: Receiver) -> None:
    assert receiver.post(b"{}") == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    statuses: list[Any] = [receiver.post(b"{}") for _try in range(3)]
    assert statuses[-1] == 200
    assert set(statuses) <= {200, 503}
    assert len(bodies()) == 1 + statuses.count(200)  # 200 is never said of what was lost


def test_the_secrets_are_not_the_settings_own() -> None:
    assert SECRET not in settings.META_APP_SECRETS
