"""Words looked up once.

A Spanish msgid is in no Spanish catalogue, which is known only after asking all of them: Django's, the region's, each app's. A page
has two hundred such words.
"""

from functools import lru_cache

from django.utils.translation import trans_real

MOST = 8192  # words of a language; the least recently used one is forgotten


def remember(language: str) -> None:
    """From now on the catalogue of a language keeps what `gettext` answers. Called again it does nothing."""
    found = trans_real.translation(language)
    if not hasattr(found.gettext, "cache_info"):
        found.gettext = lru_cache(MOST)(found.gettext)  # type: ignore[method-assign]
