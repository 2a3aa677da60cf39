"""Addresses of the opt-in as they stand on posters, and their pictures."""

import io

import segno
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

CACHED = "public, max-age=86400"


def address(name: str, *args: str) -> str:
    """Of a page of ours, as it stands on a poster."""
    return settings.PUBLIC_URL + reverse(f"panel:{name}", args=args)


def qr(url: str) -> HttpResponse:
    """A picture that a phone's camera reads."""
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        drawn, kind="svg", border=4, light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": CACHED})
