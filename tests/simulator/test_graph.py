"""Templates, numbers, media, tokens and subscriptions, asked by the product's own client."""

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from pregon.simulator import reviews, setup
from pregon.whatsapp.cloud import client, errors, events, management
from tests.simulator.conftest import NUMBER, TOKEN, WABA, Inbox, Running

T = TypeVar("T")

GOOD: dict[str, Any] = {
    "name": "promo_julio",
    "language": "es_MX",
    "category": "MARKETING",
    "components": [
        {"type": "BODY", "text": "Hola {{1}}, ven a la tienda.", "example": {"body_text": [["Ana"]]}},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "No recibir promociones"}]},
    ],
}


def asked(meta: Running, question: Callable[[client.Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with client.Client(meta.url, NUMBER, TOKEN) as line:
            return await question(line)

    return asyncio.run(run())


def test_a_number(meta: Running) -> None:
    number = asked(meta, management.phone_number)
    assert number["verified_name"] == "Panadería La Espiga" and number["throughput"] == {"level": "STANDARD"}
    assert [one["id"] for one in asked(meta, lambda line: management.phone_numbers(line, WABA))] == [NUMBER]


def test_fields_are_chosen(meta: Running) -> None:
    wanted = "quality_rating,health_status{can_send_message,entities},whatsapp_business_manager_messaging_limit"
    _, number = meta.ask(f"/{NUMBER}?fields={wanted}")
    assert set(number) == {"id", "quality_rating", "health_status", "whatsapp_business_manager_messaging_limit"}


def test_all_pages_of_templates(meta: Running) -> None:
    more = [
        {"name": f"otra_{place}", "language": "es", "category": "UTILITY", "components": []} for place in range(230)
    ]
    meta.ask("/_sim/setup", {"templates": more})
    names = {one["name"] for one in asked(meta, lambda line: management.templates(line, WABA))}
    assert len(names) == 233 and "promo_general" in names


def test_filters_and_bad_cursors(meta: Running) -> None:
    _, page = meta.ask(f"/{WABA}/message_templates?status=approved&category=utility&fields=name")
    assert [one["name"] for one in page["data"]] == ["pedido_listo"] and "next" not in page["paging"]
    assert meta.ask(f"/{WABA}/message_templates?after=x")[1]["error"]["code"] == 131059
    assert meta.ask(f"/{WABA}/message_templates?name=ninguna")[1] == {"data": []}


def test_a_template_is_reviewed_and_can_be_deleted(meta: Running, inbox: Inbox) -> None:
    made = asked(meta, lambda line: management.create_template(line, WABA, GOOD))
    assert made["status"] == "PENDING"
    meta.quiet()
    (event,) = inbox.events
    assert isinstance(event, events.TemplateStatusEvent)
    assert (event.template_id, event.status, event.language) == (made["id"], "APPROVED", "es_MX")
    assert meta.ask(f"/{made['id']}")[1]["status"] == "APPROVED"
    assert meta.ask(f"/{WABA}/message_templates?name=promo_julio&hsm_id={made['id']}", method="DELETE")[0] == 200
    assert meta.ask(f"/{made['id']}")[1]["error"]["error_subcode"] == 33


def test_an_edited_template_is_reviewed_again(meta: Running, inbox: Inbox) -> None:
    template = meta.simulator.world.index[WABA, "promo_general", "es_MX"].id
    body = {"type": "BODY", "text": "Hola {{1}}, {{2}} adiós.", "example": {"body_text": [["a", "b"]]}}
    asked(meta, lambda line: management.edit_template(line, template, {"components": [body]}))
    meta.quiet()
    (event,) = inbox.events
    assert isinstance(event, events.TemplateStatusEvent) and event.status == "APPROVED"
    body["text"] = "Hola {{1}}{{2}} y hasta pronto."
    asked(meta, lambda line: management.edit_template(line, template, {"components": [body]}))
    meta.quiet()
    event = inbox.events[-1]
    assert isinstance(event, events.TemplateStatusEvent) and event.reason == "INVALID_FORMAT" and event.details


def test_a_utility_template_that_promotes_becomes_marketing(meta: Running, inbox: Inbox) -> None:
    body = {"type": "BODY", "text": "Hola {{1}}, hoy hay oferta.", "example": {"body_text": [["Ana"]]}}
    asked(
        meta, lambda line: management.create_template(line, WABA, GOOD | {"category": "UTILITY", "components": [body]})
    )
    meta.quiet()
    kinds = {type(event): event for event in inbox.events}
    moved = kinds[events.TemplateCategoryEvent]
    assert isinstance(moved, events.TemplateCategoryEvent) and moved.category == "MARKETING"


def body(text: str, *others: dict[str, Any], example: bool = True) -> dict[str, Any]:
    """Changes that make a template with this body."""
    part = {"type": "BODY", "text": text} | ({"example": {"body_text": [["a"]]}} if example else {})
    return {"components": [part, *others]}


def buttons(*kinds: str, **more: str) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": [{"type": kind, "text": "Ir"} | more for kind in kinds]}


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"name": "Promo Julio"}, 2388051),
        ({"name": "promo_general"}, 2388024),
        ({"language": "español"}, 0),
        ({"category": "SALE"}, 0),
        ({"components": None}, 0),
        ({"components": []}, 2388072),
        (body("a" * 1025), 2388040),
        (body("{{1}} hola"), 2388299),
        (body("hola {{1}}"), 2388299),
        (body("a {{1}} {{2}} b"), 2388293),
        (body("hola {{2}} y más palabras"), 2388072),
        (body("hola {{1}} y más", example=False), 2388072),
        (body("hola", {"type": "HEADER", "format": "TEXT", "text": "a" * 61}), 2388047),
        (body("hola", {"type": "HEADER", "format": "TEXT", "text": "Oferta 🎉"}), 2388047),
        (body("hola", {"type": "FOOTER", "text": "{{1}}"}), 2388073),
        (body("hola", buttons("QUICK_REPLY", "URL", "QUICK_REPLY", url="https://x")), 0),
        (body("hola", buttons("URL", "URL", "URL", url="https://x")), 0),
        (body("hola", buttons("URL", url="https://x/{{1}}/y")), 0),
        (body("hola", buttons("QUICK_REPLY", text="a" * 26)), 0),
    ],
)
def test_rules_of_form(meta: Running, changes: dict[str, Any], subcode: int) -> None:
    with pytest.raises(errors.ApiError) as refused:
        asked(meta, lambda line: management.create_template(line, WABA, GOOD | changes))
    assert (refused.value.code, refused.value.subcode) == (100, subcode)


