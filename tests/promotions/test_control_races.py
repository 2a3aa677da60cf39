"""Clicked twice at once, on real threads and connections: one effect. And the night, with the real pump."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.promotions import broadcasts, halts, launch, quiet, recurrences, results, trials
from pregon.promotions.models import Broadcast, Recurrence
from pregon.sending.models import Batch, Delivery, Message, Status
from pregon.sending.pump import Pump
from pregon.whatsapp.models import Quality
from tests import make
from tests.promotions.test_launch import together
from tests.promotions.test_quiet import during
from tests.promotions.test_recurrences import EVERY_DAY
from tests.sending import line
from tests.sending.books import assert_closed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner():
    member = make.business()
    make.contact(member.account)
    return member


@pytest.fixture
def approved(owner):
    return make.broadcast(owner.account, approved_by=owner.user)


def fresh(broadcast: Broadcast) -> Broadcast:
    return Broadcast.objects.get(pk=broadcast.pk)


def four(act):
    """Four clicks; what each got. What is refused is refused by a sentence."""
    return together([act] * 4)


def test_retried(owner, approved):
    launch.launch(approved, owner.user)
    Message.objects.update(status=Status.ACCEPTED, delivery=Delivery.FAILED, error_code=131049)
    Batch.objects.update(queued=0, failed=1, status="finished")
    made = four(lambda: results.retry(fresh(approved), owner.user))
    assert len(set(made)) == 1
    assert approved.retries.count() == 1


def test_repeated(owner, approved):
    made = four(lambda: recurrences.start(fresh(approved), EVERY_DAY, owner.user))
    assert len(set(made)) == Recurrence.objects.count() == 1


def test_a_repetition_paused_resumed_and_ended(owner, approved):
    found = recurrences.start(approved, EVERY_DAY, owner.user)
    hour = fresh(approved).scheduled_for
    four(lambda: recurrences.pause(found))
    assert fresh(approved).status == Broadcast.Status.DRAFT
    four(lambda: recurrences.resume(found))
    assert (fresh(approved).status, fresh(approved).scheduled_for) == (Broadcast.Status.SCHEDULED, hour)
    four(lambda: recurrences.end(found))
    assert fresh(approved).status == Broadcast.Status.DISCARDED
    assert found.occurrences.count() == 1


def test_scheduled_taken_back_and_discarded(owner, approved):
    at = timezone.now() + timedelta(hours=5)
    four(lambda: launch.schedule(fresh(approved), at))
    assert (fresh(approved).status, fresh(approved).scheduled_for) == (Broadcast.Status.SCHEDULED, at)
    four(lambda: launch.unschedule(fresh(approved)))
    assert fresh(approved).status == Broadcast.Status.DRAFT
    four(lambda: broadcasts.discard(fresh(approved)))
    assert fresh(approved).status == Broadcast.Status.DISCARDED


def test_waived_and_accepted(owner, approved):
    launch.launch(approved, owner.user)
    Account.objects.update(**during(owner.account))
    quiet.hold(Batch.objects.all())
    assert Batch.objects.get().held
    four(lambda: quiet.waive(fresh(approved), owner.user))
    assert not Batch.objects.get().held
    owner.account.numbers.update(quality=Quality.RED)
    together([halts.check] * 4)
    assert Batch.objects.get().pause_cause == Batch.Cause.QUALITY
    four(lambda: halts.accept_quality(fresh(approved), owner.user))
    assert Batch.objects.get().status == Batch.Status.RUNNING


def test_at_night_nothing_leaves_but_a_test_and_by_day_all_of_it(owner, settings):
    for _ in range(8):
        make.contact(owner.account)
    approved = make.broadcast(owner.account, approved_by=owner.user)
    Account.objects.update(**during(owner.account))
    owner.account.refresh_from_db()
    number = owner.account.numbers.get()
    with line.running() as meta:
        settings.GRAPH_URL = meta.url
        launch.launch(fresh(approved), owner.user)
        make.proved(owner, "+522225550199")
        trials.own(owner, "222 555 0199")
        trial = trials.send(owner, approved.version, uuid4())
        asyncio.run(Pump(number, idle=0.2).run())
        assert [message["to"] for message in meta.requests] == ["+522225550199"]

        Account.objects.update(quiet_from=None, quiet_until=None)
        quiet.hold(Batch.objects.all())
        asyncio.run(Pump(number, idle=0.2).run())
    assert len(meta.requests) == 1 + 9
    trial.batch.refresh_from_db()
    assert (trial.batch.accepted, trial.batch.status) == (1, Batch.Status.FINISHED)
    month = owner.account.periods.get()
    assert (month.used, month.reserved) == (10, 0)
    assert_closed(Batch.objects.get(broadcast=approved))
