"""Read again, what was kept causes the same: nothing moves that stood right, and what was missed is made good."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.apps import apps
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.contacts.models import Consent, Contact
from pregon.sending.models import Batch, Delivery, Message, Reply
from pregon.webhooks import cli, inbox, replay
from pregon.webhooks.models import Arrival
from pregon.webhooks.replay import Choice, Outcome
from pregon.whatsapp.models import Template
from tests import databases, make
from tests.sending import rows
from tests.sending.books import assert_balanced
from tests.sending.test_statuses import batch_of
from tests.webhooks.test_inbox import arrive, reported

pytestmark = pytest.mark.django_db
ANA, BETO = "522225550142", "522225550143"
LAST_YEAR = datetime(2025, 6, 15, tzinfo=UTC)
EVERYTHING = Choice(since=datetime(2020, 1, 1, tzinfo=UTC))
TABLES = (
    "sending.message", "sending.batch", "sending.reply", "quota.period", "quota.ledgerentry", "contacts.contact",
    "contacts.consententry", "contacts.refusal", "whatsapp.template", "whatsapp.number",
)  # fmt: skip


def state() -> dict[str, list[dict[str, Any]]]:
    return {name: list(apps.get_model(name).objects.order_by("pk").values()) for name in TABLES}


def answered(batch: Batch, sender: str, text: str) -> dict[str, Any]:
    said = {"from": sender, "id": f"in.{sender}", "timestamp": "1795000000", "type": "text", "text": {"body": text}}
    return {"metadata": {"phone_number_id": batch.number.phone_number_id}, "messages": [said]}


def preferred(batch: Batch, sender: str, value: str) -> dict[str, Any]:
    choice = {"wa_id": sender, "category": "marketing_messages", "value": value}
    return {"metadata": {"phone_number_id": batch.number.phone_number_id}, "user_preferences": [choice]}


def paused(template: Template) -> dict[str, Any]:
    return {"event": "PAUSED", "message_template_id": template.meta_id, "message_template_language": "es_MX"}


def failed(message: Message, code: int) -> dict[str, Any]:
    value = reported(message, "failed")
    value["statuses"][0]["errors"] = [{"code": code, "title": "Message undeliverable"}]
    return value


def unreadable(message: Message) -> Arrival:
    return arrive(failed(message, 10**12))  # no integer of PostgreSQL's


def set_aside(arrival: Arrival) -> None:
    Arrival.objects.filter(pk=arrival.pk).update(
        attempts=inbox.TRIES, error="a bug of ours", processed_at=timezone.now()
    )


def test_a_second_and_a_third_time_change_nothing() -> None:
    batch = batch_of(5)
    for mobile in (ANA, BETO):
        make.contact(batch.account, mobile=f"+{mobile}")
    template = make.template(batch.number)
    messages = list(Message.objects.filter(batch=batch).order_by("position"))
    for message, words in zip(messages, (["sent"], ["delivered", "sent"], ["read", "delivered", "sent"]), strict=False):
        for word in words:
            arrive(reported(message, word))
    arrive(failed(messages[3], 131026))
    inbox.drain()
    arrive(reported(messages[3], "delivered"))  # given back, and charged again
    arrive(failed(messages[4], 131049))
    arrive(answered(batch, ANA, "BAJA"))
    arrive(preferred(batch, BETO, "stop"), field="user_preferences")
    arrive(paused(template), field="message_template_status_update")
    inbox.drain()
    Template.objects.update(status="APPROVED")  # since then
    before = state()

    for _time in range(2):
        assert replay.replay(EVERYTHING) == Outcome(read=Arrival.objects.count(), failed=0)
        assert state() == before

    assert_balanced(batch)
    assert Reply.objects.count() == 1
    assert set(Contact.objects.filter(mobile__in=[f"+{ANA}", f"+{BETO}"]).values_list("consent", flat=True)) == {
        Consent.WITHDRAWN
    }


def test_what_meta_says_of_templates_is_asked_again_not_believed() -> None:
    template = make.template(rows.business(people=0))
    Template.objects.update(waba_id="1")
    type(template.account.numbers.get()).objects.update(waba_id="1")
    arrive(paused(template), field="message_template_status_update")
    inbox.drain()
    template.refresh_from_db()
    assert template.status == "PAUSED"
    Template.objects.update(status="APPROVED")
    ProcrastinateJob.objects.all()._raw_delete("default")
    replay.replay(EVERYTHING)
    template.refresh_from_db()
    assert template.status == "APPROVED"
    assert ProcrastinateJob.objects.filter(task_name="whatsapp:sync").count() == 1


def test_what_was_put_aside_is_read_when_asked_for() -> None:
    message, other = Message.objects.filter(batch=batch_of(2)).order_by("position")
    set_aside(arrive(reported(message, "read")))
    arrive(reported(other, "delivered"))
    inbox.drain()
    read_at = Arrival.objects.get(error="").processed_at
    assert replay.replay(Choice(failed=True)) == Outcome(read=1, failed=0)
    assert list(Message.objects.order_by("position").values_list("delivery", flat=True)) == [
        Delivery.READ,
        Delivery.DELIVERED,
    ]
    assert Arrival.objects.filter(error="").count() == 2
    assert Arrival.objects.filter(processed_at=read_at).count() == 1  # the other was left alone
    assert replay.count(Choice(failed=True)) == 0


def test_one_that_still_cannot_be_read_holds_up_none_of_the_others() -> None:
    messages = list(Message.objects.filter(batch=batch_of(9)).select_related("batch__number"))
    set_aside(unreadable(messages.pop()))
    for message in messages:
        set_aside(arrive(reported(message, "read")))
    assert replay.replay(Choice(failed=True)) == Outcome(read=9, failed=1)
    assert Message.objects.filter(delivery=Delivery.READ).count() == 8
    kept = Arrival.objects.exclude(error="").get()
    assert "out of range" in kept.error and kept.processed_at


def test_since_and_id() -> None:
    old, new, waiting = arrive({}), arrive({}), arrive({})
    Arrival.objects.exclude(pk=waiting.pk).update(processed_at=timezone.now())
    Arrival.objects.filter(pk=old.pk).update(received_at=LAST_YEAR)
    assert replay.count(Choice(since=LAST_YEAR)) == 2
    assert replay.count(Choice(since=LAST_YEAR + timedelta(seconds=1))) == 1
    assert replay.count(Choice(id=old.pk)) == 1
    assert replay.count(Choice(id=old.pk, since=timezone.now() - timedelta(days=1))) == 0
    assert replay.count(Choice(id=waiting.pk)) == 0  # the worker's
    assert replay.replay(Choice(since=LAST_YEAR)) == Outcome(read=2, failed=0)
    assert Arrival.objects.filter(processed_at=None).get() == waiting
    assert new.pk > old.pk


def test_more_than_one_group() -> None:
    messages = list(Message.objects.filter(batch=batch_of(3)).select_related("batch__number"))
    for message in messages:
        arrive(reported(message, "read") | {"padding": "x" * inbox.GROUP_BYTES})
    Arrival.objects.update(processed_at=timezone.now())
    assert replay.replay(EVERYTHING) == Outcome(read=3, failed=0)
    assert Message.objects.filter(delivery=Delivery.READ).count() == 3


def say(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli.webhooks, ["replay", *map(str, arguments)])
    assert result.exit_code == code, result
    return result.output


def test_the_command_says_how_many_and_reads_them() -> None:
    message = Message.objects.get(batch=batch_of(1))
    arrival = arrive(reported(message, "read"))
    set_aside(arrival)
    assert "Se leería de nuevo 1 aviso." in say("--failed", "--dry-run")
    message.refresh_from_db()
    assert message.delivery == Delivery.NONE
    assert "Se leyó de nuevo 1 aviso." in say("--id", arrival.pk)
    message.refresh_from_db()
    assert message.delivery == Delivery.READ
    set_aside(arrive({}))
    assert "Se leyeron de nuevo 2 avisos." in say("--since", "2026-01-01 10:30")


def test_the_command_ends_badly_when_one_cannot_be_read() -> None:
    set_aside(unreadable(Message.objects.get(batch=batch_of(1))))
    assert "1 no se pudo leer" in say("--failed", code=1)


@pytest.mark.parametrize(
    ("arguments", "sentence", "code"),
    [
        ((), "Di cuáles: --since, --id o --failed.", 2),
        (("--since", "ayer"), "'ayer' does not match the format", 2),
        (("--id", "0"), "'--id'", 2),
        (("--id", 10**30), "'--id'", 2),
        (("--id", 7), "No hay avisos así. Se guardan 30 días", 1),
        (("--since", "2200-01-01"), "No hay avisos así.", 1),
    ],
)
def test_bad_input_is_a_sentence(arguments: tuple[object, ...], sentence: str, code: int) -> None:
    assert sentence in say(*arguments, code=code)


@pytest.mark.django_db(transaction=True)
def test_as_typed_in_a_shell() -> None:
    with transaction.atomic():
        message = Message.objects.get(batch=batch_of(1))
    set_aside(arrive(reported(message, "read")))
    command = [sys.executable, "-m", "pregon", "webhooks", "replay", "--failed"]
    environment = os.environ | {"DATABASE_URL": databases.url()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "Se leyó de nuevo 1 aviso.\n"), done
    message.refresh_from_db()
    assert message.delivery == Delivery.READ
