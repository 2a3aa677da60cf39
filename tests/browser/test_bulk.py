"""The bar of acts for chosen people: on a phone, too, it says in words what each does, and has all of them."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import sideways
from tests.browser.panel import Panel

pytestmark = pytest.mark.timeout(900)


def test_the_bar_says_what_each_act_is(panel: Panel) -> None:
    panel.sign_in(path="/contactos/")
    panel.page.get_by_role("checkbox", name="Elegir a ").and_(panel.page.locator("[data-pick]")).first.check()
    bar = panel.page.get_by_role("region", name="Con las personas elegidas")
    for words in ("Etiquetar", "Registrar permiso", "Dar de baja", "Eliminar", "Descargar"):
        expect(bar.get_by_text(words, exact=True)).to_be_visible()
    assert not sideways(panel.page)
