"""Numbers as WhatsApp keeps them: `wa_id` has no plus, and differs from what was dialled in three countries."""

import hashlib
import re

import phonenumbers

NOT_DIGITS = re.compile("[^0-9]")
DIALLED = re.compile(r"\+?[0-9 ().-]+")
USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
COUNTRIES = {
    "52": "MX",
    "57": "CO",
    "51": "PE",
    "54": "AR",
    "55": "BR",
    "56": "CL",
    "593": "EC",
    "502": "GT",
    "34": "ES",
    "1": "US",
}


def digits(text: str) -> str:
    """Only the digits."""
    return NOT_DIGITS.sub("", text)


def dialled(to: str, own: str) -> str:
    """The digits Meta dials, or empty when malformed. Without a plus, the business number's own country code comes first."""
    number = digits(to)
    if not DIALLED.fullmatch(to) or not 8 <= len(number) <= 15:
        return ""
    code = calling_code(own)
    return number if to.startswith("+") or number.startswith(code) else code + number


def calling_code(number: str) -> str:
    """The country code of a full number, as far as this program knows countries."""
    return next((number[:size] for size in (3, 2, 1) if number[:size] in COUNTRIES), number[:2])


def wa_id(number: str) -> str:
    """Mexico has a 1 after 52, Argentina a 9 after 54; Brazil outside the south-east lost the ninth digit."""
    if number.startswith("52") and len(number) == 12:
        return "521" + number[2:]
    if number.startswith("54") and len(number) == 12:
        return "549" + number[2:]
    if number.startswith("55") and len(number) == 13 and number[2:4] > "30":
        return number[:4] + number[5:]
    return number


def exists(number: str) -> bool:
    """Whether some country has numbers of this beginning and length."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{_plain(number)}"))
    except phonenumbers.NumberParseException:
        return False


def user_id(number: str) -> str:
    """A person's business-scoped user id: stable, and telling nothing of the number."""
    digest = int.from_bytes(hashlib.blake2b(number.encode(), digest_size=8).digest())
    return f"{COUNTRIES.get(calling_code(number), 'US')}.{digest:020d}"


def pretty(number: str) -> str:
    """For people: +52 222 555 0117."""
    plain = _plain(number)
    code = calling_code(plain)
    rest = plain[len(code) :]
    return f"+{code} {rest[:-7]} {rest[-7:-4]} {rest[-4:]}".replace("  ", " ")


def _plain(number: str) -> str:
    """Without Mexico's 1."""
    return "52" + number[3:] if number.startswith("521") and len(number) == 13 else number
