"""What the pages of a broadcast show, in the words and figures that people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts.models import Consent, Contact
from pregon.panel import drawing, wording
from pregon.panel.forms import broadcasts as forms
from pregon.panel.views import control_seen, plans_seen
from pregon.panel.views.broadcasts_found import key
from pregon.promotions import (
    approvals,
    audiences,
    checklist,
    costs,
    forecast,
    hints,
    lines,
    omissions,
    preview,
    problems,
    results,
)
from pregon.promotions.forecast import Forecast
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch, Omission

TONES = {  # status → tone and icon of its pill
    Broadcast.Status.DRAFT: ("omitted", "pencil"),
    Broadcast.Status.SCHEDULED: ("accepted", "calendar"),
    Broadcast.Status.WAITING: ("waiting", "alert-triangle"),
    Broadcast.Status.LAUNCHING: ("waiting", "hourglass"),
    Broadcast.Status.DISCARDED: ("omitted", "circle-minus"),
    Batch.Status.RUNNING: ("accepted", "send"),
    Batch.Status.PAUSED: ("waiting", "player-pause"),
    Batch.Status.CANCELLED: ("omitted", "player-stop"),
    Batch.Status.FINISHED: ("accepted", "circle-check"),
}


@dataclass(frozen=True)
class State:
    """Where a broadcast stands: a pill."""

    tone: str
    icon: str
    words: str


def state(broadcast: Broadcast) -> State:
    status = broadcast.batch.status if broadcast.batch else broadcast.status
    words = broadcast.batch.get_status_display() if broadcast.batch else broadcast.get_status_display()
    if broadcast.status == Broadcast.Status.DRAFT and broadcast.approved_at:
        return State("accepted", "signature", _("Aprobado, sin enviar"))
    if broadcast.batch and status == Batch.Status.RUNNING and (rests := _rests(broadcast, broadcast.batch)):
        return rests
    tone, icon = TONES[status]  # type: ignore[index]
    return State(tone, icon, str(words))


def _rests(broadcast: Broadcast, batch: Batch) -> State | None:
    """Of a running one of which nothing leaves now: why."""
    if broadcast.number and broadcast.number.stopped_at:
        return State("failed", "device-mobile-off", _("Número detenido"))
    if batch.held:
        icon = "moon" if batch.hold == Batch.Hold.QUIET else "hourglass"
        return State("waiting", icon, batch.get_hold_display())
    return None


def row(broadcast: Broadcast, tags: Mapping[int, str]) -> dict[str, Any]:
    """One line of the list; of those sent, the buckets."""
    return {
        "broadcast": broadcast,
        "audience": audiences.describe(audiences.read(broadcast.audience), tags),
        "state": state(broadcast),
        "tally": results.tally(broadcast.batch) if broadcast.batch else None,
        "at": broadcast.launched_at or broadcast.scheduled_for or broadcast.created_at,
        "goes_on": plans_seen.goes_on(broadcast.batch) if broadcast.batch else "",
        "repeats": control_seen.repeats(broadcast),
    }


def review(request: access.Request, broadcast: Broadcast) -> dict[str, Any]:
    """Everything of the review page, from one forecast."""
    broadcast.number = lines.of(broadcast)  # as it would be signed
    predicted = forecast.forecast(broadcast)
    shown_to = _first_recipient(broadcast)
    message = preview.render(broadcast.version, shown_to)
    return {
        "broadcast": broadcast,
        "state": state(broadcast),
        "predicted": predicted,
        "audience": audience_of(broadcast),
        "parts": [
            drawing.Part(predicted.recipients, _("lo reciben"), "accepted"),
            drawing.Part(predicted.omitted, _("se omiten"), "omitted"),
        ],
        "reasons": reasons(broadcast, predicted),
        "quota_parts": quota_parts(predicted),
        "cost": cost(broadcast, predicted),
        "plan": plans_seen.shown(predicted.plan),
        **control_seen.review(broadcast),
        "ticks": ticks(broadcast, predicted),
        "done": checklist.of(broadcast, predicted).done,
        "problems": problems.find(broadcast.version),
        "hints": hints.find(broadcast.version, shown_to),
        "message": message,
        "room": hints.room(message.body),
        "doc": document(request, broadcast, predicted, shown_to),
        "schedule_form": forms.ScheduleForm(initial={"at": forms.proposed(broadcast)}),
        "can_edit": request.member.may(Role.EDITOR),
        "can_send": request.member.may(Role.MANAGER),
    }


def launching(request: access.Request, broadcast: Broadcast) -> dict[str, Any]:
    """How far the launch of a long list is; before it begins, to how many that was approved."""
    whole = broadcast.to_freeze or broadcast.approved_count or 1
    return {
        "broadcast": broadcast,
        "audience": audience_of(broadcast),
        "whole": whole,
        "parts": [drawing.Part(broadcast.frozen, _("listas"), "accepted")],
        "can_send": request.member.may(Role.MANAGER),
    }


def audience_of(broadcast: Broadcast) -> str:
    definition = audiences.read(broadcast.audience)
    named = definition.kind is audiences.Kind.TAGS
    return audiences.describe(definition, audiences.tag_names(broadcast.account) if named else {})


def _first_recipient(broadcast: Broadcast) -> Contact | None:
    """Whose data the preview shows: the first of the list with permission."""
    people = audiences.people(broadcast.account, audiences.read(broadcast.audience))
    return people.filter(consent=Consent.GRANTED).order_by("id").first()


def reasons(broadcast: Broadcast, predicted: Forecast) -> list[dict[str, Any]]:
    """The why-list before it is sent: every reason opens its people."""
    return [_reason(broadcast, omission, figure) for omission, figure in predicted.omissions.items()]


def _reason(broadcast: Broadcast, omission: Omission, figure: int) -> dict[str, Any]:
    return {
        "figure": figure,
        "name": omission.label,
        "sentence": omissions.sentence(omission, broadcast.account),
        "url": reverse("panel:broadcast_omitted", args=[broadcast.pk, omission.value]),
        "action": omissions.step(omission) or _("Ver"),
    }


def quota_parts(predicted: Forecast) -> list[drawing.Part] | None:
    """Used, reserved by now and by this, left: they add up to the limit. None when it does not fit."""
    period = predicted.period
    if period is None or not predicted.fits:
        return None
    return [
        drawing.Part(period.used, _("Usados"), "accepted"),
        drawing.Part(period.reserved + predicted.recipients, _("Reservados"), "waiting"),
        drawing.Part(predicted.remaining_after, _("Restantes")),
    ]


@dataclass(frozen=True)
class Cost:
    """`total` as it is written, and how it comes about; `lines` only where several countries have a part."""

    total: str
    sentence: str
    lines: Sequence[str] = ()


def cost(broadcast: Broadcast, predicted: Forecast) -> Cost:
    if broadcast.number and broadcast.number.practice:
        return Cost(_money("0"), _("En modo práctica nada sale a WhatsApp: Meta no cobra."))
    lines = predicted.cost.lines
    if not lines:
        return Cost("—", _("Todavía no hay a quién enviar, o no conocemos la tarifa de Meta."))
    paid = _("Lo paga tu cuenta de Meta, aparte de tu plan.")
    if len(lines) == 1:
        rate = _("%(line)s, tarifa de Meta en %(country)s.") % {
            "line": _times(lines[0]),
            "country": country(lines[0].country),
        }
        return Cost(_money(f"{predicted.cost.total:.2f}"), f"{rate} {paid}")
    return Cost(
        _money(f"{predicted.cost.total:.2f}"), paid, [f"{country(line.country)}: {_times(line)}" for line in lines[:6]]
    )


def _times(line: costs.Line) -> str:
    return f"{wording.number(line.people)} × {_money(str(line.rate))}"


def _money(amount: str) -> str:
    return f"US${amount}"


def country(code: str) -> str:
    return wording.locale().territories.get(code, code) if code else _("otros países")


def ticks(broadcast: Broadcast, predicted: Forecast | None) -> list[dict[str, Any]]:
    """The tutorial's four ticks, each with what made it or what is missing."""
    done = checklist.of(broadcast, predicted)
    here = reverse("panel:broadcast", args=[broadcast.pk])
    return [
        {
            "done": done.contacts_reviewed,
            "title": _("Contactos revisados"),
            "detail": wording.day_and_clock(done.contacts_reviewed) or _("Falta ver quiénes se omiten"),
            "url": reverse("panel:broadcast_omissions", args=[broadcast.pk]),
            "action": _("Ver quiénes se omiten"),
        },
        {
            "done": done.quota_confirmed,
            "title": _("Cupo disponible confirmado"),
            "detail": _quota_words(broadcast, predicted),
        },
        {
            "done": done.preview_approved,
            "title": _("Vista previa aprobada"),
            "detail": _signed(broadcast) or _("Falta tu firma"),
            "url": f"{here}#firma",
            "action": _("Ir a firmar"),
        },
        {
            "done": done.result_reviewed,
            "title": _("Resultado de envío revisado"),
            "detail": wording.day_and_clock(done.result_reviewed) or _("Después de enviar"),
        },
    ]


