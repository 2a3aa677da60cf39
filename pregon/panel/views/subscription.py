"""Mi suscripción: the plan, the month's quota with every change of it, and the plans to compare."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.panel import context, movements, offers, wording
from pregon.subscriptions import changes, plans, renewals
from pregon.subscriptions.models import Module, Plan


@require_GET
@access.member()
def subscription(request: access.Request) -> HttpResponse:
    mine, period = changes.plan(request.account), renewals.ensure_period(request.account)
    listed = plans.public()
    if mine and mine not in listed:  # the provider no longer offers it, and this business keeps it
        listed.append(mine)
    offered = offers.compare(listed, mine, period)
    sending = [offer for offer, plan in zip(offered, listed, strict=True) if Module.WHATSAPP in plan.modules]
    page = {
        "plan": mine,
        "price": offers.price(mine) if mine else "",
        "per_month": offers.per_month(mine) if mine else "",
        "period": period,
        "quota": context.quota_of(period) if period else None,
        "today": timezone.localdate(),
        "offers": sending,
        "others": [offer for offer in offered if offer not in sending],
        "may_change": request.member.may(Role.OWNER),
        "sends": mine is not None and Module.WHATSAPP in mine.modules,
    }
    return render(request, "panel/subscription/subscription.html", page)


@require_POST
@access.member(Role.OWNER)
def subscription_change(request: access.Request, pk: int) -> HttpResponse:
    plan = access.get(Plan.objects.filter(is_public=True), pk)
    changes.change(request.account, plan)
    period = renewals.ensure_period(request.account)
    left = {"plan": plan.name, "n": wording.number(period.remaining if period else 0)}
    messages.success(request, _("Tu plan ahora es %(plan)s. Te quedan %(n)s mensajes este mes.") % left)
    return redirect("panel:subscription")


@require_GET
@access.member()
def subscription_movements(request: access.Request) -> HttpResponse:
    """Every change of one month, newest first, by pages. `?mes=` is one of its periods, `?antes=` the last row seen."""
    months = list(request.account.periods.order_by("-starts_at")[:13])
    period = movements.chosen(months, request.GET.get("mes", ""))
    page = movements.page(period, request.GET.get("antes", "")) if period else None
    more = (
        reverse("panel:subscription_movements") + f"?mes={period.pk}&antes={page.last}"
        if period and page and page.more
        else ""
    )
    shown = {
        "period": period,
        "quota": context.quota_of(period) if period else None,
        "page": page,
        "more": more,
        "months": [(month, context.quota_of(month)) for month in months],
    }
    return render(request, "panel/subscription/movements.html", shown)
