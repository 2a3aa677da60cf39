"""The kinds of events that webhooks bring, in our own words. Numbers are digits without a plus; times are UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pregon.whatsapp.cloud.reading import Json


class StatusEvent(NamedTuple):  # the only kind that comes by the thousand: made in half a dataclass's time
    """What became of a message. `status`: sent, delivered, read, played, failed, or a word yet unknown."""

    phone_number_id: str
    wamid: str
    status: str
    at: datetime | None
    recipient: str = ""  # digits without +; empty when Meta hides the number
    recipient_user_id: str = ""
    reference: str = ""  # our `biz_opaque_callback_data`
    error_code: int | None = None
    error_title: str = ""
    error_details: str = ""
    category: str = ""  # marketing, utility, authentication, service …
    pricing_type: str = ""  # regular, free_customer_service, free_entry_point
    billable: bool | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What a person wrote or tapped. `payload` is the button's, `text` what they see in their chat."""

    phone_number_id: str
    wamid: str
    sender: str  # digits without +; empty when Meta hides the number
    user_id: str
    profile_name: str
    at: datetime | None
    kind: str  # text, button, interactive, image, reaction, unsupported …
    text: str = ""
    payload: str = ""
    context_wamid: str = ""  # the message of ours that it answers


@dataclass(frozen=True, slots=True)
class PreferenceEvent:
    """A person's choice in WhatsApp's own settings. `choice`: stop, resume, signup."""

    phone_number_id: str
    sender: str
    user_id: str
    choice: str
    category: str
    at: datetime | None
    profile_name: str = ""
    signup_id: str = ""  # of the invitation that was accepted


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A person has another number, or another user id. The new one may be unknown (empty)."""

    phone_number_id: str
    kind: str  # user_changed_number, user_changed_user_id
    old_number: str
    new_number: str
    old_user_id: str
    new_user_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TemplateStatusEvent:
    """A template was approved, rejected, paused …: `status` in capitals as in the list of templates."""

    waba_id: str
    template_id: str
    name: str
    language: str  # with an underscore, as the API has it
    status: str
    reason: str = ""
    details: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TemplateQualityEvent:
    """GREEN, YELLOW, RED or UNKNOWN."""

    waba_id: str
    template_id: str
    name: str
    language: str
    quality: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TemplateCategoryEvent:
    """A template's category. `upcoming` is set when Meta announces a change that has not happened yet."""

    waba_id: str
    template_id: str
    name: str
    language: str
    category: str
    upcoming: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NumberQualityEvent:
    """A number's pace or limit changed; it is known by its display number only. `limit` as Meta writes it, or empty."""

    waba_id: str
    display_number: str  # digits
    event: str
    limit: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Anything about the account: violation, restriction, ban, review, alert, capability; `value` as it came."""

    waba_id: str
    field: str
    event: str
    value: Json
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountError:
    """An error of the whole number, without a message."""

    phone_number_id: str
    code: int | None
    title: str
    details: str
    at: datetime | None = None  # Meta gives no time


@dataclass(frozen=True, slots=True)
class Unknown:
    """What we could not read: the webhook's field and why, without anything personal."""

    field: str
    reason: str


Event = (
    StatusEvent
    | InboundMessage
    | PreferenceEvent
    | UserChanged
    | TemplateStatusEvent
    | TemplateQualityEvent
    | TemplateCategoryEvent
    | NumberQualityEvent
    | AccountEvent
    | AccountError
    | Unknown
)
