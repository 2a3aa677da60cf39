"""Bodies of messages, as bytes.

A *message* is a dict without address, such as `template(...)` gives; in its strings `{{name}}` is a slot for a person's
value and `REFERENCE` one for our own reference. `compile` turns a message into a function that fills the slots by
joining bytes (about 2 µs each): a broadcast compiles once and renders for every person.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

Message = dict[str, Any]
Render = Callable[[str, Mapping[str, str], str], bytes]

REFERENCE = "{{$reference}}"  # `$` is in no variable's name
SLOT = re.compile(r"\{\{\s*(\$reference|\w+)\s*\}\}")


def template(name: str, language: str, components: Sequence[Message] = ()) -> Message:
    """An approved template with its values: `components` from `header`, `body`, `url_button`, `reply_button`."""
    content: Message = {"name": name, "language": {"code": language}}
    if components:
        content["components"] = list(components)
    return {"type": "template", "template": content}


def text(body: str, *, preview_url: bool = False) -> Message:
    """Free text; reaches only a person whose 24-hour window is open. At most 4,096 characters."""
    return {"type": "text", "text": {"body": body, "preview_url": preview_url}}


def image(media_id: str, caption: str = "") -> Message:
    """An uploaded image with at most 1,024 characters below it."""
    return {"type": "image", "image": {"id": media_id} | ({"caption": caption} if caption else {})}


def buttons(body: str, replies: Mapping[str, str], *, header: Message | None = None, footer: str = "") -> Message:
    """Free text with one to three answers to tap: `replies` maps an id (what the webhook brings) to its label (20 characters)."""
    choices = [{"type": "reply", "reply": {"id": key, "title": label}} for key, label in replies.items()]
    return _interactive("button", body, {"buttons": choices}, header, footer)


def link(body: str, label: str, url: str, *, header: Message | None = None, footer: str = "") -> Message:
    """Free text with a button that opens an address."""
    action = {"name": "cta_url", "parameters": {"display_text": label, "url": url}}
    return _interactive("cta_url", body, action, header, footer)


def text_header(title: str) -> Message:
    """The header of `buttons` and `link`: at most 60 characters."""
    return {"type": "text", "text": title}


def image_header(media_id: str) -> Message:
    """An uploaded image as the header of `buttons` and `link`."""
    return {"type": "image", "image": {"id": media_id}}


def header(*parameters: Message) -> Message:
    """A template's header component: one `text_parameter` or `image_header`."""
    return {"type": "header", "parameters": list(parameters)}


def body(*parameters: Message) -> Message:
    """A template's body component, in the order of its variables (or by name)."""
    return {"type": "body", "parameters": list(parameters)}


def text_parameter(value: str, name: str = "") -> Message:
    """One value; `name` where the template's variables have names."""
    return {"type": "text"} | ({"parameter_name": name} if name else {}) | {"text": value}


def url_button(index: int, suffix: str) -> Message:
    """What stands at the end of a template's address. `index` counts from 0 over all buttons of the template."""
    return _button("url", index, text_parameter(suffix))


def reply_button(index: int, payload: str) -> Message:
    """What the webhook brings when a person taps this quick reply; at most 256 characters."""
    return _button("quick_reply", index, {"type": "payload", "payload": payload})


def copy_button(index: int, code: str) -> Message:
    """The code that a template's copy button puts on the clipboard; at most 20 letters and digits."""
    return _button("copy_code", index, {"type": "coupon_code", "coupon_code": code})


def addressed(message: Message, to: str, reference: str) -> bytes:
    """One message without slots to fill: the body for `client.send`."""
    return compile(message)(to, {}, reference)


def compile(message: Message) -> Render:  # noqa: A001 - read as `payloads.compile`
    """A function `(to, values, reference) -> body`.

    `to` is a number with its `+`, or Meta's user id; a missing value is a `KeyError` with its name. White space in values
    is drawn together, because Meta refuses line breaks, tabs and more than four spaces in a template's values (132018).
    """
    pieces = SLOT.split(orjson.dumps(message).decode())
    literals = [piece.encode() for piece in pieces[0::2]]
    literals[0] = literals[0][1:]  # the brace is the envelope's
    return _renderer(literals, pieces[1::2])


def _renderer(literals: list[bytes], slots: list[str]) -> Render:
    def render(to: str, values: Mapping[str, str], reference: str) -> bytes:
        parts = [_envelope(to, reference), literals[0]]
        for slot, literal in zip(slots, literals[1:], strict=True):
            parts += (_quoted(reference if slot == "$reference" else values[slot]), literal)
        return b"".join(parts)

    return render


def _envelope(to: str, reference: str) -> bytes:
    """`to` wins over `recipient` at Meta, so exactly one of them is written."""
    address = b'"to":"' if to.startswith("+") else b'"recipient":"'
    return b"".join(
        (
            b'{"messaging_product":"whatsapp","recipient_type":"individual",',
            address,
            _quoted(to),
            b'","biz_opaque_callback_data":"',
            _quoted(reference),
            b'",',
        )
    )


def _quoted(value: str) -> bytes:
    """The inside of a JSON string."""
    return orjson.dumps(" ".join(value.split()))[1:-1]


def _interactive(kind: str, text: str, action: Message, header: Message | None, footer: str) -> Message:
    content = {"type": kind, "body": {"text": text}, "action": action}
    content |= {"header": header} if header else {}
    content |= {"footer": {"text": footer}} if footer else {}
    return {"type": "interactive", "interactive": content}


def _button(kind: str, index: int, parameter: Message) -> Message:
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}
