"""`/_sim/…`: what tests and people at a terminal ask of the simulator itself. JSON in, JSON out, no token.

| call | does |
|---|---|
| `GET received` | what was accepted: `total`, `people`, `unreferenced`, `duplicates`, `counts` per reference (unless `?counts=0`) |
| `GET state` | on its way: `statuses`, `webhooks`, `reviews`; so far: `delivered`, `refused`, `dropped`, and more |
| `GET wait?seconds=` | answers once nothing is on its way: `quiet` |
| `POST setup` | adds a setup (`setup.configure`) |
| `POST faults` | replaces the faults (`faults.Faults`); `{}` ends them |
| `POST reset` | forgets phones, counts, faults and whatever is on its way; with `{"all": true}` everything |
| `POST numbers/{id}` | changes a business number: `mps`, `on_app`, `quality`, `tier`, `status`, `refuses_with`, `only_to` |
| `POST templates/{id}` | changes a template: `status`, `quality`, `category`; its webhook follows |
| `GET phones?q=` | the virtual phones, newest first |
| `GET phones/{number}` | one phone with its chats |
| `POST phones/{number}` | changes one: `name`, `persona`, `on`; `block` and `stop` (true or false) with an optional `number_id` |
| `POST phones/{number}/reply` | writes `text`, or taps `button` (label or place) of the newest message (or of `wamid`) |
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pregon.simulator import access, addresses, faults, inbound, limits, personas, setup
from pregon.simulator.world import Json, Message, Phone

if TYPE_CHECKING:
    from pregon.simulator.app import Simulator

SETTABLE = ("mps", "on_app", "quality", "tier", "status", "refuses_with", "only_to")

Handler = Callable[["Simulator", Request, Json], Json | Awaitable[Json]]


class NotThere(Exception):
    """What a path names does not exist."""


def routes(simulator: "Simulator") -> list[Route]:
    """All calls."""
    return [Route(f"/_sim/{path}", _answering(simulator, handler), methods=[verb]) for verb, path, handler in TABLE]


def _answering(simulator: "Simulator", handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if access.foreign(request.headers):
            return _json({"error": "ask from here, not from another site's page"}, 403)
        try:
            made = handler(simulator, request, orjson.loads(await request.body() or b"{}"))
            return _json(await made if isinstance(made, Awaitable) else made, 200)
        except NotThere as error:
            return _json({"error": str(error)}, 404)
        except (ValueError, TypeError, LookupError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    return endpoint


def _json(body: Json, status: int) -> Response:
    return Response(orjson.dumps(body, default=list), status, media_type="application/json")


def received(simulator: "Simulator", request: Request, given: Json) -> Json:
    """What was accepted."""
    counts = simulator.world.received
    known = {
        "total": sum(counts.values()) + simulator.world.unreferenced,
        "references": len(counts),
        "people": len(simulator.world.phones),
        "unreferenced": simulator.world.unreferenced,
        "duplicates": [reference for reference, count in counts.items() if count > 1],
    }
    return known if request.query_params.get("counts") == "0" else known | {"counts": counts}


def state(simulator: "Simulator", request: Request, given: Json) -> Json:
    """What is on its way."""
    courier = simulator.courier
    return {
        "statuses": len(simulator.timeline.due),
        "webhooks": courier.waiting,
        "reviews": len(simulator.graph.reviews),
        "delivered": courier.delivered,
        "refused": courier.refused,
        "dropped": courier.dropped,
        "messages": simulator.world.faults.messages,
        "hits": simulator.world.faults.hits,
        "beyond": simulator.world.beyond,
    }


def add_setup(simulator: "Simulator", request: Request, given: Json) -> Json:
    """More of everything."""
    setup.configure(simulator.world, given)
    simulator.keep()
    return {"ok": True}


async def set_faults(simulator: "Simulator", request: Request, given: Json) -> Json:
    """Other faults."""
    simulator.world.faults = faults.read(given)
    if seconds := simulator.world.faults.refuse_seconds:
        await simulator.refuse(seconds)
    return {"ok": True}


def reset(simulator: "Simulator", request: Request, given: Json) -> Json:
    """A fresh start."""
    simulator.forget()
    if given.get("all"):
        fresh = setup.seed()
        for part in ("settings", "numbers", "wabas", "templates", "index", "media", "uploads"):
            setattr(simulator.world, part, getattr(fresh, part))
    return {"ok": True}


def change_number(simulator: "Simulator", request: Request, given: Json) -> Json:
    """Another pace, quality, status, refusal. Of a pace or a limit that Meta would tell of, it tells."""
    number = simulator.world.numbers.get(request.path_params["id"])
    if number is None:
        raise NotThere("no such number")
    if unknown := set(given) - set(SETTABLE):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SETTABLE)}")
    limits.tier(given.get("tier", number.tier))
    faster, other_tier = given.get("mps", 0) > number.mps, given.get("tier", number.tier) != number.tier
    for name, value in given.items():
        setattr(number, name, value)
    simulator.world.changed = True
    if other_tier:
        told = {"max_daily_conversations_per_business": number.tier, "max_phone_numbers_per_waba": 25}
        simulator.courier.put(number.waba_id, "business_capability_update", told)
    if faster:
        told = {"display_phone_number": number.digits, "event": "THROUGHPUT_UPGRADE", "current_limit": number.tier}
        simulator.courier.put(number.waba_id, "phone_number_quality_update", told)
    return asdict(number)


def change_template(simulator: "Simulator", request: Request, given: Json) -> Json:
    """Pause, disable, approve, recategorise."""
    template = simulator.world.templates.get(request.path_params["id"])
    if template is None:
        raise NotThere("no such template")
    template.category, before = given.get("category", template.category), template.category
    template.quality, template.status = given.get("quality", template.quality), given.get("status", template.status)
    if "status" in given:
        simulator.graph.tell_status(template, {"reason": "NONE", **given.get("more", {})})
    if "quality" in given:
        simulator.graph.tell(template, "message_template_quality_update", {"new_quality_score": template.quality})
    if "category" in given:
        simulator.graph.tell(
            template, "template_category_update", {"previous_category": before, "new_category": template.category}
        )
    return {"id": template.id, "status": template.status, "category": template.category}


def phones(simulator: "Simulator", request: Request, given: Json) -> Json:
    """Who is there."""
    found = find(simulator, request.query_params.get("q", ""))
    return {"count": len(found), "phones": [summary(simulator, phone) for phone in found[:100]]}


def find(simulator: "Simulator", query: str) -> list[Phone]:
    """Phones whose name or number contains the query, newest first."""
    text, number = query.strip().lower(), addresses.digits(query)
    everyone = list(reversed(simulator.world.phones.values()))
    return [
        phone for phone in everyone if not text or text in phone.name.lower() or (number and number in _both(phone))
    ]


def _both(phone: Phone) -> str:
    """The number as WhatsApp keeps it and as people write it."""
    return f"{phone.wa_id} {addresses.digits(addresses.pretty(phone.wa_id))}"


def summary(simulator: "Simulator", phone: Phone) -> Json:
    """A phone without its chats."""
    return {
        "number": addresses.pretty(phone.wa_id),
        "wa_id": phone.wa_id,
        "name": phone.name,
        "user_id": phone.user_id,
        "persona": personas.name(phone, simulator.world.settings),
        "on": personas.is_on(phone, simulator.world.settings),
        "seen": phone.seen,
        "blocks": phone.blocks,
        "opted_out": phone.opted_out,
        "messages": sum(map(len, phone.chats.values())),
    }


def phone(simulator: "Simulator", request: Request, given: Json) -> Json:
    """One phone."""
    found = existing(simulator, request.path_params["number"])
    return summary(simulator, found) | {
        "chats": {number: [asdict(message) for message in chat] for number, chat in found.chats.items()}
    }


def existing(simulator: "Simulator", number: str) -> Phone:
    """The phone with this number, however it is written."""
    digits = addresses.digits(number)
    found = simulator.world.phones.get(addresses.wa_id(digits)) or simulator.world.phones.get(digits)
    if found is None:
        raise NotThere("no such phone")
    return found


def change_phone(simulator: "Simulator", request: Request, given: Json) -> Json:
    """Name, persona, switched on or off, blocking, promotions. A new number makes a new phone."""
    setup.configure(
        simulator.world,
        {
            "phones": [
                {
                    "number": request.path_params["number"],
                    **{key: given[key] for key in ("name", "persona") if key in given},
                }
            ]
        },
    )
    found = existing(simulator, request.path_params["number"])
    number_id = _number_id(simulator, found, given)
    if "on" in given:
        inbound.switch(simulator.timeline, found, on=bool(given["on"]))
    if "block" in given:
        inbound.block(simulator.timeline, found, number_id, blocked=bool(given["block"]))
    if "stop" in given:
        inbound.prefer(simulator.timeline, found, number_id, stop=bool(given["stop"]))
    return summary(simulator, found)


def _number_id(simulator: "Simulator", found: Phone, given: Json) -> str:
    """The business number meant: the given one, else the one of the newest chat, else the first there is."""
    newest = max((chat[-1] for chat in found.chats.values() if chat), key=lambda message: message.at, default=None)
    number_id = given.get("number_id") or (newest.number_id if newest else next(iter(simulator.world.numbers), ""))
    if number_id not in simulator.world.numbers:
        raise NotThere("no such number")
    return str(number_id)


def reply(simulator: "Simulator", request: Request, given: Json) -> Json:
    """The person writes or taps."""
    setup.configure(simulator.world, {"phones": [{"number": request.path_params["number"]}]})
    found = existing(simulator, request.path_params["number"])
    if "button" in given:
        origin = newest(found, str(given.get("wamid", "")))
        return {"wamid": inbound.tap(simulator.timeline, found, origin, place(origin, given["button"])).wamid}
    message = inbound.reply(simulator.timeline, found, _number_id(simulator, found, given), text=str(given["text"]))
    return {"wamid": message.wamid}


def newest(found: Phone, wamid: str = "") -> Message:
    """The message with this id, else the newest with buttons. `LookupError` when there is none."""
    theirs = [message for chat in found.chats.values() for message in chat if not message.mine]
    fitting = [message for message in theirs if (message.wamid == wamid if wamid else message.buttons)]
    if not fitting:
        raise LookupError("no such message, or none with buttons")
    return max(fitting, key=lambda message: message.at)


def place(origin: Message, button: int | str) -> int:
    """Which button: by place, or by label."""
    if isinstance(button, int):
        return button
    return [label for _, label, _ in origin.buttons].index(button)


async def wait(simulator: "Simulator", request: Request, given: Json) -> Json:
    """Answer once nothing is on its way, or after `seconds` (10)."""
    deadline = asyncio.get_running_loop().time() + float(request.query_params.get("seconds", 10))
    while not (quiet := simulator.quiet()) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
    return {"quiet": quiet}


TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "received", received),
    ("GET", "state", state),
    ("GET", "wait", wait),
    ("POST", "setup", add_setup),
    ("POST", "faults", set_faults),
    ("POST", "reset", reset),
    ("POST", "numbers/{id}", change_number),
    ("POST", "templates/{id}", change_template),
    ("GET", "phones", phones),
    ("GET", "phones/{number}", phone),
    ("POST", "phones/{number}", change_phone),
    ("POST", "phones/{number}/reply", reply),
)
