"""What stops by itself: why, for how long, who is told; and that the person decides."""

import logging
from datetime import datetime, timedelta

import orjson
import pytest
from django.core import mail
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.promotions import approvals, halts, jobs, launch, notices
from pregon.promotions.models import Broadcast
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.webhooks import inbox
from pregon.webhooks.models import Arrival
from pregon.whatsapp.models import Number, Quality
from tests import make
from tests.promotions.test_launch import due_now, together


@pytest.fixture
def owner(db):
    member = make.business()
    make.contact(member.account)
    return member


@pytest.fixture
def running(owner) -> Broadcast:
    return send(owner)


def send(owner) -> Broadcast:
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    return Broadcast.objects.get(pk=broadcast.pk)


def stands(broadcast: Broadcast) -> tuple[str, str]:
    batch = Batch.objects.get(pk=broadcast.batch_id)
    return batch.status, batch.pause_cause


# Templates


@pytest.mark.parametrize(("status", "words"), [("PAUSED", "en pausa la plantilla"), ("DISABLED", "desactivó")])
def test_a_template_that_meta_stops_pauses_its_broadcasts(owner, running, status, words):
    other = make.promotion(owner.account, "Otra")
    spared = make.broadcast(owner.account, other, approved_by=owner.user)
    launch.launch(spared, owner.user)
    spared.refresh_from_db()
    owner.account.templates.filter(pk=running.version.template_id).update(status=status)
    assert halts.check() == 1
    assert halts.check() == 0
    assert stands(running) == ("paused", "template")
    assert words in Batch.objects.get(pk=running.batch_id).pause_reason
    assert stands(spared) == ("running", "")


def test_it_goes_on_only_once_meta_approves_it_again(owner, running):
    templates = owner.account.templates.filter(pk=running.version.template_id)
    templates.update(status="PAUSED")
    halts.check()
    with pytest.raises(launch.Refused, match="cuando Meta la apruebe otra vez"):
        halts.resume(Broadcast.objects.get(pk=running.pk))
    assert stands(running) == ("paused", "template")
    templates.update(status="APPROVED")
    halts.resume(Broadcast.objects.get(pk=running.pk))
    halts.resume(Broadcast.objects.get(pk=running.pk))
    assert stands(running) == ("running", "")


def test_a_scheduled_one_waits_with_the_reason(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    due_now(broadcast)
    owner.account.templates.update(status="PAUSED")
    launch.launch_due(broadcast.pk)
    broadcast.refresh_from_db()
    assert broadcast.status == Broadcast.Status.WAITING
    assert "está en pausa" in broadcast.wait_reason


# Quality


def rate(owner, quality: Quality) -> None:
    owner.account.numbers.update(quality=quality)


def test_low_quality_pauses_until_someone_goes_on_knowingly(owner, running):
    rate(owner, Quality.YELLOW)
    assert halts.check() == 0
    rate(owner, Quality.RED)
    assert halts.check() == 1
    assert stands(running) == ("paused", "quality")
    with pytest.raises(launch.Refused, match="calidad baja"):
        halts.resume(Broadcast.objects.get(pk=running.pk))

    halts.accept_quality(running, owner.user)
    halts.accept_quality(running, make.user())
    running.refresh_from_db()
    assert running.quality_accepted_by == owner.user
    assert stands(running) == ("running", "")
    assert halts.check() == 0, "the person decided"


def test_a_scheduled_one_waits_for_that_too(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    due_now(broadcast)
    rate(owner, Quality.RED)
    launch.launch_due(broadcast.pk)
    broadcast.refresh_from_db()
    assert (broadcast.status, "calidad baja" in broadcast.wait_reason) == (Broadcast.Status.WAITING, True)
    halts.accept_quality(broadcast, owner.user)
    assert launch.launch(broadcast, owner.user).queued == 1


def test_whoever_accepted_does_not_overrule_a_template(owner, running):
    rate(owner, Quality.RED)
    halts.check()
    owner.account.templates.update(status="DISABLED")
    with pytest.raises(launch.Refused, match="desactivó"):
        halts.accept_quality(running, owner.user)
    assert stands(running) == ("paused", "quality")


def test_another_pause_is_not_ended_by_accepting(owner, running):
    outbox.pause(running.batch_id, "Lo pausó Lucía", Batch.Cause.PERSON)
    rate(owner, Quality.RED)
    halts.accept_quality(running, owner.user)
    assert stands(running) == ("paused", "person")


# What webhooks bring


def arrive(field: str, value: dict[str, object], waba: str, at: datetime | None = None) -> None:
    entry = {"id": waba, "time": int((at or timezone.now()).timestamp()), "changes": [{"field": field, "value": value}]}
    Arrival.objects.create(body=orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]}))
    inbox.drain()


