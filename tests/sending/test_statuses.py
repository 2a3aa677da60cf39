"""Reports of delivery: in any order, any number of times, the end is the same, and the books hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.contacts.models import Consent, ConsentEntry, Contact
from pregon.quota import ledger
from pregon.quota.models import Kind, LedgerEntry
from pregon.sending import outbox, references, statuses, sweep
from pregon.sending.models import Batch, Chunk, Delivery, Message, Status
from pregon.whatsapp.cloud.events import StatusEvent
from tests import make
from tests.sending import rows
from tests.sending.books import assert_balanced, assert_closed

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 15, tzinfo=UTC)


def event(message: Message, status: str, *, seconds: int = 0, code: int | None = None, phone: str = "") -> StatusEvent:
    return StatusEvent(
        phone_number_id=phone or message.batch.number.phone_number_id,
        wamid=f"wamid.{message.pk}",
        status=status,
        at=START + timedelta(seconds=seconds),
        reference=references.make(message.pk),
        error_code=code,
        error_details="because" if code else "",
    )


def batch_of(people: int, result: str = "accepted") -> Batch:
    batch = rows.launch(rows.business(people=people))
    leased = outbox.lease(batch.number_id, 1_000)
    assert leased is not None
    rows.flush(batch, results=[answered(row.id, result) for row in leased.rows])
    rows.flush(batch, finished=[leased.id])
    batch.refresh_from_db()
    return batch


def answered(message_id: int, status: str) -> dict[str, Any]:
    """As `outbox.flush` takes it."""
    return (
        {"id": message_id, "wamid": f"wamid.{message_id}"}
        if status == "accepted"
        else {"id": message_id, "status": status}
    )


def only(batch: Batch) -> Message:
    return Message.objects.select_related("batch__number").get(batch=batch)


def test_sent_delivered_read() -> None:
    batch = batch_of(1)
    message = only(batch)
    statuses.apply([event(message, "sent"), event(message, "delivered", seconds=5), event(message, "read", seconds=9)])
    message.refresh_from_db()
    batch.refresh_from_db()
    assert (message.delivery, message.delivered_at, message.read_at) == (
        Delivery.READ,
        START + timedelta(seconds=5),
        START + timedelta(seconds=9),
    )
    assert (batch.sent, batch.delivered, batch.read) == (1, 1, 1)
    assert_closed(batch)


def test_what_comes_after_a_higher_one_adds_its_time_and_nothing_else() -> None:
    batch = batch_of(1)
    statuses.apply([event(only(batch), "read", seconds=9)])
    statuses.apply([event(only(batch), "delivered", seconds=5)])
    message = only(batch)
    assert (message.delivery, message.delivered_at) == (Delivery.READ, START + timedelta(seconds=5))
    assert_balanced(batch)
    assert (batch.delivered, batch.read) == (1, 1)


def test_reported_failed_is_given_back_and_charged_again_when_delivered() -> None:
    batch = batch_of(1)
    message = only(batch)
    statuses.apply([event(message, "failed", code=131049)])
    batch.refresh_from_db()
    assert (batch.accepted, batch.failed, batch.period.used) == (0, 1, 0)
    statuses.apply([event(message, "delivered")])
    batch.refresh_from_db()
    message.refresh_from_db()
    assert (batch.accepted, batch.failed, message.error_code) == (1, 0, None)
    assert_closed(batch)
    kinds = list(LedgerEntry.objects.order_by("id").values_list("kind", flat=True))
    assert kinds[-3:] == [Kind.CONSUME, Kind.REFUND, Kind.RECHARGE]


def test_of_two_failures_the_smaller_code_stays_whichever_comes_first() -> None:
    batch = batch_of(1)
    for code in (131049, 131026, 131049):
        statuses.apply([event(only(batch), "failed", code=code)])
    assert only(batch).error_code == 131026


def test_without_room_the_delivery_is_noted_uncharged() -> None:
    batch = batch_of(1)
    message = only(batch)
    statuses.apply([event(message, "failed", code=131026)])
    ledger.reserve(batch.period_id, ledger.current(batch.account).remaining, "other")  # type: ignore[union-attr]
    statuses.apply([event(message, "delivered")])
    message.refresh_from_db()
    batch.refresh_from_db()
    assert (batch.accepted, message.charged) == (1, False)
    assert LedgerEntry.objects.order_by("id").last().kind == Kind.UNCHARGED  # type: ignore[union-attr]
    statuses.apply([event(message, "read")])
    assert LedgerEntry.objects.filter(kind=Kind.UNCHARGED).count() == 1  # once, not with every report


@pytest.mark.parametrize(
    ("report", "bucket", "used"), [("sent", "accepted", 1), ("read", "accepted", 1), ("failed", "failed", 0)]
)
def test_the_first_report_settles_a_doubt(report: str, bucket: str, used: int) -> None:
    batch = batch_of(1, "unconfirmed")
    assert batch.unconfirmed == 1 and batch.closed_at is None
    statuses.apply([event(only(batch), report, code=131026 if report == "failed" else None)])
    batch.refresh_from_db()
    assert (getattr(batch, bucket), batch.period.used) == (1, used)
    assert_closed(batch)


def test_a_report_before_our_own_commit() -> None:
    batch = rows.launch(rows.business(people=1))
    message = only(batch)
    leased = outbox.lease(batch.number_id, 10)
    assert leased is not None
    statuses.apply([event(message, "delivered")])
    batch.refresh_from_db()
    assert (batch.queued, batch.delivered) == (1, 1)
    rows.flush(batch, results=[answered(message.pk, "unconfirmed")])
    batch.refresh_from_db()
    assert batch.accepted == 1
    assert_closed(batch)


def test_a_failure_before_our_own_commit_is_not_charged() -> None:
    batch = rows.launch(rows.business(people=1))
    message = only(batch)
    outbox.lease(batch.number_id, 10)
    statuses.apply([event(message, "failed", code=131026)])
    rows.flush(batch, results=[answered(message.pk, "accepted")])
    batch.refresh_from_db()
    message.refresh_from_db()
    assert (batch.failed, batch.period.used, batch.period.reserved) == (1, 0, 0)
    assert (message.error_code, message.error_details) == (131026, "because")
    assert_closed(batch)


def test_what_meta_reports_on_is_not_sent_again_whatever_it_answered() -> None:
    batch = rows.launch(rows.business(people=1))
    message = only(batch)
    outbox.lease(batch.number_id, 10)
    statuses.apply([event(message, "delivered")])
    rows.flush(batch, results=[answered(message.pk, "queued")])
    batch.refresh_from_db()
    assert batch.accepted == 1
    assert_closed(batch)


def test_a_doubt_forgets_what_an_earlier_try_was_refused_for() -> None:
    batch = batch_of(1, "queued")
    Message.objects.update(error_code=131016, error_details="busy", trace_id="A", not_before=None)
    Chunk.objects.update(due_at=datetime.now(UTC) - timedelta(hours=1))
    again = outbox.lease(batch.number_id, 10)
    assert again is not None
    rows.flush(batch, advances=[outbox.Advance(again.id, batch.pk, 0, 1)])
    assert outbox.recover(batch.number_id) == 1
    message = only(batch)
    assert (message.error_code, message.error_details, message.trace_id) == (None, "", "")


def test_other_peoples_reports_are_passed_over() -> None:
    batch = batch_of(1)
    message = only(batch)
    foreign = event(message, "read", phone="999")
    other_system = StatusEvent(
        message.batch.number.phone_number_id, "w", "read", START, reference=f"c=1;m={message.pk}"
    )
    other_installation = StatusEvent(
        message.batch.number.phone_number_id, "w", "read", START, reference=f"pregon:otra:{message.pk}"
    )
    assert statuses.apply([foreign, other_system, other_installation, event(message, "warning")]) == 0


REPORTS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["sent", "delivered", "read", "failed"]), st.sampled_from([131026, 131049])
    ),
    max_size=12,
)
# of three messages; Meta may report even on one that it refused
ANSWERS = st.lists(st.sampled_from(["accepted", "unconfirmed", "failed"]), min_size=3, max_size=3)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=REPORTS, answers=ANSWERS, data=st.data())
def test_the_order_and_the_number_of_reports_do_not_matter(
    reports: list[tuple[int, str, int]], answers: list[str], data: st.DataObject
) -> None:
    """Nor whether they come before the answer to our request is written, in part or all of them."""
    shuffled = data.draw(st.permutations(reports + data.draw(st.permutations(reports))))
    before = data.draw(st.integers(0, len(shuffled)))
    assert end_of(reports, answers, before=0) == end_of(shuffled, answers, before=before)


def end_of(reports: list[tuple[int, str, int]], answers: list[str], *, before: int) -> list[tuple[Any, ...]]:
    """Of three messages, when `before` of the reports about them come first, then the answers, then the other reports."""
    batch = rows.launch(rows.business(people=3))
    outbox.lease(batch.number_id, 3)
    messages = list(Message.objects.filter(batch=batch).select_related("batch__number").order_by("position"))
    statuses.apply(of(messages, reports[:before]))
    rows.flush(batch, results=[answered(m.pk, answer) for m, answer in zip(messages, answers, strict=True)])
    statuses.apply(of(messages, reports[before:]))
    assert_balanced(batch)
    columns = ("status", "delivery", "charged", "error_code", "error_details", "delivered_at", "read_at")
    found = Message.objects.filter(batch=batch).order_by("position")
    return list(found.values_list(*columns))


def of(messages: list[Message], reports: list[tuple[int, str, int]]) -> list[StatusEvent]:
    return [
        event(
            messages[n],
            status,
            seconds=n * 100 + Delivery[status.upper()],
            code=code if status == "failed" else None,
        )
        for n, status, code in reports
    ]


def test_what_failures_tell_about_people() -> None:
    batch = batch_of(3)
    wait, refused, silent = Message.objects.filter(batch=batch).select_related("batch__number").order_by("position")
    statuses.apply(
        [
            event(wait, "failed", code=131049),
            event(refused, "failed", code=131050),
            event(silent, "failed", code=131026),
        ]
    )
    assert Contact.objects.get(pk=wait.contact_id).cooled_at
    assert Contact.objects.get(pk=refused.contact_id).consent == Consent.WITHDRAWN
    assert ConsentEntry.objects.get(contact=refused.contact_id, act=Consent.WITHDRAWN).source == "refused"
    person = Contact.objects.get(pk=silent.contact_id)
    assert person.undelivered_at and person.no_whatsapp_at is None  # once may be a telephone that was changed
    statuses.apply([event(silent, "failed", code=131026)])
    assert Contact.objects.get(pk=silent.contact_id).no_whatsapp_at is None  # the same report again is no new evidence


def test_no_whatsapp_takes_two_messages() -> None:
    batch = batch_of(1)
    person = only(batch).contact
    statuses.apply([event(only(batch), "failed", code=131026)])
    again = rows.launch(rows.number(batch.account))
    statuses.apply([event(only(again), "failed", code=131026)])
    assert Contact.objects.get(pk=person.pk).no_whatsapp_at  # type: ignore[union-attr]


def test_a_doubt_of_a_week_is_closed_and_still_corrected_later() -> None:
    batch = batch_of(2, "unconfirmed")
    week_ago = datetime.now(UTC) - timedelta(days=7, minutes=1)
    Batch.objects.update(created_at=week_ago)
    Message.objects.update(settled_at=week_ago)
    assert sweep.close() == 2
    batch.refresh_from_db()
    assert batch.failed == 2
    assert_closed(batch)
    late = Message.objects.filter(batch=batch).select_related("batch__number").first()
    assert late is not None
    statuses.apply([event(late, "delivered")])
    batch.refresh_from_db()
    assert (batch.accepted, batch.failed, batch.period.used) == (1, 1, 1)
    assert_closed(batch)


def test_a_doubt_of_less_than_a_week_is_left_open() -> None:
    batch_of(1, "unconfirmed")
    Batch.objects.update(created_at=datetime.now(UTC) - timedelta(days=8))
    Message.objects.update(settled_at=datetime.now(UTC) - timedelta(days=6))
    assert sweep.close() == 0


def test_what_did_not_leave_in_time_is_omitted() -> None:
    batch = rows.launch(rows.business(people=4))
    Batch.objects.update(ends_at=datetime.now(UTC) + timedelta(minutes=1))
    assert sweep.expire() == 0
    Batch.objects.update(ends_at=datetime.now(UTC))
    assert sweep.expire() == 4
    assert set(Message.objects.values_list("status", "omission")) == {(Status.OMITTED, "vencido")}
    batch.refresh_from_db()
    assert_closed(batch)


def test_what_comes_back_to_a_cancelled_batch_is_omitted() -> None:
    batch = rows.launch(rows.business(people=2))
    leased = outbox.lease(batch.number_id, 10)
    assert leased is not None
    rows.flush(batch, advances=[outbox.Advance(leased.id, batch.pk, 0, 1)])
    assert outbox.cancel(batch.pk) == 1  # the other may be on its way
    rows.flush(batch, results=[answered(leased.rows[0].id, "queued")])
    rows.flush(batch, finished=[leased.id])
    assert sweep.expire() == 1
    assert set(Message.objects.values_list("omission", flat=True)) == {"cancelado"}
    batch.refresh_from_db()
    assert batch.status == Batch.Status.CANCELLED
    assert_closed(batch)


def test_what_is_reported_once_it_was_left_out_stays_left_out() -> None:
    """Meta said that it was busy, and took the message all the same."""
    batch = batch_of(1, "queued")
    assert outbox.cancel(batch.pk) == 1
    assert statuses.apply([event(only(batch), "delivered")]) == 0
    assert only(batch).omission == "cancelado"
    batch.refresh_from_db()
    assert_closed(batch)


def test_a_tenant_cannot_be_moved_by_anothers_number() -> None:
    batch = batch_of(1)
    other = make.number(make.account("Otra"))
    assert statuses.apply([event(only(batch), "read", phone=other.phone_number_id)]) == 0


@pytest.mark.parametrize(("report", "bucket"), [("delivered", "accepted"), ("failed", "failed")])
def test_what_is_reported_after_it_came_back_to_the_queue_is_settled_and_not_sent_again(
    report: str, bucket: str
) -> None:
    """Meta said that it was busy, and took the message all the same."""
    batch = batch_of(1, "queued")
    statuses.apply([event(only(batch), report, code=131026 if report == "failed" else None)])
    batch.refresh_from_db()
    assert getattr(batch, bucket) == 1
    assert_closed(batch)
    Chunk.objects.update(due_at=datetime.now(UTC) - timedelta(hours=1))
    Message.objects.update(not_before=None)
    assert outbox.lease(batch.number_id, 10) is None


def test_what_is_reported_between_its_return_to_the_queue_and_the_end_of_its_chunk_is_settled_too() -> None:
    batch = rows.launch(rows.business(people=2))
    leased = outbox.lease(batch.number_id, 10)
    assert leased is not None
    first, second = leased.rows
    rows.flush(batch, advances=[outbox.Advance(leased.id, batch.pk, 0, 2)])
    rows.flush(batch, results=[answered(first.id, "queued")])
    sent = Message.objects.select_related("batch__number").get(pk=first.id)
    statuses.apply([event(sent, "delivered")])
    rows.flush(batch, results=[answered(second.id, "accepted")])
    rows.flush(batch, finished=[leased.id])
    batch.refresh_from_db()
    assert (batch.accepted, batch.queued) == (2, 0)
    assert_closed(batch)


def test_what_cannot_be_tried_again_before_the_end_expires() -> None:
    batch = batch_of(1, "queued")
    Batch.objects.update(ends_at=datetime.now(UTC) - timedelta(minutes=2))
    Message.objects.update(not_before=datetime.now(UTC) - timedelta(minutes=1))
    Chunk.objects.update(due_at=datetime.now(UTC) - timedelta(minutes=1))
    assert outbox.numbers_with_work() == [] and outbox.lease(batch.number_id, 10) is None
    assert sweep.expire() == 1
    assert only(batch).omission == "vencido"
    batch.refresh_from_db()
    assert_closed(batch)
