"""A long list is frozen by a worker: whole or not at all, in view of everybody, whatever is killed or clicked meanwhile."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob

from bench.send import add_people
from pregon.promotions import approvals, audiences, broadcasts, freezing, jobs, launch, progress
from pregon.promotions.models import Broadcast
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending.models import Batch, Message, Status
from tests import databases, make
from tests.chaos.processes import wait_until
from tests.sending.books import assert_balanced

PEOPLE = launch.SMALL + 1


@pytest.fixture
def long(transactional_db) -> Iterator[Broadcast]:
    yield approved(PEOPLE)
    jobs_to_launch()._raw_delete("default")  # the tests' database keeps them


def jobs_to_launch() -> QuerySet[ProcrastinateJob]:
    return ProcrastinateJob.objects.filter(task_name="promotions:launch_one")


def approved(people: int) -> Broadcast:
    """The quota for it included."""
    member = make.business()
    ledger.grant(member.account.periods.get().pk, people, "extra")
    add_people(member.account, people)
    return make.broadcast(member.account, approved_by=member.user)


def click(broadcast: Broadcast) -> Batch | None:
    return launch.launch(broadcast, broadcast.approved_by)


@contextmanager
def held(period: Period) -> Iterator[None]:
    """Somebody else has the month's row: a freeze waits for it at its very end."""
    with transaction.atomic():
        Period.objects.select_for_update().get(pk=period.pk)
        yield


def apart(work: Callable[[], Any]) -> Future[Any]:
    """On a thread and a connection of its own."""
    pool = ThreadPoolExecutor(1)

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    future = pool.submit(run)
    pool.shutdown(wait=False)
    return future


def frozen(broadcast: Broadcast) -> int:
    return int(Broadcast.objects.values_list("frozen", flat=True).get(pk=broadcast.pk))


def assert_launched(broadcast: Broadcast) -> None:
    broadcast.refresh_from_db()
    assert broadcast.status == Broadcast.Status.LAUNCHED
    assert broadcast.batch is not None
    assert (broadcast.batch.queued, Batch.objects.count()) == (PEOPLE, 1)
    assert_balanced(broadcast.batch)


def assert_nothing_left() -> None:
    assert not Batch.objects.exists()
    assert not Message.objects.exists()
    assert not Period.objects.filter(reserved__gt=0).exists()


def test_a_long_list_is_left_to_a_worker_and_a_second_click_changes_nothing(long):
    assert click(long) is None
    assert click(long) is None
    long.refresh_from_db()
    assert (long.status, long.launched_by) == (Broadcast.Status.LAUNCHING, long.approved_by)
    assert_nothing_left()
    assert jobs_to_launch().filter(args={"broadcast_id": long.pk}).count() == 1
    jobs.launch_one(long.pk)
    jobs.launch_one(long.pk)
    assert_launched(long)
    assert click(long) == long.batch


def test_a_lost_job_is_deferred_again(long):
    click(long)
    jobs_to_launch()._raw_delete("default")
    jobs.launch_due(0)
    jobs.launch_due(60)
    assert jobs_to_launch().filter(args={"broadcast_id": long.pk}).count() == 1


def test_clicks_and_workers_at_once_make_one_batch(long):
    assert [future.result(60) for future in [apart(lambda: click(long)) for _ in range(4)]] == [None] * 4
    done = [future.result(60) for future in [apart(lambda: launch.launch_due(long.pk)) for _ in range(3)]]
    assert sorted(done) == [False, False, True]
    assert_launched(long)


def test_progress_is_seen_while_the_people_are_not(long):
    click(long)
    with held(long.account.periods.get()):
        worker = apart(lambda: launch.launch_due(long.pk))
        wait_until(lambda: frozen(long) == PEOPLE)
        long.refresh_from_db()
        assert (long.status, long.to_freeze) == (Broadcast.Status.LAUNCHING, PEOPLE)
        assert not Message.objects.exists(), "all or nothing"
        assert not worker.done()
    assert worker.result(60)
    assert_launched(long)


@pytest.mark.django_db(transaction=True)
def test_the_parts_follow_one_another_and_each_is_told():
    people = freezing.SIZE + 1_000
    broadcast = approved(people)
    told: list[int] = []
    with transaction.atomic():
        freezing.freeze(broadcast, broadcast.number, told.append)
    assert told == [freezing.SIZE, people]
    positions = Message.objects.order_by("contact_id").values_list("position", flat=True)
    assert list(positions) == list(range(people))


def test_nobody_waits_for_a_freeze(long):
    """Another launch of the business, a second click, the month's quota, and whatever else is done with the broadcast."""
    Broadcast.objects.filter(pk=long.pk).update(quota_choice=Broadcast.Choice.FIT)
    other = make.broadcast(long.account, approved_by=long.approved_by)
    period = long.account.periods.get()
    click(long)
    meanwhile: list[object] = []

    def busy(_people: int) -> None:
        if not meanwhile:
            meanwhile.append(apart(lambda: (click(long), click(other), ledger.reserve(period.pk, 1, "x"))).result(20))

    with transaction.atomic():
        launch._lock_account(long.account_id)
        freezing.freeze(Broadcast.objects.get(pk=long.pk), long.number, busy)
    assert meanwhile == [(None, None, None)]
    other.refresh_from_db()
    assert other.status == Broadcast.Status.LAUNCHING, "after this one"


