"""Webhooks in our own words: `parse` turns a payload into events, and never raises.

One POST holds up to 1,000 updates in any number of entries and changes. What cannot be read becomes `Unknown` with the
place and the reason, and costs the others nothing. Keys may be missing anywhere: since 2026 a person may have a user id
and no number. Source: Meta's webhook reference; payloads in `tests/payloads`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pregon.whatsapp.cloud import reading
from pregon.whatsapp.cloud.kinds import (
    AccountError,
    AccountEvent,
    Event,
    InboundMessage,
    NumberQualityEvent,
    PreferenceEvent,
    StatusEvent,
    TemplateCategoryEvent,
    TemplateQualityEvent,
    TemplateStatusEvent,
    Unknown,
    UserChanged,
)
from pregon.whatsapp.cloud.reading import Json

__all__ = [
    "AccountError",
    "AccountEvent",
    "Event",
    "InboundMessage",
    "NumberQualityEvent",
    "PreferenceEvent",
    "StatusEvent",
    "TemplateCategoryEvent",
    "TemplateQualityEvent",
    "TemplateStatusEvent",
    "Unknown",
    "UserChanged",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one entry, and what its readers need from around it."""

    waba_id: str
    field: str
    value: Json
    at: datetime | None
    phone_number_id: str
    people: dict[str, Json]  # the value's contacts, by number and by user id


Reader = Callable[[Change, Json], Event]


def parse(payload: object) -> list[Event]:
    """All events of a payload, in its order."""
    changes = list(_changes(payload))
    return [event for change in changes for event in _events(change)] or [Unknown("", "nothing to read")]


def _changes(payload: object) -> Iterator[Change]:
    for entry in reading.items(payload, "entry") or [payload]:
        for change in reading.items(entry, "changes") or [entry]:  # some of Meta's examples lack a level
            yield _change(entry, change)


def _change(entry: object, change: object) -> Change:
    value = reading.table(change, "value")
    return Change(
        waba_id=reading.text(entry, "id"),
        field=reading.text(change, "field"),
        value=value,
        at=reading.moment(entry, "time"),
        phone_number_id=reading.text(reading.table(value, "metadata"), "phone_number_id"),
        people=dict(_people(value)) if "messages" in value or "user_preferences" in value else {},
    )


def _people(value: Json) -> Iterator[tuple[str, Json]]:
    contacts = list(reading.tables(value, "contacts"))
    for contact in contacts:
        yield reading.digits(contact, "wa_id"), contact
        yield reading.text(contact, "user_id"), contact
    yield "", contacts[0] if len(contacts) == 1 else {}  # whom a message means that names nobody


def _events(change: Change) -> Iterator[Event]:
    if change.field in READERS:
        yield _safely(READERS[change.field], change, change.value)
    elif change.field in LISTS:
        yield from _listed(change)
    else:
        yield Unknown(change.field, "unknown field")


def _listed(change: Change) -> Iterator[Event]:
    found = False
    for key, reader in LISTS[change.field].items():
        for item in reading.items(change.value, key):
            found = True
            yield _safely(reader, change, item)
    if not found:
        yield Unknown(change.field, "empty")


