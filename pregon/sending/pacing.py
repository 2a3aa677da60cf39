"""The speed of a number: evenly spaced departures, never more in any second than Meta allows."""

import time
from collections import deque
from collections.abc import Callable

SECOND = 1.015  # of ours for one of Meta's: what leaves a second apart may arrive as much as 15 ms closer
CATCH_UP = 0.05  # seconds of lost time that may be made up at once: keeps the pace through the jitter of timers
IDLE = 0.25  # seconds
PAIR_SECONDS = 6.0
SLOWEST = 1 / 32
RECOVERY = 1.002  # per message that Meta takes: from half to full in about 350
LONGEST_MEMORY = 1_000  # departures; no number of Meta's may send more in a second


class Pace:
    """Hands out departure times for one number."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.spacing = SECOND / per_second
        self.factor = 1.0
        self._clock = clock
        self._next = 0.0
        self._slow_since = -SECOND
        self._window = max(1, min(LONGEST_MEMORY, int(per_second)))
        self._departures = deque[float](maxlen=self._window)

    def delay(self) -> float:
        """Book the next departure; returns the seconds until it."""
        now = self._clock()
        due = self._due(now)
        self._book(now, due)
        return max(0.0, due - now)

    def book_now(self) -> bool:
        """Book the next departure if it is due already."""
        now = self._clock()
        due = self._due(now)
        if due <= now:
            self._book(now, due)
        return due <= now

    def _due(self, now: float) -> float:
        """Later than its turn where lost time was made up a second ago: those of then still count."""
        turn, departures = self._turn(now), self._departures
        if len(departures) < self._window:
            return turn
        return max(turn, departures[0] + self.spacing * self._window)

    def _turn(self, now: float) -> float:
        """Time without anything to send is not lost: no burst after it, least of all through new connections."""
        return max(self._next, now - CATCH_UP) if now - self._next < IDLE else now

    def _book(self, now: float, due: float) -> None:
        self._departures.append(max(due, now))
        self._next = self._turn(now) + self.spacing / self.factor

    def hold(self, seconds: float) -> None:
        """Nothing leaves for a while: Meta does not answer, or asked to wait."""
        self._next = max(self._next, self._clock() + seconds)

    def slow_down(self) -> None:
        """Meta says it is too fast: half of it, recovered slowly. Those that were on their way with the first say nothing new."""
        now = self._clock()
        if now - self._slow_since >= SECOND:
            self._slow_since = now
            self.factor = max(SLOWEST, self.factor / 2)

    def recover(self) -> None:
        self.factor = min(1.0, self.factor * RECOVERY)


class Pairs:
    """When each person was last written to: Meta lets a number write to one person once in six seconds (131056)."""

    def __init__(self, seconds: float = PAIR_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._last: dict[str, float] = {}  # in the order of departure, nothing older than `seconds`

    def book(self, to: str) -> float:
        """Zero when it may leave now, which is then booked; else the seconds until it may."""
        now = self._clock()
        while self._last and (oldest := next(iter(self._last))) and self._last[oldest] + self.seconds <= now:
            del self._last[oldest]
        if to in self._last:
            return self._last[to] + self.seconds - now
        self._last[to] = now
        return 0.0

    def __len__(self) -> int:
        return len(self._last)
