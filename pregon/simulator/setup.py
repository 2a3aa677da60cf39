"""What the simulator starts with, and how to give it more.

A setup is a JSON object; every part may be missing, what is given is added to (or replaces) what is there:

    {"settings": {"app_secret": …, "callback": "http://127.0.0.1:8001/…", "tokens": {"…": "*"}, "delay": 1.0, …},
     "wabas": [{"id", "name"}], "numbers": [{"id", "display", "waba_id", "name", "mps", …}],
     "templates": [{"name", "language", "category", "components", …}], "phones": [{"number", "name", "persona"}]}
"""

import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from pregon.simulator import addresses
from pregon.simulator.personas import PERSONAS
from pregon.simulator.world import Json, Number, Settings, Template, Waba, World

WABA_ID = "102290129340398"
NUMBER_ID = "106540352242922"
TOKEN = "practica"  # a word to try with, not a secret: it opens nothing but the simulator

_serial = itertools.count(int(time.time() * 1000) % 10**9)


def default() -> Json:
    """One bakery with a number and three approved templates."""
    return {
        "settings": {"tokens": {TOKEN: "*"}},
        "wabas": [{"id": WABA_ID, "name": "Panadería La Espiga"}],
        "numbers": [
            {"id": NUMBER_ID, "display": "+52 222 555 0142", "waba_id": WABA_ID, "name": "Panadería La Espiga"}
        ],
        "templates": [general(), with_image(), welcome()],
    }


def general() -> Json:
    """A promotion of any kind: asunto and detalle are variables, and one button says no."""
    return {
        "id": "1627019861106475",
        "waba_id": WABA_ID,
        "name": "promo_general",
        "language": "es_MX",
        "category": "MARKETING",
        "components": [
            {
                "type": "HEADER",
                "format": "TEXT",
                "text": "{{1}}",
                "example": {"header_text": ["Charolas para tu posada: 15% menos"]},
            },
            {
                "type": "BODY",
                "text": "Hola {{1}}, {{2}} Te esperamos.",
                "example": {"body_text": [["Mariana", "aparta tu charola de 12 conchas antes del 30 de noviembre."]]},
            },
            {"type": "FOOTER", "text": "Responde BAJA para no recibir más"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "No recibir promociones"}]},
        ],
    }


def with_image() -> Json:
    """The same with a picture and a link."""
    return {
        "id": "1627019861106476",
        "waba_id": WABA_ID,
        "name": "promo_con_foto",
        "language": "es_MX",
        "category": "MARKETING",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvcG5n:practica"]}},
            {
                "type": "BODY",
                "text": "Hola {{1}}, {{2}} Te esperamos.",
                "example": {"body_text": [["Mariana", "aparta tu charola de 12 conchas antes del 30 de noviembre."]]},
            },
            {"type": "FOOTER", "text": "Responde BAJA para no recibir más"},
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "URL",
                        "text": "Ver más",
                        "url": "https://laespiga.example/{{1}}",
                        "example": ["charolas"],
                    },
                    {"type": "QUICK_REPLY", "text": "No recibir promociones"},
                ],
            },
        ],
    }


def welcome() -> Json:
    """A notice that is no promotion."""
    return {
        "id": "1627019861106477",
        "waba_id": WABA_ID,
        "name": "pedido_listo",
        "language": "es_MX",
        "category": "UTILITY",
        "components": [
            {
                "type": "BODY",
                "text": "Hola {{1}}, tu pedido {{2}} ya está listo para recoger.",
                "example": {"body_text": [["Mariana", "A-118"]]},
            }
        ],
    }


def seed(source: str | Path | Mapping[str, Any] | None = None) -> World:
    """A new world: the default, and upon it a setup from a file or an object. Raises `ValueError` for what is not one."""
    world = World()
    configure(world, default())
    if source is not None:
        configure(world, read(source))
    return world


def read(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    """A setup as an object, whether it is one or a file that holds one."""
    given = source if isinstance(source, Mapping) else orjson.loads(Path(source).read_bytes())
    if not isinstance(given, Mapping):
        raise ValueError("a setup is a JSON object")
    return given


def configure(world: World, given: Mapping[str, Any]) -> None:
    """Add a setup to a world. Raises `ValueError` with the part that is wrong."""
    if unknown := set(given) - set(PARTS):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    for part, add in PARTS.items():
        for item in [given[part]] if isinstance(given.get(part), dict) else given.get(part, []):
            _add(world, part, add, item)
    world.changed = True


def _add(world: World, part: str, add: Any, item: Json) -> None:
    try:
        add(world, item)
    except (TypeError, KeyError) as error:
        raise ValueError(f"{part}: {error}") from error


def _settings(world: World, given: Json) -> None:
    tokens = world.settings.tokens | given.get("tokens", {})
    known = {name: getattr(world.settings, name) for name in Settings.__slots__}
    world.settings = Settings(**(known | given | {"tokens": tokens}))


def _waba(world: World, given: Json) -> None:
    world.wabas[given["id"]] = Waba(**given)


def _number(world: World, given: Json) -> None:
    number = Number(**given)
    world.numbers[number.id] = number
    world.wabas.setdefault(number.waba_id, Waba(number.waba_id, number.name))


def _template(world: World, given: Json) -> None:
    named: Json = {"id": new_id(), "waba_id": WABA_ID}
    world.add_template(Template(**(named | given)))


def _phone(world: World, given: Json) -> None:
    persona = str(given.get("persona", ""))
    if persona and persona not in PERSONAS:
        raise ValueError(f"phones: no persona {persona}; known: {', '.join(PERSONAS)}")
    phone = world.phone(addresses.wa_id(addresses.digits(given["number"])))
    phone.name, phone.persona = str(given.get("name", phone.name)), persona or phone.persona


PARTS = {"settings": _settings, "wabas": _waba, "numbers": _number, "templates": _template, "phones": _phone}


def new_id() -> str:
    """An id like Meta's: digits, as large as a JavaScript number carries."""
    return f"16{next(_serial):013d}"
