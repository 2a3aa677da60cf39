"""Light or dark, and in which language: kept in cookies, so that the server already sends the right page."""

from collections.abc import Collection

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from pregon.accounts import access

COOKIE = "pregon_theme"
THEMES = ("system", "light", "dark")
YEAR = 365 * 24 * 3600


@access.public
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """POST `theme` (one of THEMES) and `next`; the same cookie that static/js/theme.js writes."""
    return _keep(request, "theme", COOKIE, THEMES)


@access.public
@require_POST
def speak(request: HttpRequest) -> HttpResponse:
    """POST `language` (one of LANGUAGES) and `next`; the cookie that `accounts.middleware` reads."""
    return _keep(request, "language", settings.LANGUAGE_COOKIE_NAME, dict(settings.LANGUAGES))


def _keep(request: HttpRequest, field: str, cookie: str, known: Collection[str]) -> HttpResponse:
    chosen, page = request.POST.get(field, ""), request.POST.get("next", "/")
    if chosen not in known:
        return HttpResponseBadRequest(f"{field}: {', '.join(known)}")
    safe = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(page if safe else "/")
    response.set_cookie(cookie, chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response
