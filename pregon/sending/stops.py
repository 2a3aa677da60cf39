"""What webhooks say that stops a whole number: payment, permission, a closed or a restricted account.

The pump stops a number when it is refused itself; much of this Meta tells only later, in a status or about the account.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from pregon.sending import outbox
from pregon.whatsapp.cloud import codes, errors
from pregon.whatsapp.cloud.codes import N_
from pregon.whatsapp.cloud.events import AccountError, AccountEvent, Event, StatusEvent
from pregon.whatsapp.models import Number

CLOSED = N_("Meta cerró tu cuenta de WhatsApp Business")
RESTRICTED = N_("Meta no te deja escribir primero a nadie por ahora. Mira por qué en el Administrador de WhatsApp")


class Stop(NamedTuple):
    """Which numbers, why (a Spanish msgid), and when Meta said so."""

    filter: str  # a field of `Number`
    value: str
    reason: str
    at: datetime | None = None


def heard(events: Iterable[Event]) -> None:
    """Stop the numbers that the events are about, but for what happened before a person let a number go on again."""
    said = {(stop.filter, stop.value): stop for event in events if (stop := _read(event))}
    for number_id, reason in sorted(_stopped(said.values()).items()):  # by id: whoever reads beside us does the same
        outbox.stop_number(number_id, _(reason))


def _stopped(stops: Iterable[Stop]) -> dict[int, str]:
    return {
        number.pk: stop.reason
        for stop in stops
        for number in Number.objects.filter(**{stop.filter: stop.value})
        if stop.at is None or number.resumed_at is None or stop.at > number.resumed_at
    }


def _read(event: Event) -> Stop | None:
    match event:
        case StatusEvent(status="failed", error_code=int(code), phone_number_id=phone, at=at):
            return _by_code(phone, code, at)
        case AccountError(code=int(code), phone_number_id=phone, at=at):
            return _by_code(phone, code, at)
        case AccountEvent(waba_id=waba, at=at) if reason := next(_of_account(event), ""):
            return Stop("waba_id", waba, reason, at)
    return None


def _by_code(phone: str, code: int, at: datetime | None) -> Stop | None:
    rule = errors.classify(code, asynchronous=True)
    return Stop("phone_number_id", phone, rule.sentence, at) if rule.reaction in codes.STOPS else None


def _of_account(event: AccountEvent) -> Iterator[str]:
    ban, limits = event.value.get("ban_info"), event.value.get("restriction_info")
    if event.event == "ACCOUNT_DELETED" or (isinstance(ban, dict) and ban.get("waba_ban_state") == "DISABLE"):
        yield CLOSED
    for limit in limits if isinstance(limits, list) else []:
        if isinstance(limit, dict) and limit.get("restriction_type") == "RESTRICTED_BIZ_INITIATED_MESSAGING":
            yield RESTRICTED
