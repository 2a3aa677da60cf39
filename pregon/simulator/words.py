"""The page's words, in the language of the browser: the product's own catalogue, without Django."""

import gettext
import re
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


def preferred(accept: str) -> str:
    """The first language of an `Accept-Language` header that we have, else Spanish."""
    wanted = re.findall(r"\b([a-z]{2})\b(?!=)", accept.lower())
    return next((language for language in wanted if language in LANGUAGES), "es")
