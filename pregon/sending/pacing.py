"""The speed of a number: evenly spaced departures, never more per second than Meta allows."""

import time
from collections.abc import Callable

CATCH_UP = 0.05  # seconds of lost time that may be made up at once: keeps the pace through the jitter of timers
SLOWEST = 1 / 32
RECOVERY = 1.002  # per message that Meta takes: from half to full in about 350


class Pace:
    """Hands out departure times for one number."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self.factor = 1.0
        self._clock = clock
        self._next = clock()

    def delay(self) -> float:
        """Book the next departure; returns the seconds until it."""
        now = self._clock()
        departure = max(self._next, now - CATCH_UP)
        self._next = departure + 1 / (self.per_second * self.factor)
        return max(0.0, departure - now)

    def hold(self, seconds: float) -> None:
        """Nothing leaves for a while: Meta does not answer, or asked to wait."""
        self._next = max(self._next, self._clock() + seconds)

    def slow_down(self) -> None:
        """Meta says it is too fast: half of it, recovered slowly."""
        self.factor = max(SLOWEST, self.factor / 2)

    def recover(self) -> None:
        self.factor = min(1.0, self.factor * RECOVERY)
