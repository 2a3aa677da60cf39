"""What goes wrong outside: a clear status or sentence, and nothing is lost."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.walks import person
from tests.walks.people import Sheet
from tests.walks.person import Person
from tests.walks.running import Running, wait

pytestmark = pytest.mark.timeout(900)
PROMOTION = "Charolas para tu posada"
PAYLOADS = Path(__file__).parents[1] / "payloads"


def deliver(running: Running, raw: bytes, *, signed: bool = True) -> int:
    """A webhook as Meta posts it; the status of the answer."""
    secret = (running.home / "secrets" / "simulator_app_secret").read_bytes().strip() if signed else b"otro"
    mark = "sha256=" + hmac.new(secret, raw, hashlib.sha256).hexdigest()
    request = urllib.request.Request(running.webhooks, raw, {"X-Hub-Signature-256": mark})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_webhooks_that_nobody_understands_stop_nothing(running: Running) -> None:
    unknown = json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "luna"}]}]}
    )
    assert deliver(running, unknown.encode(), signed=False) == 403
    assert deliver(running, unknown.encode()) == 200
    assert deliver(running, b"{no es JSON") == 200
    assert deliver(running, b"\x00\xff") == 200
    assert deliver(running, (PAYLOADS / "unknown_field.json").read_bytes()) == 200
    assert deliver(running, (PAYLOADS / "without_entries.json").read_bytes()) == 200
    lucia = ready(running, Sheet("Clientes de junio", "848"))
    told = person.ended(running, lucia.send())
    wait(lambda: person.results(running, told["broadcast"])["read"])  # what came behind them is read


def test_meta_is_down_for_a_while(running: Running) -> None:
    """Nobody is written to twice, nobody is forgotten: what never left is tried again."""
    sheet = Sheet("Clientes de julio", "849")
    lucia = ready(running, sheet)
    running.ask("faults", {"refuse_seconds": 4})
    broadcast = lucia.send()
    with pytest.raises(urllib.error.URLError):
        running.ask("received")
    told = person.ended(running, broadcast)
    assert told["buckets"]["accepted"] >= 6
    assert running.ask(f"phones/{sheet.wa_id('0000')}")["messages"] == 1
    assert running.ask("received")["duplicates"] == []


def test_a_token_that_meta_refuses(running: Running) -> None:
    """Nothing is saved, and the sentence says what to do."""
    lucia = Person(running)
    lucia.get("/ajustes/numero/")
    given = {"phone_number_id": "106540352242922", "waba_id": "102290129340398", "token": "un-token-equivocado"}
    lucia.post("/ajustes/numero/", **given)
    assert lucia.status == 422
    assert "No se guardó nada" in lucia.text
    assert "un-token-equivocado" not in lucia.html + running.log.read_text()


def test_a_file_that_is_no_table(running: Running) -> None:
    lucia = Person(running)
    for content in (b"%PDF-1.7 \x00\x01\x02" * 50, b"", b"\x00" * 300):
        lucia.get("/contactos/importar/")
        lucia.post("/contactos/importar/", file=content)
        assert lucia.path == "/contactos/importar/"
        assert 'aria-invalid="true"' in lucia.html


def ready(running: Running, sheet: Sheet) -> Person:
    """Before a signed review for the people of a sheet of their own."""
    lucia = Person(running)
    lucia.load(sheet)
    lucia.prepare(PROMOTION, sheet.tag)
    lucia.sign()
    return lucia