@pytest.mark.django_db(transaction=True)
def test_a_webhook_pauses_at_once_and_a_second_one_changes_nothing():
    owner = make.business()
    make.contact(owner.account)
    running = send(owner)
    template = running.version.template
    assert template is not None
    value = {
        "event": "PAUSED", "message_template_id": template.meta_id, "message_template_name": template.name,
        "message_template_language": template.language, "reason": "NONE",
    }  # fmt: skip
    for _ in range(2):
        arrive("message_template_status_update", value, template.waba_id)
        assert stands(running) == ("paused", "template")
    arrive("message_template_status_update", value | {"event": "APPROVED"}, template.waba_id)
    assert stands(running) == ("paused", "template"), "the person decides"
    halts.resume(Broadcast.objects.get(pk=running.pk))
    assert stands(running) == ("running", "")


ACCOUNT = {
    "closed": {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
    "restricted": {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1743451903}],
    },
}
HARMLESS = {
    "announced": {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}},
    "calls": {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"}]},
    "odd": {"event": "ACCOUNT_RESTRICTION", "restriction_info": "x", "ban_info": 3},
}  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", [*ACCOUNT, *HARMLESS])
def test_account_events_stop_the_number(case):
    number = make.number(make.account())
    other = make.number(make.account())
    arrive("account_update", (ACCOUNT | HARMLESS)[case], number.waba_id)
    number.refresh_from_db()
    other.refresh_from_db()
    assert (number.stopped_at is not None) == (case in ACCOUNT)
    assert bool(number.stop_reason) == (case in ACCOUNT)
    assert other.stopped_at is None


def failed(number: Number, code: int, at: datetime) -> dict[str, object]:
    status = {
        "id": "wamid.x", "status": "failed", "timestamp": str(int(at.timestamp())), "recipient_id": "522225550142",
        "errors": [{"code": code, "title": "x", "error_data": {"details": "x"}}],
    }  # fmt: skip
    about = {"display_phone_number": number.display, "phone_number_id": number.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": about, "statuses": [status]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("code", "stops"), [(131042, True), (190, True), (131031, True), (131026, False), (131049, False)]
)
def test_a_late_error_of_payment_or_permission_stops_the_number(code, stops):
    number = make.number(make.account())
    arrive("messages", failed(number, code, timezone.now()), number.waba_id)
    number.refresh_from_db()
    assert (number.stopped_at is not None) == stops


@pytest.mark.django_db(transaction=True)
def test_an_old_story_read_again_does_not_stop_what_was_mended():
    number = make.number(make.account(), resumed_at=timezone.now())
    arrive("messages", failed(number, 131042, timezone.now() - timedelta(hours=1)), number.waba_id)
    number.refresh_from_db()
    assert number.stopped_at is None
    arrive("messages", failed(number, 131042, timezone.now() + timedelta(seconds=2)), number.waba_id)
    number.refresh_from_db()
    assert number.stopped_at is not None


@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_whole_number_stops_it():
    number = make.number(make.account())
    about = {"display_phone_number": number.display, "phone_number_id": number.phone_number_id}
    error = {"code": 131031, "title": "Account locked", "error_data": {"details": "x"}}
    arrive("messages", {"messaging_product": "whatsapp", "metadata": about, "errors": [error]}, number.waba_id)
    number.refresh_from_db()
    assert number.stopped_at is not None


# What the log says


def test_each_stop_that_nobody_asked_for_is_a_warning_once(owner, running, caplog):
    caplog.set_level(logging.INFO, "pregon.sending.outbox")
    rate(owner, Quality.RED)
    number = owner.account.numbers.get()
    for _ in range(2):
        halts.check()
        outbox.stop_number(number.pk, "Se acabó el saldo")
    paused, stopped = caplog.records
    assert {paused.levelname, stopped.levelname} == {"WARNING"}
    assert (paused.batch, paused.cause, stopped.number) == (running.batch_id, "quality", number.pk)
    assert "calidad baja" in paused.getMessage() and "Se acabó el saldo" in stopped.getMessage()


