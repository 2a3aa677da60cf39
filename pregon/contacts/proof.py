"""The acts of consent as proof: who said what and when, how it came, and what shows it.

proof.of_person(contact)     the rows of one person, the latest first
proof.all_of(account)        everybody's, the last noted first; memory does not grow with them
proof.csv(rows)              chunks of the file
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import JSONField, Q, QuerySet
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts import consent, history, statements
from pregon.contacts.models import Consent, ConsentEntry, Contact, ContactImport, Source
from pregon.lib import spreadsheets

PART = 2_000  # acts read at once


class Row(NamedTuple):
    """One act in words; times as `2026-11-22 10:47:03-06:00` on the business's clock. What is not known is empty."""

    happened: str
    """When the person acted."""
    act: str
    words: str
    name: str
    """Of who has the number now; empty where nobody has it any more, as is the number."""
    mobile: str
    number_hash: str
    """The same for all acts of a number, also where the number itself is not kept."""
    source: str
    statement: str
    """Where the permission comes from, in the words of whoever brought the file."""
    text: str
    """What was shown to the person, or what they said."""
    form: str
    file: str
    line: str
    digest: str
    """SHA-256 of the file."""
    by: str
    noted: str
    ip: str
    wamid: str
    """Meta's id of the message that says it."""
    remark: str
    """Why it counts for nothing, or for less."""


def head() -> Row:
    """The names of the columns."""
    return Row(
        _("Cuándo"), _("Acto"), _("Qué pasó"), _("Nombre"), _("Celular"), _("Huella del número"), _("Origen"),
        _("Declaración"), _("Texto"), _("Formulario"), _("Archivo"), _("Fila"), _("Huella del archivo (SHA-256)"),
        _("Lo anotó"), _("Anotado"), _("Dirección IP"), _("Mensaje de WhatsApp"), _("Observación"),
    )  # fmt: skip


def of_person(contact: Contact) -> Iterator[Row]:
    """What was said for the contact, and for its number, or Meta's id of it, before it was in the base."""
    number = consent.spoken(contact).hash
    theirs = Q(contact=contact) | Q(mobile_hash=number) if number else Q(contact=contact)
    acts = _told(ConsentEntry.objects.filter(theirs, account=contact.account_id))
    for entry in acts.order_by("-happened_at", "-id"):
        yield _row(entry, contact.account.zone)


def all_of(account: Account) -> Iterator[Row]:
    """Read in parts: nothing is held while somebody takes them away slowly."""
    acts = _told(ConsentEntry.objects.filter(account=account)).order_by("-id")
    part = list(acts[:PART])
    while part:
        yield from (_row(entry, account.zone) for entry in part)
        part = list(acts.filter(pk__lt=part[-1].pk)[:PART])


def latest(account: Account, most: int) -> tuple[list[Row], bool]:
    """The `most` acts noted last, and whether there are more."""
    rows = list(islice(all_of(account), most + 1))
    return rows[:most], len(rows) > most


def csv(rows: Iterable[Row]) -> Iterator[bytes]:
    """Chunks of the file that a spreadsheet opens and cannot run."""
    return spreadsheets.write_csv(_with_head(rows))


def evidence(row: Row) -> list[tuple[str, str]]:
    """What shows it, each with its column's name: but when, what and who."""
    named = zip(Row._fields, head(), row, strict=True)
    return [(name, value) for field, name, value in named if value and field not in _SHOWN_ALONE]


_SHOWN_ALONE = {"happened", "act", "words", "name", "mobile"}


def _with_head(rows: Iterable[Row]) -> Iterator[Row]:
    yield head()
    yield from rows


def _told(acts: QuerySet[ConsentEntry]) -> QuerySet[ConsentEntry]:
    return acts.select_related("contact", "actor", "import_file").defer(*_NO_PROOF)


# A file's figures and sample, for each of its acts once more: half of the time that reading them took.
_NO_PROOF = [
    "contact__fields",
    *(f"import_file__{field.name}" for field in ContactImport._meta.fields if isinstance(field, JSONField)),
]


def _row(entry: ConsentEntry, zone: ZoneInfo) -> Row:
    contact, file, shown = entry.contact, entry.import_file, entry.evidence
    theirs = contact is not None and consent.spoken(contact).hash == entry.mobile_hash
    return Row(
        happened=_moment(entry.happened_at, zone),
        act=_ACTS[Consent(entry.act)](),
        words=history.tell(entry),
        name=contact.name if contact else "",
        mobile=(contact.mobile or "") if contact and theirs else "",
        number_hash=entry.mobile_hash,
        source=str(Source(entry.source).label),  # get_source_display hashes the words of all choices
        statement=_statement(shown.get("statement", "")),
        text=entry.text,
        form=_form(entry),
        file=str(shown.get("file") or (file.file_name if file else "")),
        line=str(entry.row_no or shown.get("row") or ""),
        digest=file.digest if file else "",
        by=_by(entry),
        noted=_moment(entry.created_at, zone),
        ip=str(entry.ip or (file.ip if file else "") or ""),
        wamid=str(shown.get("wamid", "")),
        remark=_remark(entry, file, zone),
    )


_ACTS = {
    Consent.GRANTED: lambda: _("Permiso"),
    Consent.WITHDRAWN: lambda: _("Baja"),
    Consent.UNKNOWN: lambda: _("El permiso terminó"),
}


def _statement(key: str) -> str:
    stated = statements.ALL.get(key)
    return str(stated.words) if stated else ""


def _form(entry: ConsentEntry) -> str:
    page, version = entry.evidence.get("page"), entry.evidence.get("version")
    if not page:
        return ""
    return _("%(page)s, versión %(version)s") % {"page": page, "version": version} if version else str(page)


def _by(entry: ConsentEntry) -> str:
    return f"{entry.actor.name} <{entry.actor.email}>".strip() if entry.actor else ""


def _remark(entry: ConsentEntry, file: ContactImport | None, zone: ZoneInfo) -> str:
    if file and file.undone_at and entry.act == Consent.GRANTED:
        return _("El archivo se deshizo el %(at)s: este permiso no cuenta desde entonces.") % {
            "at": _moment(file.undone_at, zone)
        }
    if entry.evidence.get("confirmed") is False:
        return _("Sin confirmar: nadie escribió desde ese celular.")
    if entry.evidence.get("hidden"):
        return _("Mandó el código del formulario sin mostrar su celular: no se sabe si es el que escribió en él.")
    if code := entry.evidence.get("code"):
        return _("Meta contestó con el código %(code)s.") % {"code": code}
    return ""


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(" ", "seconds")
