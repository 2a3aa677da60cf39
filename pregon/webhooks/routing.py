"""Tells those who care what happened at Meta."""

import logging
from collections.abc import Iterable
from typing import TypeVar

from pregon.sending import replies, statuses
from pregon.whatsapp import jobs as whatsapp_jobs
from pregon.whatsapp import templates
from pregon.whatsapp.cloud.events import (
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

log = logging.getLogger(__name__)
E = TypeVar("E")


def route(events: Iterable[Event]) -> None:
    """What comes in bulk is handed on in bulk; the rest one by one."""
    all_events = list(events)
    statuses.apply(_of(StatusEvent, all_events))
    replies.receive(_of(InboundMessage, all_events))
    replies.prefer(_of(PreferenceEvent, all_events))
    for event in all_events:
        _tell(event)


def _of(kind: type[E], events: Iterable[object]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def _tell(event: Event) -> None:
    match event:
        case TemplateStatusEvent() | TemplateCategoryEvent():
            templates.apply(event)
        case NumberQualityEvent() | AccountEvent():
            whatsapp_jobs.heard(event)
        case AccountError(code=code, title=title):
            log.warning("Meta reports an error of a number: %s %s", code, title)
        case UserChanged(kind=kind):
            log.info("a person changed at Meta: %s", kind)
        case Unknown(field=field, reason=reason):
            log.info("webhook not read: %s (%s)", field, reason)
        case StatusEvent() | InboundMessage() | PreferenceEvent() | TemplateQualityEvent():
            pass
