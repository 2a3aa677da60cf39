"""Mobile numbers as people write them, and the one form in which they are kept.

`read` is the only way from a cell, a form field or an API value to a number; `canonical` the only way from one of
Meta's ids. Both end in the same E.164 text, so that a person who comes by a file, by hand or by a reply is one contact.

Three countries write one person in two ways; this is the form that stays (WhatsApp accepts it as `to`, and it is what
libphonenumber calls the E.164 of a mobile):

| country   | also written                        | kept            | Meta's `wa_id`                       |
|-----------|-------------------------------------|-----------------|--------------------------------------|
| Mexico    | 52 1 …, and 044, 045, 01, 1 before  | +52 and 10      | 521 and 10                           |
| Argentina | 54 … without the 9, 0 area 15 …     | +54 9 and 10    | 549 and 10                           |
| Brazil    | 8 digits that start with 6 to 9     | +55 area 9 and 8| without the 9 in most areas from 31  |

Nothing is guessed: a figure that a spreadsheet has rounded, or a cell with two numbers, is refused with the reason.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from pregon.lib import phone_faults, phone_patterns
from pregon.lib.phone_faults import INCOMPLETE, INVALID, Fault, Problem
from pregon.lib.phone_patterns import Patterns

__all__ = [
    "INCOMPLETE",
    "INVALID",
    "Fault",
    "Kind",
    "Phone",
    "Problem",
    "beginnings",
    "canonical",
    "carrier",
    "country",
    "display",
    "kind",
    "mask",
    "read",
    "us_number",
]


Kind = Literal["mobile", "fixed", "either", "voip", "toll_free", "other"]


class Phone(NamedTuple):
    """A number that exists in its country's plan."""

    mobile: str
    """E.164, canonical."""
    country: str
    """ISO 3166 code of two letters."""


_PLAIN = re.compile(r"\s*\+?[0-9 ()\-]{5,24}\Z").match
_DROP_SEPARATORS = dict.fromkeys(map(ord, " ()-\t\r\n\xa0"))
_WA_ID = re.compile(r"\+?[0-9]{5,20}").fullmatch
_TWINS = {
    "52": (re.compile(r"\+52(?:1|01|044|045)([0-9]{10})"), r"+52\1"),
    "54": (re.compile(r"\+54([1-3][0-9]{9})"), r"+549\1"),
    "55": (re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})"), r"+55\g<1>9\2"),
}
_MOBILE_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_KINDS: dict[int, Kind] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "either",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "toll_free",
}
_SHORTEST_INTERNATIONAL = 11
"""Digits without `+` that no national plan of ours explains are a whole number only from this length on."""

_EXPONENT = re.compile(r"\+?([0-9]+)(?:[.,]([0-9]*))?[eE]\+?([0-9]{1,2})").fullmatch
_DECIMAL = re.compile(r"(\+?[0-9]{7,})[.,]([0-9]{1,3})").fullmatch
_ZERO_DECIMALS = re.compile(r"(\+?[0-9]{5,})[.,]0+").fullmatch
_THOUSANDS = re.compile(r"([0-9]{1,3}([.,])[0-9]{3}(?:\2[0-9]{3})+)(?:[.,]0+)?").fullmatch
_SEVERAL = re.compile(r"[;/|,\n]|\s(?:y|e|o|u|ou|and|or)\s", re.IGNORECASE)
_EXTENSION = re.compile(r"\b(?:ext(?:ensi[oó]n)?|anexo|int(?:erno)?|ramal|x)\.?:?\s*[0-9]{1,6}\s*\Z", re.IGNORECASE)


def read(raw: str, region: str) -> Phone | Problem:
    """Reads one number; `region` (ISO, two capitals) is the country of numbers without a code of their own.

    Never raises for a cell, whatever it holds. Raises ValueError for a region that libphonenumber does not know.
    """
    if found := _well_formed(raw.replace(" ", "").replace("-", ""), region):
        return found
    if _PLAIN(raw):
        number = raw.translate(_DROP_SEPARATORS)
        if answer := _well_formed(number, region) or _recognise(number, region) or _refuse(raw, number, region):
            return answer
    return _read_carefully(_clean(raw), region)


def canonical(wa_id: str) -> str | None:
    """The E.164 of one of Meta's ids (5 to 20 digits without `+`), None for what is none.

    Ids of plans that nobody knows are kept as they are: whoever has one can be answered.
    """
    return _twin("+" + wa_id.lstrip("+")) if _WA_ID(wa_id) else None


