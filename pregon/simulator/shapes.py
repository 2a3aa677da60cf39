"""What a template asks of a message, and what the person then reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pregon.simulator import refusals

Json = dict[str, Any]

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
UNFIT = re.compile(r"[\n\t\r]| {5,}")
BODY_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Button:
    """A button; `url` has a variable at its end when `variable`."""

    kind: str
    text: str
    url: str = ""
    variable: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A template's components, read once."""

    format: str = ""  # of the header: TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION or none
    header: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    header_variables: tuple[str, ...] = ()
    body_variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """What the person sees."""

    header: str
    media: str
    body: str
    footer: str
    buttons: list[list[str]]


def read(components: Sequence[Json]) -> Shape:
    """The shape of a template's components (in capitals or not)."""
    found = {str(part.get("type", "")).upper(): part for part in components}
    header, body = found.get("HEADER", {}), str(found.get("BODY", {}).get("text", ""))
    title = str(header.get("text", ""))
    return Shape(
        format=str(header.get("format", "TEXT" if header else "")).upper(),
        header=title,
        body=body,
        footer=str(found.get("FOOTER", {}).get("text", "")),
        buttons=tuple(_button(one) for one in found.get("BUTTONS", {}).get("buttons", ())),
        header_variables=variables(title),
        body_variables=variables(body),
    )


def variables(text: str) -> tuple[str, ...]:
    """Names or numbers of the variables, each once, in order."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def _button(button: Json) -> Button:
    kind, url = str(button.get("type", "")).upper(), str(button.get("url", ""))
    target = url or str(button.get("phone_number", "") or button.get("example", ""))
    return Button(kind, str(button.get("text", "")), target, bool(VARIABLE.search(url)))


def fill(shape: Shape, components: Sequence[Json]) -> Filled:
    """The message with its values; a `Refusal` as Meta's when they do not fit."""
    given = {str(part.get("type", "")).lower(): part.get("parameters") or [] for part in components}
    header, media = _header(shape, given.get("header", []))
    body = _text("body", shape.body, shape.body_variables, given.get("body", []))
    if len(body) > BODY_LIMIT:
        raise refusals.Refusal(
            132005, "(#132005) Translated text too long", details=f"body: text too long ({len(body)} characters)"
        )
    buttons = _buttons(shape, [part for part in components if str(part.get("type")).lower() == "button"])
    return Filled(header, media, body, shape.footer, buttons)


def _header(shape: Shape, given: Sequence[Json]) -> tuple[str, str]:
    if shape.format in ("", "TEXT"):
        return _text("header", shape.header, shape.header_variables, given), ""
    kind = str(given[0].get("type", "unknown")).upper() if given else "UNKNOWN"
    if kind != shape.format:
        raise mismatch(f"header: Format mismatch, expected {shape.format}, received {kind}")
    content = given[0].get(kind.lower()) or {}
    return "", str(content.get("id") or content.get("link") or "")


def _text(part: str, text: str, names: Sequence[str], given: Sequence[Json]) -> str:
    if len(given) != len(names):
        details = f"{part}: number of localizable_params ({len(given)}) does not match the expected number of params ({len(names)})"
        raise refusals.Refusal(
            132000, "(#132000) Number of parameters does not match the expected number of params", details=details
        )
    if not names:
        return text
    values = {_name(part, name, one): _value(part, one) for name, one in zip(names, given, strict=True)}
    if missing := [name for name in names if name not in values]:
        raise refusals.Refusal(
            100,
            "(#100) Invalid parameter",
            details=f"{part}: Parameter name is missing or unknown, expected {missing[0]}",
        )
    return VARIABLE.sub(lambda match: values[match[1]], text)


def _name(part: str, name: str, parameter: Json) -> str:
    """Numbered variables go by place, named ones by `parameter_name`."""
    return name if name.isdecimal() else str(parameter.get("parameter_name", ""))


def _value(part: str, parameter: Json) -> str:
    kind = parameter.get("type")
    if kind in ("currency", "date_time"):
        return str((parameter.get(kind) or {}).get("fallback_value", ""))
    if kind != "text":
        raise mismatch(f"{part}: Format mismatch, expected TEXT, received {str(kind).upper()}")
    text = parameter.get("text")
    if not isinstance(text, str) or not text:
        raise refusals.incomplete(f"{part}: Parameter of type text is missing text value")
    if UNFIT.search(text):
        raise refusals.Refusal(
            132018,
            "(#132018) There was a problem with the parameters of the template",
            details="Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        )
    return text


def _buttons(shape: Shape, given: Sequence[Json]) -> list[list[str]]:
    chosen = {str(part.get("index", "")): part for part in given}
    if extra := [index for index in chosen if not (index.isdecimal() and int(index) < len(shape.buttons))]:
        raise mismatch(f"buttons: Button at index {extra[0]} does not exist in the template")
    return [_filled(place, button, chosen.get(str(place), {})) for place, button in enumerate(shape.buttons)]


def _filled(place: int, button: Button, given: Json) -> list[str]:
    parameter = (given.get("parameters") or [{}])[0]
    if button.kind == "QUICK_REPLY":
        return ["reply", button.text, _payload(parameter) or button.text]
    if button.kind == "COPY_CODE":
        return ["copy", button.text or "Copiar código", str(parameter.get("coupon_code") or button.url)]
    if button.variable and not parameter.get("text"):
        raise refusals.incomplete(f"buttons: Button at index {place} of type Url requires a parameter")
    return [button.kind.lower(), button.text, VARIABLE.sub(lambda _: str(parameter.get("text", "")), button.url)]


def _payload(parameter: Json) -> str:
    payload = str(parameter.get("payload", ""))
    if len(payload) > 256:
        raise refusals.invalid("buttons: payload must be at most 256 characters long")
    return payload


def mismatch(details: str) -> refusals.Refusal:
    """Meta's 132012."""
    return refusals.Refusal(
        132012, "(#132012) Parameter format does not match format in the created template", details=details
    )
