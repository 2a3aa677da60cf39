"""Guías: the tutorial in the panel, each step linked to its page, with the checklist live."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from pregon.accounts import access
from pregon.panel import checks
from pregon.subscriptions import changes
from pregon.subscriptions.models import Module


@require_GET
@access.member()
def guides(request: access.Request) -> HttpResponse:
    broadcast = checks.latest(request.account)
    ticks = checks.ticks(broadcast)
    page = {
        "broadcast": broadcast,
        "ticks": ticks,
        "done": checks.done(ticks),
        "included": changes.has_module(request.account, Module.WHATSAPP),
    }
    return render(request, "panel/guides/guide.html", page)
