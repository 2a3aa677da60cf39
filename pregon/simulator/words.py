"""The page's words, in the language chosen in the panel: the product's own catalogue, without Django."""

import gettext
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parents[2] / "locale"
LANGUAGES = ("es", "en")


def N_(message: str) -> str:  # noqa: N802 - the name that message extractors know
    """Mark a sentence for the catalogue."""
    return message


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The translations into a language; Spanish is what the messages are written in."""
    return (
        gettext.translation("django", LOCALE, [language], fallback=True)
        if language != "es"
        else gettext.NullTranslations()
    )


def chosen(cookie: str) -> str:
    """The language that the panel's cookie names (cookies know no ports), else Spanish: never what a browser asks for."""
    return cookie if cookie in LANGUAGES else "es"
