"""`POST /{phone_number_id}/messages`: what Meta accepts, refuses, and reports afterwards."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pregon.simulator import addresses, limits
from pregon.simulator.limits import Bucket
from pregon.whatsapp.cloud import events
from tests.simulator.conftest import NUMBER, PROMOTION, QUICK, WABA, Inbox, Running

ANA = "+522225552100"


def test_a_promotion_is_accepted_sent_delivered_and_read(meta: Running, inbox: Inbox) -> None:
    status, answer = meta.send("+522225550000", "pregon:x:1")
    assert status == 200 and answer["messages"][0]["message_status"] == "accepted"
    assert answer["contacts"] == [{"input": "+522225550000", "wa_id": "5212225550000"}]
    meta.quiet()
    assert inbox.statuses("pregon:x:1") == ["sent", "delivered", "read"] and not inbox.unsigned
    first = inbox.events[0]
    assert isinstance(first, events.StatusEvent)
    assert (first.wamid, first.recipient, first.category) == (answer["messages"][0]["id"], "5212225550000", "marketing")


def test_webhooks_are_escaped_as_meta_does(meta: Running, inbox: Inbox) -> None:
    meta.ask("/_sim/phones/+522225552100/reply", {"text": "¿Hay de nuez? a/b 🙏"})
    meta.quiet()
    assert b"\\u00bfHay de nuez? a\\/b \\ud83d\\ude4f" in b"".join(inbox.posts) and all(
        raw.isascii() for raw in inbox.posts
    )
    assert [event.text for event in inbox.events if isinstance(event, events.InboundMessage)] == [
        "¿Hay de nuez? a/b 🙏"
    ]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The promotion with one place changed: `template.language.code`, `components.1.parameters`."""
    message: Any = copy.deepcopy(PROMOTION)
    *way, last = path.split(".")
    place = message["template"]
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[int(last) if last.isdecimal() else last] = value
    return dict(message)


@pytest.mark.parametrize(
    ("path", "value", "code", "details"),
    [
        ("name", "otra", 132001, "template name (otra) does not exist in es_MX"),
        ("language.code", "es", 132001, "template name (promo_general) does not exist in es"),
        ("language", {}, 100, ""),
        (
            "components",
            [],
            132000,
            "header: number of localizable_params (0) does not match the expected number of params (1)",
        ),
        (
            "components.1.parameters.0",
            {"type": "image"},
            132012,
            "body: Format mismatch, expected TEXT, received IMAGE",
        ),
        (
            "components.1.parameters.0.text",
            "a\nb",
            132018,
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        ),
        (
            "components.1.parameters.0.text",
            "a     b",
            132018,
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        ),
        ("components.1.parameters.0.text", "", 131008, "body: Parameter of type text is missing text value"),
        ("components.1.parameters.0.text", "a" * 1100, 132005, "body: text too long (1129 characters)"),
        ("components.2.index", "4", 132012, "buttons: Button at index 4 does not exist in the template"),
        (
            "components.2.parameters.0.payload",
            "a" * 257,
            131009,
            "buttons: payload must be at most 256 characters long",
        ),
        ("components", "text", 100, "The message does not have the documented form"),
        ("components.1", 7, 100, "The message does not have the documented form"),
    ],
)
def test_templates_are_checked(meta: Running, path: str, value: Any, code: int, details: str) -> None:
    status, answer = meta.send(ANA, **changed(path, value))
    assert answer["error"]["code"] == code and status == (404 if code == 132001 else 400)
    assert answer["error"].get("error_data", {}).get("details", "") == details


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "text", "text": {"body": ""}}, 100),
        ({"type": "text", "text": {"body": "a" * 4097}}, 100),
        ({"type": "text", "text": "hola"}, 100),
        ({"type": "hologram", "hologram": {}}, 100),
        ({"type": "image", "image": {}}, 131008),
        (
            {
                "type": "interactive",
                "interactive": {"type": "button", "body": {"text": "x"}, "action": {"buttons": []}},
            },
            131009,
        ),
        ({"type": "interactive", "interactive": {"type": "button"}}, 100),
    ],
)
def test_other_messages_are_checked(meta: Running, message: dict[str, Any], code: int) -> None:
    assert meta.send(ANA, **message)[1]["error"]["code"] == code


def test_the_envelope_is_checked(meta: Running) -> None:
    path = f"/v26.0/{NUMBER}/messages"
    assert meta.ask(path, {"to": ANA})[1]["error"]["message"] == "(#100) The parameter messaging_product is required."
    assert (
        meta.ask(path, {"messaging_product": "whatsapp"})[1]["error"]["message"]
        == "(#100) The parameter to is required."
    )
    assert meta.ask(path, [])[1]["error"]["code"] == 100
    assert meta.send(ANA, "r" * 513)[1]["error"]["code"] == 100
    assert meta.send("+52 222", "r")[1]["error"]["error_subcode"] == 2494010
    assert meta.send("+522225550142")[1]["error"]["code"] == 131021


