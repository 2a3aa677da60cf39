"""Advice on a message: what is good is ticked, what is not says how."""

import pytest

from pregon.promotions import hints
from pregon.promotions.models import Way
from tests.promotions import examples

GOOD = "Hola, somos La Espiga. Hay conchas a mitad de precio hasta el 30 de noviembre."


def found(detail: str, subject: str = "", way: Way = Way.OWN) -> dict[str, hints.Hint]:
    version = examples.version(way, subject=subject, detail=detail, footer="", buttons=[])
    return {hint.title: hint for hint in hints.find(version)}


def test_a_good_message_has_every_tick() -> None:
    assert [hint.done for hint in found(GOOD).values()] == [True] * 4


@pytest.mark.parametrize(
    "words",
    ["hasta el 30 de noviembre", "antes del 3 dic", "solo hoy", "este viernes", "hasta el domingo", "24/12", "este fin de semana",
     "hasta agotar existencias", "Hasta Mañana"],
)  # fmt: skip
def test_dates_as_people_write_them(words: str) -> None:
    assert found(f"Pan dulce {words} en la tienda")["Tiene fecha límite"].done


@pytest.mark.parametrize("words", ["Pan dulce a $204", "12 conchas", "llama al 222 555 0142", "el pan de hoy"])
def test_what_is_no_date(words: str) -> None:
    assert not found(words)["Tiene fecha límite"].done


def test_a_long_text_says_where_it_is_cut() -> None:
    hint = found("palabra " * 40)["Cabe sin «Leer más»"]
    assert not hint.done
    assert "Quita unas" in hint.detail
    assert hints.room("corto") == 0
    assert hints.room("a\n" * 8) == len("a\n") * hints.LINES


def test_the_business_is_named_by_a_telling_word() -> None:
    assert not found("Ven a la panadería")["Dice quién eres"].done
    assert found("Ven a LA ESPIGA")["Dice quién eres"].done


def test_excesses_are_told_only_when_they_are() -> None:
    shouted = found(GOOD.upper() + " 🥐🥐🥐🥐🥐🥐 bit.ly/x " + "A" * 500)
    assert set(shouted) - set(found(GOOD)) == {
        "Va casi todo en mayúsculas", "Lleva muchos emojis", "Lleva un enlace acortado", "Es un mensaje largo",
    }  # fmt: skip


def test_free_text_with_a_link_needs_the_words() -> None:
    version = examples.version(
        Way.TEXT, detail="Hola", buttons=[{"kind": "url", "text": "Ver", "url": "https://x.example"}]
    )
    assert not next(hint for hint in hints.find(version) if "baja" in hint.title).done