def _quota_words(broadcast: Broadcast, predicted: Forecast | None) -> str:
    if predicted is None:
        return _("Se reservó al enviar")
    left = predicted.remaining_after
    if predicted.fits:
        return ngettext("Alcanza y sobra %(n)s", "Alcanza y sobran %(n)s", left) % {"n": wording.number(left)}
    return ngettext("Falta %(n)s mensaje", "Faltan %(n)s mensajes", -left) % {"n": wording.number(-left)}


def _signed(broadcast: Broadcast) -> str:
    if broadcast.approved_at is None:
        return ""
    return f"{broadcast.approved_by or ''}, {wording.day_and_clock(broadcast.approved_at)}"


def document(
    request: access.Request, broadcast: Broadcast, predicted: Forecast, shown_to: Contact | None
) -> dict[str, Any]:
    """The document one signs, as the component `approval` draws it."""
    signed = broadcast.approved_at is not None
    signer = broadcast.approved_by if signed else request.user
    return {
        "signed": signed,
        "statement": statement(broadcast, broadcast.approved_count if signed else predicted.recipients),
        "signer": str(signer or "—") if signed else f"{request.user}, {request.member.get_role_display()}",
        "at": broadcast.approved_at or timezone.now(),
        "url": reverse("panel:broadcast_approve", args=[broadcast.pk]) + f"?seen={approvals.mark(broadcast)}#firma",
        "seen": _("Vi el mensaje tal como llega, con los datos de %(name)s.")
        % {"name": shown_to or _("un contacto de ejemplo")},
        "undone": broadcast.approval_lost,
        "facts": [
            _("Mensaje, versión %(n)s") % {"n": broadcast.version.number},
            _("Lista de %(n)s") % {"n": wording.number(predicted.people)},
        ],
    }


