"""Figures, dates and names as people read them, in the language and region that Django has active (`es-mx`, `en`).

The separator of thousands follows the region (1,148 in Mexico, 1.148 in Colombia); plain `es` is Latin America's.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from babel import Locale, dates
from django.utils import timezone, translation
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from pregon.lib import locales, text

PATTERNS = {
    "es": {
        "day": "d MMM",
        "day_year": "d MMM y",
        "long": "d 'de' MMMM",
        "full": "d 'de' MMMM 'de' y",
        "weekday": "EEEE d 'de' MMMM",
    },
    "en": {"day": "d MMM", "day_year": "d MMM y", "long": "d MMMM", "full": "d MMMM y", "weekday": "EEEE d MMMM"},
}


def locale() -> Locale:
    return locales.of(translation.get_language() or "es")


@lru_cache(maxsize=64)
def separators(language: str) -> tuple[str, str]:
    """(of thousands, of decimals): the region's own in either language."""
    region = language.partition("-")[2]
    symbols = locales.of(f"es-{region}" if region else language).number_symbols["latn"]
    return symbols["group"], symbols["decimal"]


def number(value: object, places: int = 0) -> str:
    """`1148` → «1,148». What is not a number comes back as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return "" if value is None else str(value)
    group, decimal = separators(translation.get_language() or "es")
    plain = f"{value:,.{places}f}"
    return plain.translate({ord(","): group, ord("."): decimal}).replace("-", "−")


def percent(part: int, whole: int) -> str:
    """«95.6%», without a decimal when there is none to say; 0% of nothing."""
    share = 100 * part / whole if whole else 0.0
    return number(share, 0 if share in (0, 100) else 1) + "%"


def local(moment: date | datetime) -> date | datetime:
    return timezone.localtime(moment) if isinstance(moment, datetime) and timezone.is_aware(moment) else moment


def written(moment: date | datetime | None, shape: str) -> str:
    """A date in one of the shapes of PATTERNS, in the active time zone; nothing for no date."""
    if moment is None or moment == "":
        return ""
    return _written(_date(moment), shape, translation.get_language() or "es")


def _date(moment: date | datetime) -> date:
    here = local(moment)
    return here.date() if isinstance(here, datetime) else here


@lru_cache(maxsize=4096)
def _written(day: date, shape: str, code: str) -> str:
    """Babel takes a tenth of a millisecond, and a list shows the same few days."""
    found = locales.of(code)
    language = "en" if found.language == "en" else "es"
    return dates.format_date(day, PATTERNS[language][shape], locale=found).replace(".", "")


def day(moment: date | datetime | None) -> str:
    """«19 nov», or «19 nov 2025» when it is not of this year."""
    if not moment:
        return ""
    here = _date(moment)
    shape = "day" if here.year == timezone.localdate().year else "day_year"
    return _written(here, shape, translation.get_language() or "es")


def clock(moment: datetime | None) -> str:
    """«10:47», 24 hours."""
    return f"{local(moment):%-H:%M}" if moment else ""


def day_and_clock(moment: datetime | None) -> str:
    """«19 nov, 10:47»."""
    return f"{day(moment)}, {clock(moment)}" if moment else ""


def told(text: str) -> str:
    """A reason that a job wrote down in Spanish, in the reader's own language where the catalogue has it; with its full stop."""
    words = translation.gettext(text) if text else ""
    return words if words.endswith((".", "?")) or not words else f"{words}."


def initials(name: str) -> str:
    """«Lucía Mendoza» → «LM»."""
    words = [word for word in re.split(r"\W+", name) if word]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@lru_cache(maxsize=8192)
def mobile(e164: str | None) -> str:
    """`+522225550142` → «+52 222 555 0142»; what cannot be read comes back as it is."""
    try:
        parsed = phonenumbers.parse(e164 or "")
    except phonenumbers.NumberParseException:
        return e164 or ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


# WhatsApp's own marks: they count only at the edge of a word (https://faq.whatsapp.com/539178204879377).
def marked(message: str) -> SafeString:
    """A message as WhatsApp shows it: *bold*, _italic_, ~struck~, ```code```; one <p> per line."""
    lines = (line.strip() for line in message.splitlines())
    return format_html_join("", "<p>{}</p>", ((text.whatsapp_html(line),) for line in lines if line))


def clipped(text: str, room: int) -> tuple[str, bool]:
    """The text up to `room` characters, and whether «Leer más» follows. Never cuts before the first word."""
    if len(text) <= room:
        return text, False
    return text[:room].rstrip(" ,.;:*_~\n"), True
