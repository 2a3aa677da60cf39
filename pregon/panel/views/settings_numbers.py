"""Ajustes: the WhatsApp number with its templates, and the practice mode."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.panel import wording
from pregon.panel.forms.settings import NumberForm
from pregon.whatsapp import numbers, practice, problems, templates
from pregon.whatsapp.models import Number


@require_http_methods(["GET", "POST"])
@access.member(Role.OWNER)
def settings_number_new(request: access.Request) -> HttpResponse:
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            number = numbers.connect(request.account, **form.cleaned_data)
        except problems.MetaProblem as problem:
            form.add_error(None, _("%(problem)s No se guardó nada.") % {"problem": problem})
        else:
            return _connected(request, number)
    return render(request, "panel/settings/number_new.html", {"form": form}, status=422 if form.errors else 200)


def _connected(request: access.Request, number: Number) -> HttpResponse:
    messages.success(request, _("Conectamos %(number)s.") % {"number": number.display})
    return _sync(request, number)


def _sync(request: access.Request, number: Number) -> HttpResponse:
    try:
        n = templates.sync(number)
    except problems.MetaProblem as problem:
        messages.error(request, str(problem))
    else:
        words = ngettext("Tienes %(n)s plantilla en Meta.", "Tienes %(n)s plantillas en Meta.", n)
        messages.success(request, words % {"n": wording.number(n)})
    return redirect("panel:settings")


@require_POST
@access.member(Role.MANAGER)
def settings_number_check(request: access.Request, pk: int) -> HttpResponse:
    """Ask Meta again; a number that was stopped may send again once Meta answers for it."""
    number = access.get(request.account.numbers.select_related("account"), pk)
    try:
        number = numbers.resume(number)
    except problems.MetaProblem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("Meta contesta por %(number)s.") % {"number": number.display})
    return redirect("panel:settings")


@require_GET
@access.member()
def settings_templates(request: access.Request) -> HttpResponse:
    number = numbers.active(request.account)
    page = {
        "number": number,
        "templates": list(templates.of(number)) if number else [],
        "manager": request.member.may(Role.MANAGER),
        "owner": request.member.may(Role.OWNER),
    }
    return render(request, "panel/settings/templates.html", page)


@require_POST
@access.member(Role.MANAGER)
def settings_templates_sync(request: access.Request) -> HttpResponse:
    number = numbers.active(request.account)
    if number is None:
        messages.error(request, _("Conecta un número para traer sus plantillas."))
        return redirect("panel:settings")
    _sync(request, number)
    return redirect("panel:settings_templates")


@require_http_methods(["GET", "POST"])
@access.member()
def practice_mode(request: access.Request) -> HttpResponseBase:
    if request.method == "POST":
        return _practice(request)
    page = {
        "phones_url": settings.SIMULATOR_URL,
        "manager": request.member.may(Role.MANAGER),
        "on": request.account.practice,
    }
    return render(request, "panel/practice/practice.html", page | {"number": numbers.active(request.account)})


@access.member(Role.MANAGER)
def _practice(request: access.Request) -> HttpResponse:
    """`practice` is on or off."""
    try:
        practice.switch(request.account, on=request.POST.get("practice") == "on")
    except problems.MetaProblem as problem:
        messages.error(request, str(problem))
    return redirect("panel:practice")