def statement(broadcast: Broadcast, recipients: int | None) -> SafeString:
    people = ngettext("%(n)s persona", "%(n)s personas", recipients or 0) % {"n": wording.number(recipients or 0)}
    return format_html(
        _(
            "Revisé el mensaje y la lista. Apruebo que {business} envíe {promotion} a {people} con permiso, desde el {number}."
        ),
        business=broadcast.account.name,
        promotion=format_html("<b>«{}»</b>", broadcast.promotion.name),
        people=format_html("<b>{}</b>", people),
        number=format_html('<b class="nowrap">{}</b>', broadcast.number.display if broadcast.number else "—"),
    )


def people(request: access.Request, broadcast: Broadcast, omission: str) -> dict[str, Any]:
    """The people of one reason; an empty one are those who get it."""
    after = key(request.GET.get("after", ""))
    found = forecast.people(broadcast, omission, after)
    here = request.path
    return {
        "broadcast": broadcast,
        "omission": omission,
        "name": str(Omission(omission).label) if omission else _("Quiénes lo reciben"),
        "sentence": omissions.sentence(omission, broadcast.account) if omission else "",
        "people": [{"pk": pk, "name": name, "mobile": mobile} for pk, name, mobile in found],
        "next_url": f"{here}?after={found[-1][0]}" if len(found) == forecast.PAGE else "",
        "first_url": here if after else "",
        "quota": omission == Omission.QUOTA,
        "can_edit": request.member.may(Role.EDITOR),
    }
