"""Where months begin: anchor days that a month lacks, clocks that jump, zones that change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.subscriptions import periods

MEXICO, SANTIAGO, MADRID, TOKYO = map(
    ZoneInfo, ("America/Mexico_City", "America/Santiago", "Europe/Madrid", "Asia/Tokyo")
)
HONOLULU, AUCKLAND = ZoneInfo("Pacific/Honolulu"), ZoneInfo("Pacific/Auckland")

zones = st.sampled_from(
    [MEXICO, SANTIAGO, MADRID, TOKYO, HONOLULU, AUCKLAND, ZoneInfo("America/Asuncion"), ZoneInfo("America/Havana")]
)
anchors = st.integers(1, 31)
instants = st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(
    ("anchor", "at", "start", "end"),
    [
        (3, "2026-11-19 12:00", "2026-11-03", "2026-12-03"),
        (19, "2026-11-19 00:00", "2026-11-19", "2026-12-19"),
        (19, "2026-11-18 23:59", "2026-10-19", "2026-11-19"),
        (31, "2026-02-10 00:00", "2026-01-31", "2026-02-28"),
        (31, "2028-02-29 00:00", "2028-02-29", "2028-03-31"),
        (30, "2026-12-31 10:00", "2026-12-30", "2027-01-30"),
        (1, "2026-01-01 00:00", "2026-01-01", "2026-02-01"),
    ],
)
def test_a_month_begins_on_its_day(anchor: int, at: str, start: str, end: str) -> None:
    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=MEXICO)

    assert periods.bounds(anchor, MEXICO, local(at)) == (local(start), local(end))


def test_where_clocks_skip_midnight_the_day_begins_with_the_jump() -> None:
    start, _end = periods.bounds(6, SANTIAGO, datetime(2026, 9, 20, tzinfo=UTC))  # 5 September 24:00 became 1:00
    assert start == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert start.astimezone(SANTIAGO).isoformat() == "2026-09-06T01:00:00-03:00"


@given(anchors, zones, instants)
def test_every_instant_is_in_one_month_of_calendar_length(anchor: int, zone: ZoneInfo, at: datetime) -> None:
    start, end = periods.bounds(anchor, zone, at)
    assert start <= at < end
    assert timedelta(days=27, hours=22) <= end - start <= timedelta(days=31, hours=2)


@given(anchors, zones, instants)
def test_months_follow_each_other_without_gap(anchor: int, zone: ZoneInfo, at: datetime) -> None:
    _start, end = periods.bounds(anchor, zone, at)
    assert periods.bounds(anchor, zone, end) == periods.following(anchor, zone, end)
    assert periods.bounds(anchor, zone, end - timedelta(microseconds=1))[1] == end


@given(anchors, zones, st.lists(zones, min_size=1, max_size=6), instants)
def test_a_changed_zone_makes_neither_gap_nor_overlap_nor_a_month_of_hours(
    anchor: int, first: ZoneInfo, changes: list[ZoneInfo], at: datetime
) -> None:
    _start, end = periods.bounds(anchor, first, at)
    for zone in changes:
        start, next_end = periods.following(anchor, zone, end)
        assert start == end
        assert timedelta(days=26, hours=20) <= next_end - start <= timedelta(days=32, hours=4)
        assert periods.bounds(anchor, zone, next_end)[0] == next_end  # on the new zone's own grid from then on
        end = next_end
