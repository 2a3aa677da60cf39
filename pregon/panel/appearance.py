"""Light, dark, or as the device says: kept in a cookie, so that the server already sends the right page."""

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
    theme, page = request.POST.get("theme", ""), request.POST.get("next", "/")
    if theme not in THEMES:
        return HttpResponseBadRequest("theme: system, light, dark")
    safe = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(page if safe else "/")
    response.set_cookie(COOKIE, theme, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response
