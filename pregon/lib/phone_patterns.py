"""The fast roads to a number: libphonenumber's own patterns, compiled once per region.

`phonenumbers` takes 50 to 100 µs for a number; these patterns 1 to 5. They answer only when the digits can be read in
one way; whatever they decline goes to `phonenumbers`, so the two never disagree (`tests/lib/test_phones.py` compares
them).
"""

import functools
import re
from collections.abc import Callable

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

_TYPES = (
    "mobile",
    "fixed_line",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
_NEVER = r"(?!)"
_Match = Callable[[str], re.Match[str] | None]


@functools.cache
def of(region: str) -> "Patterns":
    """The patterns of a region. Raises ValueError for one that libphonenumber does not know."""
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        raise ValueError(f"not a region of libphonenumber: {region!r}")
    return Patterns(metadata)


@functools.lru_cache(maxsize=1000)
def after_plus(digits: str) -> "Patterns | None":
    """The patterns of the calling code that the digits begin with: its main region's; None where no country has it."""
    codes = (digits[:size] for size in (1, 2, 3))
    regions = (phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code)) for code in codes if code)
    found = next(filter(None, regions), None)
    return of(found[0]) if found and found[0] != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else None


class Patterns:
    """Reads digits, with or without `+`, as a region's national numbers."""

    def __init__(self, metadata: PhoneMetadata) -> None:
        general = _general(metadata)
        self.code = str(metadata.country_code)
        self.regions: tuple[str, ...] = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(self.code)]
        """All that share the calling code, the main one first."""
        self.shortest = min(general.possible_length)
        self._main = self if self.regions[0] == metadata.id else of(self.regions[0])
        self._general = re.compile(general.national_number_pattern or _NEVER).fullmatch
        self._lengths = frozenset(general.possible_length)
        self._longest = max(self._lengths)
        self._prefix = re.compile(metadata.national_prefix_for_parsing or _NEVER).match
        self._transforms = metadata.national_prefix_transform_rule is not None
        self._international = re.compile(metadata.international_prefix or _NEVER).match
        well_formed = re.compile(
            _well_formed(metadata) if len(self.regions) == 1 else _NEVER + "(?P<national>)", re.ASCII
        )
        self.well_formed = well_formed.fullmatch
        """Whole valid numbers, with or without the country's code, and nothing between their digits."""
        self.group = well_formed.groupindex["national"]

    def national(self, number: str) -> str | None:
        """The national (significant) number, where there is one way to read it; None means: ask `phonenumbers`."""
        national = self._after_code(number[1:]) if number[0] == "+" else self._domestic(number)
        return national if national and national[0] != "0" else None

    def owner(self, national: str) -> str | None:
        """The region in whose plan the number is; None where no plan has it."""
        for region in self.regions:
            claims, valid = _own(region, alone=len(self.regions) == 1)
            if claims(national):
                return region if valid(national) else None
        return None

    def _after_code(self, number: str) -> str | None:
        return self._main._without_prefix(number[len(self.code) :]) if number.startswith(self.code) else None

    def _domestic(self, number: str) -> str | None:
        """As `phonenumbers` does: the country's own code is removed only if that makes the number better."""
        if number.startswith("00") or self._international(number):
            return None
        if number.startswith(self.code):
            rest = self._without_prefix(number[len(self.code) :])
            if rest is None:
                return None
            if len(number) > self._longest or (self._general(rest) and not self._general(number)):
                return self._main._without_prefix(rest)
        return self._without_prefix(number)

    def _without_prefix(self, number: str) -> str | None:
        found = self._prefix(number)
        if found is None or found.end() == 0:
            return number
        if self._transforms and found.lastindex is not None:  # AR's 15, BR's carriers: a rewriting rule
            return None
        rest = number[found.end() :]
        if self._general(number) and not self._general(rest):
            return number
        return rest if len(rest) in self._lengths else None


@functools.cache
def _own(region: str, *, alone: bool) -> tuple[_Match, _Match]:
    """What tells that a national number of a shared calling code is the region's, and its valid numbers."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None  # the regions come from the library's own table
    valid = re.compile(_any_type(metadata)).fullmatch
    leading = None if alone else metadata.leading_digits
    return re.compile(leading).match if leading else valid, valid


def _well_formed(metadata: PhoneMetadata) -> str:
    """A number after `+` and the code, after the code alone, or by itself: never where another reading is possible."""
    code, general = metadata.country_code, _general(metadata).national_number_pattern
    prefix = metadata.national_prefix_for_parsing or _NEVER
    abroad = metadata.international_prefix or _NEVER
    # A prefix that may be empty (AR) says nothing where it is: it must end behind the place where it begins.
    after_plus = rf"\+{code}(?!(?:{prefix})(?<!\A\+{code}))"
    after_code = rf"(?!00|(?:{abroad})|(?:{general})\Z){code}(?!(?:{prefix})(?<!\A{code}))"
    alone = rf"(?!00|(?:{abroad})|{code})(?!(?:{prefix})(?<!\A))"
    return rf"(?:{after_plus}|{after_code}|{alone})(?P<national>(?!0)(?:{_any_type(metadata)}))"


def _any_type(metadata: PhoneMetadata) -> str:
    general = _general(metadata)
    descriptions: list[PhoneNumberDesc | None] = [getattr(metadata, name) for name in _TYPES]
    return _checked(general, "|".join(_one_type(each, general) for each in descriptions if each is not None))


def _general(metadata: PhoneMetadata) -> PhoneNumberDesc:
    assert metadata.general_desc is not None  # every region of the library has one
    return metadata.general_desc


def _checked(general: PhoneNumberDesc, pattern: str) -> str:
    """What the pattern says, of what the plan holds at all."""
    return rf"(?=(?:{general.national_number_pattern})\Z)(?:{pattern})"


def _one_type(description: PhoneNumberDesc, general: PhoneNumberDesc) -> str:
    if not description.national_number_pattern:
        return _NEVER
    lengths = description.possible_length or general.possible_length
    sizes = "|".join(f".{{{length}}}" for length in lengths if length > 0)
    return rf"(?=(?:{sizes})\Z)(?:{description.national_number_pattern})"
