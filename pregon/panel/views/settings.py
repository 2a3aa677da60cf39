"""Ajustes: the business, its number, its templates, its people."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.accounts.signup import COUNTRIES
from pregon.contacts import optin
from pregon.panel.forms.settings import BusinessForm, RestForm
from pregon.promotions import quiet, recurrences
from pregon.whatsapp import numbers, templates


@require_GET
@access.member()
def settings(request: access.Request) -> HttpResponse:
    number = numbers.active(request.account)
    page = {
        "numbers": list(request.account.numbers.select_related("portfolio").order_by("practice", "id")),
        "number": number,
        "templates": list(templates.of(number)[:6]) if number else [],
        "templates_count": templates.of(number).count() if number else 0,
        "members": list(request.account.members.select_related("user").order_by("id")[:6]),
        "members_count": request.account.members.count(),
        "country": dict(COUNTRIES).get(request.account.country, request.account.country),
        "now": timezone.now(),
        "optin_page": optin.of(request.account),
        "owner": request.member.may(Role.OWNER),
        "manager": request.member.may(Role.MANAGER),
    }
    return render(request, "panel/settings/settings.html", page)


@require_http_methods(["GET", "POST"])
@access.member(Role.MANAGER)
def settings_business(request: access.Request) -> HttpResponse:
    before = request.account.zone
    form = BusinessForm(request.POST or None, instance=request.account)
    if request.method == "POST" and form.is_valid():
        form.save()
        if "time_zone" in form.changed_data:
            recurrences.keep_clock(request.account, before)
            quiet.hold(request.account.batches.all())
        messages.success(request, _("Guardamos los datos de tu negocio."))
        return redirect("panel:settings")
    return render(request, "panel/settings/business.html", {"form": form})


@require_http_methods(["GET", "POST"])
@access.member(Role.MANAGER)
def settings_rest(request: access.Request) -> HttpResponse:
    """Quiet hours and how often one person is written to; what is on its way follows at once."""
    form = RestForm(request.POST or None, instance=request.account)
    if request.method == "POST" and form.is_valid():
        form.save()
        quiet.hold(request.account.batches.all())
        messages.success(request, _("Guardamos el descanso de tu gente."))
        return redirect("panel:settings")
    return render(request, "panel/settings/rest.html", {"form": form}, status=422 if form.errors else 200)
