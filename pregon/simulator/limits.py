"""Meta's speed limits: messages per second of a number, and one per six seconds between two parties."""

from dataclasses import dataclass

PAIR_SECONDS = 6.0
PAIR_BURST = 45


@dataclass(slots=True)
class Bucket:
    """A second's worth of messages; `left` fills again at `rate` per second."""

    rate: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        """Whether one more may pass now."""
        self.left = min(self.rate, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def pass_pair(pair: list[float], now: float) -> bool:
    """Whether one more may go to this person. `pair` is [start of the burst, when its debt is paid], changed in place.

    Within six seconds up to 45 may pass, borrowed from the future: then nothing until the average is back.
    """
    start, free_at = pair
    if now >= free_at:
        pair[:] = now, now + PAIR_SECONDS
        return True
    if now - start > PAIR_SECONDS or free_at - start >= PAIR_BURST * PAIR_SECONDS:
        return False
    pair[1] += PAIR_SECONDS
    return True
