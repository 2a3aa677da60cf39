"""The page with the virtual phones, without a browser: every act is a form."""

import re
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser

import pytest

from pregon.simulator import drawing
from pregon.whatsapp.cloud import events
from tests.simulator.conftest import Inbox, Running

ANA = "5212225552100"


class Page(HTMLParser):
    """Checks what every page must keep, and collects its addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.feed(html)
        assert self.headings.count("h1") == 1 and len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        assert "style" not in given and not any(name.startswith("on") for name in given)
        assert tag != "style" and (tag != "script" or given.get("src"))
        self.addresses += [value for name, value in attributes if name in ("src", "href") and value]
        self.ids += [given["id"]] if given.get("id") else []
        self.headings += [tag] if re.fullmatch("h[1-6]", tag) else []


def get(meta: Running, path: str = "/", language: str = "es-MX,es;q=0.9") -> Page:
    request = urllib.request.Request(meta.url + path, headers={"Accept-Language": language})
    with urllib.request.urlopen(request, timeout=10) as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        return Page(response.read().decode())


def post(meta: Running, path: str, site: str = "same-origin", **fields: str) -> Page:
    data = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(meta.url + path, data, {"Sec-Fetch-Site": site})
    with urllib.request.urlopen(request, timeout=10) as response:
        return Page(response.read().decode())


def arrived(meta: Running) -> str:
    """A promotion on Ana's phone; its wamid."""
    meta.ask(f"/_sim/phones/{ANA}", {"name": "Ana Muñoz"})
    wamid = meta.send("+522225552100", "pregon:x:1")[1]["messages"][0]["id"]
    meta.quiet()
    return str(wamid)


def test_nothing_yet(meta: Running) -> None:
    page = get(meta)
    assert "Aún no llega ningún mensaje" in page.html and "nada de esto sale a WhatsApp" in page.html


def test_every_file_of_the_page_is_there(meta: Running) -> None:
    arrived(meta)
    for address in get(meta).addresses:
        if address.startswith("/static/"):
            with urllib.request.urlopen(meta.url + address, timeout=10) as response:
                assert response.status == 200


def test_the_promotion_stands_in_the_chat(meta: Running) -> None:
    arrived(meta)
    page = get(meta, f"/?celular={ANA}")
    for text in (
        "Ana Muñoz",
        "+52 222 555 2100",
        "Posada",
        "Hola Ana, ven hoy. Te esperamos.",
        "Responde BAJA para no recibir más",
    ):
        assert text in page.html
    assert "No recibir promociones" in page.html and "Panadería La Espiga" in page.html


def test_tapping_a_button_tells_the_panel(meta: Running, inbox: Inbox) -> None:
    wamid = arrived(meta)
    page = post(meta, f"/celulares/{ANA}/tocar", wamid=wamid, boton="0")
    meta.quiet()
    (tapped,) = [event for event in inbox.events if isinstance(event, events.InboundMessage)]
    assert (tapped.kind, tapped.payload, tapped.text, tapped.context_wamid) == (
        "button",
        "r:baja",
        "No recibir promociones",
        wamid,
    )
    assert (tapped.profile_name, tapped.sender) == ("Ana Muñoz", ANA)
    assert "Ana Muñoz respondió." in page.html


def test_writing_tells_the_panel_and_shows_that_it_was_read(meta: Running, inbox: Inbox) -> None:
    arrived(meta)
    post(meta, f"/celulares/{ANA}/escribir", texto=" BAJA ")
    post(meta, f"/celulares/{ANA}/escribir", texto="  ")
    meta.quiet()
    assert [event.text for event in inbox.events if isinstance(event, events.InboundMessage)] == ["BAJA"]
    assert "read" in inbox.statuses("pregon:x:1")


def test_promotions_can_be_stopped_in_whatsapp(meta: Running, inbox: Inbox) -> None:
    arrived(meta)
    page = post(meta, f"/celulares/{ANA}/promociones", detener="1")
    assert "Permitir promociones en WhatsApp" in page.html and "Sin promociones" in page.html
    post(meta, f"/celulares/{ANA}/promociones", detener="0")
    meta.quiet()
    assert [event.choice for event in inbox.events if isinstance(event, events.PreferenceEvent)] == ["stop", "resume"]


