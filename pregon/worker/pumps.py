"""Keeps a pump running for every number that has something to send."""

import asyncio
import logging
from functools import partial

from django.db import Error as DatabaseFailure

from pregon.sending import leases, outbox
from pregon.sending.pump import Pump
from pregon.whatsapp.models import Number
from pregon.worker.threads import DatabaseThread

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5  # a killed worker's numbers are taken over within about this


class Pumps:
    """Those of this worker. Others may run in other workers: a number's lease decides."""

    def __init__(self) -> None:
        self.running: dict[int, tuple[Pump, asyncio.Task[None]]] = {}
        self.thread = DatabaseThread("pumps")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then what is in flight is finished and the rest put back."""
        while not stop.is_set():
            try:
                await self._start_missing()
            except DatabaseFailure as error:
                log.warning("the database does not answer (%s): looking again", type(error).__name__)
            await _wait(stop, LOOK_SECONDS)
        for pump, _task in self.running.values():
            pump.stop()
        await asyncio.gather(*(task for _pump, task in self.running.values()))

    async def _start_missing(self) -> None:
        for number_id in await self.thread.run(outbox.numbers_with_work):
            if number_id not in self.running:
                pump = Pump(await self.thread.run(partial(Number.objects.get, pk=number_id)))
                self.running[number_id] = pump, asyncio.create_task(self._pump(number_id, pump))

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
            log.exception("number %s: its pump failed: starting again", number_id)
        finally:
            del self.running[number_id]


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        pass
