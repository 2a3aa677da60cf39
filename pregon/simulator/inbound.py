"""What the person on a virtual phone does: writes, taps, blocks, says no to promotions."""

import base64
import random
import time
from typing import TYPE_CHECKING

from pregon.simulator import addresses, personas
from pregon.simulator.world import Json, Message, Phone

if TYPE_CHECKING:
    from pregon.simulator.timeline import Timeline


def reply(timeline: "Timeline", phone: Phone, number_id: str, *, text: str, context: Message | None = None) -> Message:
    """Write to a business; opens its 24 hours, and shows that what was delivered has been read."""
    message = _mine(phone, number_id, text, "text")
    content: Json = {"type": "text", "text": {"body": text}}
    return _send(timeline, phone, message, content | _context(timeline, context))


def tap(timeline: "Timeline", phone: Phone, origin: Message, place: int) -> Message:
    """Tap a button of a message. Raises `LookupError` for one that is not there or does not answer."""
    kind, label, payload = origin.buttons[place]
    if kind not in ("reply", "answer"):
        raise LookupError("That button does not answer")
    message = _mine(phone, origin.number_id, label, "button" if kind == "reply" else "interactive")
    content: Json = {"type": "button", "button": {"payload": payload, "text": label}}
    if kind == "answer":
        content = {
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": {"id": payload, "title": label}},
        }
    return _send(timeline, phone, message, content | _context(timeline, origin))


def prefer(timeline: "Timeline", phone: Phone, number_id: str, *, stop: bool) -> None:
    """Stop promotions in WhatsApp's own settings, or allow them again."""
    phone.opted_out = [one for one in phone.opted_out if one != number_id] + ([number_id] if stop else [])
    word = "stop" if stop else "resume"
    preference: Json = {
        "detail": f"User requested to {word} marketing messages",
        "category": "marketing_messages",
        "value": word,
        "timestamp": int(time.time()),
        "wa_id": phone.wa_id,
        "user_id": phone.user_id,
    }
    timeline.courier.put(number_id, "user_preferences", preference)
    timeline.world.tell(word, _mine(phone, number_id, "", "system"))


def block(timeline: "Timeline", phone: Phone, number_id: str, *, blocked: bool) -> None:
    """Block a business, or no longer."""
    phone.blocks = [one for one in phone.blocks if one != number_id] + ([number_id] if blocked else [])
    timeline.world.tell("block" if blocked else "unblock", _mine(phone, number_id, "", "system"))


def switch(timeline: "Timeline", phone: Phone, *, on: bool) -> None:
    """Switch the phone on, which brings what waited, or off."""
    phone.on = on
    if on:
        timeline.switch_on(phone)


def _mine(phone: Phone, number_id: str, text: str, kind: str) -> Message:
    wamid = "wamid." + base64.b64encode(b"\x1d\x0e" + phone.wa_id.encode() + random.randbytes(16)).decode()
    return Message(wamid, number_id, phone.wa_id, time.time(), body=text, mine=True, kind=kind, status="read")


def _send(timeline: "Timeline", phone: Phone, message: Message, content: Json) -> Message:
    for earlier in list(phone.chats.get(message.number_id, [])):
        if not earlier.mine and earlier.status in ("sent", "delivered"):
            timeline.happen(earlier, "read")
    phone.windows[message.number_id] = message.at
    timeline.world.phone(phone.wa_id).add(message)
    hidden = personas.of(phone, timeline.world.settings).hidden
    timeline.courier.put(message.number_id, "messages", _webhook(phone, message, content, hidden=hidden))
    timeline.world.tell("inbound", message, message.body)
    return message


def _webhook(phone: Phone, message: Message, content: Json, *, hidden: bool) -> Json:
    who: Json = {"user_id": phone.user_id} | ({} if hidden else {"wa_id": phone.wa_id})
    sender: Json = {"from_user_id": phone.user_id} | ({} if hidden else {"from": phone.wa_id})
    contact = {"profile": {"name": phone.name or addresses.pretty(phone.wa_id)}, **who}
    return {**sender, "id": message.wamid, "timestamp": str(int(message.at)), **content, "$contact": contact}


def _context(timeline: "Timeline", origin: Message | None) -> Json:
    if origin is None:
        return {}
    return {"context": {"from": timeline.world.numbers[origin.number_id].digits, "id": origin.wamid}}
