"""What the pages around an opt-in show: whom one writes to, addresses, and their pictures."""

import io
import re
from urllib.parse import quote

import segno
from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse

from pregon.accounts.models import Account
from pregon.whatsapp.models import Number

CACHED = "public, max-age=86400"


def line(account: Account) -> Number | None:
    """Whom people write to: a real number as soon as there is one; while practising, the practice one."""
    usable = account.numbers.filter(Q(practice=False) | Q(practice=account.practice))
    return usable.order_by("practice", "id").first()


def chat(number: Number, words: str) -> str:
    """Opens WhatsApp with these words written to that number, not sent."""
    return f"https://wa.me/{re.sub(r'[^0-9]', '', number.display)}?text={quote(words)}"


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
