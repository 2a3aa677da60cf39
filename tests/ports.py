"""Free ports of this machine, for the processes that tests start."""

import random
import socket

# Below those that the system gives to outgoing connections: one of these is not taken between the look and the use.
FIRST, LAST = 20_000, 32_000
dice = random.SystemRandom()  # two test runs side by side may have been given the same seed


def free_port(count: int = 1) -> int:
    """The first of `count` ports in a row that nobody uses."""
    while True:
        first = dice.randrange(FIRST, LAST)
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