def test_a_phone_that_is_off_or_blocks_receives_nothing(meta: Running, inbox: Inbox) -> None:
    arrived(meta)
    assert "Encender" in post(meta, f"/celulares/{ANA}/energia", encendido="0").html
    meta.send("+522225552100", "off")
    meta.quiet()
    assert inbox.statuses("off") == ["sent"]
    post(meta, f"/celulares/{ANA}/energia", encendido="1")
    meta.quiet()
    assert inbox.statuses("off")[:2] == ["sent", "delivered"]
    assert "Desbloquear" in post(meta, f"/celulares/{ANA}/bloqueo", bloqueado="1").html
    meta.send("+522225552100", "blocked")
    meta.quiet()
    assert inbox.statuses("blocked") == ["sent"]


def test_what_did_not_arrive_says_why(meta: Running) -> None:
    meta.send("+522225550001")
    meta.quiet()
    page = get(meta)
    assert "Este celular no tiene WhatsApp" in page.html and "131026" in page.html and "No entregado" in page.html


def test_phones_can_be_added_found_and_forgotten(meta: Running) -> None:
    page = post(meta, "/celulares", numero="+57 300 123 4567", nombre="Iván", persona="never_reads")
    assert "+57 300 123 4567" in page.html
    for odd in ("", "123", "+22 255 501 42", "+999 1234 5678", "+52 222 555 01 42 42"):
        assert "Revisa el celular" in post(meta, "/celulares", numero=odd).html
    assert "+52 222 555 0142" in post(meta, "/celulares", numero="+52 1 222 555 0142").html
    assert "Revisa el celular" in post(meta, "/celulares", numero="+573001234568", persona="poet").html
    assert "Iván" in get(meta, "/?q=iv%C3%A1n").html and "Iván" in get(meta, "/?q=300+123").html
    assert "Nadie se llama así" in get(meta, "/?q=nadie").html
    assert "Aún no llega ningún mensaje" in post(meta, "/celulares/vaciar").html


def test_a_long_list_says_how_many_more(meta: Running) -> None:
    meta.ask("/_sim/setup", {"phones": [{"number": f"+5222255521{place:02d}"} for place in range(60)]})
    assert "50 más recientes de 60" in get(meta).html


def test_hostile_words_stay_words(meta: Running) -> None:
    evil = "<script>alert(1)</script> *<b>x</b>* {{ 7*7 }}"
    meta.ask(f"/_sim/phones/{ANA}", {"name": evil})
    meta.ask(f"/_sim/phones/{ANA}/reply", {"text": evil})
    html = get(meta, "/?" + urllib.parse.urlencode({"celular": ANA, "q": "<script>"})).html
    assert "<script>alert" not in html and "<b>&lt;b&gt;x&lt;/b&gt;</b>" in html and "{{ 7*7 }}" in html


def test_forms_of_other_sites_are_refused(meta: Running) -> None:
    arrived(meta)
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(meta, f"/celulares/{ANA}/escribir", site="cross-site", texto="BAJA")
    with refused.value as answer:
        assert answer.code == 403


def test_acts_on_what_is_not_there(meta: Running) -> None:
    assert "ya no está" in post(meta, "/celulares/1/escribir", texto="hola").html
    arrived(meta)
    assert "ya no está" in post(meta, f"/celulares/{ANA}/tocar", wamid="wamid.x", boton="0").html
    assert "ya no está" in post(meta, f"/celulares/{ANA}/tocar", wamid="", boton="9").html


def test_two_businesses_have_two_chats(meta: Running) -> None:
    meta.ask(
        "/_sim/setup", {"numbers": [{"id": "7", "display": "+57 300 123 4567", "waba_id": "8", "name": "Café Aroma"}]}
    )
    arrived(meta)
    page = get(meta, f"/?celular={ANA}&negocio=7")
    assert "Sin mensajes todavía" in page.html and f"/?celular={ANA}&negocio=7" in page.addresses
    post(meta, f"/celulares/{ANA}/escribir", texto="hola café", negocio="7")
    assert meta.ask(f"/_sim/phones/{ANA}")[1]["chats"]["7"][0]["body"] == "hola café"


def test_whatsapp_marks() -> None:
    (part,) = drawing.paragraphs("*a b* _c_ ~d~ 2*3*4 x_y_z\n```*e*```")
    assert part == "<b>a b</b> <i>c</i> <s>d</s> 2*3*4 x_y_z<br><code>*e*</code>"


def test_long_text_is_folded_between_words() -> None:
    shown, rest = drawing.folded("palabra " * 60)
    assert shown + rest == "palabra " * 60 and shown.endswith("palabra") and len(shown) <= drawing.FOLD
    assert drawing.folded("corto") == ("corto", "")
