"""The fast road to a valid number: libphonenumber's own patterns, compiled once per region.

`phonenumbers` reads about 15,000 numbers a second; these patterns 300,000. They answer only when they are sure that the
number is valid and belongs to the region; whatever they decline goes to `phonenumbers`, so the two never disagree on a
refusal (`tests/lib/test_phones.py` compares them).
"""

import functools
import re

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


@functools.cache
def of(region: str) -> "Patterns | None":
    """The patterns of a region, or None where several regions share the calling code (+1, +7, +44 …)."""
    code = phonenumbers.country_code_for_region(region)
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())) != 1:
        return None
    metadata = PhoneMetadata.metadata_for_region(region)
    return Patterns(metadata) if metadata else None


class Patterns:
    """Reads digits, with or without `+`, as national numbers of one region."""

    def __init__(self, metadata: PhoneMetadata) -> None:
        general = metadata.general_desc or PhoneNumberDesc()
        self.code = str(metadata.country_code)
        self._general = re.compile(general.national_number_pattern or r"(?!)").fullmatch
        self._valid = re.compile(_any_type(metadata)).fullmatch
        self._lengths = frozenset(general.possible_length)
        self._longest = max(self._lengths, default=0)
        self._prefix = re.compile(metadata.national_prefix_for_parsing or r"(?!)").match
        self._transforms = metadata.national_prefix_transform_rule is not None
        self._international = re.compile(metadata.international_prefix or r"(?!)").match

    def read(self, number: str) -> str | None:
        """The national (significant) number, valid for certain; None means: ask `phonenumbers`."""
        national = self._after_plus(number) if number[0] == "+" else self._domestic(number)
        return national if national and self.is_valid(national) else None

    def is_valid(self, national: str) -> bool:
        return national[0] != "0" and bool(self._general(national) and self._valid(national))

    def _after_plus(self, number: str) -> str | None:
        if not number.startswith(self.code, 1):
            return None
        return self._without_prefix(number[1 + len(self.code) :])

    def _domestic(self, number: str) -> str | None:
        """As `phonenumbers` does: the country's own code is removed only if that makes the number better."""
        if number.startswith("00") or self._international(number):
            return None
        if number.startswith(self.code):
            rest = self._without_prefix(number[len(self.code) :])
            if rest is None:
                return None
            if len(number) > self._longest or (self._general(rest) and not self._general(number)):
                return rest
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


def _any_type(metadata: PhoneMetadata) -> str:
    descriptions: list[PhoneNumberDesc | None] = [getattr(metadata, name) for name in _TYPES]
    general = metadata.general_desc.possible_length if metadata.general_desc else ()
    return "|".join(
        _one_type(description.national_number_pattern, description.possible_length or general)
        for description in descriptions
        if description is not None and description.national_number_pattern
    )


def _one_type(pattern: str, lengths: tuple[int, ...]) -> str:
    sizes = "|".join(f".{{{length}}}" for length in lengths if length > 0)
    return rf"(?=(?:{sizes})\Z)(?:{pattern})" if sizes else f"(?:{pattern})"