@pytest.mark.parametrize("given", setup.default()["templates"])
def test_the_templates_it_starts_with_keep_the_rules(given: dict[str, Any]) -> None:
    reviews.check(given["components"])


def test_media(meta: Running) -> None:
    media = asked(meta, lambda line: management.upload_media(line, b"\x89PNG...", "image/png"))
    _, shown = meta.ask(f"/v26.0/{media}")
    assert (shown["mime_type"], shown["file_size"], len(shown["sha256"])) == ("image/png", 7, 64)
    request = urllib.request.Request(shown["url"], headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as response:
        assert response.read() == b"\x89PNG..." and response.headers["Content-Type"] == "image/png"
    meta.ask(f"/{media}", method="DELETE")
    assert meta.ask(f"/{media}")[1]["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("content", "mime"), [(b"MZ", "application/x-msdownload"), (b"", "image/png"), (b"a" * 5_000_001, "image/png")]
)
def test_media_that_meta_refuses(meta: Running, content: bytes, mime: str) -> None:
    with pytest.raises(errors.ApiError) as refused:
        asked(meta, lambda line: management.upload_media(line, content, mime))
    assert refused.value.code == 100


def test_a_sample_for_a_template(meta: Running) -> None:
    handle = asked(
        meta,
        lambda line: management.upload_sample(line, meta.simulator.world.settings.app_id, b"\x89PNG...", "image/png"),
    )
    assert handle.startswith("4::image/png:")


def test_what_a_token_is_good_for(meta: Running) -> None:
    known = meta.ask(f"/debug_token?input_token={TOKEN}")[1]["data"]
    assert known["is_valid"] and known["granular_scopes"][0]["target_ids"] == [WABA]
    assert not meta.ask("/debug_token?input_token=other")[1]["data"]["is_valid"]


def test_subscriptions(meta: Running, inbox: Inbox) -> None:
    apps = f"/{WABA}/subscribed_apps"
    assert len(meta.ask(apps)[1]["data"]) == 1
    assert meta.ask(apps, {"override_callback_uri": inbox.url, "verify_token": "wrong"})[1]["error"]["code"] == 2200
    meta.ask(apps, {"override_callback_uri": inbox.url + "/own", "verify_token": "right"})
    (app,) = meta.ask(apps)[1]["data"]
    assert app["override_callback_uri"].endswith("/own")
    meta.ask(apps, method="DELETE")
    assert meta.ask(apps)[1]["data"] == []
    meta.send("+522225552100", "r")
    meta.quiet()
    assert inbox.posts == []
    asked(meta, lambda line: management.subscribe(line, WABA))
    assert len(meta.ask(apps)[1]["data"]) == 1


def test_a_wrong_token_is_told_as_such(meta: Running) -> None:
    async def run() -> None:
        async with client.Client(meta.url, NUMBER, "wrong") as line:
            await management.phone_number(line)

    with pytest.raises(errors.ApiError) as refused:
        asyncio.run(run())
    assert refused.value.rule.reaction is errors.Reaction.REAUTHENTICATE


def test_odd_requests_have_an_answer(meta: Running) -> None:
    assert meta.ask("/v26.0/nothing/here")[1]["error"]["code"] == 2500
    assert meta.ask("/v26.0/1")[1]["error"]["error_subcode"] == 33
    assert meta.ask(f"/{WABA}/message_templates", [1])[1]["error"]["code"] == 100
    assert meta.ask(f"/{NUMBER}/message_templates")[1]["error"]["error_subcode"] == 33
    assert meta.ask(f"/{WABA}/message_templates?hsm_ids=nonsense", method="DELETE")[0] == 400
    assert meta.ask(f"/{WABA}/message_templates?name=ninguna", method="DELETE")[0] == 400
