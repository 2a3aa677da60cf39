"""Our own name for a message, which Meta echoes in its status webhooks and in the answers to our buttons."""

from django.conf import settings

PREFIX = f"pregon:{settings.INSTALLATION}:"
OPT_OUT = ":baja"  # what the button that withdraws consent adds to the reference; other buttons add their place, ":0"


def make(message_id: int) -> str:
    """`pregon:<installation>:<message>`"""
    return f"{PREFIX}{message_id}"


def read(reference: str) -> int | None:
    """The message's id, whatever a button added to it, or None: other systems may share the business account."""
    digits = reference.removeprefix(PREFIX).partition(":")[0]
    known = reference.startswith(PREFIX) and digits.isascii() and digits.isdecimal() and len(digits) < 19
    return int(digits) if known else None
