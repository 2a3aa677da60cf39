"""Reads of a JSON object that do not fail: a missing key and a value of another kind are both "nothing"."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

NOT_DIGITS = re.compile("[^0-9]")


def table(source: object, key: str) -> Json:
    """The object under a key, or an empty one."""
    value = source.get(key) if isinstance(source, dict) else None
    return value if isinstance(value, dict) else {}


def items(source: object, key: str) -> list[Any]:
    """The list under a key; a single object where a list belongs is a list of one."""
    value = source.get(key) if isinstance(source, dict) else None
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else []


def tables(source: object, key: str) -> Iterator[Json]:
    """The objects in the list under a key."""
    return (item for item in items(source, key) if isinstance(item, dict))


def text(source: object, key: str) -> str:
    """A string, or a number as one (ids are strings in the API and numbers in webhooks); else empty.

    Without NUL and lone surrogates, which no database keeps.
    """
    value = source.get(key) if isinstance(source, dict) else None
    if isinstance(value, str):  # first: a thousand statuses make ten thousand calls
        return value if value.isascii() and "\0" not in value else _clean(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64
    return str(value) if whole else ""


def required(source: object, key: str) -> str:
    """`text`, or a `KeyError` that names the key."""
    if value := text(source, key):
        return value
    raise KeyError(key)


def digits(source: object, key: str) -> str:
    """The ASCII digits of a number, without the plus that some places have."""
    found = text(source, key)
    return found if found.isascii() and found.isdecimal() else NOT_DIGITS.sub("", found)


def number(source: object, key: str) -> int | None:
    """A whole number, also when it comes as a string."""
    found = text(source, key)
    try:
        return int(found) if found else None
    except ValueError:
        return None


def truth(source: Json, key: str) -> bool | None:
    """True, false, or nothing."""
    value = source.get(key)
    return value if isinstance(value, bool) else None


def moment(source: object, key: str) -> datetime | None:
    """Seconds (milliseconds in a few old webhooks) since 1970, as a string or a number, in UTC."""
    seconds = number(source, key)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > 10**11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _clean(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "replace").decode()