def test_tokens_and_ids_are_checked(meta: Running) -> None:
    path = f"/v26.0/{NUMBER}/messages"
    meta.ask("/_sim/setup", {"settings": {"tokens": {"old": "expired", "other": "1"}}})
    assert meta.ask(path, {}, token="")[0] == 401
    assert meta.ask(path, {}, token="wrong")[1]["error"]["code"] == 190
    assert meta.ask(path, {}, token="old")[1]["error"]["error_subcode"] == 463
    assert meta.ask(path, {}, token="other")[0] == 403
    assert meta.ask("/v26.0/1/messages", {})[1]["error"]["error_subcode"] == 33


def test_any_supported_version_and_none(meta: Running) -> None:
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    for prefix in ("", "/v17.0", "/v26.0"):
        assert meta.ask(f"{prefix}/{NUMBER}/messages", body) == (200, {"success": True})
    assert meta.ask(f"/v16.0/{NUMBER}/messages", body)[0] == 400


@pytest.mark.parametrize(
    ("ending", "code"),
    [("0001", 131026), ("0002", 131049), ("0003", 131050), ("0004", 130472)],
)
def test_personas_fail_later(meta: Running, inbox: Inbox, ending: str, code: int) -> None:
    assert meta.send(f"+52222555{ending}", "r")[0] == 200
    meta.quiet()
    assert [event.error_code for event in inbox.events if isinstance(event, events.StatusEvent)] == [code]


def test_other_personas(meta: Running, inbox: Inbox) -> None:
    for ending in ("0005", "0007", "0011", "0012", "0014", "0015"):
        assert meta.send(f"+52222555{ending}", ending)[0] == 200
    meta.quiet()
    assert inbox.statuses("0005") == ["sent", "delivered"]
    assert inbox.statuses("0007") == ["sent"]
    assert sorted(inbox.statuses("0014")) == ["delivered", "delivered", "read", "read", "sent", "sent"]
    assert inbox.statuses("0015") == ["failed", "delivered"]
    assert [event.text for event in inbox.events if isinstance(event, events.InboundMessage)] == ["BAJA"]
    hidden = [event for event in inbox.events if isinstance(event, events.StatusEvent) and event.reference == "0012"]
    assert all(not event.recipient and event.recipient_user_id.startswith("MX.") for event in hidden)
    meta.ask("/_sim/phones/+522225550007", {"on": True})
    meta.quiet()
    assert inbox.statuses("0007") == ["sent", "delivered", "read"]


def test_personas_that_spoil_the_call(meta: Running) -> None:
    assert meta.send("+522225550013")[1]["error"]["error_subcode"] == 2494010
    assert meta.send("+522225550010")[1]["error"]["code"] == 131000
    assert [meta.send("+522225550016")[0] for _ in range(2)] == [503, 200]


def test_endings_can_be_ordinary(start: Callable[..., Running]) -> None:
    meta = start({"settings": QUICK | {"endings": False}})
    assert meta.send("+522225550013")[0] == 200


def test_free_text_needs_an_open_window(meta: Running, inbox: Inbox) -> None:
    hello = {"type": "text", "text": {"body": "Hola"}}
    meta.send(ANA, "before", **hello)
    meta.ask("/_sim/phones/+522225552100/reply", {"text": "¿Hay?"})
    meta.send(ANA, "after", **hello)
    meta.quiet()
    assert inbox.statuses("before") == ["failed"] and inbox.statuses("after")[0] == "sent"


def test_no_marketing_to_the_united_states_and_unknown_media(meta: Running, inbox: Inbox) -> None:
    meta.send("+16505552100", "us")
    meta.ask("/_sim/phones/+522225552100/reply", {"text": "¿Hay?"})
    meta.send(ANA, "media", type="image", image={"id": "1"})
    meta.quiet()
    codes = {event.reference: event.error_code for event in inbox.events if isinstance(event, events.StatusEvent)}
    assert codes == {"us": 131049, "media": 131053}


def test_a_number_has_a_pace(meta: Running) -> None:
    meta.ask(f"/_sim/numbers/{NUMBER}", {"mps": 3})
    answers = [meta.send(f"+52222555210{place}") for place in range(6)]
    assert [status for status, _ in answers[:3]] == [200, 200, 200]
    assert answers[5][1]["error"]["code"] == 130429


