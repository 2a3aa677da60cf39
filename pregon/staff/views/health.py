"""Is everything running?"""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from pregon.accounts import access
from pregon.staff import health as readings


@require_GET
@access.staff
def health(request: access.Request) -> HttpResponse:
    return render(request, "staff/health.html", {"health": readings.read(), "here": "health"})
