"""Words: search, opt-outs, variables and the preview."""

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.lib import text

NOISE = st.text(st.sampled_from(" .,;:!¡¿?*_-~\"'()🙏👍🏽\u200d\ufe0f\u200b\n"), max_size=8)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("José ÑANDÚ", "jose nandu"),
        ("  Ana\u00a0 María ", "ana maria"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("João", "joao"),
        ("ＡＮＡ", "ana"),
    ],
)
def test_fold(raw: str, folded: str) -> None:
    assert text.fold(raw) == folded


def fold_by_the_book(raw: str) -> str:
    """Without case, and without what Unicode calls marks and invisible letters, once taken apart."""
    apart = unicodedata.normalize("NFKD", raw.casefold())
    kept = "".join(letter for letter in apart if unicodedata.category(letter) not in ("Mn", "Cf"))
    return " ".join(kept.casefold().split())


LETTERS = st.one_of(st.characters(max_codepoint=0x24F), st.characters(max_codepoint=0x36F), st.characters())


@given(st.text(st.characters(max_codepoint=0x24F)) | st.text(LETTERS))
def test_the_fast_roads_of_fold_end_where_the_slow_one_does(raw: str) -> None:
    assert text.fold(raw) == fold_by_the_book(raw)


def test_every_latin_letter_folds_by_the_book() -> None:
    for letter in map(chr, range(0x260)):
        assert text.fold(f"a{letter}b") == fold_by_the_book(f"a{letter}b"), hex(ord(letter))


@given(st.text())
def test_folding_twice_changes_nothing(raw: str) -> None:
    assert text.fold(text.fold(raw)) == text.fold(raw)


@pytest.mark.parametrize(
    "reply",
    [
        "BAJA", "baja", "¡Baja!", "B.A.J.A", "  Stop ", "STOP 🛑", "Salir", "PARAR", "No más", "NO MAS!!", "Cancelar",
        "Darme de baja", "unsubscribe", "ALTO", "Remover", "No quiero", "no quiero más mensajes 🙏", "*baja*", "Sair",
        "Detener promociones",
    ],
)  # fmt: skip
def test_a_reply_that_says_only_stop(reply: str) -> None:
    assert text.optout_keyword(reply) == "stop"


@pytest.mark.parametrize("reply", ["ALTA", "alta 😊", "Start", "Suscribirme", "¡Suscribir!", "reanudar promociones"])
def test_a_reply_that_says_only_start(reply: str) -> None:
    assert text.optout_keyword(reply) == "start"


@pytest.mark.parametrize(
    "reply",
    [
        "cancelar mi pedido", "quiero cancelar mi pedido", "baja el precio por favor", "¿hasta cuándo es la promo?",
        "no", "no gracias", "stop loss", "alta calidad", "la silla alta", "", "🙏", "...", "trabaja", "bajar", "1",
        "gracias, no quiero cebolla",
    ],
)  # fmt: skip
def test_a_reply_that_only_contains_a_keyword_asks_for_nothing(reply: str) -> None:
    assert text.optout_keyword(reply) is None


@given(st.sampled_from(["baja", "stop", "no más", "alta"]), NOISE, NOISE, st.booleans())
def test_noise_around_a_keyword_is_ignored(word: str, before: str, after: str, capitals: bool) -> None:
    reply = before + (word.upper() if capitals else word) + after
    assert text.optout_keyword(reply) == ("start" if word == "alta" else "stop")


@given(st.sampled_from(["baja", "stop", "cancelar", "alta"]), st.from_regex(r"[a-z]{8,20}", fullmatch=True))
def test_a_keyword_and_another_word_is_none(word: str, other: str) -> None:
    if text.clean_keyword(f"{word} {other}") not in {"cancelarsuscripcion", "stoppromotions", "stoppromociones"}:
        assert text.optout_keyword(f"{word} {other}") is None


def test_variables_are_found_once_in_order() -> None:
    assert text.variables("Hola {{nombre}}, tu {{ cita de hoy }} es {{1}}, {{nombre}}") == [
        "nombre",
        "cita de hoy",
        "1",
    ]
    assert text.variables("{nombre} {{}} {{ }} {{a\nb}}") == []


def test_values_take_their_places() -> None:
    values = {"nombre": "Lucía", "hora": " "}
    message = "Hola {{ nombre }}: {{hora}}, {{lugar}}"
    assert text.render(message, values) == "Hola Lucía: {{hora}}, {{lugar}}"
    assert text.missing(message, values) == ["hora", "lugar"]


def test_a_value_is_never_read_as_a_placeholder() -> None:
    assert text.render("{{a}} {{b}}", {"a": "{{b}}", "b": r"\1"}) == r"{{b}} \1"


@given(st.text(st.characters(exclude_characters="{}")), st.text(st.characters(exclude_characters="{}")))
def test_render_leaves_the_rest_alone(before: str, after: str) -> None:
    assert text.render(before + "{{x}}" + after, {"x": "valor"}) == before + "valor" + after


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("*hola*", "<b>hola</b>"),
        ("_hola_ ~no~", "<i>hola</i> <s>no</s>"),
        ("*hola _qué_ tal*", "<b>hola <i>qué</i> tal</b>"),
        ("```a *b* c```", "<code>a *b* c</code>"),
        ("`a_b_`", "<code>a_b_</code>"),
        ("2*3*4 y snake_case_name", "2*3*4 y snake_case_name"),
        ("* no * es", "* no * es"),
        ("*a\nb*", "*a<br>b*"),
        ("uno\r\ndos", "uno<br>dos"),
        ("<script>*x*</script>", "&lt;script&gt;<b>x</b>&lt;/script&gt;"),
        ('*"a&b"*', "<b>&#34;a&amp;b&#34;</b>"),
        ("(*oferta*)", "(<b>oferta</b>)"),
        ("*a _b* c_", "<b>a _b</b> c_"),
    ],
)
def test_formats_of_whatsapp(message: str, expected: str) -> None:
    assert text.whatsapp_html(message) == expected


class Tags(HTMLParser):
    """Refuses tags that are not ours, or not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("b", "i", "s", "code", "br")
        assert not attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(st.text(st.sampled_from("*_~`ab <>&\"'\n"), max_size=60) | st.text(max_size=60))
def test_the_preview_is_safe_and_loses_only_marks(message: str) -> None:
    drawn = str(text.whatsapp_html(message))
    tags = Tags()
    tags.feed(drawn)
    assert tags.open == []
    words = html.unescape(re.sub(r"<[^>]*>", "", drawn.replace("<br>", "\n")))
    marks = dict.fromkeys(map(ord, "*_~`\r"))
    assert words.translate(marks) == message.translate(marks)
