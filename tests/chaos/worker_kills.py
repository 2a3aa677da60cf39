"""The worker is killed with -9 at random instants in the middle of a broadcast, again and again."""

from collections.abc import Callable
from typing import Any

from tests.chaos.arena import Arena
from tests.chaos.processes import Process, wait_until


def strike(arena: Arena, blows: int) -> dict[str, Any]:
    """One worker after the other, each killed after a random while."""
    return _strike(arena, blows, arena.worker)


def strike_careless(arena: Arena, blows: int) -> dict[str, Any]:
    """The same with workers that send twice what was in doubt, unless a webhook tells them in time: so it comes late."""
    arena.calm(webhooks=False)
    notes = _strike(arena, blows, lambda: arena.start("tests.chaos.careless"))
    wait_until(arena.all_sent)
    arena.calm()
    return notes


def _strike(arena: Arena, blows: int, start: Callable[[], Process]) -> dict[str, Any]:
    for left in arena.rounds(blows):
        worker = start()
        arena.let_it_send(left)
        arena.blow()
        arena.kill(worker)
    start()
    return {}
