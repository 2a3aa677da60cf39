"""What became of messages that Meta did not take, as lines of the log: our ids and Meta's codes, never people."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pregon.sending.models import Message, Status

log = logging.getLogger(__name__)
LINES = 20  # at most, each time: a broadcast of which all fails is told by its numbers


class Told(NamedTuple):
    """What became of a message, and why."""

    message: int
    became: str
    code: int | None
    trace: str = ""


def refused(results: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Of the pump's results (`outbox.Flush`), those that Meta answered otherwise than by taking them."""
    return [
        Told(result["id"], result["status"], result["code"], result["trace"])
        for result in results
        if result.get("status", Status.ACCEPTED) != Status.ACCEPTED and (result["code"] or result["details"])
    ]


def note(told: Sequence[Told]) -> None:
    """One line each. Asks the database which broadcast they belong to."""
    if not told:
        return
    shown = told[:LINES]
    rows = Message.objects.filter(pk__in=[one.message for one in shown])
    places = rows.values_list("pk", "batch__broadcast", "batch_id", "batch__number_id")
    known = {pk: dict(zip(("broadcast", "batch", "number"), place, strict=True)) for pk, *place in places}
    for one in shown:
        fields = {"message_id": one.message, "code": one.code, "trace": one.trace, **known.get(one.message, {})}
        log.info("message %s %s: code %s", one.message, one.became, one.code, extra=fields)
    if len(told) > LINES:
        log.info("%s more of them", len(told) - LINES, extra={"message_ids": [one.message for one in told[LINES:]]})
