"""What of an erasure is done at the click, and what a worker completes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.accounts.models import User
from pregon.contacts import people
from pregon.sending import erasure, outbox
from pregon.sending.jobs import finish_erasures
from pregon.sending.models import Message, Wamid
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import rows
from tests.sending.zoraida import MOBILE, TWIN, as_meta_writes, click, found, known


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def number() -> Number:
    return rows.business(people=2)


@pytest.fixture
def owner(number: Number) -> User:
    return make.member(number.account).user


def rows_read() -> dict[str, int]:
    """In this transaction so far, by table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


def read_by(work: Callable[[], object]) -> dict[str, int]:
    before = rows_read()
    work()
    return {table: rows - before.get(table, 0) for table, rows in rows_read().items() if rows != before.get(table, 0)}


def send_to(number: Number, others: int) -> None:
    """Each gets a message, which Meta takes."""
    for _other in range(others):
        make.contact(number.account)
    batch = rows.launch(number)
    messages = Message.objects.filter(batch=batch)
    Wamid.objects.bulk_create([Wamid(wamid=f"wamid.{batch.pk}.{message.pk}", message=message) for message in messages])


@pytest.mark.django_db
class TestTheClick:
    def test_reads_as_much_of_a_large_business_as_of_a_small_one(self, number, owner):
        with connection.cursor() as cursor:  # of tables as small as a test's it would read all anyway
            cursor.execute("SET LOCAL enable_seqscan = off")
        person = known(number)
        small = read_by(lambda: click(person, owner))
        erasure.complete(erasure.due()[0])
        send_to(number, 400)
        person = known(number)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE contacts_contact, sending_message, sending_wamid")
        large = read_by(lambda: click(person, owner))
        assert {
            table: (small.get(table, 0), rows) for table, rows in large.items() if rows > small.get(table, 0) + 40
        } == {}

    def test_leaves_what_no_index_leads_to_until_a_worker_completes_it(self, number, owner):
        done = click(known(number), owner)
        assert found() == {"sending_message", "sending_reply", "sending_wamid", "contacts_erasure"}
        assert not Message.objects.filter(name__contains="Q.").exists(), "what she got as this contact is gone at once"
        [job] = ProcrastinateJob.objects.filter(task_name="sending:complete_erasure", args__erasure_id=done.pk)
        assert (job.status, erasure.due()) == ("todo", [done.pk])
        erasure.complete(done.pk)
        assert (found(), erasure.due()) == (set(), [])

    def test_a_lost_job_is_taken_up_within_the_hour(self, number, owner):
        click(known(number), owner)
        finish_erasures(0)
        assert (found(), erasure.due()) == (set(), [])

    def test_a_worker_that_ends_in_the_middle_is_followed_by_another(self, number, owner):
        """Its messages are nobody's by then, and only their ids lead to Meta's."""
        done = click(known(number), owner)
        earlier = Message.objects.get(mobile=TWIN)
        Wamid.objects.create(wamid=as_meta_writes(TWIN), message=earlier)
        with transaction.atomic():
            done.left = {"messages": [*done.left["messages"], earlier.pk]}
            done.save()
        erasure.complete(done.pk)
        assert not Wamid.objects.exists()

    def test_one_that_is_leaving_is_waited_for(self, number, owner):
        """She was deleted, and added again, while a message was handed to Meta."""
        person = make.contact(number.account, "Zoraida", mobile=MOBILE)
        batch = rows.launch(number, chosen=person.pk)
        leased = outbox.lease(number.pk, 10)
        people.delete(number.account, [person.pk], actor=owner)
        done = click(make.contact(number.account, "Zoraida", mobile=MOBILE), owner)
        erasure.complete(done.pk)
        assert (erasure.due(), Message.objects.get(batch=batch).mobile) == ([done.pk], MOBILE)
        rows.flush(batch, results=[{"id": leased.rows[0].id, "wamid": as_meta_writes(MOBILE)}], finished=[leased.id])
        erasure.complete(done.pk)
        assert (found(), erasure.due()) == (set(), [])

    def test_who_came_back_before_the_worker_came_keeps_what_is_sent_since(self, number, owner):
        done = click(known(number), owner)
        person = make.contact(number.account, "Ana", mobile=MOBILE)
        later = Message.objects.get(batch=rows.launch(number, chosen=person.pk))
        Message.objects.filter(pk=later.pk).update(
            created_at=done.erased_at + timedelta(seconds=1)
        )  # a test has one now()
        erasure.complete(done.pk)
        later.refresh_from_db()
        assert (later.mobile, erasure.due()) == (MOBILE, [])
