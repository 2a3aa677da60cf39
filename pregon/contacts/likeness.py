"""Whether two contacts look like one person, and by what: pure, a few comparisons of short texts.

Alike are those with one e-mail; those whose bad numbers were given with the same digits; and those whose names *and* numbers are
nearly the same. A number alone says nothing: in a family they come one after another.
"""

from dataclasses import dataclass
from enum import StrEnum

SHORTEST = 6  # digits of an incomplete number that say something,
DIFFERENT = 3  # if there are so many different ones among them: 000 000 0000 stands for none
SUBSCRIBER = 8  # last digits that do not come twice by chance, under whatever country


class Why(StrEnum):
    EMAIL = "email"
    NUMBER = "number"  # the same digits, of two numbers that are to be corrected
    NEAR_NUMBER = "near_number"
    NAME = "name"
    NEAR_NAME = "near_name"
    TAKEN = "taken"  # somebody wanted to give one the number of the other
    META = "meta"  # WhatsApp names one person by the number of the one and the user id of the other


POINTS = {
    Why.EMAIL: 50,
    Why.NUMBER: 40,
    Why.NEAR_NUMBER: 40,
    Why.NAME: 45,
    Why.NEAR_NAME: 30,
    Why.TAKEN: 99,
    Why.META: 99,
}
FIRST_NAME_ONLY = 20  # points less, where one word is all that the names share
MOST = 99


@dataclass(frozen=True)
class Seen:
    """What is compared of a contact."""

    name: str
    """Folded."""
    digits: str
    """Of the E.164, else of what was given."""
    whole: bool
    """It has an E.164."""
    email: str = ""
    """Lower case."""


@dataclass(frozen=True)
class Likeness:
    why: tuple[Why, ...]
    score: int
    """0 to 100."""


def find(one: Seen, other: Seen) -> Likeness | None:
    """None: nothing says that they are one person."""
    why = tuple(filter(None, (_by_email(one, other), _by_number(one, other), _by_name(one.name, other.name))))
    if not ({Why.EMAIL, Why.NUMBER} & {*why} or (Why.NEAR_NUMBER in why and len(why) == 2)):
        return None
    score = sum(POINTS[each] for each in why)
    if {Why.NAME, Why.NEAR_NAME} & {*why} and len({*one.name.split()} & {*other.name.split()}) < 2:
        score -= FIRST_NAME_ONLY
    return Likeness(why, min(score, MOST))


def _by_email(one: Seen, other: Seen) -> Why | None:
    return Why.EMAIL if one.email and one.email == other.email else None


def _by_number(one: Seen, other: Seen) -> Why | None:
    short, long = sorted((one.digits, other.digits), key=len)
    if len(short) < SHORTEST or len({*short}) < DIFFERENT:
        return None
    if one.whole and other.whole:
        near = _one_slip(short, long) or short[-SUBSCRIBER:] == long[-SUBSCRIBER:]
        return Why.NEAR_NUMBER if near else None
    if short == long:
        return Why.NUMBER
    return Why.NEAR_NUMBER if _near_part(short, long) else None


def _near_part(short: str, long: str) -> bool:
    """Digits are missing at an end, or one is wrong or missing, whether the country's code was given or not."""
    size = len(short)
    return short in long or _one_slip(short, long[-size:]) or _one_slip(short, long[-size - 1 :])


def _by_name(one: str, other: str) -> Why | None:
    mine, theirs = sorted(one.split()), sorted(other.split())
    if not (mine and theirs):
        return None
    if mine == theirs:
        return Why.NAME
    alike = {*mine} <= {*theirs} or {*theirs} <= {*mine} or _one_typo(one.split(), other.split())
    return Why.NEAR_NAME if alike else None


def _one_typo(mine: list[str], theirs: list[str]) -> bool:
    """All words the same but one, of four letters at least, with one slip in it."""
    if len(mine) != len(theirs) or len(mine) < 2:
        return False
    different = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
    return len(different) == 1 and min(map(len, different[0])) >= 4 and _one_slip(*different[0])


def _one_slip(one: str, other: str) -> bool:
    """At most one character is wrong, missing or too many, or two neighbours changed places."""
    start = _shared(one, other)
    mine, theirs = one[start:], other[start:]
    end = _shared(mine[::-1], theirs[::-1])
    mine, theirs = mine[: len(mine) - end], theirs[: len(theirs) - end]
    return max(len(mine), len(theirs)) <= 1 or (len(mine) == 2 and mine == theirs[::-1])


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    different = (at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs)
    return next(different, min(len(one), len(other)))
