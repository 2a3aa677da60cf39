"""Imports as jobs: by parts, killed and resumed, stopped, beside what others do meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.contacts import (
    consent,
    import_queue,
    import_saving,
    import_staging,
    import_tidying,
    imports,
    people,
)
from pregon.contacts.models import (
    Before,
    Consent,
    ConsentEntry,
    ContactImport,
    ContactTag,
    Refusal,
    RememberedMapping,
    Source,
)
from tests import databases, make
from tests.contacts.sheets import begin, bring, sheet, versions

pytestmark = pytest.mark.django_db(transaction=True)
Status = ContactImport.Status
ROWS = 20_000
LARGE = "nombre,celular,etiqueta,nota\n" + "".join(f"Ana {n},222{n:07d},Centro,{'x' * 20}\n" for n in range(ROWS))


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def waiting():
    rows = ProcrastinateJob.objects.filter(queue_name=import_queue.here(), status="todo")
    return list(rows.values_list("args", flat=True))


class TestParts:
    def test_a_large_file_waits_for_a_worker(self):
        import_ = begin(make.account(), LARGE)
        imports.go_on(import_)
        imports.go_on(import_)
        assert import_.status == Status.READING
        assert waiting() == [{"import_id": import_.pk}]
        imports.finish(import_)
        assert (import_.status, import_.rows, import_.read_bytes) == (Status.REVIEWING, ROWS, len(LARGE))
        assert imports.review(import_).counts["new"] == ROWS
        imports.commit(import_, make.user())
        assert (import_.status, import_.account.contacts.count()) == (Status.SAVING, 0)

    def test_by_parts_as_in_one(self, small_parts):
        account = make.account()
        content = sheet(250) + "Ana bis,2225550003,\n,222 55,\nEva,2225550240,VIP\n"
        import_ = begin(account, content)
        expected = imports.review(import_).counts
        imports.commit(import_, make.user())
        steps = 1
        while imports.advance(import_.pk):
            steps += 1
            saved = import_saving.counts(import_)
            assert account.contacts.count() == saved["new"] + saved["no_consent"]
        import_.refresh_from_db()
        assert steps == 2  # of two parts, and of one
        assert import_.counts == expected
        assert import_saving.rows(import_) == import_.rows == 253
        with imports.rejects(import_) as file:
            assert len(file.read().splitlines()) == 1 + 3

    def test_one_part_alone_while_there_are_few_contacts(self, small_parts):
        """Two at once would look through what the other adds, for each of their rows."""
        import_saving.FEW = 2_000_000
        import_ = begin(make.account(), sheet(250))
        imports.commit(import_, make.user())
        saved = [import_saving.rows(import_)]
        while imports.advance(import_.pk):
            saved.append(import_saving.rows(import_))
        assert saved == [0, 98, 198]  # up to line 99 and to line 199, of which the head is one
        assert import_saving.rows(import_) == 250

    def test_the_same_file_again_touches_no_row(self, small_parts):
        account = make.account()
        bring(account, sheet(250))
        tables = (
            "contacts_contact",
            "contacts_contact_tags",
            "contacts_consententry",
            "contacts_tag",
            "contacts_refusal",
        )
        before = versions(*tables)
        again = bring(account, sheet(250))
        assert versions(*tables) == before
        assert again.counts["unchanged"] == 250

    def test_what_a_crash_of_postgresql_emptied_is_read_again(self, small_parts):
        account = make.account()
        import_ = begin(account, sheet(250))
        imports.commit(import_, make.user())
        imports.advance(import_.pk)
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {import_staging.table(import_)}")  # as an UNLOGGED table after a crash
        imports.finish(import_)
        assert (import_.status, import_.counts["new"], account.contacts.count()) == (Status.COMMITTED, 250, 250)

    def test_what_a_dead_part_wrote_of_the_rejects_is_written_over(self, small_parts):
        import_ = begin(make.account(), sheet(250) + sheet(120).split("\n", 1)[1])
        imports.commit(import_, make.user())
        imports.advance(import_.pk)
        half = Path(f"{import_.file.path}.{import_.parts.filter(counts__isnull=True).first().pk}.csv")
        half.write_bytes(b"300,half a li")
        imports.finish(import_)
        with imports.rejects(import_) as file:
            lines = file.read().splitlines()
        assert len(lines) == 1 + 120
        assert not [line for line in lines if b"half" in line]

    def test_tables_go_when_they_are_done_with(self):
        account = make.account()
        saved, discarded = bring(account, sheet(10)), begin(account, sheet(10))
        assert import_staging.kept(discarded)
        imports.discard(discarded)
        assert not import_staging.kept(saved)
        assert not import_staging.kept(discarded)


class TestKilled:
    """A worker, killed with -9 in the middle; another goes on."""

    @pytest.mark.parametrize("seconds", [0.4, 1.0, 1.6, 2.2])
    def test_nobody_twice_and_nobody_lost(self, settings, tmp_path, seconds):
        account = make.account()
        import_ = begin(account, LARGE)
        with worker(import_.pk, settings) as process:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        imports.finish(import_)
        import_.statement = "store"
        imports.commit(import_, make.user())
        with worker(import_.pk, settings, part=1_000) as process:
            wait_until(lambda: import_saving.rows(import_) > 0)
            time.sleep(seconds / 4)
            process.send_signal(signal.SIGKILL)
        killed_at = import_saving.rows(import_)
        imports.finish(import_)
        assert killed_at > 0
        assert import_.counts["new"] == ROWS
        assert account.contacts.count() == ROWS == ConsentEntry.objects.count()
        assert ContactTag.objects.count() == ROWS
        assert sorted(ConsentEntry.objects.values_list("row_no", flat=True)) == list(range(2, ROWS + 2))


WORKER = """
import sys, django
from django.conf import settings
django.setup()
from pregon.contacts import import_saving, imports
settings.MEDIA_ROOT, import_saving.PART = sys.argv[2], int(sys.argv[3])
while imports.advance(int(sys.argv[1])): pass
"""


@contextmanager
def worker(import_pk, settings, part=25_000):
    """`advance` in a process of its own, on the test's database."""
    command = [sys.executable, "-c", WORKER, str(import_pk), str(settings.MEDIA_ROOT), str(part)]
    process = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": databases.url()})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestStop:
    def test_while_it_is_saved(self, small_parts):
        account = make.account()
        ana = people.add(account, people.Details("Ana de antes", "2225550003"))
        import_ = begin(account, sheet(250))
        imports.commit(import_, make.user())
        imports.advance(import_.pk)
        imports.stop(import_, make.user())
        imports.finish(import_)
        assert (import_.status, import_.stayed) == (Status.UNDONE, 0)
        [left] = account.contacts.all()
        assert (left, left.name, left.consent, left.tags.count()) == (ana, "Ana de antes", Consent.UNKNOWN, 0)
        assert not account.tags.exists()

    def test_while_it_is_read(self, settings):
        import_ = begin(make.account(), LARGE)
        raised = []
        thread = threading.Thread(target=in_thread, args=(lambda: imports.advance(import_.pk), raised))
        thread.start()
        wait_until(lambda: ContactImport.objects.get(pk=import_.pk).rows > 0)
        imports.discard(import_)
        thread.join()
        assert raised == []
        import_.refresh_from_db()
        assert import_.status == Status.DISCARDED
        assert not import_staging.kept(import_)

    def test_too_late(self):
        import_ = bring(make.account(), sheet(10))
        with pytest.raises(imports.AlreadyClosed):
            imports.stop(import_, make.user())


