"""The panel's components as template tags. `views.styleguide` shows each; the markup is in templates/panel/components/.

A tag that draws figures raises `drawing.SumDoesNotClose` when they do not add up: never show a part without its whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms import (
    BaseForm,
    BoundField,
)
from django.http import HttpRequest
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from pregon.panel import appearance, drawing, fields, navigation, wording
from pregon.whatsapp.cloud import codes

register = template.Library()

register.filter("num", wording.number)
register.filter("day", wording.day)
register.filter("clock", wording.clock)
register.filter("moment", wording.day_and_clock)
register.filter("initials", wording.initials)
register.filter("mobile", wording.mobile)
register.filter("marked", wording.marked)
register.filter("written", wording.written)
register.filter("percent", wording.percent)
register.filter("told", wording.told)

FOLDER = "panel/components/"


def component(name: str, /, **context: object) -> SafeString:
    return render_to_string(f"{FOLDER}{name}.html", context)


STEPS = {rule.sentence: rule.step for rule in reversed(codes.RULES.values())}


@register.filter
def step(reason: str) -> str:
    """What to do about the reason for which a number stopped; nothing where Meta's codes do not know it."""
    return wording.told(STEPS.get(reason, ""))


# Small pieces


@register.simple_tag
@lru_cache(maxsize=1024)
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """An outline icon of the sprite; `size` is "", "s" or "l". Decorative unless it has a label.

    Written here and not in a template: a list has a hundred of them, and that was a sixth of its time.
    """
    sized = f"icon icon-{size}" if size else "icon"
    told = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    drawn = '<svg class="{}" {} focusable="false"><use href="{}#{}"/></svg>'
    return format_html(drawn, sized, told, static("vendor/icons.svg"), name)


@register.simple_tag
def key(pattern: str) -> SafeString:
    """The little square that explains a pattern of a bar."""
    fill = drawing.PATTERN_CLASS[pattern]
    square = '<svg class="p-key" aria-hidden="true"><rect class="{}" width="100%" height="100%"/></svg>'
    return format_html(square, fill)


@register.simple_tag
def status(tone: str, label: str, icon_name: str = "") -> SafeString:
    """Icon and word in one of the four tones (accepted, failed, omitted, waiting)."""
    return _state(f"p-st {tone}", label, icon_name or drawing.PATTERN_ICON[tone])


@register.simple_tag
def pill(tone: str, label: str, icon_name: str = "") -> SafeString:
    return _state(f"p-st {tone} pill", label, icon_name or drawing.PATTERN_ICON[tone])


@register.simple_tag
def consent_pill(consent: str) -> SafeString:
    """May we write to them?"""
    match consent:
        case "granted":
            return pill("accepted", _("Con permiso"), "user-check")
        case "withdrawn":
            return pill("failed", _("De baja"), "user-off")
    return pill("omitted", _("Sin permiso"), "user-question")


@lru_cache(maxsize=1024, typed=True)  # by type: a safe label equals one that is to be escaped
def _state(drawn_as: str, label: str, icon_name: str) -> SafeString:
    return format_html('<span class="{}">{}{}</span>', drawn_as, icon(icon_name), label)


@register.simple_tag
def tags(names: Iterable[object]) -> SafeString:
    """Labels as chips."""
    return format_html_join(" ", '<span class="p-tag">{}</span>', ((name,) for name in names))


# Figures


@register.simple_tag
def parts(*flat: Any) -> list[drawing.Part]:
    """`{% parts 12 _("Usados") "accepted"  840 _("Restantes") "soft" as p %}`: triples, one after another."""
    return [drawing.Part(*flat[at : at + 3]) for at in range(0, len(flat), 3)]


@register.inclusion_tag(f"{FOLDER}sum.html", name="sum")
def sum_(parts: Sequence[object], total: int, label: str) -> dict[str, object]:
    """The addition; `wide` when more than four terms or figures of five digits need more room for a row."""
    listed = drawing.closed(drawing.parts_of(parts), total)
    return {"parts": listed, "total": total, "label": label, "wide": len(listed) > 4 or total >= 10_000}


@register.inclusion_tag(f"{FOLDER}equation.html")
def equation(parts: Sequence[object], total: int, label: str) -> dict[str, object]:
    return sum_(parts, total, label)


