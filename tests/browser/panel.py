"""What a person does in the panel, as acts on what is seen: roles, labels and words, never ids."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Locator, expect

from tests.walks.people import ENDINGS, Sheet
from tests.walks.running import Running

SHORT = {"Promociones": "Promos", "Envíos y resultados": "Envíos"}  # on a phone's tabs
FIGURE = re.compile(r"[^0-9]")
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DETAIL = "aparta tu rosca antes del 30 de diciembre en la sucursal Centro de La Espiga."


@dataclass
class Panel:
    """One person at one screen."""

    context: BrowserContext
    running: Running
    sheet: Sheet

    def __post_init__(self) -> None:
        self.page = self.context.new_page()

    # Getting around

    def sign_in(self, user: str = "", path: str = "/") -> None:
        """At the page one wanted to see."""
        page = self.page
        page.goto(self.running.address + path)
        page.get_by_label("Correo").fill(user or self.running.user)
        page.get_by_label("Contraseña").fill(self.running.password)
        page.get_by_role("button", name="Entrar").click()
        expect(page.get_by_role("button", name="Entrar")).to_have_count(0)

    def go(self, section: str) -> None:
        """By the menu: beside the page, or below a thumb, where a task gives it way and one goes back first."""
        side = self.page.get_by_role("navigation", name="Principal")
        if side.is_visible():
            self._follow(side, section)
            return
        bar = self.page.get_by_role("navigation", name="Menú inferior")
        if not bar.is_visible():
            self.page.locator("a.back").click()
            expect(bar).to_be_visible()
        short = SHORT.get(section, section)
        if not bar.get_by_role("link", name=short, exact=True).is_visible():
            bar.get_by_text("Más", exact=True).click()
        self._follow(bar, short)

    def _follow(self, menu: Locator, words: str) -> None:
        menu.get_by_role("link", name=re.compile(rf"^\W*{words}")).first.click()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words).first.click()

    def follow(self, words: str) -> None:
        self.page.get_by_role("link", name=words).first.click()

    def says(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()

    def titled(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(words)

    # Joining

    def open_for_joining(self) -> None:
        """The page where people put themselves on the list, with the words that it proposes or has."""
        self.go("Ajustes")
        self.page.locator("#altas").get_by_role("link").first.click()
        self.page.get_by_role("button", name=re.compile("Publicar la página|Guardar")).and_(
            self.page.locator(":visible")
        ).click()
        self.says("tu página de altas.")

    # Contacts

    def upload(self, name: str, content: bytes) -> None:
        """A file, up to its review, whose account closes."""
        self.go("Contactos")
        self.follow("Importar")
        kind = EXCEL if name.endswith(".xlsx") else "text/csv"
        self.page.get_by_label("Tu archivo").set_input_files({"name": name, "mimeType": kind, "buffer": content})
        self.says(name)
        self.press("Revisar")
        self.titled("Revisa antes de guardar")

    def account_of_rows(self) -> tuple[list[int], int]:
        """The sums of the review and the rows they add up to, as its foot tells them."""
        foot = self.page.get_by_text("La cuenta cuadra.").first.inner_text()
        sums, total = foot.split("=")
        return [number(one) for one in sums.split("+")], number(total.split("fila")[0])

    def keep(self) -> None:
        """Say where the permission comes from, declare it, save."""
        page = self.page
        with page.expect_response(lambda answer: "statement=store" in answer.url):
            page.get_by_label("Se apuntaron en la tienda").check()
        expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        if (oath := page.get_by_label("Declaro que")).count():
            oath.check()
        page.get_by_role("button", name=re.compile("^Guardar|^Terminar")).click()
        expect(page.get_by_role("link", name="Ver contactos")).to_be_visible()

    def find_pairs(self) -> None:
        """Waits for the worker that looks who may be the same person."""
        self.page.goto(self.running.address + "/contactos/revision/duplicados/")
        while not self.page.get_by_role("link", name="Comparar").count():
            self.page.wait_for_timeout(500)
            self.page.reload()

    def find(self, ending: str) -> None:
        """A contact's page, sought by the number."""
        self.go("Contactos")
        with self.page.expect_response(lambda answer: "q=" in answer.url):
            self.page.get_by_label("Buscar por nombre o celular").fill(self.sheet.mobile(ending))
        name = ENDINGS[ending]
        self.page.get_by_role("row", name=self.sheet.shown(ending)).get_by_role("link", name=name).click()
        self.titled(name)

    def tag_page(self, name: str) -> None:
        """Everybody on the first page of the list."""
        self.go("Contactos")
        self.page.get_by_label("Elegir a todas las de esta página").check()
        self.press("Etiquetar")
        self.page.get_by_label("Poner etiquetas").fill(name)
        self.press("Guardar etiquetas")
        self.says("Cambiamos las etiquetas de")

    def export(self) -> None:
        """The whole list, up to its file."""
        self.go("Contactos")
        self.follow("Descargar esta lista")
        self.press("Preparar el archivo")
        self.says("El archivo trae a")

    def gather(self, name: str) -> int:
        """A segment of those with permission and the sheet's tag; returns how many they were while it was built."""
        page = self.page
        self.go("Contactos")
        self.follow("Tus segmentos")
        self.follow("Crear segmento")
        page.get_by_label("Otra condición").select_option("Etiqueta")
        self.press("Agregar condición")
        page.get_by_role("group", name="Etiqueta").get_by_label("Etiqueta").select_option(self.sheet.tag)
        expect(page.locator("#cuantas")).to_contain_text(self.sheet.tag)
        expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        people = number(page.locator("#cuantas b").inner_text())
        page.get_by_label("Nombre del segmento").fill(name)
        self.press("Guardar segmento")
        self.says(f"Guardamos el segmento «{name}»")
        return people

    # Promotions

    def write(self, name: str, subject: str) -> None:
        """A promotion from the general template, seen live on the phone beside it, saved."""
        page = self.page
        self.go("Promociones")
        self.follow("Nueva promoción")
        self.follow("Usar esta promo_general")
        page.get_by_label("Nombre de la promoción").fill(name)
        page.get_by_label("Asunto").fill(subject)
        page.get_by_label("Detalle").fill(DETAIL)
        drawn = page.get_by_role("group", name="El mensaje, como llega")
        expect(drawn).to_contain_text(subject)
        expect(drawn).to_contain_text("aparta tu rosca")
        self.press("Guardar")
        self.says(f"Guardamos «{name}»")

    def prepare(self, name: str, tag: str = "") -> None:
        """From the saved promotion to its review, for the people of a tag, else for everybody."""
        self.go("Promociones")
        self.follow(name)
        self.press("Preparar envío")
        self.titled("Revisa y aprueba el envío")
        if tag:
            self.follow("Cambiar la lista")
            self.page.get_by_label("Por etiqueta").check()
            self.page.get_by_label(tag, exact=True).check()
            self.press("Usar esta lista")
            self.says(tag)

    # Sending

    def open_omissions(self) -> dict[str, int]:
        """Reason → people, once opened: *contactos revisados*."""
        self.page.get_by_role("link", name=re.compile("mira por qué$")).click()
        reasons = self.page.get_by_role("list", name="Motivos de omisión")
        expect(reasons).to_be_visible()
        return self.figures(reasons)

    def sign_and_send(self) -> None:
        self.page.get_by_label("Vi el mensaje tal como llega").check()
        self.press("Firmar y aprobar")
        self.titled("Listo para enviar")
        self.press("Enviar a")
        self.page.wait_for_url(re.compile(r"/envios/\d+/"))
        expect(self.page.get_by_role("heading", name="Resultado del envío")).to_be_visible()

    def result(self) -> dict[str, int]:
        """The card's equation: label → figure, the total under *Personas*; it closes."""
        poster = self.page.get_by_role("article")
        terms = {
            one.locator(".k").inner_text().strip().lower(): number(one.locator(".v").inner_text())
            for one in poster.locator(".p-eq > div").all()
        }
        assert sum(terms.values()) == 2 * terms["personas"], terms
        return terms

    def figures(self, within: Locator) -> dict[str, int]:
        """A why-list: name → figure."""
        return {
            one.locator("b").first.inner_text(): number(one.locator(".v").inner_text())
            for one in within.get_by_role("listitem").all()
        }

    def quota(self) -> dict[str, int]:
        """Mi suscripción: used, reserved, left, and the limit they add up to."""
        self.go("Mi suscripción")
        words = [one.inner_text().strip().lower() for one in self.page.locator(".p-sum .k").all()]
        values = [number(one.inner_text()) for one in self.page.locator(".p-sum .v").all()]
        assert sum(values[:-1]) == values[-1]
        return dict(zip(words, values, strict=True))


def number(words: str) -> int:
    return int(FIGURE.sub("", words))


def attachment() -> Any:
    """A picture of the screen, small."""
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    return {"name": "captura.png", "mimeType": "image/png", "buffer": pixel}
