"""Acts for many people as jobs: killed and resumed, beside what others do meanwhile, within bounds."""

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from django.db import connections, transaction
from django.utils import timezone
from openpyxl import load_workbook
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.contacts import bulk, bulk_queue, consent, import_queue, jobs
from pregon.contacts.bulk import Kind, Status
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactTag, Refusal, Source, Task
from tests import databases, make
from tests.contacts.crowd import ANAS, begin, gather, snapshot, tagged
from tests.contacts.test_bulk import PUT, YES

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 6_000


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


WORKER = """
import os, signal, sys, threading, django
from django.conf import settings
django.setup()
from pregon.contacts import bulk
settings.MEDIA_ROOT, bulk.PART = sys.argv[2], 20
for part in range(100):
    bulk.advance(int(sys.argv[1]))
    if part == 10:
        threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGKILL]).start()
"""


def kill_midway(task, settings, figure):
    """A worker in a process of its own, on the test's database, that dies by -9 in about the twelfth of a hundred parts.

    It ends itself: on a busy machine it would be done before somebody else had seen how far it is. Returns its `figure`.
    """
    command = [sys.executable, "-c", WORKER, str(task.pk), str(settings.MEDIA_ROOT)]
    died = subprocess.run(command, env=os.environ | {"DATABASE_URL": databases.url()}, check=False, timeout=120)
    assert died.returncode == -signal.SIGKILL
    task.refresh_from_db()
    return getattr(task, figure)


def in_thread(call, raised):
    try:
        call()
    except Exception as error:  # noqa: BLE001 whatever it is, the test tells
        raised.append(error)
    finally:
        connections.close_all()


