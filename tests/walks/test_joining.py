"""Someone joins by the page: a form, their own message, and then a promotion reaches them; and they leave."""

import re
from html import unescape

import pytest

from tests.walks import person
from tests.walks.people import Sheet
from tests.walks.person import Person, Visitor
from tests.walks.running import Running, wait

pytestmark = pytest.mark.timeout(900)
PROMOTION = "Charolas para tu posada"


def test_from_the_form_to_a_promotion_and_out_again(running: Running) -> None:
    lucia, sheet = Person(running), Sheet("Vienen solos", "867")
    phone = f"phones/{sheet.wa_id('0000')}"
    lucia.get("/ajustes/alta/")
    lucia.post("/ajustes/alta/", title="Entérate primero", text="Quiero sus promociones.", asks_name="on", enabled="on")
    link = re.search(r'href="(/alta/[\w-]+/)"', lucia.html)
    assert link, lucia.text

    visitor = Visitor(running)
    visitor.get(link[1])
    assert "Entérate primero" in visitor.text and "Quiero sus promociones." in visitor.text
    version = re.search(r'name="version" value="(\d+)"', visitor.html)
    assert version
    visitor.post(link[1], name="Nora Nueva", mobile=sheet.mobile("0000"), accepted="on", version=version[1])
    word = re.search(r"ALTA [2-9B-Z]{8}", visitor.text)
    assert word and "wa.me" in unescape(visitor.html), visitor.text
    lucia.get(f"/contactos/?q={sheet.mobile('0000').replace(' ', '')}")
    assert "Nora Nueva" not in lucia.text

    running.ask(f"{phone}/reply", {"text": word[0]})
    wait(lambda: "Ya estás en la lista" in visitor.get(visitor.path))
    lucia.get(f"/contactos/?q={sheet.mobile('0000').replace(' ', '')}")
    nora = re.search(r'href="(/contactos/\d+/)"', lucia.html)
    assert nora and "Nora Nueva" in lucia.text
    lucia.get(nora[1])
    assert "Con permiso" in lucia.text and "Aceptó en un formulario" in lucia.text and "Entérate primero" in lucia.text

    before = running.ask(phone)["messages"]
    lucia.get(f"{nora[1]}editar/")
    lucia.post(f"{nora[1]}editar/", name="Nora Nueva", mobile=sheet.mobile("0000"), tags=sheet.tag)
    lucia.prepare(PROMOTION, sheet.tag)
    lucia.sign()
    told = person.ended(running, lucia.send())
    assert told["buckets"]["accepted"] == told["people"] == 1
    assert running.ask(phone)["messages"] == before + 1

    visitor.get(link[1].replace("/alta/", "/baja/"))
    visitor.post(visitor.path, mobile=sheet.mobile("0000"))
    assert "ya no te manda promociones" in visitor.text
    lucia.get(nora[1])
    assert "Pidió su baja en un formulario" in lucia.text
