"""Which troubles there are, how long each lasts, and how one is run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.chaos import database_kills, frozen_worker, network, simulator_kills, two_workers, verdict, worker_kills
from tests.chaos.arena import Arena
from tests.chaos.processes import Installation
from tests.chaos.verdict import Verdict


class Size(NamedTuple):
    """How often it strikes, in the middle of how many messages."""

    blows: int
    messages: int

    def replaced(self, blows: int | None, messages: int | None) -> "Size":
        return Size(blows or self.blows, messages or self.messages)


@dataclass(frozen=True)
class Trouble:
    """`short` is what every test run takes time for. Of a `control` the verdict must be that people got their message twice."""

    strike: Callable[[Arena, int], dict[str, Any]]
    short: Size | None
    long: Size
    control: bool = False

    def accepts(self, found: Verdict) -> bool:
        return found.duplicates > 0 if self.control else found.good


TROUBLES = {
    "worker_kills": Trouble(worker_kills.strike, Size(4, 300), Size(200, 10_000)),
    "two_workers": Trouble(two_workers.strike, Size(2, 400), Size(20, 6_000)),
    "database_kills": Trouble(database_kills.strike, Size(2, 250), Size(12, 3_000)),
    "simulator_kills": Trouble(simulator_kills.strike, Size(1, 200), Size(20, 3_000)),
    "network": Trouble(network.strike, Size(6, 600), Size(60, 6_000)),
    "silence": Trouble(network.fall_silent, None, Size(2, 600)),
    "frozen_worker": Trouble(frozen_worker.strike, Size(1, 400), Size(8, 4_000)),
    "control": Trouble(worker_kills.strike_careless, Size(1, 100), Size(10, 600), control=True),
}


def run(here: Installation, name: str, size: Size, seed: int) -> Verdict:
    """Strike, let it end, examine."""
    arena = Arena(here, size.messages, seed)
    try:
        return verdict.examine(arena, name, _strike(arena, TROUBLES[name], size.blows))
    finally:
        arena.close()


def _strike(arena: Arena, trouble: Trouble, blows: int) -> dict[str, Any]:
    """What does not happen in time is an objection."""
    try:
        notes = trouble.strike(arena, blows)
        arena.finish()
    except TimeoutError as error:
        arena.objections.append(f"not {error}")
        return {}
    return notes
