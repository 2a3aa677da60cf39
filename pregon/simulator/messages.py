"""`POST /{phone_number_id}/messages`: what Meta checks before it accepts, in its order, and what it keeps.

Everything here happens for every message of a broadcast, so it stays lean: no copies, no framework.
"""

import base64
import random
import re
import time
from typing import Any

from pregon.simulator import addresses, faults, limits, personas, refusals, shapes
from pregon.simulator.world import Json, Message, Number, Phone, Template, World

REFERENCE_LIMIT = 512
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
WINDOW_SECONDS = 24 * 3600
KINDS = (
    "text",
    "template",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
)
UNITED_STATES = re.compile(r"1[2-9]\d{9}")
WAMID_HEAD = b"\x1d\x0d"


def receive(world: World, number: Number, body: Json) -> Message:
    """The accepted message, already in the phone's chat; a `Refusal` else."""
    if body.get("messaging_product") != "whatsapp":
        raise refusals.missing("messaging_product")
    if number.refuses_with:
        raise refusals.Refusal(number.refuses_with, f"(#{number.refuses_with}) Refused on purpose")
    phone = _recipient(world, number, body)
    message = _written(world, number, phone, body)
    _pace(world, phone, number)
    _reach(world, message, number)
    keep(world, phone, message)
    return message


def answer(world: World, message: Message, given: str) -> Json:
    """Meta's 200."""
    phone = world.phones[message.wa_id]
    contact = (
        {"input": given, "wa_id": message.wa_id} if "." not in given else {"input": given, "user_id": phone.user_id}
    )
    sent = {"id": message.wamid} | ({"message_status": "accepted"} if message.kind == "template" else {})
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}


def _recipient(world: World, number: Number, body: Json) -> Phone:
    wa_id = _wa_id(world, number, body)
    if wa_id == addresses.wa_id(number.digits):
        raise refusals.Refusal(
            131021, "(#131021) Recipient cannot be the sender", details="Sender and recipient are the same number"
        )
    if number.only_to and wa_id not in number.only_to:
        raise refusals.Refusal(
            131030,
            "(#131030) Recipient phone number not in allowed list",
            subcode=2655007,
            details="Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.",
        )
    phone = world.phone(wa_id)
    _mishap(phone, personas.of(phone, world.settings).refusal)
    return phone


def _mishap(phone: Phone, refusal: str) -> None:
    """What a persona does to the call before the message is accepted."""
    if refusal == "malformed":
        raise malformed()
    if refusal == "unavailable_once" and not phone.refused:
        phone.refused += 1
        raise faults.Mishap("unavailable")
    if refusal in ("gateway", "internal"):
        raise faults.Mishap(refusal)


def twist(world: World, message: Message) -> str:
    """The fault of a persona that strikes once its message is accepted; empty for most."""
    refusal = personas.of(world.phones[message.wa_id], world.settings).refusal
    return refusal if refusal.endswith("_after") else ""


def _wa_id(world: World, number: Number, body: Json) -> str:
    to, recipient = body.get("to"), body.get("recipient")
    if not isinstance(to, str) or not to:
        return _by_user_id(world, recipient)
    dialled = addresses.dialled(to, number.digits)
    if not dialled:
        raise malformed()
    return addresses.wa_id(dialled)


def _by_user_id(world: World, recipient: Any) -> str:
    if not isinstance(recipient, str) or not recipient:
        raise refusals.missing("to")
    if recipient not in world.people:
        raise refusals.invalid("Recipient is not a valid business-scoped user ID")
    return world.people[recipient]


def malformed() -> refusals.Refusal:
    """Not a phone number."""
    refusal = refusals.invalid("The phone number is malformed: Please use the format: +1234567890.")
    refusal.subcode = 2494010
    return refusal


def _written(world: World, number: Number, phone: Phone, body: Json) -> Message:
    kind = body.get("type", "text")
    if kind not in KINDS:
        raise refusals.Refusal(
            100, f"(#100) Param type must be one of {{{', '.join(KINDS).upper()}}} - got {str(kind)[:40]!r}."
        )
    reference = body.get("biz_opaque_callback_data", "")
    if not isinstance(reference, str) or len(reference) > REFERENCE_LIMIT:
        raise refusals.Refusal(
            100, f"(#100) Param biz_opaque_callback_data must be at most {REFERENCE_LIMIT} characters long."
        )
    if not isinstance(body.get(kind), dict) and kind != "contacts":
        raise refusals.missing(kind)
    message = Message(_wamid(phone.wa_id), number.id, phone.wa_id, time.time(), kind=kind, reference=reference)
    try:
        _fill(world, number, message, body)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise refusals.Refusal(
            100, "(#100) Invalid parameter", details="The message does not have the documented form"
        ) from error
    message.code = _doom(world, phone, message)
    return message


