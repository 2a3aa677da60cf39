"""Pages that need a module of the plan. What exists already is never hidden: ask it only where something new is prepared or sent.

@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def promotion_new(request: access.Request) -> HttpResponse: ...
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRefresh

from pregon.accounts import access
from pregon.contacts import tally
from pregon.subscriptions import changes, plans
from pregon.subscriptions.models import Module

P = ParamSpec("P")
View = Callable[Concatenate[access.Request, P], HttpResponseBase]


def needs_module(module: Module) -> Callable[[View[P]], View[P]]:
    """Shows why and where to go (403) instead of the view when the account's plan lacks the module. Goes below `access.member`."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: access.Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if changes.has_module(request.account, module):
                return view(request, *args, **kwargs)
            return missing(request, module)

        return checked

    return decorate


def missing(request: access.Request, module: Module) -> HttpResponse:
    """The page that says so; a part of a page asks the browser to load all of it again."""
    if request.htmx:
        return HttpResponseClientRefresh()
    context = {"module": module, "plans": plans.offering(module), "contacts": tally.of(request.account).total}
    return render(request, "panel/subscription/missing_module.html", context, status=403)
