"""How a phone behaves, by the last four digits of its number (where `Settings.endings`) or by a persona given to it.

| ends in | persona | what happens |
|---|---|---|
| 0000 | `prompt` | delivered and read at once |
| 0001 | `no_whatsapp` | failed 131026 |
| 0002 | `capped` | failed 131049: had too many promotions |
| 0003 | `opted_out` | failed 131050 for marketing: said no inside WhatsApp |
| 0004 | `experiment` | failed 130472 for marketing |
| 0005 | `never_reads` | delivered, never read |
| 0006 | `slow` | everything takes thirty times as long |
| 0007 | `off` | sent only, until someone switches it on |
| 0008 | `drops` | accepted, then the connection ends without an answer |
| 0009 | `gateway` | 502 with HTML, not accepted |
| 0010 | `internal` | Meta's 131000, not accepted |
| 0011 | `says_baja` | reads and answers BAJA |
| 0012 | `hides_number` | webhooks name its user id only |
| 0013 | `malformed` | refused at once, 131009 |
| 0014 | `noisy` | its status webhooks come twice and in disorder |
| 0015 | `revived` | failed, and delivered after all |
| 0016 | `unavailable` | Meta's 131016 the first time, accepted the second |
| other | | by its number, always the same: `Settings.failed` of them fail (131049, 131026), `Settings.read` of the rest read |
"""

import random
import zlib
from dataclasses import dataclass

from pregon.simulator.world import Message, Phone, Settings


@dataclass(frozen=True, slots=True)
class Persona:
    """`code`: how it fails; `refusal`: how the call itself goes wrong."""

    code: int = 0
    marketing_only: bool = False
    reads: bool = True
    pace: float = 1.0
    refusal: str = ""  # a fault's name
    answer: str = ""
    hidden: bool = False
    noisy: bool = False
    revived: bool = False
    off: bool = False


ORDINARY = Persona()
DEAF = Persona(reads=False)
PERSONAS: dict[str, Persona] = {
    "prompt": Persona(pace=0.1),
    "no_whatsapp": Persona(code=131026),
    "capped": Persona(code=131049, marketing_only=True),
    "opted_out": Persona(code=131050, marketing_only=True),
    "experiment": Persona(code=130472, marketing_only=True),
    "never_reads": DEAF,
    "slow": Persona(pace=30),
    "off": Persona(off=True),
    "drops": Persona(refusal="reset_after"),
    "gateway": Persona(refusal="gateway"),
    "internal": Persona(refusal="internal"),
    "says_baja": Persona(answer="BAJA"),
    "hides_number": Persona(hidden=True),
    "malformed": Persona(refusal="malformed"),
    "noisy": Persona(noisy=True),
    "revived": Persona(code=131026, revived=True),
    "unavailable": Persona(refusal="unavailable_once"),
}
BY_ENDING = {f"{place:04d}": name for place, name in enumerate(PERSONAS)}
UNLUCKY = (Persona(code=131049, marketing_only=True), Persona(code=131026))

Step = tuple[float, str, int]  # seconds from now, status, Meta's code


def name(phone: Phone, settings: Settings) -> str:
    """The persona's name, empty for an ordinary phone."""
    return phone.persona or (BY_ENDING.get(phone.wa_id[-4:], "") if settings.endings else "")


def is_on(phone: Phone, settings: Settings) -> bool:
    """Whether it receives now."""
    return not of(phone, settings).off if phone.on is None else phone.on


def of(phone: Phone, settings: Settings) -> Persona:
    """How this phone behaves."""
    if given := name(phone, settings):
        return PERSONAS.get(given, ORDINARY)
    chance = zlib.crc32(phone.wa_id.encode()) / 2**32
    if chance < settings.failed:
        return UNLUCKY[int(chance * 2**32) % len(UNLUCKY)]
    return ORDINARY if chance < settings.failed + settings.read * (1 - settings.failed) else DEAF


def plan(message: Message, phone: Phone, settings: Settings) -> list[Step]:
    """What Meta will report about a message, and when."""
    persona = of(phone, settings)
    failing = persona.code and (message.category == "marketing" or not persona.marketing_only)
    if message.code or failing:
        failed: Step = (_soon(0.1, 0.6), "failed", message.code or persona.code)
        return [failed, (failed[0] + 1, "delivered", 0)] if persona.revived and not message.code else [failed]
    sent: Step = (_soon(0.05, 0.4) * persona.pace, "sent", 0)
    reached = is_on(phone, settings) and message.number_id not in phone.blocks
    return [sent, *(arrival(persona, sent[0]) if reached else ())]


def arrival(persona: Persona, after: float) -> list[Step]:
    """What happens on the phone itself: delivered, and perhaps read."""
    delivered = after + _soon(0.1, 1.2) * persona.pace
    steps: list[Step] = [(delivered, "delivered", 0)]
    if persona.reads:
        steps.append((delivered + _soon(0.3, 5.0) * persona.pace, "read", 0))
    return steps


def _soon(low: float, high: float) -> float:
    return random.uniform(low, high)
