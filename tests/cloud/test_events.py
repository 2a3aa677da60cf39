"""Every kind of webhook, as files named for the case; and whatever else may come."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.whatsapp.cloud import events

PAYLOADS = Path(__file__).parent.parent / "payloads"
NUMBER, WABA = "106540352242922", "102290129340398"
ANA, ANA_ID = "5212225550117", "MX.13491208655302741918"
OURS = "wamid.HBgLNTIyMjI1NTUwMTE3"

# file → (kind of event, some of its fields), one pair per event
EXPECTED: dict[str, list[tuple[type, dict[str, Any]]]] = {
    "status_sent_with_pricing": [
        (
            events.StatusEvent,
            {
                "phone_number_id": NUMBER,
                "wamid": OURS,
                "status": "sent",
                "at": datetime(2025, 6, 15, 23, 27, 53, tzinfo=UTC),
                "recipient": ANA,
                "recipient_user_id": ANA_ID,
                "reference": "pregon:casa:77",
                "error_code": None,
                "category": "marketing",
                "pricing_type": "regular",
                "billable": True,
            },
        )
    ],
    "status_delivered": [(events.StatusEvent, {"status": "delivered"})],
    "status_read_without_number": [
        (events.StatusEvent, {"status": "read", "recipient": "", "recipient_user_id": ANA_ID})
    ],
    "status_failed_meta_asks_to_wait": [(events.StatusEvent, {"status": "failed", "error_code": 131049})],
    "status_failed_without_whatsapp": [
        (
            events.StatusEvent,
            {"error_code": 131026, "error_title": "Message undeliverable", "error_details": "Message Undeliverable."},
        )
    ],
    "status_of_a_service_message": [(events.StatusEvent, {"category": "service"})],
    "status_unknown_word": [(events.StatusEvent, {"status": "warning"})],
    "status_batch_out_of_order": [
        (events.StatusEvent, {"status": "read"}),
        (events.StatusEvent, {"status": "sent"}),
        (events.StatusEvent, {"status": "delivered", "reference": "pregon:casa:78"}),
    ],
    "status_one_unreadable_among_three": [
        (events.StatusEvent, {"status": "sent"}),
        (events.Unknown, {"reason": "KeyError id"}),
        (events.Unknown, {"reason": "not an object"}),
        (events.StatusEvent, {"at": None}),
    ],
    "inbound_text": [
        (
            events.InboundMessage,
            {
                "phone_number_id": NUMBER,
                "wamid": "wamid.INBOUND",
                "sender": ANA,
                "user_id": ANA_ID,
                "profile_name": "Ana Muñoz",
                "kind": "text",
                "text": "Baja por favor 🙏",
                "payload": "",
                "context_wamid": "",
            },
        )
    ],
    "inbound_quick_reply": [
        (
            events.InboundMessage,
            {
                "kind": "button",
                "text": "No recibir promociones",
                "payload": "BAJA:pregon:casa:77",
                "context_wamid": OURS,
            },
        )
    ],
    "inbound_button_reply": [(events.InboundMessage, {"kind": "interactive", "text": "Sí", "payload": "si"})],
    "inbound_list_reply": [(events.InboundMessage, {"text": "Fila", "payload": "r1"})],
    "inbound_without_number": [(events.InboundMessage, {"sender": "", "user_id": ANA_ID, "profile_name": "Iván"})],
    "inbound_image_with_caption": [(events.InboundMessage, {"kind": "image", "text": "Este quiero"})],
    "inbound_reaction_removed": [(events.InboundMessage, {"kind": "reaction", "text": ""})],
    "inbound_unsupported": [(events.InboundMessage, {"kind": "unsupported", "text": ""})],
    "inbound_two_people": [
        (events.InboundMessage, {"profile_name": "Ana Muñoz"}),
        (events.InboundMessage, {"profile_name": "Iván", "sender": "5212225550129"}),
    ],
    "system_user_changed_number": [
        (events.UserChanged, {"kind": "user_changed_number", "old_number": "16505551234", "new_number": "12195555358"})
    ],
    "system_user_changed_user_id": [
        (
            events.UserChanged,
            {"kind": "user_changed_user_id", "old_user_id": "MX.1", "new_user_id": "MX.2", "old_number": ""},
        )
    ],
    "number_too_fast": [(events.AccountError, {"phone_number_id": NUMBER, "code": 130429, "title": "Rate limit hit"})],
    "preferences_stop_and_resume": [
        (
            events.PreferenceEvent,
            {
                "sender": "16505551234",
                "choice": "stop",
                "category": "marketing_messages",
                "at": datetime(2024, 11, 15, 21, 22, 1, tzinfo=UTC),
            },
        ),
        (events.PreferenceEvent, {"choice": "resume"}),
    ],
    "template_approved": [
        (
            events.TemplateStatusEvent,
            {
                "waba_id": WABA,
                "template_id": "1689556908129832",
                "name": "promo_julio",
                "language": "es_MX",
                "status": "APPROVED",
                "reason": "",
                "details": "",
            },
        )
    ],
    "template_rejected_with_advice": [
        (
            events.TemplateStatusEvent,
            {
                "status": "REJECTED",
                "reason": "INVALID_FORMAT",
                "details": "Your template has parameters placed next to each other. Separate parameters with descriptive text.",
            },
        )
    ],
    "template_paused_first_time": [
        (events.TemplateStatusEvent, {"status": "PAUSED", "details": "Your template has been paused for 3 hours."})
    ],
    "template_deletion_without_reason": [(events.TemplateStatusEvent, {"status": "PENDING_DELETION", "reason": ""})],
    "template_quality": [(events.TemplateQualityEvent, {"quality": "YELLOW", "template_id": "1689556908129832"})],
    "template_quality_under_the_status_field": [(events.TemplateQualityEvent, {"quality": "RED"})],
    "template_category_announced": [(events.TemplateCategoryEvent, {"category": "UTILITY", "upcoming": "MARKETING"})],
    "template_category_changed": [(events.TemplateCategoryEvent, {"category": "MARKETING", "upcoming": ""})],
    "number_throughput_upgrade": [
        (
            events.NumberQualityEvent,
            {"display_number": "522225550142", "event": "THROUGHPUT_UPGRADE", "limit": "TIER_UNLIMITED"},
        )
    ],
    "number_limit_as_a_number": [(events.NumberQualityEvent, {"limit": "2000"})],
    "number_name_approved": [(events.AccountEvent, {"field": "phone_number_name_update", "event": "APPROVED"})],
    "account_restricted": [(events.AccountEvent, {"waba_id": WABA, "event": "ACCOUNT_RESTRICTION"})],
    "account_violation": [(events.AccountEvent, {"event": "ACCOUNT_VIOLATION"})],
    "account_reviewed": [(events.AccountEvent, {"field": "account_review_update", "event": "APPROVED"})],
    "account_capability": [(events.AccountEvent, {"field": "business_capability_update"})],
    "account_alert": [(events.AccountEvent, {"event": "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"})],
    "unknown_field": [(events.Unknown, {"field": "payment_configuration_update", "reason": "unknown field"})],
    "field_beside_the_entry": [(events.AccountEvent, {"waba_id": WABA, "event": "PARTNER_REMOVED"})],
    "two_entries": [
        (events.StatusEvent, {}),
        (events.InboundMessage, {"text": "ALTA"}),
        (events.AccountEvent, {"waba_id": "2", "event": "REJECTED"}),
    ],
    "without_entries": [(events.Unknown, {"field": ""})],
    "messages_without_content": [(events.Unknown, {"field": "messages", "reason": "empty"})],
}


def read(name: str) -> Any:
    return orjson.loads((PAYLOADS / f"{name}.json").read_bytes())


def test_every_file_has_its_expectation() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_reads(name: str) -> None:
    parsed = events.parse(read(name))
    assert [type(event) for event in parsed] == [kind for kind, _ in EXPECTED[name]]
    for event, (_, fields) in zip(parsed, EXPECTED[name], strict=True):
        assert {key: getattr(event, key) for key in fields} == fields


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        5,
        {},
        {"entry": None},
        {"entry": [None, 1]},
        {"entry": {"changes": 3}},
        {"entry": [{"changes": [{"field": "messages", "value": {"statuses": [{"id": 10**400}]}}]}]},
    ],
)
def test_odd_payloads_are_unknown(payload: object) -> None:
    assert all(isinstance(event, events.Unknown) for event in events.parse(payload))


def test_a_thousand_updates_in_one_post() -> None:
    payload = read("status_delivered")
    payload["entry"][0]["changes"][0]["value"]["statuses"] *= 1000
    assert len(events.parse(payload)) == 1000


def test_text_is_fit_for_a_database() -> None:
    payload = read("inbound_text")
    payload["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = "a\x00b\ud83d"
    (event,) = events.parse(payload)
    assert isinstance(event, events.InboundMessage) and event.text == "ab?"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_never_raises_on_any_json(payload: object) -> None:
    assert events.parse(payload)


@given(name=st.sampled_from(sorted(EXPECTED)), data=st.data())
def test_never_raises_on_damaged_webhooks(name: str, data: st.DataObject) -> None:
    assert events.parse(damaged(read(name), data))


def damaged(node: Any, data: st.DataObject) -> Any:
    """The payload with one place, somewhere, replaced or taken away."""
    if not isinstance(node, dict | list) or not node or data.draw(st.integers(0, 9)) == 0:
        return data.draw(JSON)
    key = data.draw(st.sampled_from(range(len(node)) if isinstance(node, list) else sorted(node)))
    if data.draw(st.integers(0, 9)) == 0:
        node.pop(key)
    else:
        node[key] = damaged(node[key], data)
    return node
