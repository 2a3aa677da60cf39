"""The way to a broadcast of one's own, and back to its page."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from pregon.accounts import access
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch

RELATED = (
    "account",
    "promotion",
    "version__template",
    "number__portfolio",
    "batch",
    "approved_by",
    "retry_of__promotion",
    "recurrence",
)


def find(request: access.Request, pk: int) -> Broadcast:
    """One of the account's own, with all that its pages read. Raises `Http404`."""
    return access.get(request.account.broadcasts.select_related(*RELATED), pk)


def launched(request: access.Request, pk: int) -> tuple[Broadcast, Batch]:
    """One that was sent, with its batch. Raises `Http404`."""
    found = find(request, pk)
    if found.batch is None:
        raise Http404
    return found, found.batch


def back(broadcast: Broadcast, anchor: str = "") -> HttpResponse:
    return redirect(reverse("panel:broadcast", args=[broadcast.pk]) + anchor)


def key(text: str) -> int:
    """A number from an address; 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
