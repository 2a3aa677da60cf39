"""PostgreSQL is killed with -9: its first process, which the supervisor starts again, or one that serves a session, at which
PostgreSQL itself throws out everybody and recovers."""

import os
import signal
from typing import Any

import psutil

from tests.chaos.arena import Arena


def strike(arena: Arena, blows: int) -> dict[str, Any]:
    """One worker all along, and the receiver of the webhooks with it."""
    arena.worker()
    for left in arena.rounds(blows):
        arena.let_it_send(left)
        arena.blow()
        os.kill(_server(arena) if left % 2 else _session(arena), signal.SIGKILL)
    return {}


def _server(arena: Arena) -> int:
    return arena.here.postmaster()


def _session(arena: Arena) -> int:
    sessions = [one for one in psutil.Process(_server(arena)).children() if "[local]" in " ".join(one.cmdline())]
    return arena.chance.choice(sessions).pid
