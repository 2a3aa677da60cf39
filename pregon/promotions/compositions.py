"""A template of one's own: what Meta is asked to approve, made from asunto, detalle, pie and buttons.

Limits: Meta's reference of message templates (header and footer 60, body 1,024, button 25 characters).
"""

import itertools
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from pregon.lib import text
from pregon.promotions import fields
from pregon.promotions.models import Version

CATEGORY = "MARKETING"
LANGUAGES = {
    "AR",
    "CL",
    "CO",
    "CR",
    "DO",
    "EC",
    "HN",
    "MX",
    "PA",
    "PE",
    "ES",
    "UY",
}  # Meta has es_XX of these, plain es for others

Component = dict[str, Any]


def components(version: Version) -> list[Component]:
    """Meta's create shape: every `{{field}}` becomes a number of its own, with an invented example."""
    parts = [
        _with_examples({"type": "HEADER", "format": "TEXT"}, version.subject, version.fallbacks)
        if version.subject
        else None,
        _with_examples({"type": "BODY"}, version.detail, version.fallbacks),
        {"type": "FOOTER", "text": version.footer} if version.footer else None,
        {"type": "BUTTONS", "buttons": _buttons(version)},
    ]
    return [part for part in parts if part]


def occurrences(words: str) -> list[str]:
    """The fields of a text as they come: number `n` of its template is the n-th of these."""
    return [str(found[1]) for found in text.PLACEHOLDER.finditer(words)]


def name(version: Version) -> str:
    """Unique at Meta (letters, digits and underscores): the promotion's name, its id, the version's number."""
    words = re.sub(r"[^a-z0-9]+", "_", text.fold(version.promotion.name)).strip("_")[:60] or "promocion"
    return f"{words}_{version.promotion_id}_{version.number}"


def language(version: Version) -> str:
    country = version.promotion.account.country
    return "pt_BR" if country == "BR" else f"es_{country}" if country in LANGUAGES else "es"


def opt_out_label() -> str:
    return _("No recibir promociones")


def _with_examples(part: Component, words: str, fallbacks: Mapping[str, str]) -> Component:
    numbers = itertools.count(1)
    numbered = text.PLACEHOLDER.sub(lambda _found: f"{{{{{next(numbers)}}}}}", words)
    samples = [fields.sample(field, fallbacks) for field in occurrences(words)]
    example = {"header_text": samples} if part["type"] == "HEADER" else {"body_text": [samples]}
    return part | {"text": numbered} | ({"example": example} if samples else {})


def _buttons(version: Version) -> list[Component]:
    """Meta wants quick replies together: ours first, then the one that is always there, then links."""
    replies = [
        {"type": "QUICK_REPLY", "text": button["text"]} for button in version.buttons if button["kind"] == "reply"
    ]
    links = [
        {"type": "URL", "text": button["text"], "url": button["url"]}
        for button in version.buttons
        if button["kind"] == "url"
    ]
    return [*replies, {"type": "QUICK_REPLY", "text": opt_out_label()}, *links]
