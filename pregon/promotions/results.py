"""What became of a broadcast: buckets that add up to the people, their reasons, who is in them, and what came after.

The live figures are the batch's counters; everything else reads its messages, by (batch, position).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.models import User
from pregon.promotions import audiences, broadcasts, forecast, omissions, stages
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch, Delivery, Message, Omission, Reply, Status
from pregon.whatsapp.cloud import codes, errors

PAGE = 50
DOUBT = timedelta(days=7)  # after that, what Meta never confirmed is closed and given back
STEPS = 48  # points of a line of the chart
SPAN = timedelta(hours=48)


class Bucket(StrEnum):
    """Where a person of a broadcast is counted, each in exactly one."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    OMITTED = "omitted"
    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"


REPORTED = Q(delivery=Delivery.FAILED)  # by a webhook, whether Meta had accepted it before or not answered
UNDELIVERED = Q(status=Status.ACCEPTED, delivery=Delivery.FAILED)  # the same line as `sending.books.BUCKETS`
FILTERS = {
    Bucket.ACCEPTED: Q(status=Status.ACCEPTED) & ~Q(delivery=Delivery.FAILED),
    Bucket.FAILED: Q(status=Status.FAILED) | UNDELIVERED,
    Bucket.OMITTED: Q(status=Status.OMITTED),
    Bucket.UNCONFIRMED: Q(status=Status.UNCONFIRMED),
    Bucket.WAITING: Q(status=Status.QUEUED),
}


@dataclass(frozen=True)
class Tally:
    """The five buckets, whose sum is `people`; and how far the accepted ones got."""

    accepted: int
    failed: int
    omitted: int
    unconfirmed: int
    waiting: int
    delivered: int
    read: int

    @property
    def people(self) -> int:
        return self.accepted + self.failed + self.omitted + self.unconfirmed + self.waiting

    @property
    def sending(self) -> int:
        """Those that are, or were, to be written to."""
        return self.people - self.omitted

    @property
    def settled(self) -> int:
        return self.sending - self.waiting

    @property
    def ended(self) -> bool:
        return self.waiting == 0


@dataclass(frozen=True)
class Reason:
    """Why `figure` people are in a bucket. `key` finds them again; `code` is Meta's, 0 for ours."""

    figure: int
    key: str
    name: str
    sentence: str
    step: str
    code: int = 0
    retriable: bool = False


@dataclass(frozen=True)
class Answers:
    """People, each once: who answered, and who of them withdrew."""

    replies: int
    opt_outs: int


def tally(batch: Batch) -> Tally:
    """From the batch's counters: no query."""
    return Tally(
        accepted=batch.accepted,
        failed=batch.failed,
        omitted=batch.omitted,
        unconfirmed=batch.unconfirmed,
        waiting=batch.queued,
        delivered=batch.delivered,
        read=batch.read,
    )


def answers(batch: Batch) -> Answers:
    found = Reply.objects.filter(batch=batch).aggregate(
        replies=Count("message_id", distinct=True), out=Count("message_id", distinct=True, filter=Q(opted_out=True))
    )
    return Answers(found["replies"], found["out"])


def in_bucket(batch: Batch, bucket: Bucket) -> QuerySet[Message]:
    return Message.objects.filter(FILTERS[bucket], batch=batch)


def omitted(broadcast: Broadcast) -> list[Reason]:
    """In the order of the product; a reason without people is not there."""
    left_out = Message.objects.filter(FILTERS[Bucket.OMITTED], batch=broadcast.batch_id)
    counted = dict(left_out.values_list("omission").annotate(n=Count("id")).order_by())
    return [omission_reason(broadcast, omission, counted[omission]) for omission in Omission if counted.get(omission)]


def omission_reason(broadcast: Broadcast, omission: Omission, figure: int) -> Reason:
    words = omissions.sentence(omission, broadcast.account)
    return Reason(figure, omission.value, str(omission.label), words, omissions.step(omission))


def failed(batch: Batch) -> list[Reason]:
    """By Meta's code, the most frequent first."""
    rows = (
        in_bucket(batch, Bucket.FAILED)
        .annotate(reported=ExpressionWrapper(REPORTED, BooleanField()))
        .values_list("error_code", "reported")
        .annotate(n=Count("id"), words=Max("error_details"))
        .order_by("-n", "error_code")
    )
    return [failure(code, reported, n, words) for code, reported, n, words in rows]


