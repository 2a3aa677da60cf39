"""Tells those who care what happened at Meta."""

import logging
from collections.abc import Iterable
from typing import TypeVar

from django.db import transaction

from pregon.promotions import halts
from pregon.sending import locks, replies, senders, statuses, stops
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


def route(events: Iterable[Event], *, again: bool = False) -> None:
    """What comes in bulk is handed on in bulk; the rest one by one. `again`: they may be older than what we know."""
    all_events = list(events)
    locks.take(all_events)
    senders.learn(all_events)
    statuses.apply(_of(StatusEvent, all_events))
    stops.heard(all_events)
    others = [event for event in all_events if not isinstance(event, StatusEvent)]
    replies.receive(_of(InboundMessage, others))
    replies.prefer(_of(PreferenceEvent, others))
    for event in others:
        _tell(event, again=again)


def _of(kind: type[E], events: Iterable[object]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def _tell(event: Event, *, again: bool) -> None:
    match event:
        case TemplateStatusEvent() | TemplateCategoryEvent() if not again:
            templates.apply(event)
            transaction.on_commit(halts.check, robust=True)  # apart: it takes batches in an order of its own
        case TemplateStatusEvent() | TemplateCategoryEvent():
            whatsapp_jobs.heard(event)  # only the last word counts: Meta is asked for it
        case NumberQualityEvent() | AccountEvent():
            whatsapp_jobs.heard(event)
        case AccountError(code=code, title=title):
            log.warning("Meta reports an error of a number: %s %s", code, title)
        case Unknown(field=field, reason=reason):
            log.info("webhook not read: %s (%s)", field, reason)
        case StatusEvent() | InboundMessage() | PreferenceEvent() | UserChanged() | TemplateQualityEvent():
            pass