@register.inclusion_tag(f"{FOLDER}bar.html")
def bar(parts: Sequence[object], whole: int | None = None, size: str = "") -> dict[str, object]:
    """`size` is "", "thin" or "fat"; what the parts leave of the whole stays empty."""
    listed = drawing.parts_of(parts)
    whole = sum(part.figure for part in listed) if whole is None else whole
    return {"segments": drawing.segments(listed, whole), "size": size, "label": spoken(listed)}


def spoken(parts: Iterable[drawing.Part]) -> str:
    """«431 aceptados, 0 fallidos»: what a bar says to who does not see it. Zero is said."""
    return ", ".join(f"{wording.number(part.figure)} {lower_first(part.label)}" for part in parts)


def lower_first(text: object) -> str:
    words = str(text)
    return words[:1].lower() + words[1:]


@register.inclusion_tag(f"{FOLDER}figures_line.html")
def figures_line(parts: Sequence[object]) -> dict[str, object]:
    """«431 aceptados · 9 fallidos · 34 omitidos · 12 por confirmar»."""
    return {"parts": [(part.figure, lower_first(part.label)) for part in drawing.parts_of(parts)]}


@register.inclusion_tag(f"{FOLDER}meter.html")
def meter(quota: Any, today: date) -> dict[str, object]:
    """`quota` has limit, used, reserved, starts_on and ends_on (the last day of the period)."""
    period = (quota.starts_on, quota.ends_on)
    return {"quota": quota, "meter": drawing.meter(quota.used, quota.reserved, quota.limit, period, today)}


@register.simple_tag
def quota_parts(quota: Any) -> list[drawing.Part]:
    """Used + reserved + remaining, which is the limit."""
    return [
        drawing.Part(quota.used, _("Usados"), "accepted"),
        drawing.Part(quota.reserved, _("Reservados"), "waiting"),
        drawing.Part(quota.remaining, _("Restantes"), "soft"),
    ]


@register.simple_tag
def bucket_parts(tally: Any) -> list[drawing.Part]:
    """The buckets in their fixed order: accepted, failed, omitted, unconfirmed, and waiting while it runs."""
    waiting = getattr(tally, "waiting", 0)
    shown = [
        drawing.Part(tally.accepted, _("Aceptados"), "accepted", _("Meta los recibió")),
        drawing.Part(tally.failed, _("Fallidos"), "failed", _("Meta no los entregó")),
        drawing.Part(tally.omitted, _("Omitidos"), "omitted", _("No les escribimos")),
        drawing.Part(tally.unconfirmed, _("Por confirmar"), "waiting", _("Sin respuesta aún")),
    ]
    return [*shown, drawing.Part(waiting, _("En espera"), "queued", _("Aún no salen"))] if waiting else shown


@register.inclusion_tag(f"{FOLDER}facets.html")
def facets(items: Sequence[Any], total: Any, label: str) -> dict[str, object]:
    """Filters that are an addition. Each has figure, label, url, tone, icon and current; the total likewise."""
    drawing.closed([drawing.Part(item["figure"], item["label"]) for item in items], total["figure"])
    return {"items": items, "total": total, "label": label}


@register.inclusion_tag(f"{FOLDER}ledger.html")
def ledger(sections: Sequence[Any], total: int, caption: str) -> dict[str, object]:
    """The import's account: sections (title, label, rows) add up; a row has figure, label, detail, tone, icon, url."""
    sums = [drawing.Part(sum(row["figure"] for row in section["rows"]), section["label"]) for section in sections]
    drawing.closed(sums, total)
    return {"sections": list(zip(sections, sums, strict=True)), "sums": sums, "total": total, "caption": caption}


@register.inclusion_tag(f"{FOLDER}whys.html")
def whys(reasons: Iterable[Any], label: str) -> dict[str, object]:
    """Why-list: each reason has figure, name, sentence and perhaps code, url and action."""
    return {"reasons": reasons, "label": label}


@register.inclusion_tag(f"{FOLDER}days.html")
def days(parts: Sequence[object], total: int) -> dict[str, object]:
    """A sending spread over days: parts are (figure, "Hoy, jueves 19", "", "de 11:00 a 11:03")."""
    return {"parts": drawing.closed(drawing.parts_of(parts), total), "total": total}


