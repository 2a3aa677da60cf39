"""What one version says: `payload` for Meta, with slots for what differs between people; `render` for the phone.

In the payload `{{v0}}`, `{{v1}}` … stand for the contact fields that are listed beside it, in order. For everybody
`fields.values_sql` fills them, for one person `fields.values`. Quick replies carry the message's reference and, after a
colon, which button it was.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

from pregon.contacts.models import Contact
from pregon.lib import text
from pregon.promotions import compositions, fields, shapes
from pregon.promotions.models import Version, Way
from pregon.sending import references
from pregon.whatsapp.cloud import payloads


class Payload(NamedTuple):
    """A message for `payloads.compile`, and what fills its slots: `texts[0]`, such as "{{nombre}}", fills `{{v0}}`."""

    message: payloads.Message
    texts: list[str]


@dataclass(frozen=True)
class Preview:
    """A message as a person sees it; the shape that the panel's phone draws. Buttons are (kind, words)."""

    header: str
    body: str
    footer: str
    buttons: list[tuple[str, str]] = field(default_factory=list)


def payload(version: Version) -> Payload:
    """Without address and reference. Works on a draft too: ask `drafts.ready` before anything is sent."""
    slots = _Slots()
    message = _free_text(version, slots) if version.way == Way.TEXT else _template(version, slots)
    return Payload(message, [f"{{{{{name}}}}}" for name in slots.names])


def render(version: Version, contact: Contact | None) -> Preview:
    """As this person sees it; without a contact, with invented values. What is missing stays visible as `{{field}}`."""
    return _drawn(version, lambda names: _known(version, contact, names))


def as_sent(version: Version, values: Sequence[str]) -> Preview:
    """As someone got it: `values` fill the slots of `payload`. What Meta made of the template since shows here, too."""
    named = [name for slot in payload(version).texts for name in text.variables(slot)]
    known = dict(zip(named, values, strict=False))
    return _drawn(version, lambda names: {name: known.get(name, "") for name in names})


def _drawn(version: Version, known: Callable[[list[str]], dict[str, str]]) -> Preview:
    if version.way == Way.TEXT:
        header, body, footer = version.subject, version.detail, version.footer
        buttons = [(kind, label) for kind, label, _url in free_text_buttons(version)]
    else:
        shape, texts = shape_of(version), gap_texts(version)
        header, body, footer = filled(shape.header, texts, "header"), filled(shape.body, texts, "body"), shape.footer
        buttons = [(button.kind, button.text) for button in shape.buttons]
    given = known(text.variables(f"{header}\n{body}"))
    return Preview(text.render(header, given), text.render(body, given), footer, buttons)


def fields_of(version: Version) -> list[str]:
    """The contact fields the version names, each once."""
    return [name for text_ in payload(version).texts for name in text.variables(text_)]


def shape_of(version: Version) -> shapes.Shape:
    """The frame of a template or of a template of one's own (also before Meta has it)."""
    if version.way == Way.OWN:
        return shapes.read(compositions.components(version))
    return shapes.read(version.template.components if version.template else [])


def gap_texts(version: Version) -> dict[str, str]:
    """What goes into each gap, by its key; `{{field}}` in it differs from person to person."""
    if version.way == Way.OWN:
        return _own_texts(version)
    own = {shapes.Role.SUBJECT: version.subject, shapes.Role.DETAIL: version.detail}
    return {
        gap.key: _one_line(own.get(gap.role, str(version.values.get(gap.key, "")))) for gap in shape_of(version).gaps
    }


def free_text_buttons(version: Version) -> list[tuple[str, str, str]]:
    """(kind, words, address). WhatsApp takes answers or one link, not both; with a link the footer says it."""
    links = [("url", button["text"], button["url"]) for button in version.buttons if button["kind"] == "url"]
    replies = [("reply", button["text"], "") for button in version.buttons if button["kind"] == "reply"]
    return links[:1] or [*replies, ("optout", _("No recibir más"), "")]