def beginnings(raw: str, region: str) -> list[str]:
    """What the E.164 of a number that begins like this may begin with: «222 55» in MX is "+22255" or "+5222255".

    None of them begins another. Without digits there is nothing to begin with.
    """
    digits = _digits(_clean(raw))
    if digits.startswith("+"):
        return [_begun(digits)]
    if digits.startswith("00"):
        return [_begun(f"+{digits[2:]}")]
    national = f"+{phonenumbers.country_code_for_region(region)}{digits.removeprefix('0')}"
    found = {_begun(f"+{digits}"), _begun(national)} if digits else set()
    return sorted(start for start in found if not any(start != other and start.startswith(other) for other in found))


def _begun(start: str) -> str:
    """As the beginning of the form that is kept; where that depends on the length (BR) it stays as it is."""
    if start.startswith("+521"):  # no national number begins with 1
        return f"+52{start[4:]}"
    return f"+549{start[3:]}" if re.match(r"\+54[1-3]", start) else start


def display(e164: str) -> str:
    """For people: international and grouped, "+52 222 555 0142"; what no plan knows stays as it is."""
    parsed = _parsed(e164)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL) if parsed else e164


def mask(e164: str) -> str:
    """For logs: "+52•••••0142"."""
    parsed = _parsed(e164)
    return f"{f'+{parsed.country_code}' if parsed else ''}•••••{e164[-4:]}"


def country(e164: str) -> str | None:
    """ISO code of the number's country; None when no country has it."""
    parsed = _parsed(e164)
    return phonenumbers.region_code_for_number(parsed) if parsed else None


def kind(e164: str) -> Kind:
    """What the country's plan says of the number; "either" where mobiles and fixed lines look the same (Mexico, US)."""
    parsed = _parsed(e164)
    return _KINDS.get(phonenumbers.number_type(parsed), "other") if parsed else "other"


def carrier(e164: str, language: str = "es") -> str:
    """Who first gave out a mobile, "" where libphonenumber does not say; people take their numbers elsewhere."""
    from phonenumbers import carrier as carriers  # 1 MB of tables, for the pages that ask

    parsed = _parsed(e164)
    return str(carriers.name_for_number(parsed, language)) if parsed else ""


def us_number(e164: str) -> bool:
    """Whether Meta delivers no marketing to it: +1 with an area code of the United States (not Canada's)."""
    return e164.startswith("+1") and country(e164) == "US"


def _well_formed(number: str, region: str) -> Phone | None:
    """The fastest road: nearly all numbers of a file are the region's own."""
    patterns = phone_patterns.of(region)
    found = patterns.well_formed(number)
    return Phone(_twin(f"+{patterns.code}{found[patterns.group]}"), region) if found else None


def _recognise(number: str, region: str) -> Phone | None:
    """The fast road to a valid number: digits with or without `+`."""
    place = _place(number, region)
    if place is None:
        return None
    patterns, e164 = place
    owner = patterns.owner(e164[1 + len(patterns.code) :])
    return Phone(e164, owner) if owner else None


def _refuse(raw: str, number: str, region: str) -> Problem | None:
    """The fast road to the problem of digits that `_recognise` does not know; None asks for a careful look."""
    place = _place(number, region)
    if place is None or not _one_reading(raw, number, place[0]):
        return None
    patterns, e164 = place
    national = e164[1 + len(patterns.code) :]
    if len(number) < 4 or not 2 <= len(national) <= 17:
        return None
    return phone_faults.by_plan(national, region if region in patterns.regions else patterns.regions[0])


def _place(number: str, region: str) -> tuple[Patterns, str] | None:
    """The plan and the canonical E.164, valid or not, if the digits can be read in one way."""
    if not number:
        return None
    patterns = phone_patterns.after_plus(number[1:4]) if number[0] == "+" else phone_patterns.of(region)
    national = patterns.national(number) if patterns else None
    return (patterns, _twin(f"+{patterns.code}{national}")) if patterns and national else None


def _one_reading(raw: str, number: str, patterns: Patterns) -> bool:
    """Too short for a whole international number, and for two beside each other."""
    if number[0] != "+" and len(number) >= _SHORTEST_INTERNATIONAL:
        return False
    return len(number) < 2 * patterns.shortest or not re.search(r"\s", raw)


