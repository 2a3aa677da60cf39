"""Inicio: what is left, what happened, what wants attention, and for a new business where to begin."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from pregon.accounts import access
from pregon.accounts.models import Account, Role
from pregon.contacts.models import Refusal
from pregon.panel import attention, checks, context, wording
from pregon.panel.context import Quota
from pregon.panel.views import broadcasts_seen
from pregon.promotions.models import Broadcast
from pregon.quota.models import Period
from pregon.subscriptions import renewals
from pregon.whatsapp import numbers
from pregon.whatsapp.models import Number

SHOWN = 3  # last sendings
NOON, EVENING = 12, 19


@require_GET
@access.member()
def home(request: access.Request) -> HttpResponse:
    account, now = request.account, timezone.localtime()
    number, period = numbers.active(account), renewals.ensure_period(account)
    facts = attention.read(account, number, period)
    items = attention.find(facts)
    quota = context.quota_of(period) if period else None
    page = {
        "greeting": greeting(now.hour, request.user.first_name),
        "today": now.date(),
        "worth": worth(len(items)),
        "items": items,
        "quota": quota,
        "pace": pace(quota, now.date()) if quota else "",
        "renews": quota.ends_on + timedelta(days=1) if quota else None,
        "sendings": [broadcasts_seen.row(each, {}) for each in sent(account)],
        "number": number,
        "withdrawn": withdrawn(account, period),
        "editor": request.member.may(Role.EDITOR),
        **first_steps(account, number, facts),
    }
    return render(request, "panel/home/home.html", page)


def greeting(hour: int, name: str) -> str:
    """In the business's own time."""
    if hour < NOON:
        return _("Buenos días, %(name)s") % {"name": name}
    if hour < EVENING:
        return _("Buenas tardes, %(name)s") % {"name": name}
    return _("Buenas noches, %(name)s") % {"name": name}


def worth(n: int) -> str:
    """«Hay tres cosas que conviene ver hoy.»"""
    if not n:
        return _("Todo está en orden.")
    words = (_("una"), _("dos"), _("tres"), _("cuatro"), _("cinco"), _("seis"))
    return ngettext("Hay %(n)s cosa que conviene ver hoy.", "Hay %(n)s cosas que conviene ver hoy.", n) % {
        "n": words[n - 1]
    }


def pace(quota: Quota, today: date) -> str:
    """How long what is left lasts, when the rest of the month goes as it went so far."""
    day = max((today - quota.starts_on).days + 1, 1)
    left_days = (quota.ends_on - today).days
    if not quota.used:
        return _("Este mes aún no usas ninguno.")
    if not quota.remaining:
        return _("Ya usaste o reservaste todo el mes.")
    daily = quota.used / day
    lasts = int(quota.remaining / daily)
    facts = {
        "daily": wording.number(max(round(daily), 1)),
        "day": wording.written(today + timedelta(days=lasts), "long"),
    }
    if lasts >= left_days:
        return _("Vas parejo: a este ritmo (%(daily)s al día) te alcanza todo el mes.") % facts
    return _("A este ritmo (%(daily)s al día) te alcanza hasta el %(day)s.") % facts


def sent(account: Account) -> list[Broadcast]:
    rows = Broadcast.objects.filter(account=account, batch__isnull=False)
    return list(rows.select_related("promotion", "number", "batch").order_by("-id")[:SHOWN])


def withdrawn(account: Account, period: Period | None) -> int:
    """Numbers that said no since the month began."""
    since = period.starts_at if period else timezone.now() - timedelta(days=30)
    return Refusal.objects.filter(account=account, happened_at__gte=since).count()


def first_steps(account: Account, number: Number | None, facts: attention.Facts) -> dict[str, Any]:
    """The checklist, begun by the number; put away once a result was ever reviewed."""
    broadcast = checks.latest(account)
    if Broadcast.objects.filter(account=account, result_seen_at__isnull=False).exists():
        return {"steps": [], "fresh": False}
    steps = [_connected(number), *checks.ticks(broadcast)]
    if not broadcast and facts.contacts.total:
        steps[1] |= {"detail": _people(facts.contacts.total)}
    return {
        "steps": steps,
        "steps_done": checks.done(steps),
        "fresh": broadcast is None,
        "people": facts.contacts.total,
    }


def _connected(number: Number | None) -> dict[str, Any]:
    return {
        "done": number is not None,
        "title": _("Número conectado"),
        "detail": number.display if number else "",
        "url": reverse("panel:settings"),
        "action": _("Conectar mi número o practicar"),
    }


def _people(n: int) -> str:
    return ngettext("%(n)s persona en tu lista", "%(n)s personas en tu lista", n) % {"n": wording.number(n)}