def test_called_off_before_the_end(long):
    click(long)
    with held(long.account.periods.get()):
        worker = apart(lambda: launch.launch_due(long.pk))
        wait_until(lambda: frozen(long) == PEOPLE)
        assert launch.call_off(long)
        assert not launch.call_off(long)
    assert worker.result(60) is False
    assert_nothing_left()
    long.refresh_from_db()
    assert (long.status, bool(long.approved_at)) == (Broadcast.Status.DRAFT, True)
    assert launch.due() == []
    with progress.telling(long) as tell, pytest.raises(progress.CalledOff):
        tell(1)  # the next part would have found it
    click(long)
    assert launch.launch_due(long.pk)
    assert_launched(long)
    assert not launch.call_off(long), "too late"


def test_called_off_changed_and_sent_again_while_the_first_list_is_frozen(long):
    click(long)
    ana = make.contact(long.account, "Ana")
    with held(long.account.periods.get()):
        worker = apart(lambda: launch.launch_due(long.pk))
        wait_until(lambda: frozen(long) >= PEOPLE)
        assert launch.call_off(long)
        broadcasts.change_audience(long, audiences.define("contacts", [ana.pk]))
        long.refresh_from_db()
        approvals.approve(long, long.launched_by, seen=approvals.mark(long))
        Broadcast.objects.filter(pk=long.pk).update(status=Broadcast.Status.LAUNCHING)  # as a click on a long list
    assert worker.result(60) is False
    assert_nothing_left()
    assert launch.launch_due(long.pk)
    assert list(Message.objects.values_list("contact_id", flat=True)) == [ana.pk], "nobody of the first list"


def test_refused_at_the_end_it_waits_with_the_reason(long):
    click(long)
    Period.objects.update(limit=PEOPLE - 1)
    assert launch.launch_due(long.pk)
    assert_nothing_left()
    long.refresh_from_db()
    assert (long.status, bool(long.approved_at)) == (Broadcast.Status.WAITING, True)
    assert f"Te quedan {PEOPLE - 1} y este envío necesita {PEOPLE}" in long.wait_reason
    assert launch.due() == []


def test_the_database_session_dies(long):
    click(long)
    with held(long.account.periods.get()):
        worker = apart(lambda: launch.launch_due(long.pk))
        wait_until(lambda: frozen(long) == PEOPLE)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount == 1
        with pytest.raises(OperationalError):
            worker.result(60)
    assert_repeated(long)


def test_the_worker_is_killed(long):
    click(long)
    with held(long.account.periods.get()):
        worker = freezing_process(long)
        wait_until(lambda: frozen(long) == PEOPLE)
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
    assert_repeated(long)


def assert_repeated(broadcast: Broadcast) -> None:
    """Nothing was left behind, and it is due again."""
    wait_until(lambda: not any_freeze())
    assert_nothing_left()
    assert launch.due() == [broadcast.pk]
    assert launch.launch_due(broadcast.pk)
    assert_launched(broadcast)


def any_freeze() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        return bool(cursor.fetchone()[0])


def freezing_process(broadcast: Broadcast) -> subprocess.Popen[bytes]:
    code = f"import django; django.setup(); from pregon.promotions import launch; launch.launch_due({broadcast.pk})"
    return subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"DATABASE_URL": databases.url()})


# As many as fit, while others reserve too


OTHERS = 500


def fitting(people: int, limit: int) -> Broadcast:
    member = make.business()
    add_people(member.account, people)
    broadcast = make.broadcast(member.account, approved_by=member.user, quota_choice=Broadcast.Choice.FIT)
    Period.objects.filter(account=member.account).update(limit=limit)
    return broadcast


def freeze_while_others_reserve(broadcast: Broadcast) -> Batch:
    """They come after the rest of the month was looked up, before this one reserves."""
    period = broadcast.account.periods.get()
    other = threading.Event()

    def tell(_people: int) -> None:
        if not other.is_set():
            apart(lambda: ledger.reserve(period.pk, OTHERS, "others")).result(20)
            other.set()

    with transaction.atomic():
        return freezing.freeze(broadcast, broadcast.number, tell)


@pytest.mark.django_db(transaction=True)
def test_fit_never_reserves_more_than_remains():
    broadcast = fitting(people=3_000, limit=1_200)
    batch = freeze_while_others_reserve(broadcast)
    month = broadcast.account.periods.get()
    assert (batch.queued, batch.omitted) == (700, 2_300)
    assert (month.reserved, month.remaining) == (1_200, 0)
    queued = batch.messages.filter(status=Status.QUEUED).order_by("position")
    assert list(queued.values_list("position", flat=True)) == list(range(batch.queue_size)) == list(range(700))
    kept, left_out = batch.messages.filter(omission=""), batch.messages.filter(omission="cupo_agotado")
    assert left_out.count() == 2_300
    assert kept.order_by("-contact_id")[0].contact_id < left_out.order_by("contact_id")[0].contact_id, "the lowest ids"


@pytest.mark.django_db(transaction=True)
def test_control_without_looking_again_it_does_not_fit():
    broadcast = fitting(people=3_000, limit=1_200)
    period = broadcast.account.periods.get()
    with transaction.atomic():
        batch = freezing._batch(broadcast, broadcast.number, period, broadcast.created_at)
        freezing._add_people(batch, broadcast, period, lambda _people: None)
        apart(lambda: ledger.reserve(period.pk, OTHERS, "others")).result(20)
        with pytest.raises(launch.Short):
            freezing._reserve(batch)
        transaction.set_rollback(True)
