"""The page with the virtual phones in a real Chromium: live, by thumb and by mouse, light and dark, for everyone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.simulator.conftest import Running

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {390: 844, 1280: 900}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, meta: Running) -> Iterator[Page]:
    """A page that fails the test for any error in its console and any failed request."""
    context = chromium.new_context(locale="es-MX", viewport={"width": 390, "height": 844}, base_url=meta.url)
    opened, troubles = context.new_page(), []
    opened.on("console", lambda line: troubles.append(line.text) if line.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "requestfailed", lambda request: troubles.append(request.url) if request.failure != "net::ERR_ABORTED" else None
    )
    yield opened
    context.close()
    assert not troubles


def test_a_promotion_arrives_and_is_answered(page: Page, meta: Running) -> None:
    meta.ask("/_sim/phones/+522225550000", {"name": "Mariana"})
    page.goto("/?celular=5212225550000")
    expect(page.get_by_text("Sin mensajes todavía")).to_be_visible()
    meta.send("+522225550000", "r")
    expect(page.get_by_role("log").get_by_text("Hola Ana, ven hoy.")).to_be_visible()
    page.get_by_role("button", name="No recibir promociones").click()
    expect(page.locator(".bub.out")).to_have_count(1)
    page.get_by_label("Escribe como Mariana").fill("BAJA")
    page.get_by_role("button", name="Enviar").click()
    expect(page.locator(".bub.out")).to_have_count(2)
    expect(page.locator("#avisos").get_by_text("Mariana respondió.").first).to_be_visible()
    assert [message["body"] for message in meta.ask("/_sim/phones/5212225550000")[1]["chats"].popitem()[1][1:]] == [
        "No recibir promociones",
        "BAJA",
    ]


def test_on_a_phone_the_list_leads_to_the_chat_and_back(page: Page, meta: Running) -> None:
    meta.send("+522225552100", "r")
    page.goto("/")
    expect(page.locator(".wa")).to_be_hidden()
    page.get_by_role("link", name="+52 222 555 2100").click()
    expect(page.locator(".wa")).to_be_visible()
    page.get_by_role("link", name="Todos los celulares").click()
    expect(page.get_by_role("link", name="+52 222 555 2100")).to_be_visible()


def test_without_script_the_forms_still_work(chromium: Browser, meta: Running) -> None:
    meta.send("+522225552100", "r")
    meta.quiet()
    context = chromium.new_context(java_script_enabled=False, base_url=meta.url)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="Escribir BAJA").click()
    expect(page.locator(".bub.out")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_everyone_can_use_it(chromium: Browser, meta: Running, width: int, scheme: str) -> None:
    for ending in ("2100", "0001", "0007"):
        meta.send(f"+52222555{ending}", ending)
    meta.quiet()
    context = chromium.new_context(
        viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, bypass_csp=True, base_url=meta.url
    )
    page = context.new_page()
    for address in (
        "/",
        "/?celular=5212225552100",
        "/?celular=5212225550001",
        "/?celular=5212225550007",
        "/?q=nadie",
        "/?aviso=numero",
    ):
        page.goto(address)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        page.add_script_tag(path=AXE)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), address
    context.close()
