"""Imports as jobs: by parts, killed and resumed, stopped, taken back, beside what others do meanwhile."""

import io
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
    import_undoing,
    imports,
    people,
    tags,
)
from pregon.contacts.models import (
    Before,
    Consent,
    ConsentEntry,
    Contact,
    ContactImport,
    Refusal,
    RememberedMapping,
    Source,
)
from tests import databases, make

pytestmark = pytest.mark.django_db(transaction=True)
Status = ContactImport.Status
ROWS = 20_000
LARGE = "nombre,celular,etiqueta,nota\n" + "".join(f"Ana {n},222{n:07d},Centro,{'x' * 20}\n" for n in range(ROWS))


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def small_parts():
    """So that a file of some hundred rows has several."""
    usual = import_saving.PART, import_saving.RUN, import_undoing.PART
    import_saving.PART, import_saving.RUN, import_undoing.PART = 100, 1, 50
    yield
    import_saving.PART, import_saving.RUN, import_undoing.PART = usual


def sheet(rows, name="Ana"):
    return "nombre,celular,etiqueta\n" + "".join(f"{name} {n},222555{n:04d},Centro\n" for n in range(rows))


def begin(account, content, statement="store"):
    import_ = imports.start(account, io.BytesIO(content.encode()), "clientes.csv", make.user())
    if len(content) <= 500_000:
        imports.finish(import_)
    import_.statement = statement
    return import_


def bring(account, content, statement="store"):
    import_ = begin(account, content, statement)
    imports.finish(import_)
    import_.statement = statement
    imports.commit(import_, make.user())
    imports.finish(import_)
    return import_


def take_back(import_):
    imports.undo(import_, make.user())
    imports.finish(import_)
    return import_


def versions(*tables):
    """What changes with any row that is written: its place and the transaction that wrote it."""
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f"SELECT xmin::text, ctid::text, * FROM {table} ORDER BY 1, 2")
            found.append(cursor.fetchall())
    return found


def waiting():
    rows = ProcrastinateJob.objects.filter(queue_name=import_queue.here(), status="todo")
    return list(rows.values_list("args", flat=True))


def consents(account):
    return dict(account.contacts.order_by("mobile").values_list("mobile", "consent"))


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
        assert Contact.tags.through.objects.count() == ROWS
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
        people.add(account, people.Details("Ana de antes", "2225550003"))
        before = versions("contacts_contact")[0][0][2:]
        import_ = begin(account, sheet(250))
        imports.commit(import_, make.user())
        imports.advance(import_.pk)
        imports.stop(import_, make.user())
        imports.finish(import_)
        assert (import_.status, import_.stayed) == (Status.UNDONE, 0)
        [left] = account.contacts.all()
        assert (left.name, left.consent, left.tags.count()) == ("Ana de antes", Consent.UNKNOWN, 0)
        assert before[1] == left.name or before  # the row is the same person
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


