"""Tutorial 04 over HTTP, against the processes of `pregon run`: with failures, omissions and webhooks that come late."""

from typing import Any

import pytest

from tests.walks import person
from tests.walks.people import ENDINGS, Sheet
from tests.walks.person import Person
from tests.walks.running import Running, wait

pytestmark = pytest.mark.timeout(900)
PROMOTION = "Charolas para tu posada"


def test_a_sending_whose_webhooks_come_late(running: Running) -> None:
    lucia, sheet = Person(running), Sheet("Clientes de abril", "846")
    lucia.load(sheet)
    assert "Guardamos 12 contactos" in lucia.text
    lucia.prepare(PROMOTION, sheet.tag)
    assert "Nada sale hasta que firmes" in lucia.text
    running.ask("faults", {"hold": True})
    try:
        before = sends(lucia, running)
    finally:
        running.ask("faults", {})
    after = wait(lambda: (told := person.results(running, before["broadcast"]))["buckets"]["unconfirmed"] == 1 and told)
    assert after["buckets"] == before["buckets"] | {"accepted": 7 - 1, "failed": 3, "unconfirmed": 1}
    wait(lambda: person.results(running, before["broadcast"])["read"])
    the_panel_tells_the_same(lucia, after)
    nobody_twice(running, sheet)


def sends(lucia: Person, running: Running) -> dict[str, Any]:
    """Signed and sent; while Meta says nothing more, what it answered is what is known."""
    lucia.sign()
    assert "Ya está aprobado" in lucia.text
    told = person.ended(running, lucia.send())
    # Of ten, one was refused at once; of two the answer was lost; two will fail, which nobody knows yet.
    assert told["buckets"] == {"accepted": 7, "failed": 1, "omitted": 2, "unconfirmed": 2, "waiting": 0}
    assert told["delivered"] == told["read"] == 0
    return told


def the_panel_tells_the_same(lucia: Person, told: dict[str, Any]) -> None:
    lucia.get(f"/envios/{told['broadcast']}/")
    assert "Resultado del envío" in lucia.text
    assert "La cuenta cuadra" in lucia.text
    lucia.get(f"/envios/{told['broadcast']}/resultado/failed/")
    assert all(ENDINGS[ending] in lucia.text for ending in ("0001", "0002", "0013"))
    assert all(code in lucia.text for code in ("131026", "131049", "131009"))
    lucia.get(f"/envios/{told['broadcast']}/resultado.csv")
    assert all(name in lucia.html for name in ENDINGS.values())


def nobody_twice(running: Running, sheet: Sheet) -> None:
    for ending in ("0000", "0005", "0008", "0014"):
        assert running.ask(f"phones/{sheet.wa_id(ending)}")["messages"] == 1
    assert running.ask("received")["duplicates"] == []
