"""How plans are compared: what each offers, and what choosing it would do to this month."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.panel import wording
from pregon.quota.models import Period
from pregon.subscriptions.models import Module, Plan

SYMBOLS = {"BRL": "R$", "PEN": "S/", "EUR": "€"}  # elsewhere in the region a peso or a dollar
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Offer:
    """A plan as its card shows it; `lines` are (included, figure, words). `effect` says what choosing it does now."""

    id: int
    name: str
    price: str
    period: str
    pitch: str
    lines: list[tuple[bool, int | str, str]]
    mine: bool
    kind: str  # of its button: the next larger plan is the one proposed
    effect: str


def compare(plans: Sequence[Plan], mine: Plan | None, period: Period | None) -> list[Offer]:
    """The plans in their order; a module is listed where any of them has it."""
    shown = [module for module in Module if any(module in plan.modules for plan in plans)]
    larger = [plan for plan in plans if plan.monthly_limit > (mine.monthly_limit if mine else 0)]
    proposed = min(larger, key=lambda plan: plan.monthly_limit, default=None)
    kinds = ["btn-primary" if plan == proposed else "btn-2" for plan in plans]
    return [_offer(plan, mine, period, shown, kind) for plan, kind in zip(plans, kinds, strict=True)]


def price(plan: Plan) -> str:
    """«$449», with cents only where there are some."""
    places = 0 if plan.price % 1 == 0 else 2
    return SYMBOLS.get(plan.currency, "$") + wording.number(plan.price.quantize(CENT), places)


def per_month(plan: Plan) -> str:
    return _("%(currency)s al mes") % {"currency": plan.currency}


def _offer(plan: Plan, mine: Plan | None, period: Period | None, shown: Sequence[Module], kind: str) -> Offer:
    sends = Module.WHATSAPP in plan.modules
    words = ngettext("mensaje al mes", "mensajes al mes", plan.monthly_limit)
    quota: tuple[bool, int | str, str] = (sends, plan.monthly_limit if sends else "", words if sends else _("Mensajes"))
    return Offer(
        id=plan.pk,
        name=plan.name,
        price=price(plan),
        period=per_month(plan),
        pitch=plan.summary,
        lines=[quota, *((module in plan.modules, "", str(module.label)) for module in shown)],
        mine=mine is not None and plan.pk == mine.pk,
        kind=kind,
        effect=_effect(plan, mine, period),
    )


def _effect(plan: Plan, mine: Plan | None, period: Period | None) -> str:
    """One sentence in figures; the same sums that `subscriptions.changes.change` will book."""
    if period is None or mine is None:
        return _("Empieza hoy con %(n)s mensajes al mes.") % {"n": wording.number(plan.monthly_limit)}
    limit = period.limit - period.lapsing + plan.monthly_limit - mine.monthly_limit
    taken = period.used + period.reserved
    figures = {"limit": wording.number(limit), "left": wording.number(limit - taken), "taken": wording.number(taken)}
    if limit >= taken:
        return _("Desde ahora tu límite de este mes es %(limit)s y te quedan %(left)s mensajes.") % figures
    return _("Este mes ya usaste o reservaste %(taken)s: no te quedan mensajes hasta que se renueve.") % figures
