"""What happened with a person, in words: each row of their history as it is drawn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.contacts import changes, consent, history
from pregon.contacts.models import Change, Consent, ConsentEntry, Contact, Source
from pregon.panel import wording
from pregon.panel.own_values import Own
from pregon.panel.views import results_seen
from pregon.promotions import results
from pregon.promotions.results import Bucket
from pregon.sending.models import Batch, Message, Reply


@dataclass(frozen=True)
class Item:
    """As it is drawn: `title` leads to `url`, `lines` stand below it."""

    icon: str
    tone: str
    title: str
    at: datetime
    lines: list[str] = field(default_factory=list)
    url: str = ""
    dated: bool = True
    """Whether the time of the day is known."""


def tell(row: Contact | Change | ConsentEntry | Message | Reply, own: Own) -> Item:
    """A contact: how they came. `own` names the fields of the business."""
    return _change(row, own) if isinstance(row, Change) else TOLD[type(row)](row)


def _arrival(person: Contact) -> Item:
    lines = [person.source.file_name] if person.source else []
    return Item("user-plus", "omitted", history.tell_beginning(person, silent=False), person.created_at, lines)


ACTS = {
    Consent.GRANTED: ("user-check", "accepted"),
    Consent.WITHDRAWN: ("user-off", "failed"),
    Consent.UNKNOWN: ("user-question", "omitted"),
}


def _said(entry: ConsentEntry) -> Item:
    icon, tone = ACTS[Consent(entry.act)]
    dated = wording.clock(entry.happened_at) != "0:00"
    return Item(icon, tone, history.tell(entry), entry.happened_at, list(_evidence(entry)), dated=dated)


def _evidence(entry: ConsentEntry) -> Iterator[str]:
    if entry.text and entry.source != Source.REPLY:
        yield f"«{entry.text}»"
    if entry.evidence.get("file"):
        yield _("%(file)s, fila %(row)s") % {
            "file": entry.evidence["file"],
            "row": wording.number(entry.evidence.get("row") or entry.row_no),
        }
    if entry.actor:
        done = entry.act == Consent.UNKNOWN or "merge" in entry.evidence  # it followed from what they did
        words = _("Lo hizo %(who)s, %(when)s") if done else _("Lo anotó %(who)s, %(when)s")
        yield words % {"who": entry.actor, "when": wording.day_and_clock(entry.created_at)}
    if entry.ip:
        yield _("Desde la dirección %(ip)s") % {"ip": entry.ip}
    if entry.contact and entry.mobile_hash not in ("", consent.spoken(entry.contact).hash):
        yield _("No es del número que tiene ahora.") if entry.contact.mobile else _("Es de un número que tuvo antes.")
    if entry.act == Consent.GRANTED and entry.import_file and entry.import_file.undone_at:
        yield _("La importación se deshizo: este permiso ya no cuenta.")


SENT = {
    Bucket.ACCEPTED: ("circle-check", "accepted"),
    Bucket.FAILED: ("circle-x", "failed"),
    Bucket.OMITTED: ("circle-minus", "omitted"),
    Bucket.UNCONFIRMED: ("clock-question", "waiting"),
    Bucket.WAITING: ("hourglass", "waiting"),
}


def _message(message: Message) -> Item:
    name, url = _sending(message.batch)
    bucket = results.bucket_of(message)
    why = results_seen.why(message)
    lines = [_state(message, bucket), *([why] if why else [])]
    icon, tone = SENT[bucket]
    return Item(icon, tone, name or _("Mensaje suelto"), message.created_at, lines, url)


def _sending(batch: Batch | None) -> tuple[str, str]:
    """The promotion's name, and the address of its result; empty for a message outside any broadcast."""
    broadcast = getattr(batch, "broadcast", None)
    return (broadcast.promotion.name, reverse("panel:broadcast", args=[broadcast.pk])) if broadcast else ("", "")