def test_a_bucket_fills_again() -> None:
    bucket = Bucket(2.0, 2.0, 0.0)
    assert [bucket.take(at) for at in (0, 0, 0, 0.5, 0.5, 9, 9, 9)] == [
        True,
        True,
        False,
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_pair_may_burst_and_then_waits_for_its_average() -> None:
    pair = [0.0, 0.0]
    assert sum(limits.pass_pair(pair, 100.0) for _ in range(60)) == 45
    assert not limits.pass_pair(pair, 107.0) and not limits.pass_pair(pair, 100.0 + 45 * 6 - 1)
    assert limits.pass_pair(pair, 100.0 + 45 * 6)


@pytest.mark.parametrize(
    ("dialled", "wa_id"),
    [
        ("+522225550117", "5212225550117"),
        ("+5212225550117", "5212225550117"),
        ("+541112345678", "5491112345678"),
        ("+5531987654321", "553187654321"),
        ("+5511987654321", "5511987654321"),
        ("+573001234567", "573001234567"),
        ("2225550117", "5212225550117"),
        ("(222) 555-0117", "5212225550117"),
    ],
)
def test_numbers_as_whatsapp_keeps_them(dialled: str, wa_id: str) -> None:
    assert addresses.wa_id(addresses.dialled(dialled, "522225550142")) == wa_id


@pytest.mark.parametrize("dialled", ["+52 222", "hola", "", "+1234567890123456", "+52x2225550117"])
def test_numbers_that_nobody_can_dial(dialled: str) -> None:
    assert addresses.dialled(dialled, "522225550142") == ""


def test_a_person_can_be_reached_by_user_id(meta: Running, inbox: Inbox) -> None:
    meta.ask("/_sim/phones/+522225552100", {"name": "Ana"})
    user_id = meta.ask("/_sim/phones/+522225552100")[1]["user_id"]
    body = {"messaging_product": "whatsapp", "recipient": user_id} | PROMOTION
    assert meta.ask(f"/{NUMBER}/messages", body)[1]["contacts"] == [{"input": user_id, "user_id": user_id}]
    body["recipient"] = "MX.1"
    assert meta.ask(f"/{NUMBER}/messages", body)[1]["error"]["code"] == 131009


def test_refusals_of_a_number_can_be_chosen(meta: Running) -> None:
    meta.ask(f"/_sim/numbers/{NUMBER}", {"refuses_with": 131048})
    assert meta.send(ANA)[1]["error"]["code"] == 131048
    meta.ask(f"/_sim/numbers/{NUMBER}", {"refuses_with": 0, "only_to": ["5212225552200"]})
    assert meta.send(ANA)[1]["error"]["code"] == 131030


@pytest.mark.parametrize(("status", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("REJECTED", 132001)])
def test_a_template_that_is_not_approved(meta: Running, inbox: Inbox, status: str, code: int) -> None:
    template = meta.simulator.world.index[WABA, "promo_general", "es_MX"].id
    meta.ask(f"/_sim/templates/{template}", {"status": status})
    assert meta.send(ANA)[1]["error"]["code"] == code
    meta.quiet()
    assert [event.status for event in inbox.events if isinstance(event, events.TemplateStatusEvent)] == [status]


def people(meta: Running, count: int, first: int = 0, **sent: Any) -> list[int]:
    """The codes with which Meta refuses each of them; 0 for those it takes."""
    answers = [meta.send(f"+5222255540{place:02d}", **sent) for place in range(first, first + count)]
    return [answer["error"]["code"] if status != 200 else 0 for status, answer in answers]


def test_a_business_writes_first_to_so_many_people_a_day(meta: Running) -> None:
    meta.ask(f"/_sim/numbers/{NUMBER}", {"tier": "TIER_5"})
    assert people(meta, 6) == [0] * 5 + [131048]
    assert people(meta, 5) == [0] * 5  # the same people
    meta.ask("/_sim/phones/+522225554009/reply", {"text": "¿Hay pan?"})
    assert people(meta, 1, first=9) == [0]  # who wrote is free
    assert meta.ask("/_sim/state")[1]["beyond"] == 1
    meta.ask(f"/_sim/numbers/{NUMBER}", {"tier": "TIER_UNLIMITED"})
    assert people(meta, 1, first=5) == [0]
    assert meta.ask(f"/_sim/numbers/{NUMBER}", {"tier": "much"})[0] == 400


def test_people_of_a_day_are_free_again_when_it_is_over() -> None:
    written: dict[str, float] = {}
    day = limits.DAY_SECONDS
    assert [limits.pass_day(written, who, 2, at) for who, at in (("a", 0.0), ("b", 1.0), ("c", 2.0))] == [1, 1, 0]
    assert limits.pass_day(written, "a", 2, 3.0) and not limits.pass_day(written, "c", 2, day)
    assert limits.pass_day(written, "c", 2, day + 1) and not limits.pass_day(written, "b", 2, day + 2)


def test_meta_tells_of_another_limit_and_another_pace(meta: Running, inbox: Inbox) -> None:
    meta.ask(f"/_sim/numbers/{NUMBER}", {"tier": "TIER_10K", "mps": 1_000})
    meta.ask(f"/_sim/numbers/{NUMBER}", {"tier": "TIER_10K", "mps": 80})
    meta.quiet()
    limit, faster = inbox.events
    assert isinstance(limit, events.AccountEvent) and limit.field == "business_capability_update"
    assert isinstance(faster, events.NumberQualityEvent) and faster.event == "THROUGHPUT_UPGRADE"
