"""What will happen to messages, and when: a heap of due statuses, looked at fifty times a second."""

import asyncio
import heapq
import itertools
import time

from pregon.simulator import addresses, inbound, personas, refusals
from pregon.simulator.courier import Courier
from pregon.simulator.personas import Step
from pregon.simulator.world import Json, Message, Phone, World

TICK = 0.02
RANK = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}


class Timeline:
    """Plans statuses and, when due, hands them to the courier."""

    def __init__(self, world: World, courier: Courier) -> None:
        self.world = world
        self.courier = courier
        self.due: list[tuple[float, int, Message, str, int]] = []
        self._order = itertools.count()

    def plan(self, message: Message) -> None:
        """What will become of a message just accepted."""
        phone = self.world.phones[message.wa_id]
        self.add(message, personas.plan(message, phone, self.world.settings))

    def add(self, message: Message, steps: list[Step]) -> None:
        now, delay = time.time(), self.world.settings.delay
        for after, status, code in steps:
            self.put(now + after * delay, message, status, code)

    def put(self, due: float, message: Message, status: str, code: int) -> None:
        """One status at one time."""
        heapq.heappush(self.due, (due, next(self._order), message, status, code))

    def switch_on(self, phone: Phone) -> None:
        """The phone receives what waited for it."""
        persona = personas.of(phone, self.world.settings)
        for chat in phone.chats.values():
            for message in chat:
                if not message.mine and message.status == "sent" and message.number_id not in phone.blocks:
                    self.add(message, personas.arrival(persona, 0.0))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            now = time.time()
            while self.due and self.due[0][0] <= now:
                _, _, message, status, code = heapq.heappop(self.due)
                self.happen(message, status, code)
            await asyncio.sleep(TICK)

    def happen(self, message: Message, status: str, code: int = 0) -> None:
        """One status, now."""
        phone = self.world.phones.get(message.wa_id) or Phone(message.wa_id, user_id=addresses.user_id(message.wa_id))
        if RANK[status] <= RANK[message.status]:
            return
        message.status, message.code = status, code
        persona = personas.of(phone, self.world.settings)
        for _ in range(2 if persona.noisy else 1):
            self.courier.put(message.number_id, "statuses", _status(message, phone, hidden=persona.hidden))
        self._tell(message, status)
        if status == "read" and persona.answer and message.category == "marketing":
            inbound.reply(self, phone, message.number_id, text=persona.answer)

    def _tell(self, message: Message, status: str) -> None:
        self.world.changed = True
        self.world.tell(status, message)


def _status(message: Message, phone: Phone, *, hidden: bool) -> Json:
    """One entry of a webhook's `statuses`."""
    status: Json = {"id": message.wamid, "status": message.status, "timestamp": str(int(time.time()))}
    status |= {} if hidden else {"recipient_id": message.wa_id}
    status |= {"recipient_user_id": phone.user_id}
    status |= {"biz_opaque_callback_data": message.reference} if message.reference else {}
    if message.status == "failed":
        return status | {"errors": [refusals.later(message.code)]}
    return status | {
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": message.category}
    }
