"""Who is at the other end of a request."""

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from pregon.accounts import access


def actor(request: access.Request) -> dict[str, Any]:
    """Who acts and from where, as `consent.record` and `Act` take them."""
    return {"actor": request.user, "ip": address(request)}


def address(request: HttpRequest) -> str:
    """The network address, IPv4 or IPv6; empty where there is none.

    Behind HTTPS stands a proxy of ours, which appends whom it heard; without one, nobody's word counts.
    """
    heard = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    given = heard if settings.SECURE and heard else str(request.META.get("REMOTE_ADDR", ""))
    try:
        found = ip_address(given.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
