"""Numbers with broadcasts on their way, and who sends from each."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any

from django.db import connection

from bench import processes
from bench.send import add_people
from pregon.sending import leases, outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number, Portfolio
from tests import make
from tests.ports import free_port
from tests.sending import rows


@contextmanager
def stub(host: str, latency_ms: float) -> Iterator[tuple[str, int]]:
    """Meta's place on `host`, which remembers when it heard of whom: its address and its process id."""
    port = free_port()
    with processes.running("bench.stub", str(port), str(latency_ms), "--host", host, "--log") as process:
        url = f"http://{host}:{port}"
        processes.wait_for(f"{url}/count")
        yield url, process.pid


def launch(numbers: int, people: int, mps: int, **fields: Any) -> list[Batch]:
    """Each number a business of its own with one broadcast, all of them paused. `fields`: of the batches."""
    batches = []
    for _number in range(numbers):
        account = make.account()
        make.period(account, limit=people)
        add_people(account, people)
        portfolio = Portfolio.objects.create(meta_id=f"portafolio-{account.pk}")  # without a daily limit
        number = make.number(account, mps=mps, portfolio=portfolio)
        batches.append(rows.launch(number, status=Batch.Status.PAUSED, **fields))
    return batches


def begin(batches: Sequence[Batch]) -> None:
    for batch in batches:
        outbox.resume(batch.pk)


def finished(batches: Sequence[Batch]) -> bool:
    return not Batch.objects.filter(pk__in=[batch.pk for batch in batches], finished_at=None).exists()


def holders() -> dict[str, list[Number]]:
    """By the name that each machine gives to its sessions: the numbers it pumps."""
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [leases.LOCK_CLASS])
        pairs = cursor.fetchall()
    numbers = Number.objects.in_bulk([number_id for _name, number_id in pairs])
    return {name: [numbers[n] for owner, n in pairs if owner == name] for name in {name for name, _n in pairs}}


HOLDERS = """
SELECT session.application_name, held.objid::bigint FROM pg_locks held JOIN pg_stat_activity session ON session.pid = held.pid
WHERE held.locktype = 'advisory' AND held.classid = %s AND held.granted
"""


def shared(machines: Sequence[str], numbers: int) -> bool:
    """Whether these machines pump all of the numbers, none more than its share."""
    held = holders()
    counts = [len(held.get(name, [])) for name in machines]
    return sum(counts) == numbers and max(counts) == ceil(numbers / len(machines))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> float:
    """Returns the time when it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)
    return time.time()
