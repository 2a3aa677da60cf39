"""The ledger of a month as people read it: one row per cause. A sending books many times; what matters is what it came to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Sum
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from pregon.panel import wording
from pregon.promotions.models import Broadcast
from pregon.quota.models import Period
from pregon.subscriptions.models import Plan

ROWS = 50


@dataclass(frozen=True)
class Movement:
    """What one cause changed, signed; `why` has an address where there is a page about it."""

    at: datetime
    why: str
    url: str
    limit: str
    used: str
    reserved: str
    remaining: str


@dataclass(frozen=True)
class Page:
    """`last` is the newest ledger id of its last row: the page below begins under it."""

    movements: list[Movement]
    last: int
    more: bool


def chosen(months: Sequence[Period], pk: str) -> Period | None:
    """The month asked for, else the newest."""
    return next((month for month in months if str(month.pk) == pk), months[0] if months else None)


def page(period: Period, before: str) -> Page:
    """Causes by their last change, newest first; together the pages add up to the period's counters."""
    causes = period.entries.order_by().values("reference").annotate(
        last=Max("id"), at=Max("created_at"),
        limit=Sum("limit_delta"), used=Sum("used_delta"), reserved=Sum("reserved_delta"),
    ).order_by("-last")  # fmt: skip
    if before.isdecimal() and len(before) < 19:  # no id is longer
        causes = causes.filter(last__lt=int(before))
    rows = list(causes[: ROWS + 1])
    shown = rows[:ROWS]
    words, unknown = _causes(row["reference"] for row in shown), (_("Otro cambio"), "")
    movements = [_movement(row, *words.get(row["reference"], unknown)) for row in shown]
    return Page(movements, shown[-1]["last"] if shown else 0, len(rows) > ROWS)


def _movement(row: Mapping[str, Any], why: str, url: str) -> Movement:
    figures = (row["limit"], row["used"], row["reserved"], row["limit"] - row["used"] - row["reserved"])
    return Movement(row["at"], why, url, *map(_signed, figures))


def _signed(figure: int) -> str:
    """«+12», «−3»; nothing where nothing changed."""
    return ("+" if figure > 0 else "") + wording.number(figure) if figure else ""


def _causes(references: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Words and address of what caused a change: «plan:premium», «batch:12»; one query for each kind."""
    named = [(reference, *reference.split(":", 1)) for reference in references if ":" in reference]
    slugs = {reference: name for reference, kind, name in named if kind == "plan"}
    batches = {reference: int(name) for reference, kind, name in named if kind == "batch" and name.isdecimal()}
    plans = dict(Plan.objects.filter(slug__in=slugs.values()).values_list("slug", "name"))
    sent = {
        row.batch_id: row for row in Broadcast.objects.filter(batch_id__in=batches.values()).select_related("promotion")
    }
    told = {reference: (_("Plan %(name)s") % {"name": plans.get(slug, slug)}, "") for reference, slug in slugs.items()}
    return told | {reference: _sending(sent.get(batch)) for reference, batch in batches.items()}


def _sending(broadcast: Broadcast | None) -> tuple[str, str]:
    if broadcast is None:
        return _("Mensajes sueltos"), ""
    try:
        return f"«{broadcast.promotion}»", reverse("panel:broadcast", args=[broadcast.pk])
    except NoReverseMatch:
        return f"«{broadcast.promotion}»", ""
