"""A word is looked up once for each language, and stays that language's."""

import pytest
from django.utils import translation
from django.utils.translation import gettext, trans_real

from pregon.lib import catalogues
from tests import make

WORDS = ("Contactos", "Guardar", "Enter", "no existe")


def told(language: str) -> list[str]:
    with translation.override(language):
        return [gettext(word) for word in WORDS]


@pytest.mark.parametrize("language", ["es", "es-cl", "en", "en-cl", "xx"])
def test_the_same_words_as_without(language: str) -> None:
    before = told(language)
    for _once_more in range(3):
        catalogues.remember(language)
        assert told(language) == before
    assert (before[0] == "Contacts") is language.startswith("en")


@pytest.mark.django_db
def test_a_page_looks_nothing_up_the_second_time() -> None:
    browser = make.signed_in(make.business())
    browser.get("/contactos/")
    remembered = trans_real.translation("es-mx").gettext
    first = remembered.cache_info()  # type: ignore[attr-defined]
    browser.get("/contactos/")
    second = remembered.cache_info()  # type: ignore[attr-defined]
    assert second.misses == first.misses
    assert second.hits > first.hits + 50
