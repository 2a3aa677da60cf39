"""When messages may leave: the number's pace and the pair's, on a clock that the test moves."""

from bisect import bisect_left
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.sending.pacing import COLD, SECOND, SLOWEST, Pace, Pairs

FOLLOWED = 0.2  # seconds: between two pumps of a number lie an answer of Meta's, a look and two flushes


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def departures(pace: Pace, clock: Clock, naps: list[float]) -> list[float]:
    """Times of departure of a sender that is sometimes away, and waits for its turn."""
    left = []
    for nap in naps:
        clock.now += nap
        clock.now += pace.wait()
        pace.book()
        pace.leaving()
        pace.left()
        left.append(clock.now)
    return left


@given(
    st.sampled_from([1, 20, 80]),
    st.lists(st.just(0.0) | st.floats(0, 0.004) | st.floats(0, 1.5), min_size=90, max_size=200),
)
def test_no_second_holds_more_than_the_pace(per_second: int, naps: list[float]) -> None:
    clock = Clock()
    left = departures(Pace(per_second, clock), clock, naps)
    assert max(bisect_left(left, start + 1) - first for first, start in enumerate(left)) <= per_second


def test_stalls_of_the_sender_are_made_up() -> None:
    """30 ms are lost in every second, and nothing of the pace."""
    clock = Clock()
    left = departures(Pace(1_000, clock), clock, [0.03 if n % 1_000 == 500 else 0.0001 for n in range(20_000)])
    assert left[-1] - left[1_000] == pytest.approx(19_000 / 1_000 * SECOND, rel=0.002)


def test_time_without_messages_is_not_made_up() -> None:
    clock = Clock()
    pace = Pace(80, clock)
    departures(pace, clock, [0.0])
    left = departures(pace, clock, [COLD - 1, 0.0])
    assert left[1] - left[0] == pytest.approx(SECOND / 80)


def test_while_connections_open_the_pace_is_half() -> None:
    clock = Clock()
    pace = Pace(80, clock)
    left = departures(pace, clock, [0.0] * 60)
    assert left[1] - left[0] == pytest.approx(2 * SECOND / 80)
    assert left[-1] - left[-2] == pytest.approx(SECOND / 80)
    left = departures(pace, clock, [COLD + 1, 0.0])
    assert left[1] - left[0] == pytest.approx(2 * SECOND / 80)


@given(st.lists(st.floats(0, 0.4), min_size=150, max_size=150))
def test_what_has_to_connect_first_counts_from_when_it_leaves(delays: list[float]) -> None:
    """Each takes its turn, and leaves after the delay of its own."""
    clock = Clock()
    pace = Pace(20, clock)
    left: list[float] = []
    waiting: list[float] = []
    for delay in delays:
        turn = clock.now + pace.wait()
        while waiting and waiting[0] <= turn:  # they leave meanwhile, and may move the turn
            clock.now = heappop(waiting)
            pace.left()
            left.append(clock.now)
            turn = clock.now + pace.wait()
        clock.now = turn
        pace.book()
        pace.leaving()
        heappush(waiting, clock.now + delay)
    assert max(bisect_left(left, start + 1) - first for first, start in enumerate(left)) <= 20


def test_what_never_left_takes_no_place() -> None:
    clock = Clock()
    pace = Pace(20, clock)
    for _attempt in range(100):
        pace.leaving()
        pace.stayed()
    assert departures(pace, clock, [0.0] * 2)[0] == clock.now - 2 * SECOND / 20


@given(
    st.sampled_from([20, 80]),
    st.lists(st.just(0.0) | st.floats(0, 0.06), min_size=20, max_size=90),
    st.floats(FOLLOWED, 1.5),
)
def test_a_successor_keeps_the_pace_with_what_its_predecessor_sent(
    per_second: int, naps: list[float], gap: float
) -> None:
    """It knows nothing of it, and need not wait for the second to end."""
    clock = Clock()
    left = departures(Pace(per_second, clock), clock, [0.0] * 90 + naps)
    clock.now += gap
    left += departures(Pace(per_second, clock), clock, [0.0] * 90)
    assert max(bisect_left(left, start + 1) - first for first, start in enumerate(left)) <= per_second


def test_too_fast_halves_and_recovers_slowly() -> None:
    clock = Clock()
    pace = Pace(1_000, clock)
    pace.slow_down()
    assert pace.factor == 0.5
    for _message in range(2_000):
        clock.now += 0.001
        pace.recover()
    assert 0.55 < pace.factor < 0.65
    for _message in range(30):
        clock.now += 1
        pace.recover()
    assert pace.factor == 1.0
    pace.slow_down()
    clock.now += 3_600  # without a message Meta took nothing
    pace.recover()
    assert pace.factor < 0.6
    for _refusal in range(20):
        clock.now += 2
        pace.slow_down()
    assert pace.factor == SLOWEST


def test_refusals_of_one_moment_halve_once() -> None:
    clock = Clock()
    pace = Pace(80, clock)
    for _refusal in range(6):
        pace.slow_down()
        clock.now += 0.05
    assert pace.factor == 0.5


def test_one_person_is_written_to_once_in_six_seconds() -> None:
    clock = Clock()
    pairs = Pairs(clock=clock)
    assert pairs.book("+5215550001") == 0
    assert pairs.book("+5215550002") == 0
    clock.now += 2.5
    assert pairs.book("+5215550001") == 3.5
    clock.now += 3.5
    assert pairs.book("+5215550001") == 0


def test_who_was_written_to_long_ago_is_forgotten() -> None:
    clock = Clock()
    pairs = Pairs(clock=clock)
    for n in range(1_000):
        clock.now += 0.01
        pairs.book(f"+52155500{n:04d}")
    assert 599 <= len(pairs._last) <= 601
