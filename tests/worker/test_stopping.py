"""A worker that is asked to end ends, whatever it is doing."""

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.contacts import pairs
from tests import make
from tests.chaos.processes import Installation, wait_until
from tests.worker.test_observation import _no_jobs, here  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'contacts_contact'::regclass"


def waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])


def test_in_the_middle_of_a_long_search_which_another_begins_again(here: Installation) -> None:  # noqa: F811
    account = make.account()
    make.contact(account, "Ana")
    pairs.defer(account.pk)
    worker = here.start("pregon", "worker")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE contacts_contact")  # the search lasts as long as we want
        wait_until(waits)
        worker.terminate()
        assert worker.wait(25) == 0
    job = ProcrastinateJob.objects.get(task_name="contacts:find_pairs")
    assert (job.status, job.attempts) == ("todo", 1)
