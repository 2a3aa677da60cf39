"""Meta itself goes away in the middle of its answers: the simulator is killed with -9 and comes back after a while."""

import time
from typing import Any

from tests.chaos.arena import Arena

LONGEST_ABSENCE = 1.5  # seconds


def strike(arena: Arena, blows: int) -> dict[str, Any]:
    """One worker all along."""
    arena.worker()
    for left in arena.rounds(blows):
        arena.let_it_send(left)
        arena.blow()
        arena.here.kill(arena.here.simulator)
        time.sleep(arena.chance.uniform(0, LONGEST_ABSENCE))
        arena.here.start_simulator()
        arena.calm()
    return {}
