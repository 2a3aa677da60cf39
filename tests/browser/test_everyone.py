"""Everyone can use every page: axe-core finds nothing, nothing scrolls sideways, nothing fails; signed in, signed out, staff."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, pages
from tests.browser.panel import Panel
from tests.walks.people import Sheet
from tests.walks.running import PROVIDER, Running

pytestmark = pytest.mark.timeout(900)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = {390: "dark", 1280: "light"}  # colours are tokens: either scheme once, either width once
Kept = dict[str, object]  # a session, as Playwright stores it


@pytest.fixture(scope="module")
def furnished(browser: Browser, running: Running) -> dict[str, Kept]:
    """The sessions of the owner, who has something on every page, and of the provider."""
    kept: dict[str, Kept] = {"nobody": {}}
    for who, user, path in (("owner", running.user, "/"), ("provider", PROVIDER, "/staff/")):
        context = chromium.opened(browser, 1280)
        panel = Panel(context, running, Sheet("Feria de marzo", "845"))
        panel.sign_in(user, path)
        if who == "owner":
            pages.furnish(panel, panel.sheet.tag)
        kept[who] = dict(context.storage_state())
        context.close()
    return kept


@pytest.fixture(params=LOOKS, ids=["phone", "desktop"])
def look(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.mark.parametrize("who", ["owner", "provider", "nobody"])
def test_every_page(browser: Browser, running: Running, furnished: dict[str, Kept], who: str, look: int) -> None:
    starts = {"owner": pages.STARTS, "provider": ("/staff/",), "nobody": pages.SIGNED_OUT}[who]
    # axe is injected past the policy, in a context of its own: what the policy stops is seen by the tutorial's walk.
    context = chromium.opened(
        browser, look, bypass_csp=True, color_scheme=LOOKS[look], storage_state=furnished[who] or None
    )
    page, complaints = context.new_page(), []
    for path in pages.found(context, running.address, starts):
        page.goto(running.address + path)
        complaints += [f"{path}: {complaint}" for complaint in _complaints(page)]
    context.close()
    assert complaints == []


def _complaints(page: Page) -> Iterator[str]:
    page.add_script_tag(path=AXE)
    for rule in page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]:
        yield f"{rule['id']}: {[node['html'][:200] for node in rule['nodes']]}"
    if chromium.sideways(page):
        yield "scrolls sideways"


def test_signed_out(browser: Browser, running: Running, look: int) -> None:
    """A case without an account: a thread behind a signed address; the panel stays closed."""
    context = chromium.opened(browser, look)
    troubles = chromium.Troubles(context)
    page = context.new_page()
    page.goto(running.address + "/contactos/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Entra a tu panel")
    page.get_by_role("link", name="Reportar un problema").click()
    page.get_by_label("Módulo").select_option(index=1)
    page.get_by_label("Detalle del caso").fill("No puedo entrar desde mi celular nuevo.")
    page.get_by_label("Correo").fill(f"visita{look}@ejemplo.example")
    page.get_by_role("button", name="Crear caso").click()
    expect(page.get_by_text("Creamos tu caso")).to_be_visible()
    expect(page.get_by_text("No puedo entrar desde mi celular nuevo.").first).to_be_visible()
    context.close()
    assert not troubles.found
