"""Keeps a pump running for every number that has something to send, as many in this worker as in any other."""

import asyncio
import logging
import random
from collections import Counter

from django.db import Error as DatabaseFailure

from pregon.sending import leases, outbox
from pregon.sending.pump import Pump
from pregon.whatsapp.models import Number
from pregon.worker import peers
from pregon.worker.threads import DatabaseThread

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2  # a killed worker's numbers are found within this
FAILED_SECONDS = 30.0  # a fault of ours does not go away by itself: no use in falling into it five times a second
PATIENCE_SECONDS = 0.5  # numbers that nobody takes for so long are taken beyond the fair share


class Pumps:
    """Those of this worker. Others may run in other workers: a number's lease decides."""

    def __init__(self, failed_seconds: float = FAILED_SECONDS) -> None:
        self.failed_seconds = failed_seconds
        self.running: dict[int, tuple[Pump, asyncio.Task[None]]] = {}
        self.free: dict[int, float] = {}  # numbers that nobody pumps, and since when by the loop's clock
        self.failed: dict[int, float] = {}  # numbers whose pump failed by a fault of ours, and when
        self.tally = Counter[str]()  # messages that were settled, by status: all pumps count here
        self.thread = DatabaseThread("pumps")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then what is in flight is finished and the rest put back."""
        while not stop.is_set():
            try:
                await self._look()
            except DatabaseFailure as error:
                log.warning("the database does not answer (%s): looking again", type(error).__name__)
            await _wait(stop, LOOK_SECONDS)
        await self.thread.run(peers.leave)
        for pump, _task in self.running.values():
            pump.stop()
        await asyncio.gather(*(task for _pump, task in self.running.values()))

    async def _look(self) -> None:
        """Take this worker's share of the numbers, or let one go when another worker has too few."""
        scene = await self.thread.run(peers.look)
        free = await self.thread.run(outbox.numbers_with_work)
        now = asyncio.get_running_loop().time()
        self.failed = {number_id: at for number_id, at in self.failed.items() if now - at < self.failed_seconds}
        taken = self.running.keys() | self.failed.keys()
        self.free = {number_id: self.free.get(number_id, now) for number_id in free if number_id not in taken}
        room = scene.share(len(free)) - len(self.running)
        if self.free:
            await self._start(self._choose(room, now))
        elif room < 0:
            self._let_go()

    def _choose(self, room: int, now: float) -> list[int]:
        """Up to `room`, and those whom the other workers leave alone. At random: two that look at once want different ones."""
        numbers = random.sample(list(self.free), len(self.free))
        late = [number_id for number_id in numbers if now - self.free[number_id] > PATIENCE_SECONDS]
        return list({*numbers[: max(room, 0)], *late})

    async def _start(self, number_ids: list[int]) -> None:
        numbers = await self.thread.run(lambda: Number.objects.in_bulk(number_ids))
        for number_id, number in numbers.items():
            pump = Pump(number)
            pump.tally = self.tally
            self.running[number_id] = pump, asyncio.create_task(self._pump(number_id, pump))

    def _let_go(self) -> None:
        """One at a time, so that a number's pause stays short. Its lease falls when what is in flight is written."""
        pumps = [pump for pump, _task in self.running.values()]
        if not any(pump.stopping for pump in pumps):
            random.choice(pumps).stop()

    async def _pump(self, number_id: int, pump: Pump) -> None:
        try:
            await pump.run()
        except* leases.Fenced:
            log.warning("number %s: another worker took it over", number_id)
        except* DatabaseFailure as errors:
            log.warning(
                "number %s: the database failed (%s): starting again", number_id, type(errors.exceptions[0]).__name__
            )
        except* Exception:
            log.exception("number %s: its pump failed: starting again in %s s", number_id, self.failed_seconds)
            self.failed[number_id] = asyncio.get_running_loop().time()
        finally:
            del self.running[number_id]


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        pass
