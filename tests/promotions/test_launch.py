"""From an approved broadcast to messages on their way: once, whole, and only as was approved."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone

from pregon.contacts.models import Consent, Contact
from pregon.promotions import freezing, jobs, launch, stages
from pregon.promotions.models import Broadcast
from pregon.quota.models import Kind, Period
from pregon.sending.models import Batch, Message, Status
from pregon.whatsapp.cloud import payloads
from tests import make


@pytest.fixture
def owner(db):
    member = make.business()
    for name in ("Ana", "Luis", "Eva"):
        make.contact(member.account, name)
    return member


@pytest.fixture
def approved(owner):
    return make.broadcast(owner.account, approved_by=owner.user)


def test_one_transaction_makes_batch_messages_and_reservation(owner, approved):
    make.contact(owner.account, "De baja", consent=Consent.WITHDRAWN)
    batch = launch.launch(approved, owner.user)
    approved.refresh_from_db()

    assert (approved.status, approved.batch, approved.launched_by) == (Broadcast.Status.LAUNCHED, batch, owner.user)
    rows = list(batch.messages.order_by("position").values_list("name", "status", "omission", "values"))
    assert rows == [
        ("Ana", "queued", "", ["Ana"]), ("Luis", "queued", "", ["Luis"]), ("Eva", "queued", "", ["Eva"]),
        ("De baja", "omitted", "baja", []),
    ]  # fmt: skip
    month = owner.account.periods.get()
    assert (month.reserved, month.used) == (3, 0)
    assert month.entries.get(kind=Kind.RESERVE).reference == f"batch:{batch.pk}"
    assert abs((batch.ends_at - timezone.now() - timedelta(hours=72)).total_seconds()) < 60
    render = payloads.compile(batch.payload)
    first = batch.messages.get(position=0)
    assert b'"text":"Ana"' in render(first.mobile, dict(zip(batch.slots, first.values, strict=True)), "pregon:x:1")


def test_two_clicks_make_one_batch(owner, approved):
    assert launch.launch(approved, owner.user) == launch.launch(approved, owner.user)
    assert Batch.objects.count() == 1


def test_without_approval_nothing_leaves(owner):
    with pytest.raises(launch.NotApproved):
        launch.launch(make.broadcast(owner.account), owner.user)
    assert not Batch.objects.exists()


def stop_number(broadcast):
    broadcast.account.numbers.update(stopped_at=timezone.now(), stop_reason="El permiso de conexión con Meta venció.")


def suspend(broadcast):
    type(broadcast.account).objects.filter(pk=broadcast.account_id).update(
        suspended_at=timezone.now(), suspension_reason="Falta un pago."
    )


def pause_template(broadcast):
    broadcast.account.templates.update(status="PAUSED")


def lose_number(broadcast):
    Broadcast.objects.update(number=None)
    broadcast.account.numbers.update(waba_id="otra")


def withdraw_everybody(broadcast):
    Contact.objects.update(consent=Consent.WITHDRAWN)


def lose_plan(broadcast):
    broadcast.account.subscription.delete()


def practise(broadcast):
    type(broadcast.account).objects.filter(pk=broadcast.account_id).update(practice=True)


REFUSALS = [
    (stop_number, "está detenido: El permiso de conexión"), (suspend, "negocio está en pausa: Falta un pago"),
    (pause_template, "en pausa"),
    (lose_number, "Aún no conectas un número"), (withdraw_everybody, "nadie recibe"), (lose_plan, "Tu plan no incluye"),
    (practise, "modo práctica apagado"),
]  # fmt: skip


@pytest.mark.parametrize(("harm", "sentence"), REFUSALS)
def test_refused_whole(owner, approved, harm, sentence):
    harm(approved)
    with pytest.raises(launch.Refused, match=sentence):
        launch.launch(approved, owner.user)
    assert not Batch.objects.exists()
    assert not Message.objects.exists()
    assert not Period.objects.filter(reserved__gt=0).exists()


def test_whoever_is_above_may_refuse(owner, approved):
    def answer(sender: object, signal: Signal, account: object, **_others: object) -> str:
        return "Tu plan no incluye este módulo."

    launch.asked.connect(answer)
    try:
        with pytest.raises(launch.Refused, match="no incluye este módulo"):
            launch.launch(approved, owner.user)
    finally:
        launch.asked.disconnect(answer)


def test_a_list_that_grew_asks_again(owner, approved):
    make.contact(owner.account)
    with pytest.raises(launch.Grown, match="aprobaste 3 personas y ahora son 4"):
        launch.launch(approved, owner.user)
    approved.refresh_from_db()
    assert approved.approved_at is None
    assert "La lista creció" in approved.approval_lost


def test_ten_percent_more_is_still_what_was_approved(owner):
    for _ in range(7):
        make.contact(owner.account)
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    make.contact(owner.account)
    assert launch.launch(broadcast, owner.user).queued == 11


def limit_to(account, limit):
    Period.objects.filter(account=account).update(limit=limit)


def test_short_quota_stops_or_sends_to_the_first(owner, approved):
    limit_to(owner.account, 2)
    with pytest.raises(launch.Short, match="Te quedan 2 y este envío necesita 3"):
        launch.launch(approved, owner.user)
    Broadcast.objects.update(quota_choice=Broadcast.Choice.FIT)
    batch = launch.launch(approved, owner.user)
    assert list(batch.messages.order_by("position").values_list("name", "omission")) == [
        ("Ana", ""), ("Luis", ""), ("Eva", "cupo_agotado"),
    ]  # fmt: skip
    assert owner.account.periods.get().remaining == 0


# At a time


def due_now(broadcast):
    launch.schedule(broadcast, timezone.now() + timedelta(hours=1))
    Broadcast.objects.filter(pk=broadcast.pk).update(scheduled_for=timezone.now() - timedelta(seconds=5))
    broadcast.refresh_from_db()


def test_scheduling_reserves_nothing_and_launches_when_due(owner, approved):
    launch.schedule(approved, timezone.now() + timedelta(hours=1))
    assert launch.due() == []
    assert owner.account.periods.get().reserved == 0
    assert not launch.launch_due(approved.pk), "not yet"

    due_now(approved)
    assert launch.due() == [approved.pk]
    assert launch.launch_due(approved.pk)
    assert not launch.launch_due(approved.pk), "exactly once"
    approved.refresh_from_db()
    assert (approved.status, approved.launched_by, approved.batch.queued) == (Broadcast.Status.LAUNCHED, owner.user, 3)


@pytest.mark.parametrize("at", [timedelta(seconds=-1), timedelta(days=400)])
def test_impossible_hours(approved, at):
    with pytest.raises(launch.Refused, match="Elige una hora"):
        launch.schedule(approved, timezone.now() + at)


def test_only_what_is_approved_is_scheduled(owner):
    with pytest.raises(launch.NotApproved):
        launch.schedule(make.broadcast(owner.account), timezone.now() + timedelta(hours=1))


def test_a_plan_taken_back_stays_approved(owner, approved):
    due_now(approved)
    launch.unschedule(approved)
    assert not launch.launch_due(approved.pk)
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.DRAFT
    assert launch.launch(approved, owner.user).queued == 3


def test_when_its_time_comes_and_the_quota_is_short_it_waits_and_asks(owner, approved):
    due_now(approved)
    limit_to(owner.account, 1)
    assert launch.launch_due(approved.pk)
    approved.refresh_from_db()
    assert (approved.status, approved.batch) == (Broadcast.Status.WAITING, None)
    assert "Te quedan 1 y este envío necesita 3" in approved.wait_reason
    assert not Message.objects.exists()
    assert launch.due() == []

    limit_to(owner.account, 100)
    assert launch.launch(approved, owner.user).queued == 3, "still approved: the person decided"


def test_when_its_time_comes_and_the_list_grew_it_waits_and_asks(owner, approved):
    due_now(approved)
    make.contact(owner.account)
    launch.launch_due(approved.pk)
    approved.refresh_from_db()
    assert (approved.status, approved.approved_at) == (Broadcast.Status.WAITING, None)
    assert "La lista creció" in approved.wait_reason


@pytest.mark.django_db(transaction=True)
def test_the_minutely_job_defers_each_due_broadcast_once():
    member = make.business()
    make.contact(member.account)
    broadcast = make.broadcast(member.account, approved_by=member.user)
    due_now(broadcast)
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.models import ProcrastinateJob

    assert "promotions:launch_one" in app.tasks
    jobs.launch_due(0)
    jobs.launch_due(60)
    assert [job.args for job in ProcrastinateJob.objects.filter(task_name="promotions:launch_one")] == [
        {"broadcast_id": broadcast.pk}
    ]
    jobs.launch_one(broadcast.pk)
    jobs.launch_one(broadcast.pk)
    assert Batch.objects.count() == 1


# Races, on real threads


def together(works: list[Callable[[], object]]) -> list[object]:
    """What each returned or raised, all started at once."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[], object]) -> object:
        try:
            start.wait(10)
            return work()
        except launch.Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def launching(broadcast, actor):
    return lambda: launch.launch(Broadcast.objects.get(pk=broadcast.pk), actor)


