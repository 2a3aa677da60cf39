"""Tutorial 04 from its first step to its last, in a real Chromium against `pregon run`, on a desktop and on a phone."""

import csv
import io

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium
from tests.browser.panel import Panel, attachment
from tests.browser.virtual_phone import VirtualPhone
from tests.walks.people import ENDINGS
from tests.walks.running import PROVIDER

pytestmark = pytest.mark.timeout(900)
SUBJECT = "Rosca de Reyes con 15% menos"
BUCKETS = ("Aceptados", "Fallidos", "Omitidos", "Por confirmar")


def test_the_whole_tutorial(panel: Panel, browser: Browser) -> None:
    name = f"Rosca para {panel.sheet.tag}"
    panel.sign_in()
    before = panel.quota()
    loads_contacts(panel)
    assert panel.gather(f"Con permiso, {panel.sheet.tag}") == 11
    panel.write(name, SUBJECT)
    result = sends(panel, name)
    address = panel.page.url
    reads_the_result(panel, result)
    the_quota_agrees(panel, before, result)
    answers_baja(panel)
    leaves_out_those_who_said_no(panel, name, result)
    the_guide_has_its_checklist(panel)
    reports_a_problem(panel, browser, address)


def loads_contacts(panel: Panel) -> None:
    """Carga o revisa contactos: every row is accounted for, before anything is saved."""
    panel.upload("clientes.csv", panel.sheet.csv())
    assert panel.account_of_rows() == ([12, 2], 14)
    panel.says("La misma persona, más arriba en el archivo")
    panel.keep()
    panel.titled("Guardamos 12 contactos")
    panel.upload("clientes.xlsx", panel.sheet.workbook())
    assert panel.account_of_rows() == ([1, 1], 2)
    panel.keep()
    panel.titled("Guardamos 1 contacto")


def sends(panel: Panel, name: str) -> dict[str, int]:
    """Prepara, revisa, firma, envía; returns the card."""
    panel.prepare(name, panel.sheet.tag)
    omissions = panel.open_omissions()
    panel.sign_and_send()
    result = panel.result()
    assert result["personas"] == 13
    assert result["omitidos"] == sum(omissions.values()) == 2
    assert result["fallidos"] >= 3  # no WhatsApp, had too many, refused at once
    return result


def reads_the_result(panel: Panel, result: dict[str, int]) -> None:
    """Every bucket opens to its people; the export has everybody."""
    address = panel.page.url
    for bucket in BUCKETS:
        panel.page.goto(address)
        now = panel.result()
        panel.page.get_by_role("article").get_by_role("link", name=bucket).click()
        panel.titled(bucket)
        expect(panel.page.locator("tbody tr")).to_have_count(now[bucket.lower()])
    panel.page.goto(address)
    with panel.page.expect_download() as download:
        panel.follow("Exportar")
    text = download.value.path().read_text(encoding="utf-8-sig")
    names = [row["Nombre"] for row in csv.DictReader(io.StringIO(text))]
    assert len(names) == result["personas"]
    assert set(ENDINGS.values()) < set(names)


def the_quota_agrees(panel: Panel, before: dict[str, int], result: dict[str, int]) -> None:
    """Mi suscripción: used is aceptados, reserved is what waits for confirmation."""
    after = panel.quota()
    change = {name: after[name] - before[name] for name in after}
    assert change["límite de tu plan"] == 0
    assert change["usados"] == result["aceptados"]
    assert change["reservados"] == result["por confirmar"]


def answers_baja(panel: Panel) -> None:
    """One taps the button, two write the word, one of them without showing a number; each one's history tells it."""
    panel.go("Modo práctica")
    with panel.context.expect_page() as opened:
        panel.follow("Ver los celulares")
    phone = VirtualPhone(opened.value, panel.sheet, "0000")
    expect(phone.chat).to_contain_text(SUBJECT)
    phone.tap("No recibir promociones")
    phone.leave()
    for ending in ("0005", "0012"):
        phone = VirtualPhone(opened.value, panel.sheet, ending)
        phone.write("BAJA")
        phone.leave()
    opened.value.close()
    panel.find("0000")
    panel.says("Tocó «No recibir promociones»")
    for ending in ("0005", "0012"):
        panel.find(ending)
        panel.says("Respondió BAJA")
    reads_the_history(panel)


def reads_the_history(panel: Panel) -> None:
    """All of it, then the messages alone, then the permission alone, without leaving the page."""
    history = panel.page.get_by_role("region", name="Historia")
    for part, there, missing in (
        ("Mensajes", "«BAJA»", "Se apuntó en la tienda"),
        ("Permiso", "Se apuntó en la tienda", "«BAJA»"),
    ):
        history.get_by_role("link", name=part).click()
        expect(history.get_by_role("link", name=part)).to_have_attribute("aria-current", "true")
        expect(history).to_contain_text(there)
        expect(history).not_to_contain_text(missing)


def leaves_out_those_who_said_no(panel: Panel, name: str, first: dict[str, int]) -> None:
    """The same promotion again: three withdrew, the others have it; who never got it may."""
    panel.prepare(name, panel.sheet.tag)
    omissions = panel.open_omissions()
    assert omissions["De baja"] == 3
    assert omissions["Ya recibieron"] == first["aceptados"] + first["por confirmar"] - 3
    panel.sign_and_send()
    result = panel.result()
    assert result["omitidos"] == sum(omissions.values())
    panel.page.get_by_role("article").get_by_role("link", name="Omitidos").click()
    expect(panel.page.get_by_role("row", name=ENDINGS["0000"])).to_contain_text("De baja")


def the_guide_has_its_checklist(panel: Panel) -> None:
    """Guías: all four ticks are there, from data."""
    panel.go("Guías")
    for tick in (
        "Contactos revisados",
        "Cupo disponible confirmado",
        "Vista previa aprobada",
        "Resultado de envío revisado",
    ):
        expect(panel.page.get_by_role("listitem").filter(has_text=tick)).to_contain_text("hecho")


def reports_a_problem(panel: Panel, browser: Browser, address: str) -> None:
    """From a failed message to a case with what is known written already; the provider answers, the person reads it."""
    page = panel.page
    page.goto(address)
    page.get_by_role("article").get_by_role("link", name="Fallidos").click()
    page.get_by_role("row", name=ENDINGS["0013"]).get_by_role("link", name="Reportar").click()
    panel.titled("Reportar un problema")
    panel.says("Código de Meta 131009")
    expect(page.get_by_label("Correo")).to_have_value(panel.running.user)
    expect(page.get_by_label("Módulo")).not_to_have_value("")
    detail = f"Elsa dice que no le llegó. {panel.sheet.tag}"
    page.get_by_label("Detalle del caso").fill(detail)
    page.get_by_label("Adjunto").set_input_files(attachment())
    panel.press("Crear caso")
    panel.says("Creamos tu caso")
    panel.says("captura.png")
    answer(browser, panel, detail)
    page.reload()
    panel.says("Ya lo vimos")


def answer(browser: Browser, panel: Panel, detail: str) -> None:
    """The provider, at a desk."""
    context = chromium.opened(browser, 1280)
    troubles = chromium.Troubles(context)
    provider = Panel(context, panel.running, panel.sheet)
    provider.sign_in(PROVIDER, "/staff/")
    provider.follow(detail[:20])
    provider.says("captura.png")
    provider.says("131009")
    provider.page.get_by_label("Respuesta").fill("Ya lo vimos: el dato iba vacío.")
    provider.page.get_by_role("button", name="Responder", exact=True).click()
    provider.says("Ya lo vimos")
    context.close()
    assert not troubles.found
