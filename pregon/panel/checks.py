"""The tutorial's checklist about the business's latest sending; before there is one, each line leads to its page."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.panel.views import broadcasts_seen
from pregon.promotions.models import Broadcast
from pregon.quota import ledger

RELATED = ("account", "promotion", "version__template", "number__portfolio", "batch", "approved_by")


def latest(account: Account) -> Broadcast | None:
    """The newest sending that was not discarded."""
    rows = Broadcast.objects.filter(account=account).exclude(status=Broadcast.Status.DISCARDED)
    return rows.select_related(*RELATED).order_by("-id").first()


def ticks(broadcast: Broadcast | None) -> list[dict[str, Any]]:
    """Four items for `{% ticks %}`."""
    if broadcast is None:
        return _ahead()
    items = broadcasts_seen.ticks(broadcast, None)
    if broadcast.batch_id is None:
        return [items[0], _quota(broadcast), *items[2:]]
    here = {"url": reverse("panel:broadcast", args=[broadcast.pk]), "action": _("Abrir el resultado")}
    return [*items[:3], items[3] | here]  # the review page is closed: what is left to do is on the card


def _quota(broadcast: Broadcast) -> dict[str, Any]:
    """What was signed against what remains: the forecast goes through the whole list, and belongs to the review page."""
    period = ledger.current(broadcast.account)
    signed, remaining = broadcast.approved_count, period.remaining if period else 0
    fits = signed is not None and (signed <= remaining or broadcast.quota_choice == Broadcast.Choice.FIT)
    tick = {
        "done": fits,
        "title": _("Cupo disponible confirmado"),
        "url": reverse("panel:broadcast", args=[broadcast.pk]),
    }
    return tick | {"detail": _("Te alcanza") if fits else "", "action": _("Revisar el envío")}


def _ahead() -> list[dict[str, Any]]:
    """Nothing was prepared yet."""
    return [
        _tick(_("Contactos revisados"), "panel:contacts", _("Ir a Contactos")),
        _tick(_("Cupo disponible confirmado"), "panel:subscription", _("Ver mi cupo")),
        _tick(_("Vista previa aprobada"), "panel:promotions", _("Preparar una promoción")),
        _tick(_("Resultado de envío revisado"), "panel:broadcasts", _("Ver envíos y resultados")),
    ]


def _tick(title: str, name: str, action: str) -> dict[str, Any]:
    return {"done": False, "title": title, "detail": "", "url": reverse(name), "action": action}


def done(items: list[dict[str, Any]]) -> int:
    return sum(bool(item["done"]) for item in items)
