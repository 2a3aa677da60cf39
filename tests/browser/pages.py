"""Every page that links lead to, one of each kind: nobody keeps a list of them that could grow old."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

from playwright.sync_api import BrowserContext

from tests.browser.panel import Panel, attachment

HREF = re.compile(r'<a\b[^>]*\bhref="([^"#]+)')
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
NUMBER = re.compile(r"\d+|(?<=/omitidos/)\w+|(?<=/resultado/)\w+")  # what tells pages of one kind apart
MANY_FACED = {"/envios/#/", "/contactos/tareas/#/"}  # a review, a card under way, a result: told apart by their titles
STARTS = ("/", "/practica/", "/estilo/", "/cuenta/email/", "/cuenta/password/change/")
JOIN = "/alta/panaderia-la-espiga/"  # of the demo's business
SIGNED_OUT = ("/cuenta/login/", "/cuenta/signup/", "/cuenta/password/reset/", "/reportar/", "/no-existe/", JOIN)


def furnish(panel: Panel, tag: str = "") -> None:
    """A page to join, two who look like one person, a segment, acts for many people, a file under review, a sending that is not
    signed, one that is sent (to the people of a tag, else to everybody), a case.
    """
    page = panel.page
    panel.open_for_joining()
    panel.upload("clientes.csv", panel.sheet.csv())
    panel.keep()
    panel.gather("Gente de la feria")
    panel.upload("parejas.csv", b"nombre,celular\nPilar Doble,222 555 0411\nPilar Doble,222 555 0412\n")
    panel.keep()
    panel.find_pairs()
    panel.upload("mas-clientes.xlsx", panel.sheet.workbook())
    panel.tag_page("Feria")
    panel.export()
    panel.write("Rosca de Reyes", "Rosca de Reyes con 15% menos")
    panel.prepare("Rosca de Reyes", panel.sheet.tag)
    panel.prepare("Charolas para tu posada", tag)
    panel.open_omissions()
    panel.sign_and_send()
    page.get_by_role("article").get_by_role("link", name="Fallidos").click()
    page.get_by_role("link", name="Reportar", exact=True).last.click()
    page.get_by_label("Detalle del caso").fill("Elsa es clienta de siempre y no le llegó la promoción.")
    page.get_by_label("Adjunto").set_input_files(attachment())
    panel.press("Crear caso")
    panel.says("Creamos tu caso")


def found(context: BrowserContext, address: str, starts: tuple[str, ...] = STARTS) -> Iterator[str]:
    """Paths, nearest first."""
    waiting, asked, kinds = list(starts), set[str](), set[str]()
    while waiting:
        path = waiting.pop(0)
        kind = NUMBER.sub("#", path.partition("?")[0])
        if path in asked or kind in kinds:
            continue
        asked.add(path)
        answer = context.request.get(address + path)
        if not answer.headers["content-type"].startswith("text/html"):
            kinds.add(kind)  # a download
            continue
        text = answer.text()
        title = TITLE.search(text)
        kind += title[1] if kind in MANY_FACED and title else ""
        if kind not in kinds:
            kinds.add(kind)
            yield path
        waiting += _links(text, address, answer.url)


def _links(text: str, address: str, here: str) -> Iterator[str]:
    for href in HREF.findall(text):
        url = urljoin(here, unescape(href))
        path = url.removeprefix(address)
        if path.startswith("/") and not path.startswith(("/static/", "/cuenta/logout")):
            yield path
