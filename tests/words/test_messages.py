"""Every word a person reads is translated, and the person chooses the language."""

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import reloader

from pregon.panel import wording
from pregon.simulator import words
from scripts import messages
from tests import make


@pytest.fixture(scope="module")
def compiled() -> None:
    """The catalogues of now, also where they were not compiled, or Django read older ones."""
    messages.compile_all()
    reloader.translation_file_changed(None, Path("django.mo"))
    words.catalogue.cache_clear()


class TestTheCheck:
    def test_every_word_is_translated(self) -> None:
        assert list(messages.complaints()) == []

    @pytest.mark.parametrize(
        ("msgid", "string", "fault"),
        [
            ("Te quedan %(n)s", "", "not translated"),
            ("Te quedan %(n)s", "You have left", "other placeholders"),
            ("Te quedan %(n)s", "%(m)s left", "other placeholders"),
            ("{name} llegó", "It arrived", "other placeholders"),
            ("<b>Una</b> cosa", "One thing", "other placeholders"),
            (("%(n)s persona", "%(n)s personas"), ("%(n)s person",), "not translated"),
            (("%(n)s persona", "%(n)s personas"), ("%(n)s person", ""), "not translated"),
            (("%(n)s persona", "%(n)s personas"), ("%(n)s person", "people"), "other placeholders"),
        ],
    )
    def test_a_gap_is_found(self, msgid: object, string: object, fault: str) -> None:
        assert list(messages.faults(Message(msgid, string))) == [fault]

    @pytest.mark.parametrize(
        ("msgid", "string"),
        [
            ("Te quedan %(n)s", "%(n)s left"),
            (("%(n)s persona", "%(n)s personas"), ("One person", "%(n)s people")),
            (("Quita una letra", "Quita %(n)s letras"), ("Take out one letter", "Take out %(n)s letters")),
        ],
    )
    def test_a_translation_passes(self, msgid: object, string: object) -> None:
        assert list(messages.faults(Message(msgid, string))) == []

    def test_a_guess_does_not_pass(self) -> None:
        assert list(messages.faults(Message("Cupo", "Quota", flags=["fuzzy"]))) == ["fuzzy"]

    @pytest.mark.parametrize(
        ("template", "said"),
        [
            ("<p>Te quedan mensajes</p>", ["Te quedan mensajes"]),
            ('<a aria-label="Cerrar">{{ x }}</a>', ["Cerrar"]),
            ('{% steps 1 "Archivo" _("Listo") %}', ["Archivo"]),
            ('{{ name|default:"Sin nombre" }}', ["Sin nombre"]),
            ('<p class="lead">{% translate "Todo bien" %} · {{ n }} <b>Pregón</b></p>', []),
            ("{% blocktranslate %}Te quedan {{ n }}{% endblocktranslate %}{# nada que ver #}", []),
            ('{% icon "chevron-left" "s" %}{% if state == "open" %}{% endif %}<script>let word;</script>', []),
        ],
    )
    def test_words_past_the_translation_are_found(self, tmp_path: Path, template: str, said: list[str]) -> None:
        page = tmp_path / "page.html"
        page.write_text(template)
        assert list(messages.literals(page)) == said

    def test_extracting_keeps_what_is_translated_and_drops_what_nobody_says(self) -> None:
        old = Catalog()
        old.add("Ajustes", "Set-up")
        old.add("Esto ya no lo dice nadie", "Nobody says this any more")
        catalog = messages.merged(old)
        assert catalog["Ajustes"].string == "Set-up" and not catalog["Contactos"].string
        assert "Esto ya no lo dice nadie" not in catalog

    def test_the_file_has_no_dates_and_no_line_numbers(self) -> None:
        po = messages.written(messages.gathered(), "en")
        assert "Date" not in po and not re.search(r"^#:.*:\d", po, re.MULTILINE)


@pytest.mark.django_db
@pytest.mark.usefixtures("compiled")
class TestTheLanguage:
    def page(self, client: Client, **headers: str) -> str:
        html = client.get(reverse("panel:settings"), headers=headers).content.decode()
        found = re.search(r'<html lang="([a-z]+).*?<h1[^>]*>\s*(.*?)\s*</h1>', html, re.DOTALL)
        assert found
        return " ".join(found.groups())

    def test_is_spanish_whatever_the_browser_asks_for(self) -> None:
        client = make.signed_in(make.member(make.account()))
        assert self.page(client, accept_language="en-US,en;q=0.9") == "es Ajustes"

    def test_is_what_the_person_chose(self) -> None:
        client = make.signed_in(make.member(make.account()))
        response = client.post(reverse("panel:language"), {"language": "en", "next": "/ajustes/"})
        assert (response.status_code, response.headers["Location"]) == (302, "/ajustes/")
        assert response.cookies["django_language"].value == "en"
        assert self.page(client, accept_language="es-MX") == "en Settings"
        client.post(reverse("panel:language"), {"language": "es"})
        assert self.page(client) == "es Ajustes"

    def test_is_one_that_we_have(self) -> None:
        client = make.signed_in(make.member(make.account()))
        assert client.post(reverse("panel:language"), {"language": "fr"}).status_code == 400
        client.cookies["django_language"] = "fr"
        assert self.page(client) == "es Ajustes"

    def test_is_offered_where_the_appearance_is(self) -> None:
        html = make.signed_in(make.member(make.account())).get(reverse("panel:settings")).content.decode()
        assert re.search(r'value="es" lang="es" aria-pressed="true">Español<', html)
        assert re.search(r'value="en" lang="en" aria-pressed="false">English<', html)

    def test_figures_stay_those_of_the_country(self) -> None:
        client = make.signed_in(make.member(make.account(country="CO")))
        client.cookies["django_language"] = "en"
        assert '<html lang="en-co"' in client.get(reverse("panel:settings")).content.decode()
        with translation.override("en-co"):
            assert (wording.number(1148), wording.written(date(2026, 11, 19), "weekday")) == (
                "1.148",
                "Thursday 19 November",
            )
        with translation.override("en-mx"):
            assert (wording.number(1148), wording.written(date(2026, 11, 19), "day")) == ("1,148", "19 Nov")

    def test_signing_in_speaks_our_words(self) -> None:
        html = Client().post(reverse("account_login"), {"login": "nadie@example.com", "password": "x"}).content.decode()
        assert "El correo o la contraseña no coinciden." in html
        assert "Correo Electrónico" not in html
        assert "usted" not in html

    def test_the_practice_phones_follow(self) -> None:
        assert words.catalogue(words.chosen("en")).gettext("Celulares de práctica") == "Practice phones"
        assert words.catalogue(words.chosen("fr")).gettext("Celulares de práctica") == "Celulares de práctica"
