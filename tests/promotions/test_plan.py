"""When a broadcast leaves: the plan, its days and its end."""

from datetime import date, datetime, time, timedelta
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pregon.accounts.models import Account
from pregon.promotions import plan
from pregon.promotions.plan import Crowd, Day, Load, Plan, Room
from pregon.sending import reach
from pregon.whatsapp.models import Number

ZONE = ZoneInfo("America/Mexico_City")
MONDAY = datetime(2026, 11, 23, 10, 40, tzinfo=ZONE)
SPAN = reach.SPAN.total_seconds()


def load(people: int | Crowd, mps: int = 80, *, number: int = 1, starts: datetime = MONDAY, **account: Any) -> Load:
    quiet = {"quiet_from": None, "quiet_until": None} | account
    crowd = people if isinstance(people, Crowd) else Crowd(people)
    return Load(Account(time_zone=str(ZONE), **quiet), Number(pk=number, mps=mps), crowd, starts.timestamp())


def play(*loads: Load, limit: int | None = None, leaving: dict[datetime, int] | None = None) -> Plan:
    gone = [(when.timestamp(), float(people)) for when, people in (leaving or {}).items()]
    return plan.play(loads, Room(limit, gone), MONDAY)


def days(plan: Plan) -> dict[int, int]:
    return {day.day.day: day.people for day in plan.days}


def test_without_a_limit_the_pace_decides() -> None:
    found = play(load(4_800))
    end = MONDAY + timedelta(seconds=60)
    assert found == Plan((Day(date(2026, 11, 23), 4_800, MONDAY, end),), MONDAY, end)


def test_what_does_not_fit_today_leaves_tomorrow() -> None:
    found = play(load(2_500), limit=2_000)
    assert days(found) == {23: 2_000, 24: 500}
    assert (found.limit, found.beyond) == (2_000, 0)
    assert found.finishes == MONDAY + reach.SPAN + timedelta(seconds=500 / 80)


def test_what_just_fits_waits_for_nobody() -> None:
    found = play(load(2_000), limit=2_000)
    assert (days(found), found.limit) == ({23: 2_000}, None)


def test_who_was_written_to_yesterday_makes_room_when_a_day_is_over() -> None:
    found = play(load(300), limit=2_000, leaving={MONDAY + timedelta(hours=3): 1_900})
    assert days(found) == {23: 300}
    assert found.finishes == MONDAY + timedelta(hours=3, seconds=200 / 80)


def test_people_who_are_counted_already_need_no_room() -> None:
    found = play(load(Crowd(2_000, again=1_500, wrote=400)), limit=2_000, leaving={MONDAY + timedelta(hours=3): 1_900})
    assert (days(found), found.limit) == ({23: 2_000}, None)


def test_those_counted_again_stay_for_another_day() -> None:
    """Half of a hundred are of this morning: written to again, they keep the place that the last ten wait for."""
    crowd = Crowd(110, again=50)
    found = play(load(crowd), limit=100, leaving={MONDAY + timedelta(hours=3): 50})
    assert found.finishes >= MONDAY + timedelta(hours=24)


def test_promotions_rest_at_night() -> None:
    night = {"quiet_from": time(21), "quiet_until": time(9)}
    found = play(load(80 * 3_600 * 12, **night))
    assert days(found) == {23: 80 * (3_600 * 10 + 1_200), 24: 80 * (3_600 + 2_400)}
    assert found.finishes == datetime(2026, 11, 24, 10, 40, tzinfo=ZONE)


def test_those_who_become_free_at_night_leave_in_the_morning() -> None:
    night = {"quiet_from": time(21), "quiet_until": time(9)}
    found = play(load(20, **night), limit=10, leaving={MONDAY + timedelta(hours=13): 10})
    assert found.starts == datetime(2026, 11, 24, 9, tzinfo=ZONE)


def test_virtual_phones_do_not_sleep() -> None:
    own = load(80 * 3_600 * 12, quiet_from=time(21), quiet_until=time(9))
    own.number.practice = True
    assert play(own).finishes == MONDAY + timedelta(hours=12)


def test_a_waived_night_is_none() -> None:
    own = load(80 * 3_600 * 12, quiet_from=time(21), quiet_until=time(9))
    own.awake_until = datetime(2026, 11, 24, 9, tzinfo=ZONE).timestamp()
    assert play(own).finishes == MONDAY + timedelta(hours=12)


def test_broadcasts_of_a_number_take_turns() -> None:
    assert play(load(800), load(80_000)).finishes == MONDAY + timedelta(seconds=20)
    assert play(load(80_000), load(800)).finishes == MONDAY + timedelta(seconds=1_010)
    assert play(load(800), load(80_000, number=2)).finishes == MONDAY + timedelta(seconds=10)


def test_a_sister_number_takes_its_share_of_the_day() -> None:
    found = play(load(1_500), load(1_500, number=2), limit=2_000)
    assert days(found) == {23: 1_000, 24: 500}


def test_a_scheduled_one_joins_at_its_hour() -> None:
    found = play(load(1_500), load(1_500, starts=MONDAY - timedelta(minutes=5)), limit=2_000)
    assert days(found) == {23: 1_000, 24: 500}
    found = play(load(1_500), load(1_500, starts=MONDAY + timedelta(hours=1)), limit=2_000)
    assert days(found) == {23: 1_500}


def test_nobody_plans_beyond_a_year() -> None:
    found = play(load(100_000), limit=250)
    assert sum(day.people for day in found.days) + found.beyond == 100_000
    assert found.beyond > 0 and len(found.days) <= 367


def test_a_million_people_cost_days_not_people() -> None:
    began = process_time()
    assert len(play(load(1_000_000), limit=100_000).days) >= 10
    assert process_time() - began < 1.0


@given(
    people=st.integers(1, 20_000), others=st.lists(st.integers(1, 20_000), max_size=3), limit=st.integers(50, 5_000),
    used=st.lists(st.tuples(st.integers(1, 1_400), st.integers(1, 400)), max_size=5), mps=st.sampled_from([1, 20, 80]),
    again=st.floats(0, 1), night=st.booleans(),
)  # fmt: skip
def test_no_day_ever_passes_the_limit_and_nobody_is_lost(
    people: int, others: list[int], limit: int, used: list[tuple[int, int]], mps: int, again: float, night: bool
) -> None:
    hours = {"quiet_from": time(21), "quiet_until": time(9)} if night else {}
    gone = {MONDAY.replace(second=0) + timedelta(minutes=minute): n for minute, n in sorted(used)}
    crowd = Crowd(people, again=int(again * min(people, sum(gone.values()))))
    taken: list[tuple[float, float]] = []

    class Watched(Room):
        def take(self, at: float, fresh: float, again: float) -> None:
            taken.append((at, fresh))
            super().take(at, fresh, again)

    room = Watched(limit, [(when.timestamp(), float(n)) for when, n in gone.items()])
    loads = [load(crowd, mps, **hours), *(load(n, mps, number=i // 2) for i, n in enumerate(others, start=1))]
    found = plan.play(loads, room, MONDAY)
    assert sum(day.people for day in found.days) + found.beyond == people
    assert all(day.people > 0 and day.starts <= day.ends for day in found.days)
    assert found.starts <= found.finishes
    for at, _fresh in taken:
        kept = sum(n for when, n in gone.items() if when.timestamp() > at) if _fresh > 0.01 else 0
        assert kept + sum(n for when, n in taken if at - 86_400 < when <= at) <= limit + 0.01
