"""The frame that Meta approved, and its gaps: a template's `components` read into our own words.

A gap takes its text from the promotion's asunto, from its detalle, or from `Version.values` under the gap's key. Source
of the components: Meta's reference of message templates.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from pregon.lib import text

Component = Mapping[str, Any]

SUBJECT = {"asunto", "titulo", "subject", "title", "tema", "promocion", "oferta"}
DETAIL = {"detalle", "detail", "mensaje", "message", "texto", "descripcion", "cuerpo", "body"}
PERSON = {"nombre", "name", "cliente", "first name", "customer name", "nombre cliente"}
GREETING = re.compile(r"(hola|ola|hi|hello|buen[oa]?s?|d[ií]as?|tardes|estimad[oa]|querid[oa])[\s,]*$", re.IGNORECASE)
OPT_OUT = re.compile(r"\b(baja|stop|no recibir|no quiero|no mas|dejar de recibir|desuscrib|salir|unsubscribe)")
MEDIA = {"IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "GIF", "PRODUCT"}
BUTTONS = {"QUICK_REPLY": "reply", "URL": "url", "PHONE_NUMBER": "phone", "COPY_CODE": "copy"}
BARE = {"HEADER", "BODY", "FOOTER", "BUTTONS"}


class Role(StrEnum):
    """Which of the promotion's own fields fills a gap."""

    SUBJECT = "subject"
    DETAIL = "detail"
    OTHER = "other"  # Version.values


class Place(StrEnum):
    HEADER = "header"
    BODY = "body"
    URL = "url"  # the end of a button's address
    CODE = "code"  # what a button copies


@dataclass(frozen=True)
class Gap:
    """One thing to fill in. `key` is stable: it names the gap in `Version.values`."""

    key: str
    place: Place
    name: str  # Meta's: "1", or a word where variables have names
    role: Role
    index: int = 0  # of the button
    before: str = ""  # the words before it, to tell gaps apart
    suggestion: str = ""  # a text that usually fits

    @property
    def personal(self) -> bool:
        """May it differ from person to person? Addresses and codes are the same for all."""
        return self.place in (Place.HEADER, Place.BODY)


@dataclass(frozen=True)
class Button:
    """`kind`: reply, url, phone, copy, or optout (a reply that withdraws consent)."""

    kind: str
    text: str
    index: int = 0
    url: str = ""  # may end in {{1}}


@dataclass(frozen=True)
class Shape:
    """A template as one sees it, with `{{…}}` where a gap is. `obstacle`: why it cannot be used here, or nothing."""

    header: str
    body: str
    footer: str
    buttons: list[Button]
    gaps: list[Gap]
    obstacle: str

    def gaps_in(self, place: Place) -> list[Gap]:
        return [gap for gap in self.gaps if gap.place == place]


def read(components: Sequence[Component]) -> Shape:
    """Never raises: what cannot be filled here is told by `obstacle`."""
    parts = {str(part.get("type", "")).upper(): part for part in components}
    header, body = str(parts.get("HEADER", {}).get("text", "")), str(parts.get("BODY", {}).get("text", ""))
    raw = list(parts.get("BUTTONS", {}).get("buttons", []))
    buttons = [_button(index, button) for index, button in enumerate(raw)]
    gaps = [*_text_gaps(header, body), *_button_gaps(buttons)]
    return Shape(header, body, str(parts.get("FOOTER", {}).get("text", "")), buttons, gaps, _obstacle(parts, raw))


def opts_out(label: str) -> bool:
    """Does a button with these words mean "no more promotions"?"""
    return text.optout_keyword(label) == "stop" or bool(OPT_OUT.search(text.fold(label)))


def _button(index: int, raw: Component) -> Button:
    kind = BUTTONS.get(str(raw.get("type", "")).upper(), "reply")
    label = str(raw.get("text") or (_("Copiar código") if kind == "copy" else ""))
    return Button("optout" if kind == "reply" and opts_out(label) else kind, label, index, str(raw.get("url", "")))


def _text_gaps(header: str, body: str) -> list[Gap]:
    """Roles by the variables' names; else a greeting is followed by the name, and one or two others are plain."""
    gaps = [*_gaps(Place.HEADER, header), *_gaps(Place.BODY, body)]
    if any(gap.role != Role.OTHER for gap in gaps):
        return gaps
    plain = [gap for gap in gaps if not gap.suggestion]
    roles = {1: [Role.DETAIL], 2: [Role.SUBJECT, Role.DETAIL]}.get(len(plain), [])
    chosen = {gap.key: role for gap, role in zip(plain, roles, strict=False)}
    return [_with_role(gap, chosen.get(gap.key, Role.OTHER)) for gap in gaps]


def _with_role(gap: Gap, role: Role) -> Gap:
    return Gap(gap.key, gap.place, gap.name, role, gap.index, gap.before, gap.suggestion)


def _gaps(place: Place, words: str) -> Iterator[Gap]:
    """In the order in which Meta wants their values: by number, or as they come."""
    names = text.variables(words)
    for name in sorted(names, key=int) if all(map(str.isdecimal, names)) else names:
        before = text.PLACEHOLDER.sub("…", words[: _position(words, name)])
        known = " ".join(text.fold(name).split("_"))
        role = Role.SUBJECT if known in SUBJECT else Role.DETAIL if known in DETAIL else Role.OTHER
        greets = known in PERSON or bool(GREETING.search(before))
        yield Gap(f"{place}.{name}", place, name, role, 0, before.strip()[-40:], "{{nombre}}" if greets else "")


def _position(words: str, name: str) -> int:
    return next(found.start() for found in text.PLACEHOLDER.finditer(words) if found[1] == name)


def _button_gaps(buttons: Sequence[Button]) -> Iterator[Gap]:
    for button in buttons:
        if button.kind == "url" and text.variables(button.url):
            yield Gap(f"button.{button.index}", Place.URL, "1", Role.OTHER, button.index, button.url.partition("{{")[0])
        if button.kind == "copy":
            yield Gap(f"button.{button.index}", Place.CODE, "1", Role.OTHER, button.index, button.text)


def _obstacle(parts: Mapping[str, Component], buttons: Sequence[Component]) -> str:
    if str(parts.get("HEADER", {}).get("format", "TEXT")).upper() in MEDIA:
        return _("Lleva una foto o un archivo arriba, y aquí aún no se puede adjuntar. Elige una que solo tenga texto.")
    if set(parts) - BARE or any(str(button.get("type", "")).upper() not in BUTTONS for button in buttons):
        return _("Tiene partes que aquí aún no se pueden llenar (carrusel, catálogo, código de acceso…). Elige otra.")
    return "" if "BODY" in parts else _("No tiene texto. Elige otra plantilla.")
