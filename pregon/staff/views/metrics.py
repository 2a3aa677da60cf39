"""For Prometheus, which brings a token instead of a session."""

from hmac import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST

from pregon.accounts import access
from pregon.staff import metrics as readings


@require_GET
@access.public
def metrics(request: HttpRequest) -> HttpResponse:
    """404 until `PREGON_METRICS_TOKEN` is set, and to whoever does not bring it: nobody learns that there is something."""
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    if not settings.METRICS_TOKEN or not compare_digest(request.headers.get("Authorization", "").encode(), expected):
        raise Http404
    return HttpResponse(readings.exposition(), content_type=CONTENT_TYPE_LATEST)
