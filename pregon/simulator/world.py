"""All that the simulator remembers. Plain objects: `keeping` writes them to a file as they are."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from pregon.simulator import addresses
from pregon.simulator.faults import Faults
from pregon.simulator.shapes import Shape

Json = dict[str, Any]

CHAT = 100  # messages kept per phone and business
PHONES = 20_000  # phones kept; beyond that those that were silent longest go


@dataclass(slots=True)
class Number:
    """A business number."""

    id: str
    display: str
    waba_id: str
    name: str
    mps: int = 80
    on_app: bool = False  # also used with the WhatsApp Business app: 20 messages per second
    quality: str = "GREEN"
    tier: str = "TIER_2K"
    status: str = "CONNECTED"
    refuses_with: int = 0  # every message is refused with this code of Meta's
    only_to: list[str] = field(default_factory=list)  # a test number's five recipients (wa_id)
    callback: str = ""

    @property
    def digits(self) -> str:
        return addresses.digits(self.display)


@dataclass(slots=True)
class Waba:
    """A WhatsApp business account."""

    id: str
    name: str
    business: str = ""  # id of the Meta business that owns it; empty: one that owns nothing else
    subscribed: bool = True
    callback: str = ""


@dataclass(slots=True)
class Template:
    """A message template; `components` as it was handed in."""

    id: str
    waba_id: str
    name: str
    language: str
    category: str
    components: list[Json]
    status: str = "APPROVED"
    parameter_format: str = "POSITIONAL"
    rejected_reason: str = "NONE"
    quality: str = "UNKNOWN"
    shape: Shape | None = None  # read from `components` when first sent


@dataclass(slots=True)
class Message:
    """One bubble of a chat. `mine`: the person on the phone wrote it."""

    wamid: str
    number_id: str
    wa_id: str
    at: float
    body: str = ""
    mine: bool = False
    kind: str = "text"
    status: str = "accepted"
    code: int = 0
    reference: str = ""
    category: str = "service"
    header: str = ""
    media: str = ""
    footer: str = ""
    buttons: list[list[str]] = field(default_factory=list)  # kind, label, payload or address
    context: str = ""


@dataclass(slots=True)
class Phone:
    """A virtual phone."""

    wa_id: str
    name: str = ""
    user_id: str = ""
    persona: str = ""  # instead of the one its last digits give
    on: bool | None = None  # None: as its persona has it
    seen: float = 0.0
    refused: int = 0  # calls refused before the first was accepted
    blocks: list[str] = field(default_factory=list)  # business numbers it blocked
    opted_out: list[str] = field(default_factory=list)  # those it asked WhatsApp to stop promotions from
    chats: dict[str, list[Message]] = field(default_factory=dict)
    windows: dict[str, float] = field(default_factory=dict)  # when it last wrote to each business number
    pairs: dict[str, list[float]] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        chat = self.chats.setdefault(message.number_id, [])
        chat.append(message)
        del chat[:-CHAT]
        self.seen = message.at


@dataclass(slots=True)
class Settings:
    """One Meta app and how the world behaves. `delay` scales every waiting; `failed` and `read` are shares of ordinary phones."""

    app_id: str = "670843887433847"
    app_secret: str = "practica_app_secret"
    verify_token: str = "practica_verify"
    callback: str = ""
    tokens: dict[str, str] = field(
        default_factory=lambda: {"practica": "*"}
    )  # token → its account, * for all, "expired"
    delay: float = 1.0
    failed: float = 0.02
    read: float = 0.65
    review_seconds: float = 2.0
    pair_limit: bool = True
    endings: bool = True  # whether the last digits of a number give it a persona


@dataclass(slots=True)
class Line:
    """One line of "what the panel heard"."""

    at: float
    kind: str
    wa_id: str
    text: str = ""


@dataclass
class World:
    """Everything. Phones are kept in the order of their last sign of life."""

    settings: Settings = field(default_factory=Settings)
    numbers: dict[str, Number] = field(default_factory=dict)
    wabas: dict[str, Waba] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)  # reference → how often a message with it was accepted
    unreferenced: int = 0
    reached: dict[str, dict[str, float]] = field(default_factory=dict)  # Meta business → wa_id → when it last wrote
    beyond: int = 0  # messages refused because the business had reached its people of the day
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, bytearray]] = field(default_factory=dict)
    log: deque[Line] = field(default_factory=lambda: deque(maxlen=40))
    faults: Faults = field(default_factory=Faults)
    index: dict[tuple[str, str, str], Template] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)  # user id → wa_id
    changed: bool = True  # since the state file was written

    def phone(self, wa_id: str) -> Phone:
        """The phone with this id, made when new, and moved to the end of the line."""
        phone = self.phones.pop(wa_id, None) or self._made(wa_id)
        self.phones[wa_id] = phone
        self.changed = True
        return phone

    def _made(self, wa_id: str) -> Phone:
        phone = Phone(wa_id, user_id=addresses.user_id(wa_id))
        self.people[phone.user_id] = wa_id
        if len(self.phones) >= PHONES:
            gone = self.phones.pop(next(iter(self.phones)))
            self.people.pop(gone.user_id, None)
        return phone

    def owner(self, waba_id: str) -> str:
        """Id of the Meta business that owns an account."""
        return self.wabas[waba_id].business or f"23{waba_id}"

    def add_template(self, template: Template) -> None:
        self.templates[template.id] = template
        self.index[template.waba_id, template.name, template.language] = template
        self.changed = True

    def drop_template(self, template: Template) -> None:
        self.templates.pop(template.id, None)
        self.index.pop((template.waba_id, template.name, template.language), None)
        self.changed = True

    def tell(self, kind: str, message: Message, text: str = "") -> None:
        """Remember what the panel was told."""
        self.log.append(Line(time.time(), kind, message.wa_id, text))

    def forget(self) -> None:
        """Empty phones and counts; numbers, accounts and templates stay."""
        self.phones.clear()
        self.people.clear()
        self.received.clear()
        self.reached.clear()
        self.log.clear()
        self.unreferenced = self.beyond = 0
        self.faults = Faults()
        self.changed = True
