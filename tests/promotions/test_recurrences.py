"""Broadcasts that repeat: the right hours, each once, and only what someone signed."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.accounts.models import Account
from pregon.promotions import approvals, broadcasts, drafts, forecast, jobs, launch, recurrences, results, stages
from pregon.promotions.models import Broadcast, Promotion, Recurrence
from pregon.promotions.recurrences import Rule
from pregon.sending.models import Batch, Message, Omission, Status
from tests import make
from tests.promotions.test_launch import together

WEEK = Recurrence.Every.WEEK
EVERY_DAY = Rule(WEEK, time(10), weekdays=list(range(7)))


@pytest.fixture
def owner(db):
    member = make.business()
    for name in ("Ana", "Luis", "Eva"):
        make.contact(member.account, name)
    return member


@pytest.fixture
def approved(owner):
    return make.broadcast(owner.account, approved_by=owner.user)


@pytest.fixture
def daily(owner, approved):
    return recurrences.start(approved, EVERY_DAY, owner.user)


def come_due(broadcast: Broadcast) -> Broadcast:
    """As if its hour had come, a week after the one before."""
    past = timezone.now() - timedelta(seconds=5)
    Message.objects.update(created_at=past - timedelta(days=7, seconds=-60))
    Broadcast.objects.filter(pk=broadcast.pk).update(scheduled_for=past)
    launch.launch_due(broadcast.pk)
    broadcast.refresh_from_db()
    return broadcast


def only_open(recurrence: Recurrence) -> Broadcast:
    return recurrence.occurrences.get(status__in=stages.OPEN)


def test_it_begins_with_the_signed_one(owner, approved, daily):
    approved.refresh_from_db()
    assert (approved.status, approved.recurrence, approved.occurrence) == ("scheduled", daily, approved.scheduled_for)
    local = approved.scheduled_for.astimezone(owner.account.zone)
    assert (local.hour, local.minute) == (10, 0)
    assert recurrences.start(approved, EVERY_DAY, owner.user) == daily, "a second click"
    assert Recurrence.objects.count() == 1
    assert recurrences.due() == []


def test_only_what_is_signed_repeats(owner):
    with pytest.raises(launch.NotApproved):
        recurrences.start(make.broadcast(owner.account), EVERY_DAY, owner.user)
    assert not Recurrence.objects.exists()


def test_a_rule_without_dates_is_refused(owner, approved):
    with pytest.raises(launch.Refused, match="no hay ninguna fecha"):
        recurrences.start(approved, Rule(WEEK, time(10), weekdays=[0], until=date(2020, 1, 1)), owner.user)


def test_each_is_its_own_broadcast_with_the_signature_of_the_first(owner, approved, daily):
    first = come_due(approved)
    assert first.batch.queued == 3
    assert recurrences.due() == [daily.pk]
    second = recurrences.keep(daily.pk)
    assert recurrences.keep(daily.pk) is None
    assert second.pk != first.pk
    assert (second.status, second.approved_by, second.approved_count) == ("scheduled", owner.user, 3)
    assert second.occurrence > first.occurrence
    assert forecast.forecast(second).people == 3


def test_what_repeats_weekly_comes_again_and_the_rule_still_counts_it(owner, approved, daily):
    come_due(approved)
    second = recurrences.keep(daily.pk)
    assert come_due(second).batch.queued == 3, "not held back as «ya recibió» by its own last time"

    Message.objects.update(created_at=timezone.now() - timedelta(days=1))
    third = recurrences.keep(daily.pk)
    assert forecast.forecast(third).omissions == {Omission.REPEATED: 3}, "two promotions in seven days are the rule"
    by_hand = make.broadcast(owner.account, approved.promotion)
    assert forecast.forecast(by_hand).omissions == {Omission.REPEATED: 3}


def test_twice_a_week_within_the_limit_it_always_comes(owner, approved):
    """A week later to the second, or an hour short of it: the one of a week ago does not count."""
    twice = recurrences.start(approved, Rule(WEEK, time(10), weekdays=[0, 3]), owner.user)
    come_due(approved)
    second = recurrences.keep(twice.pk)
    come_due(second)
    now = timezone.now()
    Message.objects.filter(batch=approved.batch).update(
        created_at=now - timedelta(days=7) + timedelta(hours=1, minutes=5)
    )
    Message.objects.filter(batch=second.batch).update(created_at=now - timedelta(days=4))
    third = recurrences.keep(twice.pk)
    assert forecast.forecast(third, now).recipients == 3
    by_hand = make.broadcast(owner.account)
    assert forecast.forecast(by_hand, now).omissions == {Omission.REPEATED: 3}, "no slack for what does not repeat"


def test_another_clock_keeps_day_and_hour(owner, approved):
    weekly = recurrences.start(approved, Rule(WEEK, time(10), weekdays=[0]), owner.user)
    approved.refresh_from_db()
    before, day = owner.account.zone, approved.scheduled_for.astimezone(owner.account.zone).date()
    Account.objects.filter(pk=owner.account_id).update(time_zone="America/Argentina/Buenos_Aires")
    owner.account.refresh_from_db()
    recurrences.keep_clock(owner.account, before)
    approved.refresh_from_db()
    zone = ZoneInfo("America/Argentina/Buenos_Aires")
    if approved.scheduled_for.astimezone(zone).date() == day:  # else it would have left in the hours between the two
        assert approved.scheduled_for == datetime.combine(day, time(10), zone)
    assert (
        approved.scheduled_for
        == approved.occurrence
        == recurrences.next_after(Recurrence.objects.get(pk=weekly.pk), timezone.now())
    )


def test_an_hour_that_someone_chose_stays_on_another_clock(owner, approved, daily):
    chosen = timezone.now() + timedelta(minutes=20)
    launch.schedule(approved, chosen)
    before = owner.account.zone
    Account.objects.filter(pk=owner.account_id).update(time_zone="America/Tijuana")
    owner.account.refresh_from_db()
    recurrences.keep_clock(owner.account, before)
    approved.refresh_from_db()
    assert approved.scheduled_for == chosen
    assert approved.occurrence.astimezone(owner.account.zone).hour == 10


def test_each_is_kept_by_a_job_of_its_own(approved, daily):
    come_due(approved)
    jobs.repeat(0)
    deferred = ProcrastinateJob.objects.get(task_name="promotions:repeat_one")
    assert deferred.args == {"recurrence_id": daily.pk}
    jobs.repeat_one(**deferred.args)
    assert only_open(daily).status == Broadcast.Status.SCHEDULED


def test_after_a_time_without_a_worker_only_one_goes_out(approved, daily):
    come_due(approved)
    now = timezone.now() + timedelta(days=20)
    made = [recurrences.keep(daily.pk, now), recurrences.keep(daily.pk, now)]
    assert made[1] is None
    assert now < made[0].scheduled_for < now + timedelta(days=1, hours=1)
    assert daily.occurrences.count() == 2


def test_a_list_that_grew_waits_for_a_decision(owner, approved, daily):
    come_due(approved)
    second = recurrences.keep(daily.pk)
    make.contact(owner.account)
    come_due(second)
    assert (second.status, second.approved_at, second.batch) == (Broadcast.Status.WAITING, None, None)
    assert "La lista creció" in second.wait_reason
    assert recurrences.due() == [], "the next waits for it"

    broadcasts.discard(second)
    third = recurrences.keep(daily.pk)
    assert (third.status, third.approved_at) == (Broadcast.Status.WAITING, None), "nobody signed for the longer list"
    assert "fírmalo" in third.wait_reason


def edit(promotion: Promotion, owner) -> None:
    written = drafts.written(drafts.latest(promotion))
    drafts.save(promotion, owner.user, drafts.Draft(**vars(written) | {"fallbacks": {"nombre": "amiga"}}))


def test_a_changed_message_asks_and_signed_again_keeps_its_hour(owner, approved, daily):
    approved.refresh_from_db()
    hour = approved.scheduled_for
    edit(approved.promotion, owner)
    approved.refresh_from_db()
    assert (approved.status, approved.approved_at, approved.scheduled_for) == (Broadcast.Status.WAITING, None, None)
    assert "Cambiaste el mensaje" in approved.wait_reason
    assert "Fírmalo otra vez" in approved.wait_reason
    assert recurrences.due() == []

    approvals.approve(approved, owner.user, seen=approvals.mark(approved))
    approved.refresh_from_db()
    assert (approved.status, approved.scheduled_for) == (Broadcast.Status.SCHEDULED, hour)
    launch.launch(approved, owner.user)
    second = recurrences.keep(daily.pk)
    assert (second.status, second.version) == ("scheduled", drafts.latest(approved.promotion))


def test_signed_too_late_it_takes_the_next_hour(owner, approved, daily):
    edit(approved.promotion, owner)
    Broadcast.objects.update(occurrence=timezone.now() - timedelta(minutes=5))
    approved.refresh_from_db()
    approvals.approve(approved, owner.user, seen=approvals.mark(approved))
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.DRAFT, "for whoever wants it to leave at once"
    assert recurrences.due() == [daily.pk]
    recurrences.keep(daily.pk)
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.SCHEDULED
    assert approved.scheduled_for == approved.occurrence > timezone.now()
    assert recurrences.due() == []


def test_signed_too_late_the_last_is_not_thrown_away(owner, approved, daily):
    edit(approved.promotion, owner)
    Broadcast.objects.update(occurrence=timezone.now() - timedelta(minutes=5))
    Recurrence.objects.update(until=date(2020, 1, 1))
    approved.refresh_from_db()
    approvals.approve(approved, owner.user, seen=approvals.mark(approved))
    recurrences.keep(daily.pk)
    daily.refresh_from_db()
    assert daily.status == Recurrence.Status.ENDED
    assert launch.launch(approved, owner.user).queued == 3


def test_changed_while_paused_it_asks_when_resumed(owner, approved, daily):
    recurrences.pause(daily)
    edit(approved.promotion, owner)
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.DRAFT
    recurrences.resume(daily)
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.WAITING
    assert "fírmalo" in approved.wait_reason


def test_without_its_hour_the_repetition_pauses(approved, daily):
    launch.unschedule(approved)
    daily.refresh_from_db()
    assert daily.status == Recurrence.Status.PAUSED
    recurrences.resume(daily)
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.SCHEDULED


def test_called_off_the_repetition_pauses(approved, daily):
    assert not launch.call_off(approved)
    daily.refresh_from_db()
    assert daily.status == Recurrence.Status.ACTIVE, "it was not being launched"
    Broadcast.objects.update(status=Broadcast.Status.LAUNCHING)
    assert launch.call_off(approved)
    daily.refresh_from_db()
    assert daily.status == Recurrence.Status.PAUSED


@pytest.mark.parametrize(
    ("act", "status"),
    [(recurrences.pause, Broadcast.Status.DRAFT), (recurrences.end, Broadcast.Status.DISCARDED)],
)
def test_paused_or_ended_while_one_is_being_launched(approved, daily, act, status):
    Broadcast.objects.update(status=Broadcast.Status.LAUNCHING)
    act(daily)
    approved.refresh_from_db()
    assert approved.status == status
    assert not launch.launch_due(approved.pk)
    assert not Batch.objects.exists()


def test_a_message_changed_between_two_is_asked_about(owner, approved, daily):
    come_due(approved)
    edit(approved.promotion, owner)
    second = recurrences.keep(daily.pk)
    assert (second.status, second.version) == ("waiting", drafts.latest(approved.promotion))
    with pytest.raises(launch.NotApproved):
        launch.launch(second, owner.user)


def test_skipped_once_it_goes_on(approved, daily):
    approved.refresh_from_db()
    broadcasts.discard(approved)
    second = recurrences.keep(daily.pk)
    assert second.status == Broadcast.Status.SCHEDULED
    assert second.occurrence > approved.occurrence


def test_so_many_times(owner, approved):
    twice = recurrences.start(approved, Rule(WEEK, time(10), weekdays=list(range(7)), times=2), owner.user)
    come_due(approved)
    come_due(recurrences.keep(twice.pk))
    assert recurrences.keep(twice.pk) is None
    twice.refresh_from_db()
    assert (twice.status, twice.occurrences.count()) == (Recurrence.Status.ENDED, 2)
    assert recurrences.due() == []


def test_paused_and_resumed_it_keeps_its_hour(approved, daily):
    approved.refresh_from_db()
    hour = approved.scheduled_for
    recurrences.pause(daily)
    recurrences.pause(daily)
    approved.refresh_from_db()
    assert (approved.status, approved.scheduled_for) == (Broadcast.Status.DRAFT, None)
    assert not launch.launch_due(approved.pk)
    assert recurrences.keep(daily.pk) is None

    recurrences.resume(daily)
    recurrences.resume(daily)
    approved.refresh_from_db()
    assert (approved.status, approved.scheduled_for) == (Broadcast.Status.SCHEDULED, hour)


def test_a_pause_is_not_made_up_for(approved, daily):
    recurrences.pause(daily)
    Broadcast.objects.update(occurrence=timezone.now() - timedelta(days=9))
    recurrences.resume(daily)
    approved.refresh_from_db()
    assert timedelta() < approved.scheduled_for - timezone.now() <= timedelta(days=1, hours=1)
    assert approved.occurrence == approved.scheduled_for


def test_ended_for_good(approved, daily):
    recurrences.end(daily)
    recurrences.end(daily)
    approved.refresh_from_db()
    daily.refresh_from_db()
    assert (approved.status, daily.status) == (Broadcast.Status.DISCARDED, Recurrence.Status.ENDED)
    recurrences.resume(daily)
    assert recurrences.keep(daily.pk) is None


def test_a_promotion_that_repeats_is_not_archived(approved, daily):
    recurrences.pause(daily)
    with pytest.raises(drafts.Refused, match="Se repite"):
        drafts.archive(approved.promotion)
    recurrences.end(daily)
    drafts.archive(approved.promotion)


def test_a_retry_does_not_repeat(owner, approved, daily):
    come_due(approved)
    Message.objects.update(status=Status.FAILED, error_code=131049, error_details="", delivery=2)
    Batch.objects.update(queued=0, failed=3)
    approved.refresh_from_db()
    again = results.retry(approved, owner.user)
    assert again is not None and again.recurrence is None


def test_the_table_refuses_the_same_occurrence_twice(approved, daily):
    approved.refresh_from_db()
    with pytest.raises(IntegrityError, match="occurrence_once"), transaction.atomic():
        Broadcast.objects.create(
            account=approved.account, promotion=approved.promotion, version=approved.version,
            recurrence=daily, occurrence=approved.occurrence,
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_race_two_workers_make_one():
    member = make.business()
    make.contact(member.account)
    broadcast = make.broadcast(member.account, approved_by=member.user)
    recurrence = recurrences.start(broadcast, EVERY_DAY, member.user)
    come_due(broadcast)
    made = together([lambda: recurrences.keep(recurrence.pk)] * 4)
    assert len([one for one in made if one]) == 1
    assert only_open(recurrence) in made
    jobs.repeat(0)
    assert recurrence.occurrences.count() == 2
