"""Webhooks out: what is waiting goes together, up to 1,000 updates a post, signed over the exact bytes.

Delivered at least once and in no order, as Meta does: a post that is not answered with 200 goes again, at first soon
and then ever later, for seven days. What is waiting is bounded; beyond that the oldest posts are dropped and counted.
"""

import asyncio
import hashlib
import heapq
import hmac
import itertools
import json
import random
import time
from collections import deque
from dataclasses import dataclass

import aiohttp

from pregon.simulator.world import Json, World

BATCH = 1000
AT_ONCE = 8
WAITING = 500_000  # updates
LADDER = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
GIVE_UP = 7 * 24 * 3600
TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)


@dataclass(slots=True, eq=False)
class Parcel:
    """One post: its bytes never change, so that a repetition is the same."""

    url: str
    raw: bytes
    born: float
    updates: list["Update"]
    tries: int = 0


Update = tuple[str, str, Json]  # phone number id (or account id), list or field, content


class Courier:
    """Queues updates and posts them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.updates: deque[Update] = deque()
        self.again: list[tuple[float, int, Parcel]] = []
        self.delivered = self.refused = self.dropped = 0
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._posts: dict[asyncio.Task[None], Parcel] = {}

    def put(self, owner: str, kind: str, content: Json) -> None:
        """One update: a number's `statuses`, `messages` or `user_preferences`, or an account's field."""
        if len(self.updates) >= WAITING:
            self.updates.popleft()
            self.dropped += 1
        self.updates.append((owner, kind, content))
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Updates and posts not yet taken by the receiver."""
        return len(self.updates) + len(self._posts) + len(self.again)

    def unanswered(self) -> list[Update]:
        """The updates of posts that wait for their next try or for an answer."""
        waiting = [parcel for _, _, parcel in self.again] + list(self._posts.values())
        return [update for parcel in waiting for update in parcel.updates]

    def forget(self) -> None:
        """Drop whatever waits."""
        self.updates.clear()
        self.again.clear()
        self.delivered = self.refused = self.dropped = 0

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                await self._rest()
                while not self.world.faults.hold and len(self._posts) < AT_ONCE and (parcel := self._next()):
                    self._post_soon(session, parcel)

    async def _rest(self) -> None:
        """Wait for something new, but look at the old ones ten times a second while there are any."""
        busy = self.again or self.updates
        try:
            await asyncio.wait_for(self._wake.wait(), 0.1 if busy else 1.0)
        except TimeoutError:
            pass
        self._wake.clear()

    def _next(self) -> Parcel | None:
        if self.again and self.again[0][0] <= time.time():
            return heapq.heappop(self.again)[2]
        if not self.updates:
            return None
        return self._parcel([self.updates.popleft() for _ in range(min(BATCH, len(self.updates)))])

    def _parcel(self, updates: list[Update]) -> Parcel | None:
        """One post of the updates that go where the first of them goes; the others wait for the next."""
        urls = {owner: _callback(self.world, owner) for owner in {update[0] for update in updates}}
        url = urls[updates[0][0]]
        self.updates.extendleft(reversed([update for update in updates if urls[update[0]] != url]))
        same = [update for update in updates if urls[update[0]] == url]
        if not url:
            self.dropped += len(same)
            return self._next()
        if self.world.faults.shuffle:
            random.shuffle(same)
        return Parcel(url, _payload(self.world, same), time.time(), same)

    def _post_soon(self, session: aiohttp.ClientSession, parcel: Parcel) -> None:
        for _ in range(2 if random.random() < self.world.faults.duplicate else 1):
            task = asyncio.create_task(self._post(session, parcel))
            self._posts[task] = parcel
            task.add_done_callback(self._posted)

    def _posted(self, task: asyncio.Task[None]) -> None:
        self._posts.pop(task, None)
        self._wake.set()

    async def _post(self, session: aiohttp.ClientSession, parcel: Parcel) -> None:
        if await _taken(session, parcel, self.world.settings.app_secret):
            self.delivered += len(parcel.updates)
            return
        self.refused += 1
        parcel.tries += 1
        if time.time() - parcel.born < GIVE_UP:
            due = time.time() + LADDER[min(parcel.tries, len(LADDER)) - 1]
            heapq.heappush(self.again, (due, next(self._order), parcel))


async def _taken(session: aiohttp.ClientSession, parcel: Parcel, secret: str) -> bool:
    signature = hmac.new(secret.encode(), parcel.raw, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "facebookexternalua",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    try:
        async with session.post(parcel.url, data=parcel.raw, headers=headers, allow_redirects=False) as response:
            await response.read()
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _callback(world: World, owner: str) -> str:
    """The number's own address, else its account's, else the app's; empty when the app is not subscribed."""
    number = world.numbers.get(owner)
    waba = world.wabas.get(number.waba_id if number else owner)
    if waba is None or not waba.subscribed:
        return ""
    return (number.callback if number else "") or waba.callback or world.settings.callback


def _payload(world: World, updates: list[Update]) -> bytes:
    changes: dict[tuple[str, str], Json] = {}
    entries: dict[str, list[Json]] = {}
    for owner, kind, content in updates:
        if owner in world.numbers:
            _append(world, changes, entries, (owner, kind), content)
        else:
            entries.setdefault(owner, []).append({"field": kind, "value": content})
    listed = [
        {
            "id": waba,
            **({"time": int(time.time())} if waba in world.wabas and part[0]["field"] != "messages" else {}),
            "changes": part,
        }
        for waba, part in entries.items()
    ]
    text = json.dumps({"object": "whatsapp_business_account", "entry": listed}, separators=(",", ":"))
    return text.replace("/", "\\/").encode()  # as Meta writes it: ASCII only, slashes escaped


def _append(
    world: World,
    changes: dict[tuple[str, str], Json],
    entries: dict[str, list[Json]],
    key: tuple[str, str],
    content: Json,
) -> None:
    """One update of a number, into the change that holds its like."""
    number = world.numbers[key[0]]
    value = changes.get(key)
    if value is None:
        meta = {"display_phone_number": number.digits, "phone_number_id": number.id}
        value = changes[key] = {"messaging_product": "whatsapp", "metadata": meta}
        field = "user_preferences" if key[1] == "user_preferences" else "messages"
        entries.setdefault(number.waba_id, []).append({"field": field, "value": value})
    if "$contact" in content:
        value.setdefault("contacts", []).append(content["$contact"])
        content = {name: part for name, part in content.items() if name != "$contact"}
    value.setdefault(key[1], []).append(content)
