"""The state file: what a restarted simulator still knows. Written whole and moved into place, at most every few seconds."""

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson

from pregon.simulator import setup
from pregon.simulator.courier import Courier
from pregon.simulator.timeline import Timeline
from pregon.simulator.world import Json, Line, Message, Number, Phone, Settings, Template, Waba, World

EVERY = 5.0  # seconds


def load(path: Path) -> tuple[World, Json]:
    """The world as it was, and what was on its way; a new world when there is no file or it cannot be read."""
    try:
        saved = orjson.loads(path.read_bytes())
        world = _world(saved)
        world.media = _read_media(path.with_suffix(".media"))
        return world, saved
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return setup.seed(), {}


def resume(saved: Json, timeline: Timeline, courier: Courier) -> None:
    """Put back what was on its way."""
    known = {
        message.wamid: message
        for phone in timeline.world.phones.values()
        for chat in phone.chats.values()
        for message in chat
    }
    for due, wamid, status, code in saved.get("timeline", []):
        if wamid in known:
            timeline.put(due, known[wamid], status, code)
    for owner, kind, content in saved.get("updates", []):
        courier.put(owner, kind, content)


async def keep(path: Path, timeline: Timeline, courier: Courier) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        if timeline.world.changed:
            save(path, timeline, courier)


def save(path: Path, timeline: Timeline, courier: Courier) -> None:
    """Write the file now; readable by its owner only, because it holds the app secret."""
    timeline.world.changed = False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps(_saved(timeline, courier), default=_plain))
    draft.replace(path)
    _save_media(path.with_suffix(".media"), timeline.world)


def _save_media(folder: Path, world: World) -> None:
    """Each file once: `<id>` holds its kind, a line break and its bytes."""
    for media_id, (mime, content) in world.media.items():
        file = folder / media_id
        if not file.exists():
            folder.mkdir(exist_ok=True)
            file.write_bytes(mime.encode() + b"\n" + content)


def _read_media(folder: Path) -> dict[str, tuple[str, bytes]]:
    files = {file.name: file.read_bytes().partition(b"\n") for file in folder.glob("*")}
    return {media_id: (mime.decode(), content) for media_id, (mime, _, content) in files.items()}


def _saved(timeline: Timeline, courier: Courier) -> Json:
    world = timeline.world
    return {
        "settings": world.settings,
        "numbers": list(world.numbers.values()),
        "wabas": list(world.wabas.values()),
        "templates": [_unread(template) for template in world.templates.values()],
        "phones": list(world.phones.values()),
        "received": world.received,
        "unreferenced": world.unreferenced,
        "log": list(world.log),
        "timeline": [(due, message.wamid, status, code) for due, _, message, status, code in timeline.due],
        "updates": list(courier.updates) + courier.unanswered(),
    }


def _unread(template: Template) -> Json:
    return {name: getattr(template, name) for name in Template.__slots__ if name != "shape"}


def _plain(value: Any) -> Any:
    return list(value)


def _world(saved: Json) -> World:
    world = World(
        settings=Settings(**saved["settings"]),
        received=saved["received"],
        unreferenced=saved["unreferenced"],
        changed=False,
    )
    world.numbers = {one["id"]: Number(**one) for one in saved["numbers"]}
    world.wabas = {one["id"]: Waba(**one) for one in saved["wabas"]}
    for one in saved["templates"]:
        world.add_template(Template(**one))
    world.phones = {one["wa_id"]: _phone(one) for one in saved["phones"]}
    world.people = {phone.user_id: phone.wa_id for phone in world.phones.values()}
    world.log.extend(Line(**one) for one in saved["log"])
    return world


def _phone(saved: Json) -> Phone:
    chats = {number: [Message(**message) for message in chat] for number, chat in saved["chats"].items()}
    return Phone(**(saved | {"chats": chats}))
