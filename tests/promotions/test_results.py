"""What became of a broadcast: the sums close, every reason has its words, and everybody is found again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from pregon.contacts.models import Consent, Contact
from pregon.lib import spreadsheets
from pregon.panel.views import results_seen
from pregon.promotions import audiences, broadcasts, launch, omissions, results
from pregon.promotions.models import Broadcast
from pregon.promotions.results import Bucket
from pregon.sending import books
from pregon.sending.books import Move, State
from pregon.sending.models import Delivery, Message, Omission, Reply, Status
from tests import make

pytestmark = pytest.mark.django_db

BECAME = [  # name, status, delivery, code
    ("Ana", Status.ACCEPTED, Delivery.READ, None),
    ("Beto", Status.ACCEPTED, Delivery.DELIVERED, None),
    ("Caro", Status.ACCEPTED, Delivery.NONE, None),
    ("Dani", Status.ACCEPTED, Delivery.FAILED, 131049),
    ("Eva", Status.FAILED, Delivery.NONE, 131026),
    ("Fer", Status.FAILED, Delivery.NONE, 131026),
    ("Gil", Status.UNCONFIRMED, Delivery.NONE, 131000),
    ("Hugo", Status.FAILED, Delivery.NONE, None),
]


def settled(batch, message, status, delivery, code):
    """As the pump and the webhooks leave it, with the books kept."""
    after = State(status, delivery, status == Status.ACCEPTED and delivery != Delivery.FAILED)
    now = timezone.now()
    times = {"delivered_at": now if delivery >= 3 else None, "read_at": now if delivery == 4 else None}
    Message.objects.filter(pk=message.pk).update(
        status=status, delivery=delivery, error_code=code, charged=after.charged, settled_at=now, **times
    )
    books.post([Move(batch.pk, State(Status.QUEUED, 0, False), after, 1)])


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def finished(owner):
    for name, *_became in BECAME:
        make.contact(owner.account, name)
    make.contact(owner.account, "=1+1", consent=Consent.WITHDRAWN)
    make.contact(owner.account, "Sin permiso", consent=Consent.UNKNOWN)
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    batch = launch.launch(broadcast, owner.user)
    for message, became in zip(batch.messages.filter(status=Status.QUEUED).order_by("position"), BECAME, strict=True):
        settled(batch, message, *became[1:])
    broadcast.refresh_from_db()
    return broadcast


def test_the_buckets_add_up_and_are_those_of_the_messages(finished):
    tally = results.tally(finished.batch)
    assert (tally.accepted, tally.failed, tally.omitted, tally.unconfirmed, tally.waiting) == (3, 4, 2, 1, 0)
    assert tally.people == finished.batch.messages.count() == 10
    assert (tally.delivered, tally.read, tally.ended) == (2, 1, True)
    for bucket in Bucket:
        assert results.in_bucket(finished.batch, bucket).count() == getattr(tally, bucket)
    for message in finished.batch.messages.all():
        assert message in results.people(finished.batch, results.bucket_of(message))


def test_the_quota_says_the_same(finished, owner):
    month = owner.account.periods.get()
    assert (month.used, month.reserved) == (3, 1)


def test_reasons_of_the_failed(finished):
    found = results.failed(finished.batch)
    assert [(reason.figure, reason.code, reason.retriable) for reason in found] == [
        (2, 131026, False), (1, 131049, True), (1, 0, False),
    ]  # fmt: skip
    assert (found[0].name, found[0].sentence[:30]) == ("Sin WhatsApp", "Este celular no tiene WhatsApp")
    assert found[1].step == "Espera al menos 24 horas y reintenta"
    assert found[2].name == "Sin noticias"
    assert sum(reason.figure for reason in found) == results.tally(finished.batch).failed


def test_people_of_one_reason(finished):
    names = {
        reason.key: [message.name for message in results.people(finished.batch, Bucket.FAILED, reason.key)]
        for reason in results.failed(finished.batch)
    }
    assert names == {"131026": ["Eva", "Fer"], "131049r": ["Dani"], "0": ["Hugo"]}
    assert [m.name for m in results.people(finished.batch, Bucket.OMITTED, "baja")] == ["=1+1"]


@pytest.mark.parametrize("key", ["x", "r", "99", "१", "131026'--"])
def test_a_reason_that_does_not_exist_has_nobody(finished, key):
    assert results.people(finished.batch, Bucket.FAILED, key) == []
    assert results.people(finished.batch, Bucket.OMITTED, key) == []


def test_a_doubt_that_a_report_settled_as_failed_has_the_reports_reason(finished):
    gil = results.people(finished.batch, Bucket.UNCONFIRMED)[0]
    Message.objects.filter(pk=gil.pk).update(status=Status.FAILED, delivery=Delivery.FAILED, error_code=131000)
    reason = next(reason for reason in results.failed(finished.batch) if reason.code == 131000)
    assert (reason.key, reason.retriable, reason.name) == ("131000r", True, "Falla pasajera de Meta")
    assert results.people(finished.batch, Bucket.FAILED, reason.key) == [gil]
    gil.refresh_from_db()
    assert results.reason_of(finished, gil).key == reason.key


def test_a_code_that_we_do_not_know_is_shown_in_metas_own_words(finished):
    hugo = finished.batch.messages.get(name="Hugo")
    Message.objects.filter(pk=hugo.pk).update(error_code=999999, error_details="Something new happened")
    reason = next(reason for reason in results.failed(finished.batch) if reason.code == 999999)
    assert "Something new happened" in reason.sentence and not reason.retriable
    hugo.refresh_from_db()
    assert results.reason_of(finished, hugo).sentence == reason.sentence
    exported = next(row for row in results.export(finished) if row[0] == "Hugo")
    assert 999999 in exported and "Something new happened" in exported


def test_people_come_by_pages(finished):
    everybody = results.people(finished.batch, Bucket.ACCEPTED)
    assert [message.name for message in everybody] == ["Ana", "Beto", "Caro"]
    assert results.people(finished.batch, Bucket.ACCEPTED, after=everybody[0].position) == everybody[1:]


def test_every_omission_has_words():
    account = make.account()
    assert set(omissions.WORDS) == set(Omission.values)
    for omission in Omission:
        assert "%" not in omissions.sentence(omission, account)
    assert "2 tuyas en 7 días" in omissions.sentence(Omission.REPEATED, account)


def test_omitted_in_the_order_of_the_product(finished):
    assert [(reason.figure, reason.key) for reason in results.omitted(finished)] == [(1, "baja"), (1, "sin_permiso")]


def answered(message, text, **fields):
    return Reply.objects.create(
        wamid=f"wamid.{text}{message.pk}", account=message.account, contact=message.contact, message=message,
        batch=message.batch, text=text, received_at=timezone.now(), **fields,
    )  # fmt: skip


def test_answers_count_people_once(finished):
    ana, beto = results.people(finished.batch, Bucket.ACCEPTED)[:2]
    answered(ana, "Hola")
    answered(ana, "¿A qué hora abren?")
    answered(beto, "BAJA", opted_out=True)
    assert results.answers(finished.batch) == results.Answers(replies=2, opt_outs=1)


def test_the_lines_of_the_chart_end_at_the_figures(finished):
    answered(results.people(finished.batch, Bucket.ACCEPTED)[0], "Hola")
    span, lines = results.timeline(finished.batch, timezone.now() + timedelta(hours=100))
    assert span == timedelta(hours=48)
    assert {kind: points[-1] for kind, points in lines.items()} == {"delivered": 2, "read": 1, "replied": 1}
    assert all(points == sorted(points) and len(points) == results.STEPS + 1 for points in lines.values())


def test_the_chart_ends_now_and_has_all_until_now(finished):
    began = finished.batch.created_at
    for name, seconds in (("Ana", 6), ("Beto", 25)):  # his telephone's clock is ahead of ours
        finished.batch.messages.filter(name=name).update(delivered_at=began + timedelta(seconds=seconds))
    span, lines = results.timeline(finished.batch, began + timedelta(seconds=20))
    assert span == timedelta(seconds=20)
    assert lines["delivered"] == [0] * 15 + [1] * 33 + [2]


def test_the_chart_has_two_days_and_no_more(finished):
    began = finished.batch.created_at
    finished.batch.messages.update(delivered_at=began + timedelta(hours=49), read_at=None)
    _span, lines = results.timeline(finished.batch, began + timedelta(hours=100))
    assert lines["delivered"][-1] == 0


@pytest.mark.parametrize(
    ("span", "marks"),
    [
        (timedelta(seconds=20), ["10:40"]),
        (timedelta(seconds=70), ["10:40", "10:41"]),
        (timedelta(minutes=30), ["10:40", "10:55", "11:10"]),
        (timedelta(hours=30), ["23 nov", "24 nov"]),
        (timedelta(hours=48), ["23 nov", "24 nov", "25 nov"]),
    ],
)
def test_the_marks_of_the_chart_say_nothing_twice(span, marks):
    with timezone.override(UTC):
        found = results_seen._marks(datetime(2026, 11, 23, 10, 40, 10, tzinfo=UTC), span)
    assert [words.removesuffix(" 2026") for _at, words in found] == marks
    assert [at for at, _words in found] in ([0], [0, 1], [0, 0.5, 1])


def test_the_export_has_everybody_and_runs_nothing(finished):
    text = b"".join(spreadsheets.write_csv(results.export(finished))).decode("utf-8-sig")
    rows = text.strip().split("\r\n")
    assert len(rows) == 1 + 10
    assert rows[0].startswith("Nombre,Celular,Resultado,Motivo")
    assert any(row.startswith("'=1+1,") and "De baja" in row for row in rows)
    assert any("131049" in row and "Fallidos" in row for row in rows)


def test_retry_is_a_new_draft_for_those_it_can_help(finished, owner):
    again = results.retry(finished, owner.user)
    assert again is not None
    assert (again.status, again.retry_of, again.approved_at) == ("draft", finished, None)
    dani = results.people(finished.batch, Bucket.FAILED, "131049r")[0]
    assert audiences.read(again.audience).ids == (dani.contact_id,)

    assert results.retry(finished, owner.user) == again, "a second click finds it"

    Broadcast.objects.filter(pk=again.pk).update(status=Broadcast.Status.LAUNCHING)
    assert results.retry(finished, owner.user) == again, "also while it is being launched"
    Broadcast.objects.filter(pk=again.pk).update(status=Broadcast.Status.DRAFT)

    broadcasts.discard(again)
    Message.objects.filter(pk=dani.pk).update(delivery=Delivery.NONE)
    assert results.retry(finished, owner.user) is None


def test_no_retry_is_offered_while_meta_asks_to_wait(finished, owner):
    batch = finished.batch
    assert results.retriable(batch, results.failed(batch)).count() == 1
    Contact.objects.update(cooled_at=timezone.now() - timedelta(hours=23))
    assert results.retriable(batch, results.failed(batch)).count() == 0
    assert results.retry(finished, owner.user) is None
    Contact.objects.update(cooled_at=timezone.now() - timedelta(hours=25))
    assert results.retriable(batch, results.failed(batch)).count() == 1


def test_a_retry_of_a_retry_points_to_the_first(finished, owner):
    again = results.retry(finished, owner.user)
    again.batch, again.status = make.batch(owner.account, again.promotion), Broadcast.Status.LAUNCHED
    again.save()
    make.message(again.batch, make.contact(owner.account), delivery=Delivery.FAILED, error_code=131049)
    assert results.retry(again, owner.user).retry_of == finished