def _safely(reader: Reader, change: Change, item: object) -> Event:
    if not isinstance(item, dict) or not item:
        return Unknown(change.field, "not an object")
    try:
        return reader(change, item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unknown(
            change.field, f"{type(error).__name__} {error.args[0] if isinstance(error, KeyError) else ''}".strip()
        )


def _status(change: Change, item: Json) -> Event:
    error = next(reading.tables(item, "errors"), {})
    pricing = reading.table(item, "pricing")
    return StatusEvent(
        phone_number_id=change.phone_number_id,
        wamid=reading.required(item, "id"),
        status=reading.required(item, "status"),
        at=reading.moment(item, "timestamp"),
        recipient=reading.digits(item, "recipient_id"),
        recipient_user_id=reading.text(item, "recipient_user_id"),
        reference=reading.text(item, "biz_opaque_callback_data"),
        error_code=reading.number(error, "code"),
        error_title=reading.text(error, "title") or reading.text(error, "message"),
        error_details=reading.text(reading.table(error, "error_data"), "details"),
        category=reading.text(pricing, "category"),
        pricing_type=reading.text(pricing, "type"),
        billable=reading.truth(pricing, "billable"),
    )


def _message(change: Change, item: Json) -> Event:
    if reading.text(item, "type") == "system":
        return _user_changed(change, item)
    text, payload = _content(item)
    contact = _contact(change, item)
    return InboundMessage(
        phone_number_id=change.phone_number_id,
        wamid=reading.required(item, "id"),
        sender=reading.digits(item, "from") or reading.digits(contact, "wa_id"),
        user_id=reading.text(item, "from_user_id") or reading.text(contact, "user_id"),
        profile_name=reading.text(reading.table(contact, "profile"), "name"),
        at=reading.moment(item, "timestamp"),
        kind=reading.text(item, "type") or "unknown",
        text=text,
        payload=payload,
        context_wamid=reading.text(reading.table(item, "context"), "id"),
    )


def _contact(change: Change, item: Json) -> Json:
    number, user_id = reading.digits(item, "from"), reading.text(item, "from_user_id")
    return change.people.get(number or user_id) or change.people.get(user_id) or {}


def _content(item: Json) -> tuple[str, str]:
    """What the person sees, and the payload behind it."""
    kind = reading.text(item, "type")
    content = reading.table(item, kind)
    if kind == "text":
        return reading.text(content, "body"), ""
    if kind == "button":
        return reading.text(content, "text"), reading.text(content, "payload")
    if kind == "interactive":
        reply = reading.table(content, reading.text(content, "type"))
        return reading.text(reply, "title") or reading.text(reply, "body"), reading.text(reply, "id")
    if kind == "reaction":
        return reading.text(content, "emoji"), ""
    return reading.text(content, "caption"), ""


def _user_changed(change: Change, item: Json) -> Event:
    system = reading.table(item, "system")
    return UserChanged(
        phone_number_id=change.phone_number_id,
        kind=reading.required(system, "type"),
        old_number=reading.digits(item, "from"),
        new_number=reading.digits(system, "wa_id") or reading.digits(system, "new_wa_id"),
        old_user_id=reading.text(system, "previous_user_id"),
        new_user_id=reading.text(system, "user_id") or reading.text(item, "from_user_id"),
        at=reading.moment(item, "timestamp"),
    )


def _preference(change: Change, item: Json) -> Event:
    number, user_id = reading.digits(item, "wa_id"), reading.text(item, "user_id")
    contact = change.people.get(number or user_id) or {}
    return PreferenceEvent(
        phone_number_id=change.phone_number_id,
        sender=number,
        user_id=user_id,
        choice=reading.required(item, "value"),
        category=reading.text(item, "category"),
        at=reading.moment(item, "timestamp"),
        profile_name=reading.text(reading.table(contact, "profile"), "name"),
        signup_id=reading.text(item, "signup_id"),
    )


def _account_error(change: Change, item: Json) -> Event:
    details = reading.text(reading.table(item, "error_data"), "details")
    return AccountError(change.phone_number_id, reading.number(item, "code"), reading.text(item, "title"), details)


def _template_key(change: Change, value: Json) -> tuple[str, str, str, str]:
    """The account, and the template's id, name and language (`es-MX` in webhooks is `es_MX` in the API)."""
    language = reading.text(value, "message_template_language").replace("-", "_")
    return (
        change.waba_id,
        reading.required(value, "message_template_id"),
        reading.text(value, "message_template_name"),
        language,
    )


def _template_status(change: Change, value: Json) -> Event:
    if "new_quality_score" in value:  # Meta's own example has it under this field
        return _template_quality(change, value)
    rejection, other = reading.table(value, "rejection_info"), reading.table(value, "other_info")
    details = (
        reading.text(rejection, "reason"),
        reading.text(rejection, "recommendation"),
        reading.text(other, "description") or reading.text(other, "title"),
    )
    reason = reading.text(value, "reason")
    return TemplateStatusEvent(
        *_template_key(change, value),
        status=reading.required(value, "event").upper(),
        reason="" if reason == "NONE" else reason,
        details=" ".join(filter(None, details)),
        at=change.at,
    )


def _template_quality(change: Change, value: Json) -> Event:
    return TemplateQualityEvent(
        *_template_key(change, value), quality=reading.required(value, "new_quality_score"), at=change.at
    )


def _template_category(change: Change, value: Json) -> Event:
    announced = reading.text(value, "correct_category")
    return TemplateCategoryEvent(
        *_template_key(change, value),
        category=reading.required(value, "new_category"),
        upcoming=announced,
        at=change.at,
    )


def _number_quality(change: Change, value: Json) -> Event:
    limit = reading.text(value, "max_daily_conversations_per_business") or reading.text(value, "current_limit")
    return NumberQualityEvent(
        change.waba_id,
        reading.digits(value, "display_phone_number"),
        reading.required(value, "event"),
        limit=limit,
        at=change.at,
    )


def _account(change: Change, value: Json) -> Event:
    event = reading.text(value, "event") or reading.text(value, "decision")
    event = event or reading.text(reading.table(value, "alert_info"), "alert_type")
    return AccountEvent(change.waba_id, change.field, event, value, at=change.at)


LISTS: dict[str, dict[str, Reader]] = {
    "messages": {"statuses": _status, "messages": _message, "errors": _account_error},
    "user_preferences": {"user_preferences": _preference},
}
READERS: dict[str, Reader] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "template_category_update": _template_category,
    "phone_number_quality_update": _number_quality,
    "phone_number_name_update": _account,
    "account_update": _account,
    "account_review_update": _account,
    "account_alerts": _account,
    "business_capability_update": _account,
    "security": _account,
}
