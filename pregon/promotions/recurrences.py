"""Broadcasts that repeat, such as «cada lunes a las 10:00».

Whoever signed the first signed for those that follow: each takes over its version, list and signature, is forecast and
launched like any scheduled one, and asks when the list has grown or the message has changed. The next is made when none
is open: after a time without a worker only the latest goes out. While it is active, an open one has an hour, is being
launched, or asks: never a draft, which nobody would miss.

Locks: the recurrence, then its broadcast.
"""

import calendar
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.promotions import approvals, broadcasts, launch, stages
from pregon.promotions.models import Broadcast, Recurrence

SEARCHED = 800  # days that are looked at for the next occurrence: a month and a year have one
ACTIVE, PAUSED, ENDED = Recurrence.Status.ACTIVE, Recurrence.Status.PAUSED, Recurrence.Status.ENDED


@dataclass(frozen=True)
class Rule:
    """When it repeats, on the business's own clock; the fields are those of `Recurrence`."""

    every: Recurrence.Every
    at: time
    weekdays: list[int] = field(default_factory=list)
    month_day: int | None = None
    until: date | None = None
    times: int | None = None


@transaction.atomic
def start(broadcast: Broadcast, rule: Rule, actor: User) -> Recurrence:
    """Repeat an approved broadcast; it is the first occurrence. A second click finds it repeating.

    Raises `launch.Refused`, `stages.ClosedError`.
    """
    found = stages.lock(broadcast)
    if found.recurrence and found.recurrence.status != ENDED:
        return found.recurrence
    recurrence = Recurrence(account=found.account, promotion=found.promotion, created_by=actor, **vars(rule))
    first = next_after(recurrence, timezone.now())
    if first is None:
        raise launch.Refused(_("Con esa regla no hay ninguna fecha por venir. Cambia los días o hasta cuándo."))
    launch.schedule(found, first)
    recurrence.save()
    Broadcast.objects.filter(pk=found.pk).update(recurrence=recurrence, occurrence=first)
    return recurrence


def due() -> list[int]:
    """Ids of the active ones whose next occurrence is not made yet, or stands without an hour."""
    goes_on = Broadcast.objects.filter(recurrence=OuterRef("pk"), status__in=stages.UNSENT - {Broadcast.Status.DRAFT})
    active = Recurrence.objects.filter(~Exists(goes_on), status=ACTIVE)
    return list(active.order_by("id").values_list("id", flat=True))


@transaction.atomic
def keep(recurrence_id: int, now: datetime | None = None) -> Broadcast | None:
    """Make the next occurrence, or end. None when one is open: at most it gets its hour again."""
    found = _locked(recurrence_id)
    if found.status != ACTIVE or _open(found).exists():
        _go_on(found)
        return None
    last = found.occurrences.select_related("promotion", "account").latest("occurrence")
    assert last.occurrence is not None
    at = next_after(found, max(now or timezone.now(), last.occurrence))
    if at is None or found.occurrences.count() == found.times:
        _set(found, ENDED)
        return None
    return _repeat(last, at)


@transaction.atomic
def pause(recurrence: Recurrence) -> None:
    """Nothing of it goes out until it is resumed. A second click changes nothing."""
    found = _locked(recurrence.pk)
    if found.status == ACTIVE:
        _set(found, PAUSED)
        for broadcast in _open(found):
            launch.call_off(broadcast)
        _open(found).filter(status=Broadcast.Status.SCHEDULED).update(status=Broadcast.Status.DRAFT, scheduled_for=None)


@transaction.atomic
def resume(recurrence: Recurrence) -> None:
    """Go on with the next occurrence from now; those of the pause are not made up for. Joins a second click."""
    found = _locked(recurrence.pk)
    if found.status == PAUSED:
        _set(found, ACTIVE)
        _go_on(found)


def _go_on(recurrence: Recurrence) -> None:
    """Give an active one's draft its hour, the next where that is over; without a signature it asks for one."""
    drafts = _open(recurrence).filter(recurrence__status=ACTIVE, status=Broadcast.Status.DRAFT)
    drafts.filter(approved_at=None).update(**_unsigned())
    waiting = drafts.filter(approved_at__isnull=False).first()
    if waiting is None:
        return
    now, at = timezone.now(), waiting.occurrence
    at = at if at and at > now else next_after(recurrence, now)
    if at is None:
        _set(recurrence, ENDED)  # what was signed stays, for whoever wants it to leave
        return
    still = Broadcast.objects.filter(pk=waiting.pk, status=Broadcast.Status.DRAFT, approved_at=waiting.approved_at)
    still.update(status=Broadcast.Status.SCHEDULED, occurrence=at, scheduled_for=at)


@transaction.atomic
def end(recurrence: Recurrence) -> None:
    """For good; the occurrence that had not left is discarded, those that did stay. A second click changes nothing."""
    found = _locked(recurrence.pk)
    if found.status != ENDED:
        _set(found, ENDED)
        for broadcast in _open(found):
            launch.call_off(broadcast)
            with suppress(stages.ClosedError):  # it left a moment ago
                broadcasts.discard(broadcast)


