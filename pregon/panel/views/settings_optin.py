"""Ajustes: how people put themselves on the list, and a poster that tells them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access
from pregon.accounts.models import Account, Role
from pregon.contacts import optin
from pregon.contacts.models import OptinPage
from pregon.panel.forms.optin import OfferForm
from pregon.panel.views import optin_seen
from pregon.whatsapp import numbers


@require_http_methods(["GET", "POST"])
@access.member(Role.MANAGER)
def settings_optin(request: access.Request) -> HttpResponse:
    page = optin.of(request.account)
    form = OfferForm(request.POST if request.method == "POST" else None, initial=_initial(request.account, page))
    if form.is_valid():
        optin.publish(request.account, form.offer(), request.user)
        messages.success(request, _("Guardamos tu página de altas.") if page else _("Publicamos tu página de altas."))
        return redirect("panel:settings_optin")
    context = {"form": form, "page": page, **_addresses(request.account, page)}
    return render(request, "panel/optin/settings.html", context, status=422 if form.errors else 200)


@require_GET
@access.member()
def settings_optin_poster(request: access.Request) -> HttpResponse:
    """To print and put up."""
    page = optin.of(request.account)
    if page is None:
        raise Http404
    context = {"page": page, "words": optin.latest(page), **_addresses(request.account, page)}
    return render(request, "panel/optin/poster.html", context)


def _initial(account: Account, page: OptinPage | None) -> dict[str, Any]:
    if page is None:
        words = _(
            "Quiero recibir por WhatsApp las promociones y novedades de %(business)s, hasta dos veces por semana."
        )
        return {
            "title": _("Entérate primero por WhatsApp"),
            "text": words % {"business": account.name},
            "asks_name": True,
            "enabled": True,
        }
    latest, ours = optin.latest(page), ("keyword", "asks_name", "takes_unconfirmed", "enabled")
    said = {name: getattr(latest, name) for name in ("title", "text", "privacy_url")}
    return said | {name: getattr(page, name) for name in ours}


def _addresses(account: Account, page: OptinPage | None) -> dict[str, Any]:
    """Empty without a page; without a number there is no one to write to."""
    number = numbers.written_to(account)
    if page is None:
        return {"number": number}
    word = page.keyword or optin.WORD
    return {
        "number": number,
        "came": optin.came(account),
        "word": word,
        "join_url": optin_seen.address("optin", page.slug),
        "leave_url": optin_seen.address("optout", page.slug),
        "chat_url": numbers.chat(number, word) if number else "",
    }
