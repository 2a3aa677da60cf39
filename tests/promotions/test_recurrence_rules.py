"""When a repetition comes, by its rule alone; and what is said of the rule."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from pregon.accounts.models import Account
from pregon.promotions import recurrences
from pregon.promotions.models import Recurrence
from pregon.promotions.recurrences import Rule
from tests.promotions.test_quiet import CLOCKS, MOMENTS

WEEK, MONTH = Recurrence.Every.WEEK, Recurrence.Every.MONTH


def rule(zone: str = "America/Mexico_City", **fields: object) -> Recurrence:
    return Recurrence(account=Account(time_zone=zone), **{"every": WEEK, "at": time(10)} | fields)


def hours(recurrence: Recurrence, first: str, count: int) -> list[str]:
    """The next so many, as the wall clock of the business shows them."""
    zone = recurrence.account.zone
    moment, found = datetime.fromisoformat(first).replace(tzinfo=zone), []
    while len(found) < count and (moment := recurrences.next_after(recurrence, moment)):
        found.append(moment.astimezone(zone).isoformat()[:16])
    return found


def test_weekly_on_chosen_days() -> None:
    mondays = rule(weekdays=[0, 3])
    assert hours(mondays, "2026-11-23T10:00", 3) == ["2026-11-26T10:00", "2026-11-30T10:00", "2026-12-03T10:00"]
    assert hours(mondays, "2026-11-23T09:59", 1) == ["2026-11-23T10:00"]


def test_monthly_takes_the_last_day_of_short_months() -> None:
    last = rule(every=MONTH, month_day=31)
    assert hours(last, "2027-01-01T00:00", 4) == [
        "2027-01-31T10:00", "2027-02-28T10:00", "2027-03-31T10:00", "2027-04-30T10:00",
    ]  # fmt: skip
    assert hours(rule(every=MONTH, month_day=29), "2028-02-01T00:00", 1) == ["2028-02-29T10:00"]


def test_until_a_day_included() -> None:
    assert hours(rule(weekdays=[0], until=date(2026, 12, 7)), "2026-11-23T10:00", 9) == [
        "2026-11-30T10:00", "2026-12-07T10:00",
    ]  # fmt: skip


def test_the_wall_clock_stays_when_the_clocks_change() -> None:
    santiago = rule("America/Santiago", weekdays=list(range(7)))
    assert hours(santiago, "2026-09-04T12:00", 3) == ["2026-09-05T10:00", "2026-09-06T10:00", "2026-09-07T10:00"]
    skipped = rule("Europe/Madrid", weekdays=[6], at=time(2, 30))
    assert hours(skipped, "2026-03-27T12:00", 2) == ["2026-03-29T03:30", "2026-04-05T02:30"]
    twice = rule("Europe/Madrid", weekdays=[6], at=time(2, 30))
    assert hours(twice, "2026-10-24T12:00", 2) == ["2026-10-25T02:30", "2026-11-01T02:30"], "once"


@given(
    moment=MOMENTS,
    day=st.integers(1, 31),
    zone=st.sampled_from(["America/Santiago", "Europe/Madrid", "America/Havana"]),
    at=CLOCKS,
)
def test_a_month_has_exactly_one(moment: datetime, day: int, zone: str, at: time) -> None:
    monthly = rule(zone, every=MONTH, month_day=day, at=at)
    months = []
    for _ in range(13):
        following = recurrences.next_after(monthly, moment)
        assert following and following > moment
        moment = following
        local = moment.astimezone(ZoneInfo(zone)) - timedelta(hours=1)  # a skipped midnight comes an hour later
        months.append(local.year * 12 + local.month)
    assert [later - earlier for earlier, later in pairwise(months)] == [1] * 12


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weekdays": [0]}, "cada lunes a las 10:00"),
        ({"weekdays": [0, 3]}, "cada lunes y jueves a las 10:00"),
        ({"weekdays": [0, 2, 4], "at": time(9, 5)}, "cada lunes, miércoles y viernes a las 9:05"),
        ({"every": MONTH, "month_day": 31}, "cada mes, el día 31 a las 10:00"),
    ],
)
def test_in_words(given: dict[str, object], words: str) -> None:
    assert recurrences.describe(rule(**given)) == words


def test_in_words_where_nobody_wrote_the_locale() -> None:
    with translation.override("en-mx"):
        assert "Monday" in recurrences.describe(rule(weekdays=[0]))


@pytest.mark.parametrize(
    ("rule", "limit", "days", "most"),
    [
        (Rule(WEEK, time(10), weekdays=[0, 3]), 2, 7, 0), (Rule(WEEK, time(10), weekdays=[0, 2, 4]), 2, 7, 3),
        (Rule(WEEK, time(10), weekdays=[0]), 1, 8, 2), (Rule(WEEK, time(10), weekdays=[0, 1]), 1, 1, 0),
        (Rule(MONTH, time(10), month_day=1), 1, 28, 0), (Rule(MONTH, time(10), month_day=1), 2, 90, 4),
        (Rule(WEEK, time(10), weekdays=[0, 2, 4], times=2), 2, 7, 0),
    ],
)  # fmt: skip
def test_a_rule_beyond_the_limit_per_person_is_told(rule, limit, days, most):
    account = Account(time_zone="America/Mexico_City", repeat_limit=limit, repeat_days=days)
    said = recurrences.crowded(account, rule)
    assert f"sale {most} veces en {days} días" in said if most else said == ""