@transaction.atomic
def keep_clock(account: Account, before: ZoneInfo) -> None:
    """The business's clock is another than `before`: what is planned keeps its day and hour on the new one."""
    for found in Recurrence.objects.select_for_update().filter(account=account).exclude(status=ENDED):
        for broadcast in _open(found).filter(occurrence__gt=timezone.now()):
            _move(found, broadcast, before)


def _move(recurrence: Recurrence, broadcast: Broadcast, before: ZoneInfo) -> None:
    was, now = broadcast.occurrence, timezone.now()
    assert was is not None
    at: datetime | None = _hour(recurrence, was.astimezone(before).date())
    at = at if at and at > now else next_after(recurrence, now)
    if at is None:
        end(recurrence)
        return
    rows = Broadcast.objects.filter(pk=broadcast.pk, status__in=stages.OPEN)
    rows.filter(scheduled_for=was).update(scheduled_for=at)  # not one for which someone chose another hour
    rows.update(occurrence=at)


def next_after(recurrence: Recurrence, moment: datetime) -> datetime | None:
    """The first occurrence after that moment; None when the rule gives no more. How many there were is not asked."""
    for day in _days(recurrence, moment.astimezone(recurrence.account.zone).date()):
        if recurrence.until and day > recurrence.until:
            return None
        at = _hour(recurrence, day)
        if at > moment:
            return at
    return None


def crowded(account: Account, rule: Rule) -> str:
    """Why people would get it more often than the business's own limit lets them, in a sentence; "" when they would not."""
    days = list(_days(Recurrence(account=account, **vars(rule)), timezone.localdate(timezone=account.zone)))
    days = [day for day in days if rule.until is None or day <= rule.until][: rule.times]
    span = timedelta(days=account.repeat_days)
    most = max((bisect_left(days, day + span) - index for index, day in enumerate(days)), default=0)
    if not account.repeat_limit or most <= account.repeat_limit:
        return ""
    return _(
        "Con esa regla sale %(n)s veces en %(days)s días, y tu límite por persona es %(limit)s. Marca menos días o "
        "cambia el límite en Ajustes."
    ) % {"n": most, "days": account.repeat_days, "limit": account.repeat_limit}


def describe(recurrence: Recurrence) -> str:
    """For people: «cada lunes y jueves a las 10:00»."""
    clock = formats.time_format(recurrence.at, "G:i")
    if recurrence.every == Recurrence.Every.MONTH:
        return _("cada mes, el día %(day)s a las %(at)s") % {"day": recurrence.month_day, "at": clock}
    names = [get_day_names(locale=(get_language() or "es")[:2])[day] for day in recurrence.weekdays]
    days = _(" y ").join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return _("cada %(days)s a las %(at)s") % {"days": days, "at": clock}


def _days(recurrence: Recurrence, first: date) -> Iterator[date]:
    for offset in range(SEARCHED):
        day = first + timedelta(days=offset)
        if recurrence.every == Recurrence.Every.WEEK and day.weekday() in recurrence.weekdays:
            yield day
        if recurrence.every == Recurrence.Every.MONTH and day.day == min(recurrence.month_day or 1, _length(day)):
            yield day


def _hour(recurrence: Recurrence, day: date) -> datetime:
    """What the clock skips comes an hour later."""
    return datetime.combine(day, recurrence.at, recurrence.account.zone).astimezone(UTC)


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _repeat(last: Broadcast, at: datetime) -> Broadcast:
    signed = approvals.valid(last)
    taken = ("account", "promotion", "number", "audience", "quota_choice", "recurrence", "created_by")
    version = last.version if signed else last.promotion.versions.latest("number")
    return Broadcast.objects.create(
        **{name: getattr(last, name) for name in taken}, version=version, occurrence=at,
        **(_signed(last, at) if signed else _unsigned()),
    )  # fmt: skip


def _signed(last: Broadcast, at: datetime) -> dict[str, Any]:
    kept = ("approved_at", "approved_by", "approved_count")
    return {name: getattr(last, name) for name in kept} | {"status": Broadcast.Status.SCHEDULED, "scheduled_for": at}


def _unsigned() -> dict[str, Any]:
    reason = _("El mensaje o la lista cambiaron desde la última firma. Revísalo y fírmalo para que se siga repitiendo.")
    return {"status": Broadcast.Status.WAITING, "wait_reason": reason}


def _open(recurrence: Recurrence) -> Any:
    return recurrence.occurrences.filter(status__in=stages.UNSENT)


def _locked(recurrence_id: int) -> Recurrence:
    return Recurrence.objects.select_for_update(of=("self",)).select_related("account").get(pk=recurrence_id)


def _set(recurrence: Recurrence, status: Recurrence.Status) -> None:
    recurrence.status = status
    recurrence.save(update_fields=["status"])