def _twin(e164: str) -> str:
    rule = _TWINS.get(e164[1:3])
    if rule is None:
        return e164
    pattern, replacement = rule
    return pattern.sub(replacement, e164) if pattern.fullmatch(e164) else e164


def _read_carefully(text: str, region: str) -> Phone | Problem:
    if not text:
        return Problem(Fault.EMPTY, region)
    number = _whole_number(text)
    if isinstance(number, Fault):
        return Problem(number, region)
    several = sum(len(_digits(part)) > 5 for part in _SEVERAL.split(number))
    if several > 1:
        return Problem(Fault.SEVERAL, region, several)
    return _first_valid(_digits(number), region) or _diagnose(number, region)


def _clean(raw: str) -> str:
    """Compatible forms made plain; invisible characters, keycap marks and Excel's text apostrophe removed."""
    text = "".join(map(_plain_character, unicodedata.normalize("NFKC", raw)))
    return text.strip(" '\"=\n")


def _plain_character(character: str) -> str:
    if character.isascii():
        return " " if character in "\t\r\v\f" else character if character >= " " or character == "\n" else ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category[0] in "CM":
        return ""
    return {"Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n"}.get(category, character)


def _whole_number(text: str) -> str | Fault:
    """Undoes what spreadsheets do to figures (`987654321.0`, `5.1987654321E+10`, `987,654,321`), if nothing is lost."""
    if exponent := _EXPONENT(text):
        return _without_exponent(exponent[1], exponent[2] or "", int(exponent[3]))
    if zeros := _ZERO_DECIMALS(text):
        return zeros[1]
    if _DECIMAL(text):
        return Fault.FRACTION
    thousands = _THOUSANDS(text)
    return thousands[1].replace(thousands[2], "") if thousands else text


def _without_exponent(whole: str, decimals: str, exponent: int) -> str | Fault:
    if len(decimals) < exponent:  # 5.1987E+10: six digits are gone
        return Fault.ROUNDED
    return Fault.FRACTION if decimals[exponent:].strip("0") else whole + decimals[:exponent]


def _digits(text: str) -> str:
    """Digits of the text, after a `+` if one stands before the first of them; an extension is left out."""
    text = _EXTENSION.sub("", text)
    digits = re.sub(r"[^0-9]", "", text)
    return "+" + digits if digits and "+" in text[: text.index(digits[0])] else digits


def _first_valid(number: str, region: str) -> Phone | None:
    return next((phone for phone in _readings(number, region) if phone), None)


def _readings(number: str, region: str) -> Iterator[Phone | None]:
    """Ways to understand the digits, the likeliest first.

    `00` is read before the region's own dialling prefixes: Colombia's 005 would turn 0054 9 … into +49.
    """
    if number.startswith("00"):
        yield _parse("+" + number[2:], region)
    yield _recognise(number, region) or _parse(number, region)
    if len(number) >= _SHORTEST_INTERNATIONAL and number[0] != "+":
        yield _parse("+" + number, region, types=_MOBILE_TYPES)


def _parse(number: str, region: str, types: tuple[int, ...] = ()) -> Phone | None:
    parsed = _parsed(number, region)
    if parsed is None:
        return None
    parsed = phonenumbers.parse(_twin(_e164(parsed)))
    if not phonenumbers.is_valid_number(parsed) or (types and phonenumbers.number_type(parsed) not in types):
        return None
    return Phone(_e164(parsed), phonenumbers.region_code_for_number(parsed) or region)


def _parsed(number: str, region: str | None = None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


def _e164(parsed: PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _diagnose(text: str, region: str) -> Problem:
    number = _digits(text)
    if len(number) < 4 or sum(map(str.isalpha, text)) > len(number):
        return Problem(Fault.NO_NUMBER, region)
    if _two_beside_each_other(text, region):
        return Problem(Fault.SEVERAL, region, 2)
    parsed = _parsed(re.sub(r"\A00", "+", number), region) or _parsed(number, region)
    if parsed is None:
        return phone_faults.unparsed(number, region)
    return phone_faults.diagnose(_twin(_e164(parsed)), parsed, region)


def _two_beside_each_other(text: str, region: str) -> bool:
    spaces = [place.start() for place in re.finditer(r"\s", text)] if len(text) < 80 else []
    return any(
        _first_valid(_digits(text[:place]), region) and _first_valid(_digits(text[place:]), region) for place in spaces
    )