class TestKilled:
    """A worker, killed with -9 in the middle; another goes on, for everybody once."""

    @pytest.fixture
    def account(self):
        return make.account()

    @pytest.fixture
    def ids(self, account):
        return gather(account, PEOPLE)

    def resume(self, task, settings, figure="done"):
        assert 0 < kill_midway(task, settings, figure) < PEOPLE // 3
        bulk.finish(task)
        assert task.done == task.total == PEOPLE // 3

    def test_tags_and_their_undo(self, account, ids, settings):
        old = make.tag(account, "Vieja", *account.contacts.filter(pk__in=ids[:3_000]))
        before = snapshot(account)
        anas = set(ids[::3])
        task = begin(account, Kind.TAG, {"put": ["VIP"], "take": {"tag": old.pk, "name": "Vieja"}}, query=ANAS)
        self.resume(task, settings)
        expected = {pk: ({"VIP"} if pk in anas else {"Vieja"} if at < 3_000 else set()) for at, pk in enumerate(ids)}
        assert tagged(account) == expected
        assert task.changed == PEOPLE // 3
        bulk.undo(task, make.user())
        self.resume(task, settings, "restored")
        assert snapshot(account) == before
        assert (task.status, task.restored) == (Status.UNDONE, PEOPLE // 3)

    @pytest.mark.parametrize(("kind", "args"), [(Kind.CONSENT, YES), (Kind.OPT_OUT, {})])
    def test_acts_of_consent(self, account, ids, settings, kind, args):
        task = begin(account, kind, args, query=ANAS)
        self.resume(task, settings)
        noted = Counter(ConsentEntry.objects.values_list("contact", flat=True))
        assert noted == dict.fromkeys(ids[::3], 1)
        state = "granted" if kind == Kind.CONSENT else "withdrawn"
        assert set(account.contacts.filter(consent=state).values_list("id", flat=True)) == set(ids[::3])
        assert task.changed == PEOPLE // 3

    def test_deletion(self, account, ids, settings):
        task = begin(account, Kind.DELETE, query=ANAS)
        self.resume(task, settings)
        assert set(account.contacts.values_list("id", flat=True)) == set(ids) - set(ids[::3])
        assert task.changed == PEOPLE // 3

    @pytest.mark.parametrize("dress", ["csv", "xlsx"])
    def test_an_export(self, account, ids, settings, dress):
        task = begin(account, Kind.EXPORT, {"format": dress}, query=ANAS)
        killed_at = kill_midway(task, settings, "done")
        rows = Path(task.file.path if dress == "csv" else f"{task.file.path}.rows")
        with rows.open("ab") as file:
            file.write(b"half a li")  # as a part that did not commit leaves it
        bulk.finish(task)
        assert 0 < killed_at < PEOPLE // 3
        assert task.status == Status.DONE
        people = account.contacts.filter(pk__in=ids[::3]).order_by("id")
        assert read(task)[1:] == list(people.values_list("name", "mobile"))
        assert [path.name for path in rows.parent.iterdir()] == [Path(task.file.name).name]


def read(task):
    """The first two columns of the exported file."""
    if task.args["format"] == "csv":
        return [tuple(row[:2]) for row in csv.reader(io.StringIO(Path(task.file.path).read_text("utf-8-sig")))]
    return [row[:2] for row in load_workbook(task.file.path).active.iter_rows(values_only=True)]


class TestBesideOthers:
    @pytest.mark.parametrize("kind", [Kind.CONSENT, Kind.TAG])
    def test_a_baja_that_is_being_written_wins(self, kind):
        """The control: without the lock, the part asks who fits before the baja is there, and notes a yes after it."""
        account = make.account()
        ids = gather(account, 30)
        args, rule = (YES, {}) if kind == Kind.CONSENT else (PUT, {"query": "eva"})
        task = begin(account, kind, args, **rule)
        raised = []
        thread = threading.Thread(target=in_thread, args=(lambda: bulk.finish(task), raised))
        with transaction.atomic():
            person = Contact.objects.get(pk=ids[1])
            consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
            thread.start()
            thread.join(1)
            assert thread.is_alive()
        thread.join()
        person.refresh_from_db()
        assert (raised, person.consent) == ([], Consent.WITHDRAWN)
        if kind == Kind.CONSENT:
            assert (task.changed, ConsentEntry.objects.filter(task=task).count()) == (29, 29)

    def test_bajas_while_permissions_are_noted_and_taken_back(self):
        account = make.account()
        ids = gather(account, 3_000)
        usual, bulk.PART = bulk.PART, 100
        task = begin(account, Kind.CONSENT, YES)
        raised = []

        def there_and_back():
            bulk.finish(task)
            bulk.undo(task, make.user())
            bulk.finish(task)

        thread = threading.Thread(target=in_thread, args=(there_and_back, raised))
        try:
            thread.start()
            for pk in ids[::60]:
                consent.record(
                    Contact.objects.get(pk=pk), Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now()
                )
            running = thread.is_alive()
            thread.join()
        finally:
            bulk.PART = usual
        assert raised == []
        assert running  # else the bajas came after it
        assert set(account.contacts.filter(consent="withdrawn").values_list("id", flat=True)) == set(ids[::60])
        assert account.contacts.filter(consent="granted").count() == 0
        assert Refusal.objects.filter(account=account).count() == 50

    def at_once(self, task):
        """Three workers on the same task, in many parts."""
        usual, bulk.PART = bulk.PART, 50
        raised = []
        threads = [
            threading.Thread(target=in_thread, args=(lambda: bulk.finish(Task.objects.get(pk=task.pk)), raised))
            for _n in range(3)
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            bulk.PART = usual
        task.refresh_from_db()
        assert (raised, task.status, task.done) == ([], Status.DONE, 1_000)

    def test_workers_at_once_do_everybody_once(self):
        account = make.account()
        ids = gather(account, 1_000)
        task = begin(account, Kind.OPT_OUT)
        self.at_once(task)
        assert task.changed == 1_000
        assert Counter(ConsentEntry.objects.values_list("contact", flat=True)) == dict.fromkeys(ids, 1)

    def test_workers_at_once_make_one_file(self):
        account = make.account()
        gather(account, 1_000)
        task = begin(account, Kind.EXPORT, {"format": "xlsx"})
        self.at_once(task)
        assert len(read(task)) == 1_001
        assert [path.name for path in Path(task.file.path).parent.iterdir()] == [Path(task.file.name).name]


class TestQueue:
    def waiting(self):
        rows = ProcrastinateJob.objects.filter(queue_name=bulk_queue.here(), status="todo")
        return list(rows.values_list("args", flat=True))

    def test_a_few_are_done_within_the_click_and_more_by_a_worker(self):
        account = make.account()
        ids = gather(account, bulk.SMALL + 1)
        few, more = begin(account, Kind.TAG, PUT, ids=ids[: bulk.SMALL]), begin(account, Kind.TAG, PUT)
        bulk.go_on(few)
        assert (few.status, few.changed, self.waiting()) == (Status.DONE, bulk.SMALL, [])
        bulk.go_on(more)
        bulk.go_on(more)
        assert (more.status, more.done, self.waiting()) == (Status.WAITING, 0, [{"task_id": more.pk}])

    def test_a_lost_job_is_deferred_again(self):
        account = make.account()
        gather(account, 3)
        lost, _ended = begin(account, Kind.TAG, PUT), bulk.finish(begin(account, Kind.TAG, PUT))
        jobs.go_on_due(0)
        assert self.waiting() == [{"task_id": lost.pk}]

    def test_a_click_that_cannot_go_on_leaves_it_to_a_worker(self):
        """Here: the person is locked, and the click has no patience."""
        account = make.account()
        ids = gather(account, 3)
        task, raised = begin(account, Kind.TAG, PUT), []

        def click():
            with connections["default"].cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            bulk.go_on(task)

        with transaction.atomic():
            list(Contact.objects.filter(pk=ids[0]).select_for_update())
            thread = threading.Thread(target=in_thread, args=(click, raised))
            thread.start()
            thread.join()
        assert (raised, task.status, self.waiting()) == ([], Status.WAITING, [{"task_id": task.pk}])

    def test_no_launch_and_no_file_waits_behind_it(self):
        assert len({bulk_queue.here(), import_queue.here(), "default"}) == 3


def test_a_hundred_thousand_people_within_bounds():
    account = make.account()
    gather(account, 100_000)
    task = begin(account, Kind.TAG, PUT)
    bulk.advance(task.pk)
    longest = 0.0
    tracemalloc.start()
    try:
        more = True
        while more:
            began = time.monotonic()
            more = bulk.advance(task.pk)
            longest = max(longest, time.monotonic() - began)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    task.refresh_from_db()
    assert (task.done, task.changed, account.tags.count()) == (100_000, 100_000, 2)
    assert ContactTag.objects.count() == 200_000
    assert peak < 4 << 20
    assert longest < 2  # a transaction, on a busy machine
