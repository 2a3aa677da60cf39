"""What can go wrong between us and Meta.

CloudError
├── ApiError        Meta answered with an error: its `rule` says what to do next
└── Unreachable     no usable answer
    ├── NotSent     the connection never opened: the call may be repeated
    └── NoAnswer    it may have been carried out: look before repeating it
"""

from dataclasses import replace
from typing import Any

from pregon.whatsapp.cloud import codes
from pregon.whatsapp.cloud.codes import Mark, Reaction, Rule

__all__ = ["ApiError", "CloudError", "Mark", "NoAnswer", "NotSent", "Reaction", "Rule", "Unreachable", "classify"]

UNREADABLE = -1  # an error without a code: 0 is one of Meta's own
LARGEST = 2**31  # no code of Meta's has more digits, nor has PostgreSQL's integer room for it


class CloudError(Exception):
    """Any failure of a call to the Cloud API."""


class Unreachable(CloudError):
    """Meta gave no answer that we can read."""


class NotSent(Unreachable):
    """Nothing left this machine: try again."""


class NoAnswer(Unreachable):
    """The request may have been carried out."""


class ApiError(CloudError):
    """Meta's error object, as it stands in the answer to a call.

    `details` is Meta's own text and may quote what we sent: show it, never log it.
    """

    def __init__(self, error: dict[str, Any], http: int, *, retry_after: float | None = None) -> None:
        self.code = _number(error.get("code"), missing=UNREADABLE)
        self.subcode = _number(error.get("error_subcode"), missing=0)
        self.http = http
        self.message = _text(error.get("message"))
        self.details = _details(error) or _text(error.get("error_user_msg")) or self.message
        self.user_title = str(error.get("error_user_title") or "")
        self.fbtrace_id = _text(error.get("fbtrace_id"))
        self.retry_after = retry_after
        self.rule = classify(self.code, self.subcode, http)
        super().__init__(
            f"Meta error {self.code}/{self.subcode} (HTTP {http}, trace {self.fbtrace_id or '-'}): {self.rule.title}"
        )


def classify(code: int, subcode: int = 0, http: int = 400, *, asynchronous: bool = False) -> Rule:
    """The rule for a code. `asynchronous`: it came in a webhook, so the outcome is certain and nothing is sent again by itself."""
    rule = codes.SUBCODES.get((code, subcode)) or codes.RULES.get(code) or _ranged(code) or _unknown(http)
    return _settled(rule) if asynchronous else rule


def _settled(rule: Rule) -> Rule:
    if rule.again or rule.reaction is Reaction.UNCONFIRMED:
        return replace(rule, reaction=Reaction.NEVER, tries=1, wait=0.0, mendable=True, step=codes.LATER)
    return rule


def _ranged(code: int) -> Rule | None:
    return next((codes.RULES[speaker] for first, last, speaker in codes.RANGES if first <= code <= last), None)


def _unknown(http: int) -> Rule:
    return codes.UNKNOWN_CRASH if http >= 500 else codes.UNKNOWN


def _number(value: Any, *, missing: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return missing
    return number if abs(number) < LARGEST else missing


def _text(value: Any) -> str:
    """Without NUL, which PostgreSQL does not keep."""
    return str(value or "").replace("\0", "")


def _details(error: dict[str, Any]) -> str:
    data = error.get("error_data")
    return _text(data.get("details")) if isinstance(data, dict) else ""