def failure(code: int | None, reported: bool, figure: int = 1, words: str = "") -> Reason:
    """`reported`: it came in a webhook. Otherwise, without a code, a week went by without news. `words`: Meta's own."""
    key = f"{code or 0}{'r' if reported else ''}"
    rule = errors.classify(code or 0, asynchronous=reported)
    if code is None or rule.reaction is errors.Reaction.UNCONFIRMED:
        silence = _("Pasó una semana y Meta no confirmó: se te devolvió el cupo")
        return Reason(figure, key, _("Sin noticias"), silence, "", code or 0)
    sentence = _(rule.sentence)
    if rule is codes.UNKNOWN and words:
        sentence = f"{sentence}: «{words}»"  # who has no words of his own repeats Meta's
    return Reason(figure, key, _short(rule), sentence, _(rule.step), max(code, 0), rule.retry_can_help)


def _short(rule: errors.Rule) -> str:
    """A failure in two or three words."""
    if rule.mark in SHORT_MARKS:
        return str(SHORT_MARKS[rule.mark])
    if rule.reaction in SHORT_STOPS:
        return _("Número detenido")
    if rule.reaction is errors.Reaction.PAUSE_BROADCAST:
        return _("Plantilla o cuenta por corregir")
    return _("Falla pasajera de Meta") if rule.retry_can_help else _("Meta lo rechazó")


SHORT_STOPS = (errors.Reaction.STOP_NUMBER, errors.Reaction.REAUTHENTICATE)
SHORT_MARKS = {
    errors.Mark.NO_WHATSAPP: gettext_lazy("Sin WhatsApp"),
    errors.Mark.WAIT_META: gettext_lazy("Meta pidió esperar"),
    errors.Mark.OPTED_OUT: gettext_lazy("No quieren promociones"),
    errors.Mark.BLOCKED: gettext_lazy("Bloqueados por tu negocio"),
    errors.Mark.BAD_NUMBER: gettext_lazy("Número inválido"),
}


def people(batch: Batch, bucket: Bucket, key: str = "", after: int = -1) -> list[Message]:
    """The next PAGE people of a bucket after a position, all or those of one `Reason.key`."""
    rows = in_bucket(batch, bucket).filter(_of_reason(bucket, key), position__gt=after)
    return list(rows.order_by("position")[:PAGE])


def _of_reason(bucket: Bucket, key: str) -> Q:
    if not key:
        return Q()
    if bucket != Bucket.FAILED:
        return Q(omission=key)
    code = int(number) if (number := key.removesuffix("r")).isascii() and number.isdecimal() else -1
    reported = REPORTED if key.endswith("r") else ~REPORTED
    return reported & (Q(error_code=code) if code else Q(error_code=None) | Q(error_code=0))


def timeline(batch: Batch, now: datetime | None = None) -> tuple[timedelta, dict[str, list[int]]]:
    """The span from the launch until now, and how many were delivered, read, replied at each of its STEPS + 1 moments."""
    span = min(SPAN, max((now or timezone.now()) - batch.created_at, timedelta(seconds=1)))
    times = {"start": batch.created_at, "end": batch.created_at + SPAN}
    steps = {"step": span.total_seconds() / STEPS, "last": STEPS - 1}
    with connection.cursor() as cursor:
        cursor.execute(TIMELINE, {"batch": batch.pk, **times, **steps})
        counted = {(kind, step): n for kind, step, n in cursor.fetchall()}
    return span, {kind: _cumulative(counted, kind) for kind in ("delivered", "read", "replied")}


def _cumulative(counted: dict[tuple[str, int], int], kind: str) -> list[int]:
    sums = [0]
    for step in range(STEPS):
        sums.append(sums[-1] + counted.get((kind, step), 0))
    return sums


