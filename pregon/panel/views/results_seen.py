"""What the result pages show: the poster's headline, reasons with their next steps, who is in a bucket."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.panel import drawing, wording
from pregon.panel.templatetags import pregon as tags
from pregon.panel.views import broadcasts_seen, control_seen, plans_seen
from pregon.promotions import checklist, results
from pregon.promotions.models import Broadcast
from pregon.promotions.results import Bucket, Reason, Tally
from pregon.sending.models import Batch, Delivery, Message


def page(request: access.Request, broadcast: Broadcast) -> dict[str, Any]:
    """The live card while it runs, the poster after; then the funnel, the chart, the reasons."""
    batch = _batch(broadcast)
    answers, failed, omitted = results.answers(batch), results.failed(batch), results.omitted(broadcast)
    tally = results.tally(batch)
    return {
        **card(request, broadcast),
        **poster(broadcast),
        "funnel": funnel(tally, answers),
        "undelivered": max(tally.accepted - tally.delivered, 0),
        "chart": chart(batch),
        "failed": [_linked(broadcast, Bucket.FAILED, reason) for reason in failed],
        "omitted": [_linked(broadcast, Bucket.OMITTED, reason) for reason in omitted],
        "again": broadcast.retries.exclude(status=Broadcast.Status.DISCARDED).order_by("-id").first(),
        "retriable": results.retriable(batch, failed).count(),
        "doubt_until": batch.created_at + results.DOUBT,
        "report_url": report_url(broadcast, next((reason for reason in failed if reason.code), None)),
        "repeats": control_seen.repeats(broadcast),
        "ticks": broadcasts_seen.ticks(broadcast, None),
        "done": checklist.of(broadcast, None).done,
    }


def _batch(broadcast: Broadcast) -> Batch:
    """Its pages are only reached once there is one."""
    assert broadcast.batch is not None
    return broadcast.batch


def card(request: access.Request, broadcast: Broadcast) -> dict[str, Any]:
    """Of the batch's counters alone; of one that rests, or that Meta's limit may hold, also what is ahead of it."""
    batch = _batch(broadcast)
    tally, plan = results.tally(batch), plans_seen.of(broadcast, batch)
    return {
        "broadcast": broadcast,
        "batch": batch,
        "tally": tally,
        "parts": bucket_parts(broadcast, tally),
        "state": broadcasts_seen.state(broadcast),
        "left": plans_seen.left(plan) if plan else left(broadcast, tally),
        "rest": plans_seen.rest(batch, plan),
        "limited": plans_seen.limited(batch, plan),
        "can_send": request.member.may(Role.MANAGER),
        "can_edit": request.member.may(Role.EDITOR),
        **control_seen.card(broadcast, batch),
    }


def bucket_parts(broadcast: Broadcast, tally: Tally) -> list[drawing.Part]:
    """The component's parts, each leading to its people."""
    keys = [Bucket.ACCEPTED, Bucket.FAILED, Bucket.OMITTED, Bucket.UNCONFIRMED, Bucket.WAITING]
    return [
        drawing.Part(
            part.figure, part.label, part.pattern, part.caption, bucket_url(broadcast, key) if part.figure else ""
        )
        for part, key in zip(tags.bucket_parts(tally), keys, strict=False)
    ]


def bucket_url(broadcast: Broadcast, bucket: Bucket, reason: str = "") -> str:
    return reverse("panel:broadcast_bucket", args=[broadcast.pk, bucket]) + (
        f"?{urlencode({'reason': reason})}" if reason else ""
    )


