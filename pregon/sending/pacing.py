"""The speed of a number: evenly spaced departures, never more in any second than Meta allows."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

SECOND = 1.012  # of ours for one of Meta's: what leaves a second apart may arrive as much as 12 ms closer
CATCH_UP = 0.1  # seconds of lost time that may be made up at once: keeps the pace through the jitter of timers
IDLE = 0.25  # seconds without a departure after which nothing was lost
COLD = 4.0  # seconds without a departure after which connections have to be opened again
WARM_UP = 0.5  # seconds of half the pace meanwhile: what first has to connect arrives late, close to what follows
PAIR_SECONDS = 6.0
SLOWEST = 1 / 32
RECOVERY = 0.05  # of the pace, for each second in which Meta takes messages: from half to full in ten
LONGEST_MEMORY = 1_000  # departures; no number of Meta's may send more in a second


class Pace:
    """Hands out departure times for one number."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.spacing = SECOND / per_second
        self.factor = 1.0
        self._clock = clock
        self._next = -COLD
        self._warm_at = 0.0
        self._held_until = -SECOND
        self._slow_since = -SECOND
        self._recovered_at = 0.0
        self._window = max(1, min(LONGEST_MEMORY, int(per_second)))
        self._departures = deque[float](maxlen=self._window)
        self._leaving = 0

    def wait(self) -> float:
        """Seconds until the next departure is due; zero when it is."""
        now = self._clock()
        return max(0.0, self._due(now) - now)

    def book(self) -> None:
        """One takes its turn now."""
        now = self._clock()
        if now - self._next > COLD:
            self._warm_at = now + WARM_UP
        spacing = self.spacing if now >= self._warm_at else 2 * self.spacing
        self._next = self._turn(now) + spacing / self.factor

    def leaving(self) -> None:
        """One is on its way to the network, where it may first have to connect."""
        self._leaving += 1

    def left(self) -> None:
        self._leaving -= 1
        self._departures.append(self._clock())

    def stayed(self) -> None:
        self._leaving -= 1

    def _due(self, now: float) -> float:
        """Later than its turn where lost time was made up a second ago: those of then still count."""
        turn, departures = self._turn(now), self._departures
        if len(departures) + self._leaving < self._window:
            return turn
        first = departures[self._leaving] if self._leaving < len(departures) else now
        return max(turn, first + self.spacing * self._window)

    def _turn(self, now: float) -> float:
        """Time without anything to send is not lost: no burst after it, least of all through new connections."""
        return max(self._next, now - CATCH_UP) if now - self._next < IDLE else now

    def hold(self, seconds: float) -> None:
        """Nothing leaves for a while: Meta does not answer, or asked to wait."""
        self._held_until = self._clock() + seconds
        self._next = max(self._next, self._held_until)

    @property
    def held(self) -> bool:
        return self._clock() < self._held_until

    def slow_down(self) -> None:
        """Meta says it is too fast: half of it, recovered slowly. Those that were on their way with the first say nothing new."""
        now = self._clock()
        if now - self._slow_since >= SECOND:
            self._slow_since = now
            self._recovered_at = now
            self.factor = max(SLOWEST, self.factor / 2)

    def recover(self) -> None:
        """Meta took a message."""
        if self.factor < 1.0:
            now = self._clock()
            self.factor = min(1.0, self.factor + min(1.0, now - self._recovered_at) * RECOVERY)
            self._recovered_at = now


class Pairs:
    """When each person was last written to: Meta lets a number write to one person once in six seconds (131056)."""

    def __init__(self, seconds: float = PAIR_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._last = OrderedDict[str, float]()  # in the order of departure, nothing older than `seconds`

    def book(self, to: str) -> float:
        """Zero when it may leave now, which is then booked; else the seconds until it may."""
        now = self._clock()
        while self._last and (oldest := next(iter(self._last))) and self._last[oldest] + self.seconds <= now:
            del self._last[oldest]
        if to in self._last:
            return self._last[to] + self.seconds - now
        self._last[to] = now
        return 0.0
