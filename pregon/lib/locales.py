"""Babel's locale of a language that Django has active."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError

LATIN_AMERICA = Locale("es", "419")


@lru_cache(maxsize=64)
def of(language: str) -> Locale:
    """Of a Django language code (nobody wrote `en-mx`'s); Spanish of no known region is Latin America's."""
    try:
        found = Locale.parse(language, sep="-")
    except UnknownLocaleError:
        return Locale("en") if language.startswith("en") else LATIN_AMERICA
    return LATIN_AMERICA if str(found) == "es" else found
