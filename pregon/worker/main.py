"""One worker: the jobs, the pumps and the inbox, in one event loop. Start as many as you like."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import Error as DatabaseFailure
from procrastinate import App
from procrastinate.contrib.django import app as job_app
from procrastinate.exceptions import ConnectorException

from pregon.contacts import bulk_queue, import_queue
from pregon.webhooks import inbox
from pregon.worker import metrics
from pregon.worker.pumps import Pumps
from pregon.worker.threads import DatabaseThread, tune_sessions

log = logging.getLogger(__name__)

INBOX_SECONDS = 0.05  # how long an arrival may wait when nothing wakes the inbox
REAP_SECONDS = 2.0
STALLED = timedelta(seconds=10)  # without a heartbeat for so long, a worker is dead
JOBS_AT_ONCE = 4
IMPORTS_AT_ONCE = 1  # beside these: a file of a million people holds up nobody's launch
BULK_AT_ONCE = 1  # nor do acts for as many


async def run(ready: Callable[[], None] = lambda: None) -> None:
    """Until SIGTERM or SIGINT. `ready` is called when it has begun."""
    tune_sessions()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = job_app.with_connector(job_app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with app.open_async(), asyncio.TaskGroup() as group:
        pumps = Pumps()
        metrics.serve(pumps)
        group.create_task(pumps.run(stop))
        group.create_task(_read_inbox(stop))
        group.create_task(_repeat(stop, REAP_SECONDS, lambda: _reap(app)))
        queues = {"default": JOBS_AT_ONCE, import_queue.here(): IMPORTS_AT_ONCE, bulk_queue.here(): BULK_AT_ONCE}
        for queue, at_once in queues.items():
            group.create_task(_jobs(partial(_procrastinate, app, queue, at_once), stop))
        tune_collector()
        ready()


def tune_collector() -> None:
    """Rare collections that pass over what was imported: while thousands of messages are on their way, hardly any is garbage."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


async def _jobs(begin: Callable[[], Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Procrastinate's own loop, begun again when it ends by itself: it does so when the database restarts."""
    stopped = asyncio.create_task(stop.wait())
    while not stop.is_set():
        worker = asyncio.create_task(begin())
        await asyncio.wait([worker, stopped], return_when=asyncio.FIRST_COMPLETED)
        worker.cancel()
        [end] = await asyncio.gather(worker, return_exceptions=True)
        if not stop.is_set():
            log.warning("the jobs' loop ended (%s): beginning again", type(end).__name__)
            await asyncio.sleep(REAP_SECONDS)


async def _procrastinate(app: App, queue: str, at_once: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=at_once,
        install_signal_handlers=False,
        update_heartbeat_interval=2,  # short, so that the jobs of a dead worker are found soon
        stalled_worker_timeout=STALLED.total_seconds(),
        shutdown_graceful_timeout=10,
        delete_jobs="successful",
    )


async def _repeat(stop: asyncio.Event, seconds: float, act: Callable[[], Awaitable[bool]]) -> None:
    """Again at once while there is more to do, else after a while; a database that is away is waited for."""
    while not stop.is_set():
        more = False
        try:
            more = await act()
        except (DatabaseFailure, ConnectorException) as error:
            log.warning("the database does not answer (%s): trying again", type(error).__name__)
        if not more:
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                pass


async def _read_inbox(stop: asyncio.Event) -> None:
    thread = DatabaseThread("inbox")

    async def drain() -> bool:
        return await thread.run(inbox.drain)

    await _repeat(stop, INBOX_SECONDS, drain)


async def _reap(app: App) -> bool:
    """Give the jobs of dead workers to the living: their locks are not released by themselves."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED.total_seconds()):
        await app.job_manager.retry_job(job)
    return False
