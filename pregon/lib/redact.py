"""Keeps phone numbers and tokens out of the logs, wherever a message comes from.

For `LOGGING`: `"filters": {"redact": {"()": "pregon.lib.redact.Redact"}}`, named by every handler (a logger's filter
would not see the records of its children).
"""

import logging
import re
import traceback

from pythonjsonlogger.core import RESERVED_ATTRS

IDS = frozenset({"batch", "broadcast", "code", "message_id", "message_ids", "number"})

_SECRET = re.compile(
    r"(?P<name>(?:[\w.-]*(?:token|secret|password|api_?key|signature)|authorization)['\"]?\s*[=:]\s*['\"]?"
    r"(?:bearer\s+|sha256=)?|bearer\s+)(?P<value>[^\s'\"&,;)}\]]+)",
    re.IGNORECASE,
)
_META_TOKEN = re.compile(r"\bEAA[A-Za-z0-9]{16,}")
_ENCRYPTED = re.compile(r"\bv1:gAAAA[\w=-]+")
_GROUPED = re.compile(r"\+[0-9](?:[ ().-]{0,2}[0-9]){6,16}")
_RUN = re.compile(r"[0-9]{8,}")


class Redact(logging.Filter):
    """Rewrites each record, its traceback and its extra fields included; refuses none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        record.exc_info = None  # it stands in the text: no formatter makes it anew, unmasked
        record.exc_text = redact(record.exc_text) if record.exc_text else None
        record.stack_info = redact(record.stack_info) if record.stack_info else None
        for name in record.__dict__.keys() - RESERVED_ATTRS:
            setattr(record, name, _field(name, getattr(record, name)))
        return True


def _field(name: str, value: object) -> object:
    """Ids of ours are shown whole, and figures too short for a phone number; of anything else what its text may show."""
    numbers = value if isinstance(value, list) else [value]
    known = name in IDS and all(isinstance(number, int) for number in numbers)
    short = value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**7)
    return value if known or short else redact(str(value))


def redact(text: str) -> str:
    """Tokens become "•••"; of a run of eight digits or more, and of a number after `+`, only the last four stay."""
    text = _SECRET.sub(r"\g<name>•••", text)
    text = _ENCRYPTED.sub("•••", _META_TOKEN.sub("•••", text))
    return _RUN.sub(_tail, _GROUPED.sub(_tail, text))


def _tail(found: re.Match[str]) -> str:
    return "•••••" + re.sub(r"[^0-9]", "", found[0])[-4:]


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a wrong format string must not cost the message
        return f"{record.msg} {record.args}"
