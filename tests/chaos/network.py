"""The network between worker and Meta goes wrong for a while, in one way after the other."""

import time
from collections import Counter
from typing import Any

from tests.chaos.arena import Arena
from tests.chaos.wire import Fault, Wire

FAULTS = [fault for fault in Fault if fault]
LONGEST = 1.0  # seconds
SILENCE = 33.0  # seconds: the client gives a call up after thirty


def strike(arena: Arena, blows: int) -> dict[str, Any]:
    """Returns how many answers were lost in each way: no message is in doubt beyond these."""
    wire = arena.wire()
    arena.worker(wire.url)
    lost = Counter[str]()
    for left in arena.rounds(blows):
        fault = FAULTS[left % len(FAULTS)]
        arena.let_it_send(left)
        lost[fault] += _spoil(arena, wire, fault, arena.chance.uniform(0.3, LONGEST))
    return {"lost": dict(lost)}


def fall_silent(arena: Arena, blows: int) -> dict[str, Any]:
    """For so long that the client gives up."""
    wire = arena.wire()
    arena.worker(wire.url)
    lost = 0
    for left in arena.rounds(blows):
        arena.let_it_send(left)
        lost += _spoil(arena, wire, Fault.HANG, SILENCE)
    return {"lost": lost}


def _spoil(arena: Arena, wire: Wire, fault: Fault, seconds: float) -> int:
    before = wire.struck
    arena.blow()
    wire.become(fault)
    time.sleep(seconds)
    wire.become(Fault.NONE)
    arena.bounds[-1] = lost = wire.struck - before
    arena.let_it_write(lost)
    return lost
