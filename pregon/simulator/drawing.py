"""What the page shows of a phone: bubbles, states, and what the panel was told."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from markupsafe import Markup

from pregon.lib import text
from pregon.simulator import addresses, personas
from pregon.simulator.words import N_
from pregon.simulator.world import Line, Message, Phone, World

FOLD = 320  # characters; WhatsApp folds a promotion after about five lines

# status → icon, tone and word of the pill
STATES = {
    "off": ("device-mobile-off", "waiting", N_("Apagado")),
    "blocked": ("cancel", "failed", N_("Te bloqueó")),
    "stopped": ("user-off", "failed", N_("Sin promociones")),
    "accepted": ("send", "accepted", N_("Aceptado")),
    "sent": ("check", "accepted", N_("Enviado")),
    "delivered": ("checks", "accepted", N_("Entregado")),
    "read": ("eye", "accepted", N_("Leído")),
    "failed": ("circle-x", "failed", N_("No entregado")),
    "new": ("device-mobile", "omitted", N_("Sin mensajes")),
}

# what the panel was told → icon, tone, sentence for one, sentence for several
TOLD = {
    "sent": ("send", "accepted", N_("%(who)s: mensaje enviado"), N_("%(n)s enviados")),
    "delivered": ("checks", "accepted", N_("%(who)s recibió el mensaje"), N_("%(n)s entregados")),
    "read": ("eye", "accepted", N_("%(who)s leyó el mensaje"), N_("%(n)s leídos")),
    "failed": ("circle-x", "failed", N_("A %(who)s no le llegó"), N_("%(n)s no entregados")),
    "inbound": ("corner-up-left", "accepted", N_("%(who)s respondió"), ""),
    "stop": ("user-off", "failed", N_("%(who)s detuvo tus promociones en WhatsApp"), ""),
    "resume": ("user-check", "accepted", N_("%(who)s volvió a permitir tus promociones"), ""),
}

PERSONAS = {
    "prompt": N_("Lee al momento"),
    "no_whatsapp": N_("No tiene WhatsApp"),
    "capped": N_("Ya recibió muchas promociones (Meta pide esperar)"),
    "opted_out": N_("Dijo en WhatsApp que no quiere promociones"),
    "experiment": N_("Está en una prueba de Meta: no le llega"),
    "never_reads": N_("Recibe y nunca lee"),
    "slow": N_("Todo le llega tarde"),
    "off": N_("Tiene el celular apagado"),
    "drops": N_("Sale, pero Meta no alcanza a contestar"),
    "gateway": N_("Meta contesta con una página de error"),
    "internal": N_("Meta contesta que algo falló"),
    "says_baja": N_("Lee y contesta BAJA"),
    "hides_number": N_("Oculta su número"),
    "malformed": N_("Meta no acepta su número"),
    "noisy": N_("Los avisos llegan dos veces"),
    "revived": N_("Meta dice que falló, y después que llegó"),
    "unavailable": N_("Meta está ocupada la primera vez"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of "what the panel heard"."""

    icon: str
    tone: str
    sentence: str
    who: str
    count: int
    text: str
    at: datetime


def moment(at: float) -> datetime:
    """A time of ours."""
    return datetime.fromtimestamp(at, UTC)


def initials(text: str) -> str:
    """One or two letters for a person, or the last two digits of a number."""
    letters = [word[0].upper() for word in text.split() if word[0].isalpha()]
    return "".join(letters[:2]) or addresses.digits(text)[-2:]


def label(phone: Phone) -> str:
    """How a phone is called: by name, else by number."""
    return phone.name or addresses.pretty(phone.wa_id)


def state(world: World, phone: Phone) -> str:
    """A key of `STATES`."""
    if not personas.is_on(phone, world.settings):
        return "off"
    if phone.blocks:
        return "blocked"
    if phone.opted_out:
        return "stopped"
    last = newest(phone)
    return last.status if last else "new"


def newest(phone: Phone) -> Message | None:
    """The last message of any business."""
    theirs = [message for chat in phone.chats.values() for message in chat if not message.mine]
    return max(theirs, key=lambda message: message.at, default=None)


def visible(chat: Iterable[Message]) -> list[Message]:
    """What stands on the screen: what the person wrote, and what was delivered."""
    return [message for message in chat if message.mine or message.status in ("delivered", "read")]


def undelivered(chat: Iterable[Message]) -> list[Message]:
    """What failed, newest first."""
    return [message for message in reversed(list(chat)) if message.status == "failed"]


def paragraphs(message: str) -> list[Markup]:
    """A message with WhatsApp's own marks (*bold*, _italic_, ~struck~, `code`) and line breaks."""
    return [text.whatsapp_html(part) for part in re.split(r"\n{2,}", message) if part.strip()]


def folded(text: str) -> tuple[str, str]:
    """The part one sees at once, and the rest behind "Leer más"."""
    if len(text) <= FOLD:
        return text, ""
    cut = max(text.rfind(" ", 0, FOLD - 20), FOLD // 2)
    return text[:cut], text[cut:]


def told(world: World, most: int = 8) -> list[Entry]:
    """What the panel was told, newest first; runs of the same status are one line."""
    return [entry for entry, _ in zip(_entries(world), range(most), strict=False)]


def _entries(world: World) -> Iterator[Entry]:
    lines = [line for line in reversed(world.log) if line.kind in TOLD]
    for kind, run in groupby(lines, key=lambda line: line.kind):
        several = list(run)
        together = TOLD[kind][3] and len(several) > 1
        for line in several[:1] if together else several:
            yield _entry(world, line, len(several) if together else 1)


def _entry(world: World, line: Line, count: int) -> Entry:
    icon, tone, one, many = TOLD[line.kind]
    phone = world.phones.get(line.wa_id)
    who = label(phone) if phone else addresses.pretty(line.wa_id)
    return Entry(icon, tone, many if count > 1 else one, who, count, line.text, moment(line.at))