# What a phone's clock put before the launch counts in the first step, what it put after this moment in the last.
TIMELINE = """
SELECT kind, greatest(least(floor(extract(epoch FROM at - %(start)s) / %(step)s), %(last)s), 0)::int, count(*)
FROM (
    SELECT 'delivered' AS kind, coalesce(delivered_at, read_at) AS at
    FROM sending_message WHERE batch_id = %(batch)s AND delivery >= 3
    UNION ALL
    SELECT 'read', read_at FROM sending_message WHERE batch_id = %(batch)s AND delivery = 4
    UNION ALL
    SELECT 'replied', min(received_at) FROM sending_reply WHERE batch_id = %(batch)s GROUP BY message_id
) AS happened WHERE at < %(end)s GROUP BY 1, 2
"""


def export(broadcast: Broadcast) -> Iterator[Sequence[object]]:
    """Rows for `spreadsheets.write_csv`, the header first, everybody of the broadcast."""
    yield (
        _("Nombre"), _("Celular"), _("Resultado"), _("Motivo"), _("Qué hacer"),
        _("Código de Meta"), _("Lo que dijo Meta"), _("Rastreo de Meta"), _("Entregado"), _("Leído"),
    )  # fmt: skip
    rows = Message.objects.filter(batch=broadcast.batch_id).order_by("position")
    for message in rows.iterator(chunk_size=2_000):
        yield _exported(broadcast, message)


def _exported(broadcast: Broadcast, message: Message) -> Sequence[object]:
    reason = reason_of(broadcast, message)
    times = [_moment(at, broadcast) for at in (message.delivered_at or message.read_at, message.read_at)]
    words = (reason.name, reason.step, reason.code or "") if reason else ("", "", "")
    meta = message.error_details, message.trace_id
    return message.name, message.mobile, bucket_name(bucket_of(message)), *words, *meta, *times


def _moment(at: datetime | None, broadcast: Broadcast) -> str:
    return at.astimezone(broadcast.account.zone).strftime("%Y-%m-%d %H:%M") if at else ""


def bucket_of(message: Message) -> Bucket:
    undelivered = message.status == Status.ACCEPTED and message.delivery == Delivery.FAILED
    return (
        Bucket.FAILED if undelivered else Bucket.WAITING if message.status == Status.QUEUED else Bucket(message.status)
    )


def bucket_name(bucket: Bucket) -> str:
    names = {
        Bucket.ACCEPTED: _("Aceptados"),
        Bucket.FAILED: _("Fallidos"),
        Bucket.OMITTED: _("Omitidos"),
        Bucket.UNCONFIRMED: _("Por confirmar"),
        Bucket.WAITING: _("En espera"),
    }
    return names[bucket]


def reason_of(broadcast: Broadcast, message: Message) -> Reason | None:
    """Why this person is in its bucket; None where there is nothing to explain."""
    match bucket_of(message):
        case Bucket.OMITTED:
            return omission_reason(broadcast, Omission(message.omission), 1)
        case Bucket.FAILED:
            return failure(message.error_code, message.delivery == Delivery.FAILED, words=message.error_details)
    return None


def retriable(batch: Batch, reasons: Sequence[Reason]) -> QuerySet[Message]:
    """Those of the failed (`reasons`) whom a second try can help now: not while Meta asks to wait for them."""
    chosen = Q(pk__in=[])
    for reason in reasons:
        if reason.retriable:
            chosen |= _of_reason(Bucket.FAILED, reason.key)
    cooling = Q(contact__cooled_at__gt=timezone.now() - forecast.COOLING)
    return in_bucket(batch, Bucket.FAILED).filter(chosen, ~cooling, contact__isnull=False)


@transaction.atomic
def retry(broadcast: Broadcast, actor: User) -> Broadcast | None:
    """A draft, to be reviewed and approved like any other, for those that a retry can help; None without any.

    A second click finds the draft of the first.
    """
    if broadcast.batch is None:
        return None
    first = stages.locked(broadcast.retry_of or broadcast)
    if begun := first.retries.filter(status__in=stages.UNSENT).first():
        return begun
    ids = list(retriable(broadcast.batch, failed(broadcast.batch)).values_list("contact_id", flat=True))
    if not ids:
        return None
    chosen = audiences.define(audiences.Kind.CONTACTS, filter(None, ids))
    again = broadcasts.prepare(broadcast.promotion, actor, definition=chosen)
    again.retry_of = first
    again.save(update_fields=["retry_of"])
    return again
