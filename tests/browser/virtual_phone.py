"""The page with the virtual phones, where a person answers what arrived."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.walks.people import Sheet


class VirtualPhone:
    """The phone of one customer."""

    def __init__(self, page: Page, sheet: Sheet, ending: str) -> None:
        self.page = page
        page.get_by_label("Busca por nombre o celular").fill(sheet.mobile(ending))
        page.get_by_role("button", name="Buscar").click()
        page.get_by_role("link", name=sheet.shown(ending)).click()

    @property
    def chat(self) -> Locator:
        return self.page.get_by_role("log")

    def tap(self, button: str) -> None:
        self._answer(lambda: self.chat.get_by_role("button", name=button).click())

    def write(self, words: str) -> None:
        self.page.get_by_role("textbox", name=re.compile("^Escribe como")).fill(words)
        self._answer(lambda: self.page.get_by_role("button", name="Enviar", exact=True).click())
        expect(self.chat).to_contain_text(words)

    def leave(self) -> None:
        """Back to the list, which on a narrow screen is a page of its own."""
        if (back := self.page.get_by_role("link", name="Todos los celulares")).is_visible():
            back.click()

    def _answer(self, act: Callable[[], None]) -> None:
        before = self.chat.locator(".bub.out").count()
        act()
        expect(self.chat.locator(".bub.out")).to_have_count(before + 1)
