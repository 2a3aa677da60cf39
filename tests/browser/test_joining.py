"""Someone joins on their phone: the page follows by itself what they do in WhatsApp."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import chromium, pages
from tests.browser.panel import Panel
from tests.walks.running import Running

pytestmark = pytest.mark.timeout(900)


def test_the_page_follows_the_message(panel: Panel, browser: Browser, running: Running, width: int) -> None:
    panel.sign_in()
    panel.open_for_joining()
    context = chromium.opened(browser, width)
    troubles = chromium.Troubles(context)
    page = context.new_page()
    page.goto(running.address + pages.JOIN)
    page.get_by_label("Tu nombre").fill("Nora Nueva")
    page.get_by_label("Tu celular").fill(panel.sheet.mobile("0340"))
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Seguir en WhatsApp").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Falta un paso")
    expect(page.get_by_role("link", name="Abrir WhatsApp y enviarlo")).to_have_attribute(
        "href", re.compile(r"^https://wa\.me/\d+\?text=ALTA%20[2-9B-Z]{8}$")
    )
    word = page.locator(".p-word").inner_text()
    running.ask(f"phones/{panel.sheet.wa_id('0340')}/reply", {"text": word})
    expect(page.get_by_role("heading", level=1)).to_have_text("Ya estás en la lista")
    assert not chromium.sideways(page)
    context.close()
    assert not troubles.found