@register.inclusion_tag(f"{FOLDER}funnel.html")
def funnel(rows: Sequence[tuple[str, str, int]], whole: int) -> dict[str, object]:
    """What became of the accepted: rows are (icon, label, figure), each a share of `whole`."""
    widths = [drawing.percentage(min(100 * row[2] / whole, 100) if whole else 0) for row in rows]
    return {"rows": list(zip(rows, widths, strict=True)), "whole": whole}


@register.inclusion_tag(f"{FOLDER}chart.html")
def chart(lines: Sequence[drawing.Line], marks: Sequence[tuple[float, str]]) -> dict[str, object]:
    """Cumulative lines with their last figure at the end; `marks` are (x between 0 and 1, words) under the axis."""
    top = drawing.round_up(max((figure for line in lines for _x, figure in line.points), default=0))
    drawn = [drawing.chart(lines, marks, top, drawing.Canvas(width)) for width in (640, 330)]
    last = [drawing.Part(line.last, line.label) for line in lines]
    return {"wide": drawn[0], "narrow": drawn[1], "label": spoken(last)}


# Lists, notes and steps


@register.inclusion_tag(f"{FOLDER}ticks.html")
def ticks(items: Iterable[Any]) -> dict[str, object]:
    """The live checklist: each has done, title and perhaps detail, url and action. No box to click."""
    return {"items": items}


@register.inclusion_tag(f"{FOLDER}steps.html")
def steps(current: int, *names: str) -> dict[str, object]:
    """`{% steps 3 _("Archivo") _("Columnas") _("Revisión") _("Listo") %}`."""
    return {"names": names, "current": current}


NOTE_ICON = {"accepted": "circle-check", "failed": "alert-triangle", "waiting": "info-circle", "": "info-circle"}


@register.simple_block_tag
def note(content: str, tone: str = "", icon: str = "", role: str = "") -> SafeString:
    """`{% note "failed" %}<b>Qué pasó.</b> Qué hacer. <a …>…</a>{% endnote %}`; failed ones are alerts."""
    role = role or ("alert" if tone == "failed" else "")
    return component("note", content=content, tone=tone, icon=icon or NOTE_ICON[tone], role=role)


@register.simple_block_tag
def empty(content: str, icon: str, title: str, text: str) -> SafeString:
    """What will be here; the content is one primary way in and one other."""
    return component("empty", content=content, icon=icon, title=title, text=text)


@register.simple_block_tag
def confirm(content: str, label: str, icon: str = "", kind: str = "btn-2") -> SafeString:
    """A button that first says what it does to people and quota; the content is that sentence and the form."""
    return component("confirm", content=content, label=label, icon=icon, kind=kind)


@register.simple_block_tag
def bulk(content: str) -> SafeString:
    """What one can do with the people picked in the same form; the content are its buttons."""
    return component("bulk", content=content)


@register.inclusion_tag(f"{FOLDER}slot.html")
def slot(label: str, options: Iterable[tuple[str, str, bool]], name: str = "") -> dict[str, object]:
    """A word of a filter sentence that opens a menu of links: (label, url, chosen)."""
    return {"label": label, "options": options, "name": name or label}


@register.inclusion_tag(f"{FOLDER}pager.html")
def pager(summary: str, previous_url: str = "", next_url: str = "") -> dict[str, object]:
    return {"summary": summary, "previous_url": previous_url, "next_url": next_url}


@register.inclusion_tag(f"{FOLDER}skeleton.html")
def skeleton(sentence: str) -> dict[str, object]:
    return {"sentence": sentence}


@register.inclusion_tag(f"{FOLDER}thread.html")
def thread(replies: Iterable[Any]) -> dict[str, object]:
    """A case's conversation: each has author, at, body, ours, and perhaps files (name, url)."""
    return {"replies": replies}


@register.simple_block_tag
def plan(content: str, plan: Any, mine: bool = False) -> SafeString:
    """`plan`: name, price, period, pitch and lines of (included, figure, words); the content is its button."""
    return component("plan", content=content, plan=plan, mine=mine)


