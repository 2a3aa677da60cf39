"""Bodies as Meta documents them, and the compiled form against the plain one."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.whatsapp.cloud import payloads

TEXTS = st.text(st.characters(exclude_categories=("Cs",)))


def test_a_template_with_every_kind_of_component() -> None:
    message = payloads.template(
        "promo_julio",
        "es_MX",
        [
            payloads.header(payloads.image_header("1339522734477770")),
            payloads.body(payloads.text_parameter("{{nombre}}", "first_name"), payloads.text_parameter("25%")),
            payloads.url_button(0, "ana-8231"),
            payloads.reply_button(1, f"BAJA:{payloads.REFERENCE}"),
            payloads.copy_button(2, "25OFF"),
        ],
    )
    body = payloads.compile(message)("+522225550117", {"nombre": "Ana"}, "pregon:casa:77")
    assert orjson.loads(body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+522225550117",
        "biz_opaque_callback_data": "pregon:casa:77",
        "type": "template",
        "template": {
            "name": "promo_julio",
            "language": {"code": "es_MX"},
            "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"id": "1339522734477770"}}]},
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "parameter_name": "first_name", "text": "Ana"},
                        {"type": "text", "text": "25%"},
                    ],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "0",
                    "parameters": [{"type": "text", "text": "ana-8231"}],
                },
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "1",
                    "parameters": [{"type": "payload", "payload": "BAJA:pregon:casa:77"}],
                },
                {
                    "type": "button",
                    "sub_type": "copy_code",
                    "index": "2",
                    "parameters": [{"type": "coupon_code", "coupon_code": "25OFF"}],
                },
            ],
        },
    }


def test_a_template_without_values_has_no_components() -> None:
    body = orjson.loads(payloads.addressed(payloads.template("hola", "es"), "+521", "r"))
    assert "components" not in body["template"]


def test_a_person_known_by_user_id_only() -> None:
    body = orjson.loads(payloads.addressed(payloads.text("Hola"), "MX.13491208655302741918", "r"))
    assert body["recipient"] == "MX.13491208655302741918" and "to" not in body


def test_free_text_with_buttons() -> None:
    message = payloads.buttons(
        "¿Vienes?", {"si": "Sí", "no": "No"}, header=payloads.text_header("Posada"), footer="Responde BAJA"
    )
    content = orjson.loads(payloads.addressed(message, "+521", "r"))["interactive"]
    assert content["action"]["buttons"][1] == {"type": "reply", "reply": {"id": "no", "title": "No"}}
    assert content["header"] == {"type": "text", "text": "Posada"} and content["footer"] == {"text": "Responde BAJA"}


def test_free_text_with_a_link_and_an_image() -> None:
    message = payloads.link("Mira", "Ver sabores", "https://example.com", header=payloads.image_header("9"))
    content = orjson.loads(payloads.addressed(message, "+521", "r"))["interactive"]
    assert content["action"]["parameters"] == {"display_text": "Ver sabores", "url": "https://example.com"}
    assert content["header"] == {"type": "image", "image": {"id": "9"}} and "footer" not in content


def test_a_missing_value_is_named() -> None:
    with pytest.raises(KeyError, match="ciudad"):
        payloads.compile(payloads.text("Hola {{ciudad}}"))("+521", {}, "r")


@given(before=TEXTS.filter(lambda text: "{" not in text and "}" not in text), value=TEXTS, reference=TEXTS)
def test_any_value_arrives_as_it_is_but_for_white_space(before: str, value: str, reference: str) -> None:
    message = payloads.text(before + "{{ nombre }}")
    body = orjson.loads(payloads.compile(message)("+521", {"nombre": value}, reference))
    assert body["text"]["body"] == before + " ".join(value.split())
    assert body["biz_opaque_callback_data"] == " ".join(reference.split())


@given(value=TEXTS)
def test_a_value_is_never_read_as_a_slot(value: str) -> None:
    body = payloads.compile(payloads.text("{{a}}{{b}}"))("+521", {"a": "{{b}}", "b": value}, "r")
    assert orjson.loads(body)["text"]["body"] == "{{b}}" + " ".join(value.split())
