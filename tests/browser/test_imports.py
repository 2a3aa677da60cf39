"""A file with every trouble, dropped on the page; and cells, pasted: by hand, as people do it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium
from tests.browser.panel import Panel
from tests.walks.people import Sheet
from tests.walks.running import Running

pytestmark = pytest.mark.timeout(900)
TROUBLES = """\
Clientes de La Espiga;;;;;;;
;;;;;;;
Nombre;Teléfono;Teléfono;Correo;Cumpleaños;Compras;Vegetariana;Sucursal
  Ana   López  ;222 555 0711;;ana@example.com;03/04/1990;1,200.50;sí;Centro
Beto 🥖;+52-222-555-0712;;beto@;04/05/1991;doce;a veces;CENTRO
Carla;5.1987E+10;;-;31/02/1990;7;no;Norte
Dora;222 555 07;;;n/a;;;
;222 555;;;;;;
Eva;222 555 0713 / 222 555 0714;;eva@example.com;;15;sí;Sur
Ana L.;0052 222 555 0711;;;;;;
"""


@pytest.fixture
def panel(browser: Browser, running: Running, width: int) -> Iterator[Panel]:
    context = chromium.opened(browser, width, permissions=["clipboard-read", "clipboard-write"])
    troubles = chromium.Troubles(context)
    yield Panel(context, running, Sheet("Importadas", "711"))
    context.close()
    assert not troubles.found


@pytest.mark.parametrize("width", [390])  # once: the columns are remembered
def test_a_dropped_file_with_every_trouble(panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "clientes de siempre.csv"
    path.write_text(TROUBLES)
    page = panel.page
    panel.sign_in(path="/contactos/importar/")
    drop(panel, path)
    panel.says("clientes de siempre.csv")
    panel.press("Revisar")
    panel.titled("¿Qué es cada columna?")
    panel.says("Dinos si en «Cumpleaños» va primero el día o el mes.")
    page.get_by_label("Qué es la columna Cumpleaños").select_option(label="Fecha: día/mes/año")
    page.get_by_label("Qué es la columna Compras").select_option(label="Número")
    page.get_by_label("Qué es la columna Vegetariana").select_option(label="Sí o no")
    assert not chromium.sideways(page)
    panel.press("Revisar con estas columnas")
    panel.titled("Revisa antes de guardar")
    assert panel.account_of_rows()[1] == 7
    panel.says("Celdas que no se guardan como están")
    for told in (
        "«beto@»",
        "«31/02/1990»",
        "«doce»",
        "«a veces»",
        "Los títulos sobre la tabla no se leen.",
        "aparece más de una vez",
    ):
        panel.says(told)
    assert not chromium.sideways(page)
    with page.expect_download() as told:
        page.get_by_role("link", name="Descargar las 5").click()
    assert Path(told.value.path()).read_text("utf-8-sig").count("\n") == 6
    panel.keep()
    panel.follow("Ver contactos")
    panel.says("Ana López")


def drop(panel: Panel, path: Path) -> None:
    """What a person's hand does with a file: events that Chromium trusts."""
    box = panel.page.locator("[data-drop]").bounding_box()
    assert box
    hand = panel.context.new_cdp_session(panel.page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        hand.send("Input.dispatchDragEvent", {"type": kind, "data": data, **at})


@pytest.mark.parametrize("width", [1280])
def test_pasted_cells(panel: Panel) -> None:
    """From a sheet's clipboard, which joins cells by tabs."""
    panel.sign_in(path="/contactos/importar/")
    page = panel.page
    cells = "Nombre\tCelular\tNota\nRita\t222 555 0733\ta, b; c\n"
    page.evaluate("cells => navigator.clipboard.writeText(cells)", cells)
    page.get_by_label("O pega aquí las celdas").focus()
    page.keyboard.press("Control+V")
    panel.press("Revisar")
    panel.titled("Revisa antes de guardar")
    assert panel.account_of_rows()[1] == 1
    panel.keep()
    page.goto(panel.running.address + "/contactos/?q=rita")
    panel.follow("Rita")
    expect(page.get_by_text("a, b; c")).to_be_visible()
