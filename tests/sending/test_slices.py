"""A very long broadcast is cancelled in slices: whatever interrupts it, the rest follows, and the quota is exact at any time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pregon.sending import outbox, sweep
from pregon.sending.models import Batch, Message, Omission
from tests.databases import url
from tests.sending import rows
from tests.sending.background import locked, until, waiting
from tests.sending.books import assert_balanced, assert_closed

pytestmark = pytest.mark.django_db(transaction=True)

CANCEL = "import django, sys; django.setup(); from pregon.sending import outbox; outbox.cancel(int(sys.argv[1]))"


def launch(people: int) -> Batch:
    number = rows.business(people=0, limit=people)
    rows.add_people(number, people)
    return rows.launch(number)


def check_words(batch: Batch) -> None:
    assert_closed(batch)
    assert batch.omitted == batch.people
    assert set(batch.messages.values_list("omission", flat=True)) == {Omission.CANCELLED}


@contextmanager
def cancelling(batch: Batch) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that does what the click does; killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", CANCEL, str(batch.pk)], env=os.environ | {"DATABASE_URL": url()}
    ) as it:
        yield it
        it.kill()


def test_killed_in_the_middle_and_continued() -> None:
    batch = launch(2 * outbox.SLICE + 2_000)
    in_the_third = Message.objects.get(batch=batch, position=2 * outbox.SLICE + 1_000)
    with locked("sending_message", in_the_third.pk), cancelling(batch):
        until(waiting)

    assert_balanced(batch)
    assert (batch.status, batch.omitted, batch.queued) == (Batch.Status.CANCELLED, 2 * outbox.SLICE, 2_000)
    assert batch.period.reserved == 2_000
    assert outbox.numbers_with_work() == []

    assert sweep.expire() == 2_000
    assert sweep.expire() == 0
    check_words(batch)


def test_a_click_leaves_the_rest_of_a_very_long_one_to_the_sweep() -> None:
    batch = launch(outbox.AT_ONCE + 1_000)
    assert outbox.cancel(batch.pk) == outbox.AT_ONCE
    assert_balanced(batch)
    assert batch.queued == batch.period.reserved == 1_000
    assert outbox.numbers_with_work() == []

    assert sweep.expire() == 1_000
    check_words(batch)