# Forms


@register.inclusion_tag(f"{FOLDER}field.html")
def field(bound: BoundField, counter: bool = False, hint: str | None = None) -> dict[str, object]:
    """Label, widget, hint (the field's help_text unless given) and error.

    `counter` shows «34 de 60» when the field has max_length. Radios and lists of checkboxes may have `field.hints`.
    """
    bound.help_text = bound.help_text if hint is None else hint
    kind = fields.kind_of(bound.field.widget)
    limit = getattr(bound.field, "max_length", None)
    used = len(str(bound.value() or ""))
    return {
        "field": bound,
        "kind": kind,
        "widget": fields.drawn(bound, kind, counter),
        "choices": fields.choices_of(bound) if kind == "choices" else [],
        "counter": {"used": used, "limit": limit} if counter and limit else None,
    }


@register.inclusion_tag(f"{FOLDER}message_field.html")
def message_field(bound: BoundField, variables: Iterable[tuple[str, str]] = ()) -> dict[str, object]:
    """A text area with WhatsApp's marks and the variables as chips: (what is inserted, its name)."""
    return {**field(bound, counter=True), "variables": variables}


@register.inclusion_tag(f"{FOLDER}form_errors.html")
def form_errors(form: BaseForm) -> dict[str, object]:
    """What is wrong with the form as a whole."""
    return {"form": form}


@register.inclusion_tag(f"{FOLDER}form_fields.html")
def form_fields(form: BaseForm) -> dict[str, object]:
    """All fields of a form, its general errors first."""
    return {"form": form}


# The phone, the document one signs, the poster


@register.inclusion_tag(f"{FOLDER}phone.html")
def phone(message: Any, business: str, room: int = 0) -> dict[str, object]:
    """One message on a drawn phone. `room`: characters before «Leer más», 0 for the whole.

    `message`: body (WhatsApp's marks, values filled in), and perhaps header, image (address), document (file name),
    footer, buttons of (kind, words) with kind reply, url, phone, copy or optout, time, and reply (the person's).
    """
    return {"bubbles": [message], "business": business, "room": room, "message": message}


@register.inclusion_tag(f"{FOLDER}bubble.html")
def bubble(message: Any, room: int = 0, way: str = "in") -> dict[str, object]:
    body = message["body"] if isinstance(message, Mapping) else message.body
    text, more = wording.clipped(body, room) if room else (body, False)
    return {"message": message, "text": wording.marked(text + ("…" if more else "")), "more": more, "way": way}


@register.simple_tag
def seal(moment: datetime) -> SafeString:
    """The stamp of an approval; it lands once."""
    return component("seal", date=wording.written(moment, "day").upper() + f" {wording.local(moment).year}")


@register.simple_block_tag(takes_context=True)
def approval(context: Context, content: str, doc: Any) -> SafeString:
    """The document one signs. The content (the buttons that send) is shown only once it is signed.

    `doc`: signed (or not yet), statement (safe HTML with the figures), signer, at, facts (the lines of the lower edge);
    before the signature also url, seen (the words of the box), undone (why an earlier approval fell) and error.
    """
    return component("approval", doc=doc, content=content, csrf_token=context.get("csrf_token", ""))


@register.inclusion_tag(f"{FOLDER}poster.html")
def poster(card: Any, parts: Sequence[object], total: int) -> dict[str, object]:
    """The result card. `card`: business, lines, headline (safe HTML; <em> for the figure that matters), left, right."""
    return {"card": card, **equation(parts, total, _("Personas"))}


# The frame


@register.simple_tag(takes_context=True)
def theme(context: Context) -> dict[str, str]:
    """`choice` (the cookie) and `now`, what the server paints: light, until the script has asked the device."""
    request: HttpRequest | None = context.get("request")
    choice = request.COOKIES.get(appearance.COOKIE, "system") if request else "system"
    choice = choice if choice in appearance.THEMES else "system"
    return {"choice": choice, "now": "dark" if choice == "dark" else "light"}


@register.simple_tag(takes_context=True)
def menu(context: Context) -> navigation.Menu:
    """The sections of the panel that exist, the current one marked."""
    return navigation.menu(context.get("request"), context.get("shell") or {})