def test_what_a_person_paused_is_no_warning(running, caplog):
    outbox.pause(running.batch_id, "Lo pausó Lucía", Batch.Cause.PERSON)
    assert not caplog.records


# Who is told


def letters() -> None:
    notices.due(
        lambda pk: notices.tell_of_broadcast(Broadcast.objects.get(pk=pk)),
        lambda pk: notices.tell_of_number(Number.objects.get(pk=pk)),
    )


def test_people_who_decide_are_told_once(owner, running):
    manager = make.member(owner.account, Role.MANAGER)
    make.member(owner.account, Role.EDITOR)
    letters()
    assert mail.outbox == []
    rate(owner, Quality.RED)
    halts.check()
    letters()
    letters()
    [letter] = mail.outbox
    assert sorted(letter.to) == sorted([owner.user.email, manager.user.email])
    assert "«Charolas para tu posada» se detuvo" in letter.subject
    assert "calidad baja" in letter.body
    assert f"/envios/{running.pk}/" in letter.body


def test_what_a_person_paused_needs_no_letter(owner, running):
    outbox.pause(running.batch_id, "Lo pausó Lucía", Batch.Cause.PERSON)
    letters()
    assert mail.outbox == []


def test_what_waits_for_a_decision_is_told(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    due_now(broadcast)
    make.contact(owner.account)
    launch.launch_due(broadcast.pk)
    letters()
    letters()
    assert ["La lista creció" in letter.body for letter in mail.outbox] == [True]


def test_the_same_reason_is_told_again_once_it_went_on(owner, running):
    for told in (1, 2):
        outbox.pause(running.batch_id, "Falló más de la mitad")
        letters()
        letters()
        assert len(mail.outbox) == told
        halts.resume(Broadcast.objects.get(pk=running.pk))
        letters()


def test_quality_that_falls_again_is_told_again(owner, running):
    for told in (1, 2):
        rate(owner, Quality.RED)
        halts.check()
        letters()
        assert len(mail.outbox) == told
        if told == 1:
            halts.accept_quality(running, owner.user)
            assert stands(running) == ("running", "")
            Broadcast.objects.update(quality_accepted_at=None)


@pytest.mark.parametrize("by_schedule", [True, False])
def test_one_that_waits_again_for_the_same_is_told_again(owner, by_schedule):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    rate(owner, Quality.RED)
    for told in (1, 2):
        if by_schedule:
            launch.schedule(broadcast, timezone.now() + timedelta(hours=1))
            assert Broadcast.objects.get(pk=broadcast.pk).told_of == ""
        due_now(broadcast)
        launch.launch_due(broadcast.pk)
        letters()
        letters()
        assert len(mail.outbox) == told


def test_signed_again_it_may_be_told_the_same_again(owner):
    broadcast = make.broadcast(owner.account)
    Broadcast.objects.filter(pk=broadcast.pk).update(status=Broadcast.Status.WAITING, told_of="La misma")
    approvals.approve(broadcast, owner.user, seen=approvals.mark(broadcast))
    assert Broadcast.objects.get(pk=broadcast.pk).told_of == ""


def test_launched_after_all_it_is_told_when_it_stops_for_the_same(owner):
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    Broadcast.objects.filter(pk=broadcast.pk).update(told_of="La misma")
    batch = launch.launch(broadcast, owner.user)
    outbox.pause(batch.pk, "La misma")
    letters()
    assert len(mail.outbox) == 1


def test_a_stopped_number_is_told_once_and_again_when_it_stops_again(owner):
    number = owner.account.numbers.get()
    outbox.stop_number(number.pk, "Se acabó el saldo de tu cuenta de Meta")
    letters()
    letters()
    [letter] = mail.outbox
    assert "está detenido" in letter.subject
    assert "Se acabó el saldo" in letter.body
    Number.objects.update(stopped_at=None)
    outbox.stop_number(number.pk, "Otra vez")
    letters()
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
def test_race_two_workers_write_one_letter():
    from procrastinate.contrib.django.models import ProcrastinateJob

    owner = make.business()
    outbox.stop_number(owner.account.numbers.get().pk, "Se acabó el saldo")
    together([lambda: jobs.halt(0)] * 4)
    told = ProcrastinateJob.objects.filter(task_name="promotions:tell_of_number")
    assert told.count() == 1
    jobs.tell_of_number(owner.account.numbers.get().pk)
    assert len(mail.outbox) == 1