def in_thread(call, raised):
    try:
        call()
    except Exception as error:  # noqa: BLE001 whatever it is, the test tells
        raised.append(error)
    finally:
        connections.close_all()


class TestBesideOthers:
    def test_a_baja_meanwhile_waits_for_a_part_at_most_and_wins(self):
        account, actor = make.account(), make.user()
        import_ = begin(account, LARGE)
        imports.finish(import_)
        import_.statement = "store"
        parts, import_saving.PART = import_saving.PART, 1_000
        raised = []
        imports.commit(import_, actor)
        thread = threading.Thread(target=in_thread, args=(lambda: imports.finish(import_), raised))
        try:
            thread.start()
            for n in range(0, ROWS, 2_000):  # some are saved already, some not yet
                consent.withdraw_number(account, f"+52222{n:07d}", source=Source.REPLY, happened_at=timezone.now())
            saving = thread.is_alive()
            thread.join()
        finally:
            import_saving.PART = parts
        assert raised == []
        assert saving  # else the bajas came after it
        for n in range(0, ROWS, 2_000):
            found = account.contacts.filter(mobile=f"+52222{n:07d}").first()
            assert found is None or found.consent == Consent.WITHDRAWN
        assert Refusal.objects.filter(account=account).count() == ROWS // 2_000
        assert sum(import_.counts[outcome] for outcome in import_staging.Outcome.values) == ROWS

    def test_a_yes_of_a_file_never_passes_a_baja_that_is_being_written(self):
        """The control: without the lock on the changed row, the part judges before the baja is there, and grants after it."""
        account = make.account()
        ana = people.add(account, people.Details("Ana", "2225550001"))
        import_ = begin(account, sheet(3))
        imports.commit(import_, make.user())
        raised = []
        thread = threading.Thread(target=in_thread, args=(lambda: imports.finish(import_), raised))
        with transaction.atomic():
            consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
            thread.start()
            thread.join(1)
            assert thread.is_alive()
        thread.join()
        ana.refresh_from_db()
        assert (raised, ana.consent) == ([], Consent.WITHDRAWN)
        import_.refresh_from_db()
        assert import_.counts["withdrawn"] == 1

    def test_two_at_once_save_everybody_once(self, small_parts):
        account = make.account()
        import_ = begin(account, sheet(1_000))
        imports.commit(import_, make.user())
        raised = []
        threads = [
            threading.Thread(target=in_thread, args=(lambda: imports.finish(import_), raised)) for _n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        import_.refresh_from_db()
        assert raised == []
        assert (import_.counts["new"], account.contacts.count(), ConsentEntry.objects.count()) == (1_000,) * 3

    def test_of_two_files_of_a_business_the_first_claimed_comes_first(self, small_parts):
        account, actor = make.account(), make.user()
        first, second, other = begin(account, sheet(250)), begin(account, sheet(250)), begin(make.account(), sheet(3))
        for import_ in (second, first, other):
            imports.commit(import_, actor)
        assert imports.advance(first.pk) is False
        assert not first.parts.exists()
        imports.finish(other)
        raised = []
        threads = [
            threading.Thread(target=in_thread, args=(lambda each=each: imports.finish(each), raised))
            for each in (first, second)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert raised == []
        assert (second.counts["new"], first.counts["unchanged"], other.counts["new"]) == (250, 250, 3)


class TestRememberedColumns:
    def test_the_next_file_with_the_same_columns(self):
        account = make.account()
        import_ = begin(account, "A,B\n2225550001,Ana\n")
        imports.change_columns(import_, {"mobile": 0, "name": 1, "fields": {}})
        imports.finish(import_)
        import_.statement = "none"
        imports.commit(import_, make.user())
        known = {"mobile": 0, "name": 1, "fields": {}, "kinds": {}}
        assert begin(account, "a,B\nx,Eva\n").mapping == known
        assert begin(account, "B,A\nx,Eva\n").mapping != known
        assert begin(make.account(), "A,B\nx,Eva\n").mapping != known

    def test_columns_without_names_are_not_remembered(self):
        bring(make.account(), "2225550001,Ana\n2225550002,Eva\n")
        assert not RememberedMapping.objects.exists()


def test_a_lost_job_is_deferred_again():
    import_ = begin(make.account(), LARGE)
    old = begin(make.account(), sheet(3))
    assert [each.pk for each in imports.due()] == [import_.pk]
    assert old.status == Status.REVIEWING


def test_tidying_keeps_what_is_still_needed():
    account = make.account()
    saved, open_ = bring(account, sheet(3)), begin(account, sheet(3))
    bring(account, sheet(3, name="Eva"))
    import_tidying.tidy()
    assert import_staging.kept(open_)
    assert Before.objects.exists()
    ContactImport.objects.update(
        committed_at=timezone.now() - timedelta(days=40), created_at=timezone.now() - timedelta(days=8)
    )
    import_tidying.tidy()
    assert not import_staging.kept(open_)
    assert not Before.objects.exists()
    assert saved.account.contacts.count() == 3
    with imports.rejects(open_) as file:  # read again
        assert file.read()


def test_files_of_another_machine_wait_for_its_worker(settings, tmp_path):
    here = import_queue.here()
    settings.MEDIA_ROOT = tmp_path / "another"
    assert import_queue.here() != here
    settings.MEDIA_ROOT = tmp_path
    assert import_queue.here() == here
