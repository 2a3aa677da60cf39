"""The state file: what a restarted simulator still knows. Written whole and moved into place, at most every few seconds.

What is accepted in between stands in a journal before it is answered, so that a killed simulator forgets none of it.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson

from pregon.simulator import messages, setup
from pregon.simulator.courier import Courier
from pregon.simulator.timeline import Timeline
from pregon.simulator.world import Json, Line, Message, Number, Phone, Settings, Template, Waba, World

EVERY = 5.0  # seconds


class Journal:
    """The messages accepted since the state file was written, one line each. The state file names its journal by number."""

    def __init__(self, state: Path, number: int) -> None:
        self.state = state
        self.number = number
        state.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._open(os.O_APPEND)

    def _open(self, how: int) -> int:
        return os.open(self._path(self.number), os.O_WRONLY | os.O_CREAT | how, 0o600)

    def _path(self, number: int | str) -> Path:
        return self.state.with_suffix(f".{number}.journal")

    def add(self, message: Message) -> None:
        os.write(self._file, orjson.dumps(message) + b"\n")

    def read(self) -> list[Message]:
        """Without the line that was being written when the simulator was killed."""
        return [Message(**orjson.loads(line)) for line in self._path(self.number).read_bytes().split(b"\n")[:-1]]

    def begin_next(self) -> None:
        """For the state file that is written next."""
        os.close(self._file)
        self.number += 1
        self._file = self._open(os.O_TRUNC)

    def drop_earlier(self) -> None:
        """The state file holds what they say."""
        for path in self.state.parent.glob(self._path("*").name):
            if path != self._path(self.number):
                path.unlink()

    def close(self) -> None:
        os.close(self._file)


def load(path: Path) -> tuple[World, Json]:
    """The world as it was, and what was on its way; a new world when there is no file or it cannot be read."""
    try:
        saved = orjson.loads(path.read_bytes())
        world = _world(saved)
        world.media = _read_media(path.with_suffix(".media"))
        return world, saved
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return setup.seed(), {}


def resume(saved: Json, timeline: Timeline, courier: Courier, journal: Journal | None) -> None:
    """Put back what was on its way, and what was accepted after that was written down."""
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
    for message in journal.read() if journal else ():
        messages.keep(timeline.world, timeline.world.phone(message.wa_id), message)
        timeline.plan(message)


async def keep(journal: Journal, timeline: Timeline, courier: Courier) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        if timeline.world.changed:
            save(journal, timeline, courier)


def save(journal: Journal, timeline: Timeline, courier: Courier) -> None:
    """Write the state file now; readable by its owner only, because it holds the app secret."""
    timeline.world.changed = False
    journal.begin_next()
    draft = journal.state.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps(_saved(timeline, courier) | {"journal": journal.number}, default=_plain))
    draft.replace(journal.state)
    journal.drop_earlier()
    _save_media(journal.state.with_suffix(".media"), timeline.world)


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
        "reached": world.reached,
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
        reached=saved.get("reached", {}),
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
