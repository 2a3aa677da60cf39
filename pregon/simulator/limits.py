"""Meta's limits: messages per second of a number, one per six seconds between two parties, people per day of a business."""

import math
import re
from dataclasses import dataclass

PAIR_SECONDS = 6.0
PAIR_BURST = 45
DAY_SECONDS = 24 * 3600


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


def tier(word: str) -> float:
    """People in 24 h: `TIER_2K` → 2000, `TIER_UNLIMITED` → infinity. A `ValueError` for another word."""
    if word == "TIER_UNLIMITED":
        return math.inf
    found = re.fullmatch(r"TIER_(\d+)(K?)", word)
    if found is None:
        raise ValueError(f"tier: {word}")
    return int(found[1]) * (1_000 if found[2] else 1)


def pass_day(written: dict[str, float], wa_id: str, most: float, now: float) -> bool:
    """Whether a business may write to this person too. `written`, changed in place, is whom it wrote to and when, oldest first."""
    if most == math.inf:
        return True
    while written and (oldest := next(iter(written))) and written[oldest] <= now - DAY_SECONDS:
        del written[oldest]
    if wa_id not in written and len(written) >= most:
        return False
    written.pop(wa_id, None)
    written[wa_id] = now
    return True
