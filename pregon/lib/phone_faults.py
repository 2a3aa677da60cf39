"""Why a number cannot be written to, said in figures: "Faltan 2 dígitos: en México son 10"."""

import enum
import functools
import re
from typing import Final, NamedTuple

import phonenumbers
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from phonenumbers import PhoneMetadata, PhoneNumber

from pregon.lib import locales

INCOMPLETE: Final = "numero_incompleto"
INVALID: Final = "numero_invalido"


class Fault(enum.StrEnum):
    """What is wrong with a number."""

    EMPTY = "empty"
    MISSING = "missing"  # too short for its country
    NO_AREA = "no_area"  # Argentina's 15 without the area code before it
    ROUNDED = "rounded"  # a spreadsheet kept only the first digits
    EXTRA = "extra"  # too long for its country
    IMPOSSIBLE = "impossible"  # the right length, but no such number in the country's plan
    FRACTION = "fraction"
    SEVERAL = "several"
    NO_NUMBER = "no_number"
    UNKNOWN_COUNTRY = "unknown_country"


_LACKING = {Fault.EMPTY, Fault.MISSING, Fault.NO_AREA, Fault.ROUNDED}


class Problem(NamedTuple):
    """A number that cannot be used as it is."""

    fault: Fault
    country: str
    """ISO code whose plan the number was compared with."""
    figure: int = 0
    """Missing or extra digits, or how many numbers the cell holds."""

    @property
    def code(self) -> str:
        """What a table keeps instead of words, "missing:2:MX": `explain` puts it into those of its reader."""
        return f"{self.fault}:{self.figure}:{self.country}"

    @property
    def reason(self) -> str:
        """`numero_incompleto` or `numero_invalido`."""
        return INCOMPLETE if self.fault in _LACKING else INVALID

    @property
    def explanation(self) -> str:
        """One sentence in the active language, without the number itself."""
        return _sentence(self) % {
            "n": self.figure,
            "country": _name(self.country),
            "size": _sizes(self.country)[-1],
        }


def explain(code: str) -> str:
    """The sentence of a Problem's code, in the active language. Raises ValueError for any other text."""
    fault, figure, country = code.split(":")
    return Problem(Fault(fault), country, int(figure)).explanation


def diagnose(e164: str, parsed: PhoneNumber, region: str) -> Problem:
    """Compares a parsed but impossible number with the length of mobiles in its country."""
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return Problem(Fault.UNKNOWN_COUNTRY, region)
    if region in phonenumbers.region_codes_for_country_code(parsed.country_code or 0):
        country = region
    return by_plan(e164[1 + len(str(parsed.country_code)) :], country)


def by_plan(national: str, country: str) -> Problem:
    """What is wrong with a national number that is not valid."""
    if country == "AR":
        national = national.removeprefix("9")
        if re.fullmatch(r"15[0-9]{6,8}", national):
            return Problem(Fault.NO_AREA, country)
    return _by_length(len(national), country)


def unparsed(number: str, region: str) -> Problem:
    """For what libphonenumber cannot take apart: more than 17 digits, or a country code that nobody has."""
    if number.startswith("+"):
        return Problem(Fault.UNKNOWN_COUNTRY, region)
    return _by_length(len(number), region)


def _by_length(length: int, country: str) -> Problem:
    sizes = _sizes(country)
    if length < sizes[0]:
        return Problem(Fault.MISSING, country, sizes[0] - length)
    if length > sizes[-1]:
        return Problem(Fault.EXTRA, country, length - sizes[-1])
    return Problem(Fault.IMPOSSIBLE, country)


# People count without Argentina's 9; Brazil's 10 and Panama's 7 digits are older mobiles and pagers.
_SIZES = {"AR": (10,), "BR": (11,), "PA": (8,)}


@functools.cache
def _sizes(country: str) -> tuple[int, ...]:
    """Possible lengths of a mobile as people dial it, ascending."""
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None or metadata.general_desc is None:
        raise ValueError(f"libphonenumber has no plan for {country}")
    mobile = metadata.mobile.possible_length if metadata.mobile else ()
    return _SIZES.get(country) or tuple(sorted(mobile or metadata.general_desc.possible_length))


def _name(country: str) -> str:
    return str(locales.of(get_language() or "es").territories.get(country, country))


def _sentence(problem: Problem) -> str:
    match problem.fault:
        case Fault.MISSING:
            return ngettext(
                "Falta %(n)s dígito: en %(country)s son %(size)s",
                "Faltan %(n)s dígitos: en %(country)s son %(size)s",
                problem.figure,
            )
        case Fault.EXTRA:
            return ngettext(
                "Sobra %(n)s dígito: en %(country)s son %(size)s",
                "Sobran %(n)s dígitos: en %(country)s son %(size)s",
                problem.figure,
            )
        case fault:
            return _plain_sentence(fault)


def _plain_sentence(fault: Fault) -> str:
    return {
        Fault.EMPTY: _("Falta el celular"),
        Fault.NO_AREA: _("Falta el código de área: en %(country)s son %(size)s dígitos, sin el 15"),
        Fault.ROUNDED: _("La hoja de cálculo recortó este número: dale formato de texto y escríbelo completo"),
        Fault.IMPOSSIBLE: _("Ningún número de %(country)s es así: revisa sus dígitos"),
        Fault.FRACTION: _("Este número tiene decimales: escríbelo sin ellos"),
        Fault.SEVERAL: _("Aquí hay %(n)s números: deja uno solo"),
        Fault.NO_NUMBER: _("Aquí no hay un celular: escribe sus dígitos"),
        Fault.UNKNOWN_COUNTRY: _("Ningún país usa ese prefijo: revisa lo que sigue al +"),
    }[fault]