def _state(message: Message, bucket: Bucket) -> str:
    if message.omission:
        return f"{message.get_status_display()}: {message.get_omission_display()}"
    if bucket is not Bucket.ACCEPTED:
        return str(message.get_delivery_display() if message.delivery else message.get_status_display())
    told = [
        _("%(what)s %(when)s") % {"what": what, "when": _beside(message.created_at, at)}
        for what, at in ((_("Entregado"), message.delivered_at), (_("Leído"), message.read_at))
        if at
    ]
    return " · ".join([_("Enviado"), *told])


def _beside(first: datetime, moment: datetime) -> str:
    same = timezone.localdate(first) == timezone.localdate(moment)
    return wording.clock(moment) if same else wording.day_and_clock(moment)


def _reply(reply: Reply) -> Item:
    name, url = _sending(reply.batch)
    title = _("Respondió a «%(name)s»") % {"name": name} if name else _("Escribió por WhatsApp")
    words = wording.clipped(reply.text, 300)
    text = f"«{words[0]}{'…' if words[1] else ''}»" if reply.text else _("Algo que no es texto: una foto, un audio…")
    return Item("message-2", "omitted", title, reply.received_at, [text], url)


def _change(change: Change, own: Own) -> Item:
    if not change.changed:
        return Item("user-plus", "omitted", _came(change), change.at)
    icon = "file-text" if change.import_file else "user-edit"
    return Item(icon, "omitted", _changed_by(change), change.at, list(_differences(change.changed, own)))


def _came(change: Change) -> str:
    if change.source == Change.Source.WHATSAPP:
        return _("Llegó por WhatsApp, sin mostrar su número")
    return _("Lo agregó %(who)s") % {"who": change.actor} if change.actor else _("Agregado a mano")


def _changed_by(change: Change) -> str:
    if change.source == Change.Source.WHATSAPP:
        return _told_by_whatsapp(change.changed)
    given = {"who": change.actor or _("Alguien"), "file": change.import_file}
    return {
        Change.Source.PANEL: _("%(who)s cambió sus datos"),
        Change.Source.IMPORT: _("El archivo %(file)s cambió sus datos"),
        Change.Source.UNDO: _("Se deshizo la importación de %(file)s"),
    }[Change.Source(change.source)] % given


def _told_by_whatsapp(changed: dict[str, list[Any]]) -> str:
    if "mobile" not in changed:
        return _("WhatsApp confirmó quién es")
    return _("Cambió de número en WhatsApp") if changed["mobile"][0] else _("Mostró su número en WhatsApp")


FIELDS: dict[str, str | Promise] = {
    "name": gettext_lazy("Nombre"),
    "mobile": gettext_lazy("Celular"),
    "email": gettext_lazy("Correo"),
}


def _differences(changed: dict[str, list[Any]], own: Own) -> Iterator[str]:
    """«Nombre: Rosa → Rosa Elena», in the order of the form."""
    given, taken = _tags(changed.get("tags", [[], []]))
    for name in sorted(changed.keys() - {"tags", "meta_user_id"}, key=_place):
        old, new = (_value(name, value, own) for value in changed[name])
        label = FIELDS.get(name) or own.label(name.removeprefix(changes.OWN))
        yield f"{label}: {old} → {new or _('vacío')}" if old else f"{label}: {new}"
    if given:
        yield _("Etiquetas nuevas: %(names)s") % {"names": given}
    if taken:
        yield _("Etiquetas quitadas: %(names)s") % {"names": taken}
    if "meta_user_id" in changed and not changed["meta_user_id"][0]:  # the id itself says nothing to people
        yield _("Reconocemos sus mensajes aunque oculte su número.")


def _value(name: str, value: str, own: Own) -> str:
    if name.startswith(changes.OWN):
        return own.value(name.removeprefix(changes.OWN), value)
    return wording.mobile(value) if name == "mobile" else value


def _place(name: str) -> tuple[int, str]:
    return ([*FIELDS].index(name) if name in FIELDS else len(FIELDS), name)


def _tags(pair: list[Any]) -> tuple[str, str]:
    """Those given and those taken."""
    old, new = ({*names} for names in pair)
    return ", ".join(sorted(new - old)), ", ".join(sorted(old - new))


TOLD: dict[type, Callable[[Any], Item]] = {
    Contact: _arrival,
    ConsentEntry: _said,
    Message: _message,
    Reply: _reply,
}
