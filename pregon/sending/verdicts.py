"""What an answer of Meta's means for the message, and for those behind it. Pure decisions."""

import random
from enum import StrEnum
from typing import NamedTuple

from pregon.sending.models import Status
from pregon.whatsapp.cloud import client, errors
from pregon.whatsapp.cloud.errors import Mark, Reaction

LONGEST_WAIT = 900.0  # seconds between two tries of one message
STOPPED_WAIT = 60.0  # a message of a stopped number is looked at again this long after it goes on


class Halt(StrEnum):
    """Who else has to stop."""

    NOBODY = ""
    PACE = "pace"  # the number is too fast for Meta
    LINE = "line"  # Meta cannot be reached
    BATCH = "batch"  # the others of the broadcast would fail alike
    NUMBER = "number"  # whatever the number sends would fail alike


class Verdict(NamedTuple):  # one per message: a frozen dataclass costs five times as much to make
    """A message's next status with Meta's reason; `wait` is seconds before it is tried again, for `queued`."""

    status: Status
    halt: Halt = Halt.NOBODY
    wamid: str = ""
    code: int | None = None
    details: str = ""
    trace: str = ""
    wait: float = 0.0
    reason: str = ""  # Spanish msgid, for whoever has to stop
    mark: Mark | None = None  # what it tells about the person


def judge(outcome: client.Outcome, attempts: int) -> Verdict:
    """`attempts`: how often this message was tried before."""
    match outcome:
        case client.Accepted(wamid=wamid):
            return Verdict(Status.ACCEPTED, wamid=wamid[:160])
        case client.Unsent(reason=reason):
            return Verdict(Status.QUEUED, Halt.LINE, details=reason, wait=_backoff(1.0, attempts))
        case client.Unanswered(reason=reason, error=None):
            return Verdict(Status.UNCONFIRMED, details=reason)
        case client.Unanswered(error=errors.ApiError() as error):
            return _refused(Status.UNCONFIRMED, error)
        case client.Rejected(error=error):
            return _rejected(error, attempts)
    raise TypeError(outcome)


def _rejected(error: errors.ApiError, attempts: int) -> Verdict:
    rule = error.rule
    if rule.reaction in (Reaction.STOP_NUMBER, Reaction.REAUTHENTICATE):
        return _refused(Status.QUEUED, error, Halt.NUMBER, wait=STOPPED_WAIT)
    if rule.reaction is Reaction.PAUSE_BROADCAST:
        return _refused(Status.FAILED, error, Halt.BATCH)
    halt = Halt.PACE if rule.reaction is Reaction.SLOW_DOWN else Halt.NOBODY
    if rule.again and attempts + 1 < rule.tries:
        wait = max(error.retry_after or 0.0, _backoff(rule.wait, attempts))
        return _refused(Status.QUEUED, error, halt, wait=min(LONGEST_WAIT, wait))
    return _refused(Status.FAILED, error, halt)


def _refused(status: Status, error: errors.ApiError, halt: Halt = Halt.NOBODY, wait: float = 0.0) -> Verdict:
    return Verdict(
        status,
        halt,
        code=error.code,
        details=error.details[:300],
        trace=error.fbtrace_id[:64],
        wait=wait,
        reason=error.rule.sentence,
        mark=error.rule.mark,
    )


def _backoff(first: float, attempts: int) -> float:
    """Doubles with every try, at random between half and all of it, so that a crowd does not come back at once."""
    return min(LONGEST_WAIT, first * 2.0 ** min(attempts, 12)) * random.uniform(0.5, 1.0)