def _fill(world: World, number: Number, message: Message, body: Json) -> None:
    content = body[message.kind]
    if message.kind == "template":
        _fill_template(_template(world, number, content), message, content)
    elif message.kind == "interactive":
        _fill_interactive(message, content)
    elif message.kind == "text":
        message.body = _limited("text['body']", content.get("body"), TEXT_LIMIT)
    elif message.kind in ("image", "video", "audio", "document", "sticker"):
        message.media = _media(content)
        message.body = _limited("caption", content.get("caption") or " ", CAPTION_LIMIT).strip()
    else:
        message.body = str(content.get("emoji") or content.get("name") or "") if isinstance(content, dict) else ""


def _template(world: World, number: Number, content: Json) -> Template:
    name, language = content.get("name"), (content.get("language") or {}).get("code")
    if not name:
        raise refusals.missing("template['name']")
    if not language:
        raise refusals.missing("template['language']['code']")
    template = world.index.get((number.waba_id, name, language))
    if template is None or template.status in ("PENDING", "REJECTED", "IN_APPEAL"):
        raise refusals.Refusal(
            132001,
            "(#132001) Template name does not exist in the translation",
            http=404,
            details=f"template name ({name}) does not exist in {language}",
        )
    if template.status in ("PAUSED", "DISABLED"):
        code, word = (132015, "paused") if template.status == "PAUSED" else (132016, "disabled")
        raise refusals.Refusal(code, f"(#{code}) Template is {word}", details=f"Template is {word} due to low quality")
    return template


def _fill_template(template: Template, message: Message, content: Json) -> None:
    if template.shape is None:
        template.shape = shapes.read(template.components)
    filled = shapes.fill(template.shape, content.get("components") or ())
    message.category = template.category.lower()
    message.header, message.media, message.body = filled.header, filled.media, filled.body
    message.footer, message.buttons = filled.footer, filled.buttons


def _fill_interactive(message: Message, content: Json) -> None:
    header = content.get("header") or {}
    message.header, message.media = str(header.get("text", "")), _media(header["image"]) if header.get("image") else ""
    message.body = _limited("interactive['body']['text']", content["body"].get("text"), CAPTION_LIMIT)
    message.footer = str((content.get("footer") or {}).get("text", ""))
    message.buttons = _choices(str(content.get("type")), content["action"])


def _choices(kind: str, action: Json) -> list[list[str]]:
    if kind == "button":
        replies = [button["reply"] for button in action["buttons"]]
        if not 1 <= len(replies) <= 3:
            raise refusals.invalid("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
        return [
            ["answer", _limited("title", reply["title"], 20), _limited("id", reply["id"], 256)] for reply in replies
        ]
    if kind == "cta_url":
        parameters = action["parameters"]
        return [["url", _limited("display_text", parameters["display_text"], 20), str(parameters["url"])]]
    if kind == "list":
        return [["answer", row["title"], row["id"]] for section in action["sections"] for row in section["rows"]]
    return []


def _media(content: Json) -> str:
    if media := content.get("id") or content.get("link"):
        return str(media)
    raise refusals.incomplete("media: either id or link is required")


def _limited(name: str, text: Any, most: int) -> str:
    if not isinstance(text, str) or not text:
        raise refusals.missing(name)
    if len(text) > most:
        raise refusals.Refusal(100, f"(#100) Param {name} must be at most {most} characters long.")
    return text


def _doom(world: World, phone: Phone, message: Message) -> int:
    """The code it will fail with later, whoever gets it; 0 for none."""
    if message.category == "marketing":
        if message.number_id in phone.opted_out:
            return 131050
        if UNITED_STATES.fullmatch(phone.wa_id):
            return 131049  # no marketing at all to the United States
    elif message.kind != "template" and not _window_open(world, message):
        return 131047
    known = not message.media.isdecimal() or message.media in world.media
    return 0 if known else 131053


def _pace(world: World, phone: Phone, number: Number) -> None:
    pair = phone.pairs.setdefault(number.id, [0.0, 0.0])
    if world.settings.pair_limit and not limits.pass_pair(pair, time.time()):
        raise refusals.Refusal(
            131056,
            "(#131056) (Business Account, Consumer Account) pair rate limit hit",
            details="Too many messages sent from this phone number to the same phone number in a short period of time.",
        )


def _reach(world: World, message: Message, number: Number) -> None:
    """Meta names no code of its own for a business beyond its people of the day: this one stops the number."""
    if message.kind != "template" or _window_open(world, message):
        return
    written = world.reached.setdefault(world.owner(number.waba_id), {})
    if not limits.pass_day(written, message.wa_id, limits.tier(number.tier), message.at):
        world.beyond += 1
        raise refusals.Refusal(
            131048,
            "(#131048) Spam rate limit hit",
            details="There are restrictions on how many messages can be sent from this phone number.",
        )


def _window_open(world: World, message: Message) -> bool:
    opened = world.phones[message.wa_id].windows.get(message.number_id, 0.0)
    return message.at - opened <= WINDOW_SECONDS


def keep(world: World, phone: Phone, message: Message) -> None:
    """Into the chat, and into the count of what was received."""
    phone.add(message)
    if message.reference:
        world.received[message.reference] = world.received.get(message.reference, 0) + 1
    else:
        world.unreferenced += 1


def _wamid(wa_id: str) -> str:
    return "wamid." + base64.b64encode(WAMID_HEAD + wa_id.encode() + random.randbytes(16)).decode()
