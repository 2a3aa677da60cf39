"""Meta as the protocol sees it: what reached it, what it answers, and what it reports later."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pregon.sending import references
from pregon.sending.outbox import Row
from pregon.whatsapp.cloud import client, errors
from pregon.whatsapp.cloud.events import StatusEvent
from pregon.whatsapp.models import Number

START = datetime(2026, 11, 20, 15, tzinfo=UTC)


def _refused(code: int, http: int = 400) -> client.Rejected:
    return client.Rejected(errors.ApiError({"code": code, "fbtrace_id": "Atrace"}, http))


def _crashed() -> client.Unanswered:
    return client.Unanswered("131000", errors.ApiError({"code": 131000}, 500))


# name → (does the message reach the person, the answer). Of those that say "again" one reaches people: Meta may be wrong.
ANSWERS: dict[str, tuple[bool, Callable[[], client.Outcome]]] = {
    "accepted": (True, lambda: client.Accepted("")),
    "said no": (False, lambda: _refused(131050)),
    "bad number": (False, lambda: _refused(131009)),
    "busy": (False, lambda: _refused(131016, 500)),
    "busy, yet taken": (True, lambda: _refused(131016, 500)),
    "too fast": (False, lambda: _refused(130429)),
    "broken template": (False, lambda: _refused(132001, 404)),
    "expired token": (False, lambda: _refused(190, 401)),
    "never connected": (False, lambda: client.Unsent("ClientConnectorError")),
    "answer lost": (True, lambda: client.Unanswered("TimeoutError")),
    "request lost": (False, lambda: client.Unanswered("TimeoutError")),
    "crashed after": (True, _crashed),
    "crashed before": (False, _crashed),
}
AGAIN = frozenset({"busy", "busy, yet taken", "too fast", "expired token", "never connected"})

# What Meta reports of a message that reached it; nothing, where its webhooks are lost for good
Report = tuple[str, int | None]
FATES: dict[str, tuple[Report, ...]] = {
    "read": (("sent", None), ("delivered", None), ("read", None)),
    "delivered": (("sent", None), ("delivered", None)),
    "sent": (("sent", None),),
    "failed": (("failed", 131026),),
    "capped": (("sent", None), ("failed", 131049)),
    "failed, then delivered": (("failed", 131049), ("delivered", None)),
    "silence": (),
}


@dataclass
class Network:
    """Every request of a world, by message."""

    answers: dict[int, list[str]] = field(default_factory=dict)
    fates: dict[int, list[str]] = field(default_factory=dict)  # of those that reached people: one each time
    events: list[StatusEvent] = field(default_factory=list)

    def receive(self, number: Number, row: Row, answer: str, fate: str) -> client.Outcome:
        """A request arrives. Fails where the message may have been taken before, whatever was answered."""
        before = self.answers.setdefault(row.id, [])
        assert set(before) <= AGAIN, f"message {row.id} leaves again after {before}"
        before.append(answer)
        reaches, outcome = ANSWERS[answer]
        if reaches:
            self.fates.setdefault(row.id, []).append(fate)
            self.events += [self._event(number, row.id, n, *report) for n, report in enumerate(FATES[fate])]
        return client.Accepted(f"wamid.{row.id}") if answer == "accepted" else outcome()

    def _event(self, number: Number, message_id: int, n: int, status: str, code: int | None) -> StatusEvent:
        return StatusEvent(
            number.phone_number_id,
            f"wamid.{message_id}",
            status,
            START + timedelta(seconds=n),
            reference=references.make(message_id),
            error_code=code,
        )
