"""Trouble on purpose. Each fault acts on every n-th message (0: never); those named `…_after` act once it was accepted.

| fault | what the caller sees | accepted |
|---|---|---|
| `reset`, `reset_after` | the connection is reset without an answer | no, yes |
| `hang`, `hang_after` | silence for `hang_seconds`, then the connection ends | no, yes |
| `gateway`, `gateway_after` | 502, 504 with HTML | no, yes |
| `internal`, `internal_after` | 500 with Meta's 131000 | no, yes |
| `unavailable` | 503 with Meta's 131016 | no |
| `throttle` | 400 with Meta's 130429 | no |

`times` bounds how many messages are hit in all (0: no bound). Webhooks: `hold` keeps them back, `duplicate` is the share of
posts sent twice, and `shuffle` mixes the updates within a post.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

MESSAGE_FAULTS = (
    "reset",
    "hang",
    "gateway",
    "internal",
    "unavailable",
    "throttle",
    "reset_after",
    "hang_after",
    "gateway_after",
    "internal_after",
)


class Mishap(Exception):
    """A fault that strikes before the message is accepted."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(slots=True)
class Faults:
    """What goes wrong now, and how often it did."""

    reset: int = 0
    hang: int = 0
    gateway: int = 0
    internal: int = 0
    unavailable: int = 0
    throttle: int = 0
    reset_after: int = 0
    hang_after: int = 0
    gateway_after: int = 0
    internal_after: int = 0
    times: int = 0
    latency_low: float = 0.0  # milliseconds before every answer
    latency_high: float = 0.0
    hang_seconds: float = 60.0
    refuse_seconds: float = 0.0
    hold: bool = False
    duplicate: float = 0.0
    shuffle: bool = False
    messages: int = 0
    hits: int = 0

    def next(self) -> str:
        """The fault for the message that came in now, or an empty string. Of several, the first named above."""
        self.messages += 1
        if self.times and self.hits >= self.times:
            return ""
        hit = next(
            (name for name in MESSAGE_FAULTS if (every := getattr(self, name)) and self.messages % every == 0), ""
        )
        self.hits += bool(hit)
        return hit


def read(wanted: Mapping[str, Any]) -> Faults:
    """Faults from JSON; a `ValueError` names what is not one. Counters start at zero."""
    known = {field.name for field in fields(Faults)} - {"messages", "hits"}
    if unknown := set(wanted) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return Faults(**wanted)
