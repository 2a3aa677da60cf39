"""All that a business knows of one person, to be handed to them: their data, permission with its proof, messages, answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.contacts import history, proof
from pregon.contacts.models import Consent, Contact
from pregon.lib import spreadsheets
from pregon.panel import wording
from pregon.panel.own_values import Own
from pregon.panel.views import results_seen
from pregon.promotions import preview
from pregon.promotions.models import Version
from pregon.sending.models import Message, Reply


@dataclass(frozen=True)
class Sent:
    """One message to the person."""

    at: datetime
    promotion: str
    text: str
    """As they got it; empty for what was not made from a promotion."""
    status: str
    delivered_at: datetime | None
    read_at: datetime | None
    why: str
    """Why it did not arrive."""


@dataclass(frozen=True)
class Record:
    """Everything in the order of time, the latest first."""

    person: Contact
    facts: Sequence[tuple[str, str]]
    """What is known of the person, each with its name; what is not is left out."""
    acts: Sequence[proof.Row]
    sent: Sequence[Sent]
    replies: Sequence[Reply]


def of(person: Contact) -> Record:
    """A fixed number of queries, whatever there is."""
    acts = list(proof.of_person(person))
    beginning = history.tell_beginning(person, silent=not acts)
    return Record(person, _facts(person, beginning), acts, [_sent(row) for row in _messages(person)], _replies(person))


def csv(record: Record) -> Iterator[bytes]:
    """Chunks of the file."""
    return spreadsheets.write_csv(_lines(record))


def json(record: Record) -> bytes:
    """For another program: names in English, times with their offset."""
    person = record.person
    content = {
        "business": person.account.name,
        "person": {
            "name": person.name,
            "mobile": person.mobile,
            "mobile_as_given": person.mobile_raw,
            "email": person.email,
            "whatsapp_user_id": person.meta_user_id,
            "tags": [tag.name for tag in person.tags.all()],
            "fields": person.fields,
            "consent": person.consent,
            "consent_at": person.consent_at,
            "file": person.source.file_name if person.source else None,
            "created_at": person.created_at,
            "updated_at": person.updated_at,
            "last_message_from_them_at": person.last_inbound_at,
        },
        "consent_acts": [row._asdict() for row in record.acts],
        "messages": record.sent,
        "replies": [{"at": reply.received_at, "text": reply.text, "wamid": reply.wamid} for reply in record.replies],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def _facts(person: Contact, beginning: str) -> list[tuple[str, str]]:
    known = [
        (_("Nombre"), person.name),
        (_("Celular"), wording.mobile(person.mobile) or person.mobile_raw),
        (_("Correo"), person.email),
        (_("Usuario de WhatsApp"), person.meta_user_id),
        (_("Etiquetas"), ", ".join(tag.name for tag in person.tags.all())),
        *Own(person.account).pairs(person.fields),
        (_("Permiso"), Consent(person.consent).label),
        (_("Contacto desde"), stamp(person.created_at)),
        (_("Cómo llegó"), beginning),
        (_("Archivo"), person.source.file_name if person.source else ""),
        (_("Última vez que escribió"), stamp(person.last_inbound_at)),
    ]
    return [(str(name), str(value)) for name, value in known if value]


def _messages(person: Contact) -> Iterator[Message]:
    rows = person.messages.select_related(
        "batch__broadcast__promotion", "batch__broadcast__version__template", "batch__broadcast__version__promotion",
        "batch__trial__version__template", "batch__trial__version__promotion",
    )  # fmt: skip
    return rows.order_by("-created_at", "-pk").iterator(chunk_size=2_000)


def _replies(person: Contact) -> list[Reply]:
    return list(person.replies.order_by("-received_at", "-pk"))


def _sent(message: Message) -> Sent:
    version = _version(message)
    return Sent(
        at=message.created_at,
        promotion=version.promotion.name if version else "",
        text=_text(preview.as_sent(version, message.values)) if version else "",
        status=message.get_delivery_display() if message.delivery else message.get_status_display(),
        delivered_at=message.delivered_at,
        read_at=message.read_at,
        why=message.get_omission_display() if message.omission else results_seen.why(message),
    )


def _version(message: Message) -> Version | None:
    made_from = getattr(message.batch, "broadcast", None) or getattr(message.batch, "trial", None)
    return made_from.version if made_from else None


def _text(seen: preview.Preview) -> str:
    return "\n".join(filter(None, (seen.header, seen.body, seen.footer)))


def _lines(record: Record) -> Iterator[Sequence[object]]:
    yield _("Apartado"), _("Fecha"), _("Qué"), _("Detalle")
    for name, value in record.facts:
        yield _("Datos"), "", name, value
    for act in record.acts:
        yield (
            _("Permiso"),
            act.happened,
            act.words,
            "; ".join(f"{name}: {value}" for name, value in proof.evidence(act)),
        )
    for sent in record.sent:
        yield _("Mensaje"), stamp(sent.at), sent.promotion, "; ".join(filter(None, (sent.text, outcome(sent))))
    for reply in record.replies:
        yield _("Respuesta"), stamp(reply.received_at), "", reply.text


def outcome(sent: Sent) -> str:
    """«Leído 2026-11-22 10:47:03-06:00», «Fallido: …»."""
    at = sent.read_at or sent.delivered_at
    return f"{sent.status} {stamp(at)}" if at else ": ".join(filter(None, (sent.status, sent.why)))


def stamp(at: datetime | None) -> str:
    """«2026-11-22 10:47:03-06:00»; nothing for no time."""
    return timezone.localtime(at).isoformat(" ", "seconds") if at else ""