def left(broadcast: Broadcast, tally: Tally) -> str:
    """How long what waits still takes at the number's pace; nothing where it does not go, or the night comes before its end."""
    number, batch = broadcast.number, _batch(broadcast)
    if number is None or number.stopped_at or batch.status != Batch.Status.RUNNING:
        return ""
    time, now = timedelta(seconds=tally.waiting // number.mps), timezone.now()
    night = batch.held_from and now < batch.held_from < now + time
    return "" if night else plans_seen.lasts(time)


def poster(broadcast: Broadcast) -> dict[str, Any]:
    batch = _batch(broadcast)
    tally = results.tally(batch)
    days = wording.written(broadcast.launched_at, "full")
    people = ngettext("%(n)s persona", "%(n)s personas", tally.people) % {"n": wording.number(tally.people)}
    return {
        "broadcast": broadcast,
        "tally": tally,
        "parts": bucket_parts(broadcast, tally),
        "poster": {
            "business": broadcast.account.name,
            "lines": [f"{broadcasts_seen.audience_of(broadcast)}, {people} · {days}"],
            "headline": headline(broadcast, tally),
            "left": approved(broadcast),
            "right": spent(tally),
        },
    }


def headline(broadcast: Broadcast, tally: Tally) -> SafeString:
    """Made from data: where it arrived, and who read it."""
    name = f"«{broadcast.promotion.name}»"
    if not tally.accepted:
        return format_html(_("{name} no le llegó a <em>nadie</em>."), name=name)
    if not tally.delivered:
        reached = ngettext("{n} celular", "{n} celulares", tally.accepted).format(n=wording.number(tally.accepted))
        return format_html(_("{name} va camino a <em>{reached}</em>."), name=name, reached=reached)
    phones = ngettext("{n} celular", "{n} celulares", tally.delivered).format(n=wording.number(tally.delivered))
    if not tally.read:
        return format_html(_("{name} ya está en <em>{phones}</em>."), name=name, phones=phones)
    read = ngettext("{n} persona la leyó", "{n} personas la leyeron", tally.read).format(n=wording.number(tally.read))
    return format_html(_("{name} ya está en <em>{phones}</em> y {read}."), name=name, phones=phones, read=read)


def approved(broadcast: Broadcast) -> str:
    if broadcast.approved_at is None:
        return ""
    return _("Aprobó %(who)s el %(day)s a las %(at)s") % {
        "who": broadcast.approved_by or "—",
        "day": wording.written(broadcast.approved_at, "long"),
        "at": wording.clock(broadcast.approved_at),
    }


def spent(tally: Tally) -> str:
    held = tally.unconfirmed + tally.waiting
    used = _("Usó %(n)s del cupo") % {"n": wording.number(tally.accepted)}
    if not held:
        return used
    return f"{used} · " + ngettext("%(n)s sigue reservado", "%(n)s siguen reservados", held) % {
        "n": wording.number(held)
    }


def funnel(tally: Tally, answers: results.Answers) -> list[tuple[str, str, int]]:
    return [
        ("circle-check", _("Aceptados"), tally.accepted),
        ("checks", _("Entregados"), tally.delivered),
        ("eye", _("Leídos"), tally.read),
        ("message-2", _("Respuestas"), answers.replies),
        ("user-off", _("Bajas"), answers.opt_outs),
    ]


def chart(batch: Batch) -> dict[str, Any]:
    """Three cumulative lines, the read one filled."""
    span, lines = results.timeline(batch)
    last = {kind: line[-1] for kind, line in lines.items()}
    names = {
        "read": ngettext("leído", "leídos", last["read"]),
        "delivered": ngettext("entregado", "entregados", last["delivered"]),
        "replied": ngettext("respuesta", "respuestas", last["replied"]),
    }
    steps = range(results.STEPS + 1)
    return {
        "lines": [
            drawing.Line(name, [(step / results.STEPS, lines[kind][step]) for step in steps])
            for kind, name in names.items()
        ],
        "marks": _marks(batch.created_at, span),
        "span": _span(span),
        "any": any(lines[kind][-1] for kind in names),
    }


def _marks(start: datetime, span: timedelta) -> list[tuple[float, str]]:
    """At both ends and in the middle, each word once: of a minute they would all be the same."""
    first, middle, last = (_mark(start + span * at, span) for at in (0, 0.5, 1))
    if first == last:
        return [(0, first)]
    return [(0, first), (1, last)] if middle in (first, last) else [(0, first), (0.5, middle), (1, last)]


def _mark(moment: datetime, span: timedelta) -> str:
    """The day of a line of days, the hour of one of hours: there is little room under a phone's chart."""
    return wording.day(moment) if span > timedelta(hours=24) else wording.clock(moment)


def _span(span: timedelta) -> str:
    hours = round(span.total_seconds() / 3600)
    if hours < 1:
        return _("Acumulado, desde que salió")
    return ngettext("Acumulado, primera hora", "Acumulado, primeras %(n)s horas", hours) % {"n": hours}


def _linked(broadcast: Broadcast, bucket: Bucket, reason: Reason) -> dict[str, Any]:
    """A line of a why-list."""
    return {
        "figure": reason.figure,
        "name": reason.name,
        "sentence": words(bucket, reason),
        "code": reason.code or "",
        "url": bucket_url(broadcast, bucket, reason.key),
        "action": _("Ver"),
    }


def words(bucket: Bucket, reason: Reason) -> str:
    """What happened and, of a failure, what to do."""
    said = filter(None, (reason.sentence, reason.step if bucket is Bucket.FAILED else ""))
    return " ".join(f"{sentence}." for sentence in said)


def why(message: Message) -> str:
    """The same for one message; nothing where it did not fail."""
    if results.bucket_of(message) is not Bucket.FAILED:
        return ""
    reported = message.delivery == Delivery.FAILED
    return words(Bucket.FAILED, results.failure(message.error_code, reported, words=message.error_details))


def report_url(broadcast: Broadcast, reason: Reason | None = None, trace: str = "") -> str:
    """*Reportar un problema*, with what is known written already."""
    try:
        address = reverse("panel:case_new")
    except NoReverseMatch:
        return ""
    known: dict[str, str | int] = {
        "module": "whatsapp",
        "broadcast": broadcast.pk,
        "code": reason.code if reason else "",
        "trace": trace,
    }
    return f"{address}?{urlencode({key: value for key, value in known.items() if value})}"


def bucket(request: access.Request, broadcast: Broadcast, bucket: Bucket) -> dict[str, Any]:
    """Fifty people of a bucket with the reason of each."""
    batch, key = _batch(broadcast), request.GET.get("reason", "")[:40]
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else -1
    found = results.people(batch, bucket, key, after)
    here = bucket_url(broadcast, bucket, key)
    reason = results.reason_of(broadcast, found[0]) if key and found else None
    return {
        "broadcast": broadcast,
        "bucket": bucket,
        "name": results.bucket_name(bucket),
        "total": getattr(results.tally(batch), bucket),
        "tone": "waiting" if bucket in (Bucket.UNCONFIRMED, Bucket.WAITING) else str(bucket),
        "people": [_person(broadcast, message) for message in found],
        "reason": reason,
        "reason_words": words(bucket, reason) if reason else "",
        "next_url": f"{here}{'&' if key else '?'}after={found[-1].position}" if len(found) == results.PAGE else "",
        "first_url": here if after >= 0 else "",
        "all_url": bucket_url(broadcast, bucket) if key else "",
        "doubt_until": batch.created_at + results.DOUBT,
    }


def _person(broadcast: Broadcast, message: Message) -> dict[str, Any]:
    reason = results.reason_of(broadcast, message)
    return {
        "message": message,
        "reason": reason,
        "words": words(results.bucket_of(message), reason) if reason else "",
        "delivery": message.get_delivery_display() if results.bucket_of(message) is Bucket.ACCEPTED else "",
        "at": message.read_at or message.delivered_at or message.settled_at,
        "report_url": report_url(broadcast, reason, message.trace_id) if reason and reason.code else "",
    }
