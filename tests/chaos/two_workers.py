"""Two workers want the same number; now and then one of them is killed with -9."""

import time
from typing import Any

from pregon.cli.worker import READY
from tests.chaos.arena import Arena
from tests.chaos.processes import wait_until


def strike(arena: Arena, blows: int) -> dict[str, Any]:
    """Either may be the one that pumps. Returns the longest silence after a kill."""
    silences = []
    pair = [arena.worker(), arena.worker()]
    for left in arena.rounds(blows):
        wait_until(lambda: all(arena.here.says(worker, READY) for worker in pair))
        arena.let_it_send(left)
        arena.blow()
        victim = arena.chance.randrange(2)
        arena.kill(pair[victim])
        silences.append(_silence(arena))
        pair[victim] = arena.worker()
    return {"longest_silence_s": round(max(silences, default=0.0), 2)}


def _silence(arena: Arena) -> float:
    began = time.monotonic()
    arena.see_one_leave()
    return time.monotonic() - began
