"""What Meta will charge: its rates by market, kept as rows with the date from which each holds.

Meta charges per delivered message, by the calling code of the recipient: an estimate counts everybody who would get it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

import phonenumbers

from pregon.promotions.models import Rate, Version, Way

REST = ""  # the market of countries without a row of their own
PREFIX_LENGTH = 5  # "+1" and an area code: what tells the countries of +1 apart; other calling codes are shorter


@dataclass(frozen=True)
class Line:
    """`people` of one market at one rate."""

    country: str
    people: int
    rate: Decimal

    @property
    def amount(self) -> Decimal:
        return self.people * self.rate


@dataclass(frozen=True)
class Estimate:
    """The lines, most people first."""

    lines: tuple[Line, ...]
    currency: str = "USD"

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


def category(version: Version) -> Rate.Category:
    """Templates that Meta calls marketing cost the most; free text costs like a notice."""
    if version.way == Way.TEXT:
        return Rate.Category.UTILITY
    other = version.template is not None and version.template.category != "MARKETING"
    return Rate.Category.UTILITY if other else Rate.Category.MARKETING


def estimate(by_prefix: Mapping[str, int], category: Rate.Category, on: date) -> Estimate:
    """`by_prefix`: the first five characters of E.164 numbers → people. Without any rate that holds, no lines."""
    rates = _rates(category, on)
    people = Counter[str]()
    for prefix, figure in by_prefix.items():
        people[country(prefix)] += figure
    lines = [
        Line(market, n, rate)
        for market, n in people.most_common()
        if (rate := rates.get(market, rates.get(REST))) is not None
    ]
    return Estimate(tuple(lines))


def _rates(category: Rate.Category, on: date) -> dict[str, Decimal]:
    held = Rate.objects.filter(category=category, currency="USD", valid_from__lte=on).order_by("valid_from")
    return dict(held.values_list("country", "amount"))  # a later row overwrites an earlier one


@cache
def country(prefix: str) -> str:
    """ISO code of the country that "+5255" or "+1809" begins a number of; `REST` when it cannot be told."""
    digits = prefix[1:]
    if digits.startswith("1"):
        return _area(digits[1:4])
    regions = (phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:n])) for n in (1, 2, 3) if digits[:n].isdigit())
    return next((found[0] for found in regions if found and found[0] != "001"), REST)  # 001: satellites and the like


def _area(code: str) -> str:
    """No area code of +1 is shared by two countries; a few take only some of the numbers that could follow."""
    if len(code) < 3:
        return REST
    tried = (
        phonenumbers.PhoneNumber(country_code=1, national_number=int(code + rest)) for rest in ("5552345", "3122345")
    )
    return next((region for number in tried if (region := phonenumbers.region_code_for_number(number))), REST)


@cache
def us_areas() -> tuple[str, ...]:
    """Area codes of the United States, where Meta delivers no marketing."""
    return tuple(str(code) for code in range(200, 1000) if _area(str(code)) == "US")