@pytest.mark.django_db(transaction=True)
def test_race_two_clicks_at_once():
    member = make.business()
    make.contact(member.account)
    broadcast = make.broadcast(member.account, approved_by=member.user)
    results = together([launching(broadcast, member.user)] * 4)
    assert len(set(results)) == Batch.objects.count() == Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("choice", Broadcast.Choice)
def test_race_for_the_same_quota(choice):
    member = make.business(repeat_limit=9)
    for _ in range(4):
        make.contact(member.account)
    drafts = [make.broadcast(member.account, approved_by=member.user) for _ in range(3)]
    limit_to(member.account, 6)
    Broadcast.objects.update(quota_choice=choice)
    results = together([launching(draft, member.user) for draft in drafts])

    month = member.account.periods.get()
    queued = Message.objects.filter(status=Status.QUEUED).count()
    assert month.reserved == queued <= 6
    launched = sum(isinstance(result, Batch) for result in results)
    assert (queued, launched) == ((4, 1) if choice == Broadcast.Choice.STOP else (6, 2))


PEOPLE = 400


def race_for_the_cap(work: Callable[[Broadcast, object], Batch]) -> int:
    """How many got two promotions at once, where one within a week is the rule."""
    member = make.business(repeat_limit=1)
    Contact.objects.bulk_create(
        Contact(account=member.account, name="x", mobile=f"+52333{n:07d}", consent=Consent.GRANTED)
        for n in range(PEOPLE)
    )
    drafts = [make.broadcast(member.account, approved_by=member.user) for _ in range(2)]
    together([lambda draft=draft: work(draft, member.user) for draft in drafts])
    queued = Message.objects.filter(status=Status.QUEUED)
    return queued.count() - queued.values("contact_id").distinct().count()


@pytest.mark.django_db(transaction=True)
def test_race_nobody_gets_more_promotions_than_the_rule():
    assert race_for_the_cap(launch.launch) == 0
    assert Message.objects.filter(status=Status.QUEUED).count() == PEOPLE


@pytest.mark.django_db(transaction=True)
def test_control_without_the_accounts_lock_the_rule_is_broken():
    both_have_frozen = threading.Barrier(2)  # neither sees what the other is about to commit

    @transaction.atomic
    def unlocked(broadcast: Broadcast, actor: object) -> Batch:
        found = stages.locked(broadcast)
        return freezing.freeze(found, found.number, lambda _people: both_have_frozen.wait(30))

    assert race_for_the_cap(unlocked) > 0