def apart(words: str) -> str:
    """Braces that would be read as a slot, taken apart."""
    return re.sub(r"\{(?=\{)", "{ ", words)


class _Slots:
    """Gives every contact field one slot, in the order of their appearance."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def put(self, words: str) -> str:
        """The text with `{{v0}}` … instead of `{{nombre}}` …; other braces cannot be read as slots."""
        parts = text.PLACEHOLDER.split(words)
        return "".join(self._slot(part) if at % 2 else apart(part) for at, part in enumerate(parts))

    def _slot(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return f"{{{{v{self.names.index(name)}}}}}"


def _template(version: Version, slots: _Slots) -> payloads.Message:
    shape, texts = shape_of(version), gap_texts(version)
    named = bool(version.template and version.template.parameter_format.upper() == "NAMED")
    components = []
    for place, wrap in ((shapes.Place.HEADER, payloads.header), (shapes.Place.BODY, payloads.body)):
        if gaps := shape.gaps_in(place):
            components.append(
                wrap(*[payloads.text_parameter(slots.put(texts[gap.key]), gap.name if named else "") for gap in gaps])
            )
    components += [made for button in shape.buttons if (made := _button(button, texts))]
    if version.template:
        return payloads.template(version.template.name, version.template.language, components)
    return payloads.template(compositions.name(version), compositions.language(version), components)


def _button(button: shapes.Button, texts: dict[str, str]) -> payloads.Message | None:
    value = apart(texts.get(f"button.{button.index}", ""))
    match button.kind:
        case "reply":
            return payloads.reply_button(button.index, f"{payloads.REFERENCE}:{button.index}")
        case "optout":
            return payloads.reply_button(button.index, payloads.REFERENCE + references.OPT_OUT)
        case "copy":
            return payloads.copy_button(button.index, value)
        case "url" if text.variables(button.url):
            return payloads.url_button(button.index, value)
    return None


def _free_text(version: Version, slots: _Slots) -> payloads.Message:
    header = payloads.text_header(slots.put(version.subject)) if version.subject else None
    body, footer = slots.put(version.detail), slots.put(version.footer)
    buttons = free_text_buttons(version)
    if buttons[0][0] == "url":
        return payloads.link(body, buttons[0][1], buttons[0][2], header=header, footer=footer)
    return payloads.buttons(body, _replies(buttons), header=header, footer=footer)


def _replies(buttons: list[tuple[str, str, str]]) -> dict[str, str]:
    endings = [
        references.OPT_OUT if kind == "optout" else f":{index}" for index, (kind, _words, _url) in enumerate(buttons)
    ]
    return {payloads.REFERENCE + ending: button[1] for ending, button in zip(endings, buttons, strict=True)}


def _own_texts(version: Version) -> dict[str, str]:
    """Number n of a template of one's own is the n-th field of its text."""
    places = ((shapes.Place.HEADER, version.subject), (shapes.Place.BODY, version.detail))
    return {
        f"{place}.{number}": f"{{{{{name}}}}}"
        for place, words in places
        for number, name in enumerate(compositions.occurrences(words), 1)
    }


def filled(words: str, texts: dict[str, str], place: str) -> str:
    """The frame with its gaps filled, an empty one by dots."""
    return text.render(words, {name: texts.get(f"{place}.{name}") or "…" for name in text.variables(words)})


def _known(version: Version, contact: Contact | None, names: list[str]) -> dict[str, str]:
    if contact is None:
        return {name: fields.sample(name, version.fallbacks) for name in names}
    styles = fields.styles(contact.account_id, names)
    return dict(zip(names, fields.values(contact, names, version.fallbacks, styles), strict=True))


def _one_line(words: str) -> str:
    """Meta takes no line breaks, tabs or runs of spaces in a template's values (132018)."""
    return " ".join(words.split())