class TestUndo:
    def test_everybody_is_as_before(self, small_parts):
        account = make.account()
        eva = people.add(account, people.Details("Eva", "2225550001", email="eva@example.com", tags=["VIP"]))
        lia = people.add(account, people.Details("Lía", "2225550002"))
        consent.record(lia, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        before = list(account.contacts.order_by("id").values("name", "search", "email", "fields", "consent"))
        undone = take_back(bring(account, sheet(250)))
        assert (undone.status, undone.stayed) == (Status.UNDONE, 0)
        assert list(account.contacts.order_by("id").values("name", "search", "email", "fields", "consent")) == before
        assert [tag.name for tag in eva.tags.all()] == ["VIP"]
        assert [tag.name for tag in account.tags.all()] == ["VIP"]
        assert not Before.objects.exists()

    def test_who_was_touched_since_stays(self):
        account = make.account()
        import_ = bring(account, sheet(8))
        one, two, three, four, five, *_others = account.contacts.order_by("id")
        consent.record(one, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now(), text="ALTA")
        people.edit(two, people.Details("Otro nombre", two.mobile), actor=make.user())
        tags.put(account, [three.pk], ["VIP"])
        Contact.objects.filter(pk=four.pk).update(last_inbound_at=timezone.now())
        consent.record(five, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
        undone = take_back(import_)
        assert undone.stayed == 5
        assert consents(account) == {
            one.mobile: "granted", two.mobile: "unknown", three.mobile: "unknown", four.mobile: "unknown",
            five.mobile: "withdrawn",
        }  # fmt: skip

    def test_its_permission_is_void_and_its_evidence_stays(self):
        account = make.account()
        ana = people.add(account, people.Details("Ana 1", "2225550001", tags=["Centro"]))
        import_ = bring(account, sheet(3))
        ana.refresh_from_db()
        assert ana.consent == Consent.GRANTED
        take_back(import_)
        ana.refresh_from_db()
        assert (ana.consent, ana.consent_at) == (Consent.UNKNOWN, None)
        assert ConsentEntry.objects.filter(import_file=import_, act="granted").count() == 3
        assert [tag.name for tag in ana.tags.all()] == ["Centro"]

    def test_a_no_of_the_file_stays(self):
        account = make.account()
        content = "nombre,celular,permiso\nAna,2225550001,sí\nEva,2225550002,baja\n"
        take_back(bring(account, content))
        assert Refusal.objects.get().mobile_hash == consent.hash_of("+522225550002")
        with pytest.raises(imports.ImportProblem, match="baja no se deshace"):
            imports.undo(bring(account, content, "opt_out"), make.user())

    def test_nobody_is_revived(self):
        account = make.account()
        import_ = bring(account, sheet(3))
        ana = account.contacts.first()
        consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now())
        take_back(import_)
        ana.refresh_from_db()
        assert ana.consent == Consent.WITHDRAWN
        bring(account, sheet(3))
        ana.refresh_from_db()
        assert ana.consent == Consent.WITHDRAWN

    def test_the_file_may_come_again(self, small_parts):
        account = make.account()
        take_back(bring(account, sheet(250)))
        assert bring(account, sheet(250)).counts["grants"] == 250

    def test_once_written_to_it_is_too_late(self):
        account = make.account()
        import_ = bring(account, sheet(3))
        assert imports.may_not_undo(import_) == ""
        make.message(make.batch(account), account.contacts.first())
        with pytest.raises(imports.ImportProblem, match="escribiste"):
            imports.undo(import_, make.user())

    def test_nothing_refers_to_nobody(self, small_parts):
        take_back(bring(make.account(), sheet(250)))
        with connection.cursor() as cursor:
            for table in ("contacts_contact_tags", "contacts_consententry"):
                cursor.execute(
                    f"SELECT count(*) FROM {table} AS t WHERE contact_id IS NOT NULL "
                    "AND NOT EXISTS (SELECT FROM contacts_contact AS c WHERE c.id = t.contact_id)"
                )
                assert cursor.fetchone() == (0,)


class TestBesideOthers:
    def test_a_baja_meanwhile_waits_for_a_part_at_most_and_wins(self):
        account, actor = make.account(), make.user()
        import_ = begin(account, LARGE)
        imports.finish(import_)
        import_.statement = "store"
        parts, import_saving.PART = import_saving.PART, 1_000
        raised, took = [], []
        imports.commit(import_, actor)
        thread = threading.Thread(target=in_thread, args=(lambda: imports.finish(import_), raised))
        try:
            thread.start()
            for n in range(0, ROWS, 2_000):  # some are saved already, some not yet
                began = time.monotonic()
                consent.withdraw_number(account, f"+52222{n:07d}", source=Source.REPLY, happened_at=timezone.now())
                took.append(time.monotonic() - began)
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


def test_undo_has_an_end():
    import_ = bring(make.account(), sheet(3))
    ContactImport.objects.update(committed_at=timezone.now() - timedelta(days=imports.UNDO_DAYS, seconds=1))
    import_.refresh_from_db()
    with pytest.raises(imports.ImportProblem, match="30 días"):
        imports.undo(import_, make.user())


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
