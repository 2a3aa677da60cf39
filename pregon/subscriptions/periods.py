"""Where a month of a subscription begins and ends. Pure: days of the calendar in a time zone, answers in UTC."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo

# Two zones may stand 26 hours apart: after a change of zone the same midnight comes again within this, and is no new month.
ZONES_APART = timedelta(days=2)


def bounds(anchor_day: int, zone: tzinfo, at: datetime) -> tuple[datetime, datetime]:
    """The month that holds `at` (aware): from the first instant of its anchor day until the next one's, exclusive.

    A month that lacks `anchor_day` (1 to 31) begins on its last day.
    """
    this = at.astimezone(zone).date().replace(day=1)
    starts = [_start(_months_after(this, n), anchor_day, zone) for n in (-1, 0, 1, 2)]
    end = next(start for start in starts if start > at)
    return starts[starts.index(end) - 1], end


def following(anchor_day: int, zone: tzinfo, end: datetime) -> tuple[datetime, datetime]:
    """The month right after one that ended at `end`, without gap or overlap also when the zone or the day changed meanwhile.

    It may be longer or shorter than a calendar month then.
    """
    return end.astimezone(UTC), bounds(anchor_day, zone, end + ZONES_APART)[1]


def _start(month: date, anchor_day: int, zone: tzinfo) -> datetime:
    """The first instant of the anchor day; where clocks skip midnight, that of the jump (`fold=0` reads it so)."""
    day = min(anchor_day, monthrange(month.year, month.month)[1])
    return datetime(month.year, month.month, day, tzinfo=zone).astimezone(UTC)


def _months_after(first: date, n: int) -> date:
    months = first.year * 12 + first.month - 1 + n
    return date(months // 12, months % 12 + 1, 1)
