"""Good practice, seen in the message itself: short, useful, with the business's context (tutorial 04).

Advice, never an obstacle: what Meta refuses is in `problems`.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.contacts.models import Contact
from pregon.lib import text
from pregon.promotions import preview, problems
from pregon.promotions.models import Version

LINES, LINE = (
    5,
    40,
)  # WhatsApp shows about five lines of a promotion before "Leer más", on a common phone 40 characters each
BELOW_MAXIMUM = 550  # where some templates begin to be refused (2388040), long before the documented 1,024
EMOJIS = 5

MONTHS = "ene|feb|mar|abr|may|jun|jul|ago|sep|set|oct|nov|dic|jan|apr|aug|dec"
DATES = re.compile(
    rf"\b\d{{1,2}}\s*(?:de\s+|/|-|\s)(?:(?:{MONTHS})[a-z]*|\d{{1,2}})\b(?:[/-]\d{{2,4}})?"
    r"|\b(?:(?:hasta|este|esta|antes del?|solo|hoy|manana|el)\s+)+"
    r"(?:lunes|martes|miercoles|jueves|viernes|sabado|domingo|fin de (?:semana|mes|ano)|semana|mes)\b"
    r"|\b(?:solo|unicamente)\s+(?:por\s+)?hoy\b|\bhasta agotar existencias\b|\bhasta (?:hoy|manana|el \d{1,2}(?: de [a-z]+)?)\b"
)
SHORTENERS = re.compile(r"\b(?:bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|cutt\.ly|is\.gd)/", re.IGNORECASE)
NAMES_OF_TRADES = {
    "panaderia",
    "tienda",
    "restaurante",
    "cafeteria",
    "farmacia",
    "ferreteria",
    "grupo",
    "comercial",
    "negocio",
}


@dataclass(frozen=True)
class Hint:
    """A tick of "Antes de enviarla"."""

    title: str
    done: bool
    detail: str = ""


def find(version: Version, contact: Contact | None = None) -> list[Hint]:
    """Four that are always told, then those that only a mistake brings."""
    seen = preview.render(version, contact)
    whole = f"{seen.header}\n{seen.body}\n{seen.footer}"
    return [
        _who(version, whole),
        _date(whole),
        _way_out(seen),
        _short(seen.body),
        *_excesses(version, seen),
    ]


def room(body: str) -> int:
    """After how many characters "Leer más" comes, 0 when the whole text is seen."""
    used = 0
    for number, line in enumerate(_lines(body)):
        if number == LINES:
            return used
        used += len(line)
    return 0


def _lines(body: str) -> Iterator[str]:
    """The text as a phone breaks it, every character kept."""
    for paragraph in body.splitlines(keepends=True):
        wrapped = textwrap.wrap(paragraph, LINE, drop_whitespace=False, replace_whitespace=False, expand_tabs=False)
        yield from wrapped or [paragraph]


def _who(version: Version, whole: str) -> Hint:
    business = version.promotion.account.name
    telling = {word for word in text.fold(business).split() if len(word) > 3 and word not in NAMES_OF_TRADES}
    said = bool(telling & set(re.findall(r"\w+", text.fold(whole)))) or text.fold(business) in text.fold(whole)
    detail = "" if said else _("Menciona «%(name)s»: así te reconocen al instante.") % {"name": business}
    return Hint(_("Dice quién eres"), said, detail)


def _date(whole: str) -> Hint:
    folded = text.fold(whole)
    found = DATES.search(folded)
    detail = found[0] if found else _("Una fecha ayuda a decidir: «hasta el 30 de noviembre».")
    return Hint(_("Tiene fecha límite"), bool(found), detail)


def _way_out(seen: preview.Preview) -> Hint:
    said = any(kind == "optout" for kind, _words in seen.buttons) or re.search(
        r"\bbaja\b", text.fold(f"{seen.body} {seen.footer}")
    )
    detail = "" if said else _("Agrega al pie «Responde BAJA para no recibir más».")
    return Hint(_("Explica cómo darse de baja"), bool(said), detail)


def _short(body: str) -> Hint:
    if not (shown := room(body)):
        return Hint(_("Cabe sin «Leer más»"), bool(body.strip()))
    cut = _("En la mayoría de los celulares se corta después de «%(words)s…».") % {"words": body[:shown].rstrip()[-12:]}
    extra = len(body) - shown
    advice = ngettext("Quita una letra y se ve completo.", "Quita unas %(n)s letras y se ve completo.", extra)
    return Hint(_("Cabe sin «Leer más»"), False, f"{cut} {advice % {'n': extra}}")


def _excesses(version: Version, seen: preview.Preview) -> Iterator[Hint]:
    whole = f"{seen.header}\n{seen.body}"
    letters = [character for character in whole if character.isalpha()]
    if len(letters) >= 20 and sum(map(str.isupper, letters)) > len(letters) * 0.4:
        yield Hint(_("Va casi todo en mayúsculas"), False, _("Se lee como un grito. Déjalas para una o dos palabras."))
    if problems.emojis(whole) > EMOJIS:
        yield Hint(_("Lleva muchos emojis"), False, _("Con dos o tres basta; con más de diez Meta puede rechazarla."))
    if SHORTENERS.search(whole + " ".join(str(button.get("url", "")) for button in version.buttons)):
        yield Hint(_("Lleva un enlace acortado"), False, _("Meta suele rechazarlos: pon la dirección completa."))
    if len(seen.body) > BELOW_MAXIMUM:
        yield Hint(
            _("Es un mensaje largo"), False, _("Pasa de 550 letras y Meta puede rechazarlo. Lo corto se lee más.")
        )
