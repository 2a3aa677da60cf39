"""How fast a file of contacts becomes contacts, with validation, duplicates, tags and consent: from the upload to the last
person saved, the figures of the review included, by a worker as it runs anywhere, while others say no, about one a second. Then
the same file again.

BENCH_IMPORT=100000 in the environment makes the million smaller, for a look.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import psutil
from django.db import connection
from django.utils import timezone

from bench import processes
from bench.figures import Figure, at_least, at_most
from pregon.accounts.models import Member
from pregon.contacts import consent, imports
from pregon.contacts.import_staging import SAVED
from pregon.contacts.models import ContactImport, Source
from tests import make

ROWS = int(os.environ.get("BENCH_IMPORT", "1000000"))
MILLIONS = ROWS / 1_000_000
Status = ContactImport.Status


def measure() -> list[Figure]:
    member, content = make.member(make.account()), _file()
    with processes.running("pregon", "worker") as worker, _peak(worker.pid) as peak:
        with _opt_outs(member) as longest:
            read, saved, counts = _bring(member, content)
        before = _base(member)
        read_again, saved_again, counts_again = _bring(member, content)
    assert sum(counts[outcome] for outcome in counts if outcome != "grants") == ROWS, counts
    assert counts["new"] + counts["no_consent"] >= ROWS * 0.9, counts
    assert _base(member) == before, "the same file again has changed something"
    assert counts_again["unchanged"] == sum(counts[outcome] for outcome in SAVED), counts_again
    return [
        at_most("import.seconds_1m", (read + saved) / MILLIONS, "s", 30),
        Figure("import.read_s", round(read / MILLIONS, 1), "s"),
        Figure("import.save_s", round(saved / MILLIONS, 1), "s"),
        at_most("import.again_s", (read_again + saved_again) / MILLIONS, "s", 60),
        at_most("import.peak_mb", peak(), "MB", 300),
        at_most("import.opt_out_max_ms", longest() * 1000, "ms", 1_500),
        at_least("import.rows_per_s", ROWS / (read + saved), "rows/s", 30_000),
    ]


def _bring(member: Member, content: bytes) -> tuple[float, float, dict[str, int]]:
    """Seconds from the upload to its review, and from its signature to the last person; rows per outcome."""
    began = time.perf_counter()
    import_ = imports.start(member.account, BytesIO(content), "clientes.csv", member.user)
    imports.go_on(import_)
    _wait(import_, Status.REVIEWING)
    read = time.perf_counter() - began
    import_.statement = "store"
    began = time.perf_counter()
    imports.commit(import_, member.user)
    imports.go_on(import_)
    _wait(import_, Status.COMMITTED)
    return read, time.perf_counter() - began, import_.counts


def _wait(import_: ContactImport, status: Status) -> None:
    while import_.status != status:
        assert import_.status in imports.UNDERWAY, (import_.status, import_.problem)
        time.sleep(0.1)
        import_.refresh_from_db()


def _base(member: Member) -> tuple[object, ...]:
    """Versions of all rows that a file might change, as one figure per table."""
    tables = ("contacts_contact", "contacts_consententry", "contacts_contact_tags", "contacts_refusal", "contacts_tag")
    with connection.cursor() as cursor:
        found: list[object] = []
        for table in tables:
            cursor.execute(f"SELECT count(*), sum(hashtext(xmin::text || ctid::text)::bigint) FROM {table}")
            found.append(cursor.fetchone())
    return tuple(found)


@contextmanager
def _opt_outs(member: Member) -> Iterator[Callable[[], float]]:
    """People outside the base, who say no to the same business meanwhile: gives what tells how long one waited at most."""
    most, over = 0.0, threading.Event()

    def say() -> None:
        nonlocal most
        for n in itertools.count():
            if over.wait(1):
                break
            began = time.perf_counter()
            consent.withdraw_number(member.account, f"+5233{n:08d}", source=Source.REPLY, happened_at=timezone.now())
            most = max(most, time.perf_counter() - began)
        connection.close()

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield lambda: most
    finally:
        over.set()
        thread.join()


@contextmanager
def _peak(pid: int) -> Iterator[Callable[[], float]]:
    """Gives what tells the most memory (MB, not shared with others counted once) of the worker and its children together."""
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.1):
            most = max(most, _memory(psutil.Process(pid)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: most / 1_000_000
    finally:
        over.set()
        thread.join()


def _memory(process: psutil.Process) -> int:
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it has ended since it was listed
    return total


def _file() -> bytes:
    """Five columns; one number in twenty is incomplete, one row in fifty repeats another's."""
    lines = ["nombre,celular,correo,permiso,etiquetas"]
    different = ROWS * 98 // 100
    for n in range(ROWS):
        mobile = f"55 {n % different + 10_000_000:08d}" if n % 20 else f"55 {n:05d}"
        lines.append(f"María Fernanda {n},{mobile},persona{n}@example.com,{'sí' if n % 4 else 'no'},Centro")
    return "\n".join(lines).encode()
