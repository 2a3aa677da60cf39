"""The acts of consent of a person, as one tells them."""

from collections.abc import Iterable

from django.db.models import F
from django.utils.translation import gettext as _

from pregon.contacts import consent, statements
from pregon.contacts.models import Consent, ConsentEntry, Contact, Source


def latest(contacts: Iterable[Contact]) -> dict[int, ConsentEntry]:
    """By contact id the act that made each what they are; those of whom nothing was said are not in it."""
    asked = {contact.pk: consent.spoken(contact).hash for contact in contacts}
    rows = ConsentEntry.objects.filter(contact__in=asked, act=F("contact__consent"), mobile_hash__in=asked.values())
    newest = rows.order_by("contact", "-happened_at", "-id").distinct("contact")
    return {row.contact_id: row for row in newest if row.contact_id}


def tell(entry: ConsentEntry) -> str:
    """«Se apuntó en la tienda», «Respondió BAJA»."""
    match entry.act, entry.source:
        case _act, _source if "merge" in entry.evidence:
            return _merged(entry)
        case Consent.UNKNOWN, _source:
            return _("El número dejó de ser suyo")
        case Consent.GRANTED, _source:
            return _granted(entry)
        case _act, Source.REPLY:
            return _("Respondió %(word)s") % {"word": entry.text[:40] or _("BAJA")}
        case _act, _source if entry.evidence.get("moved"):
            return _("Había pedido su baja con su número anterior")
        case _act, source:
            return _withdrawn(Source(source))


def tell_beginning(contact: Contact, *, silent: bool = True) -> str:
    """How someone came; ``silent``: nothing was ever said of their permission."""
    if not contact.source_id:
        return _("Agregado a mano") if silent or not _came_alone(contact) else _("Se apuntó por su cuenta")
    return _("Llegó en un archivo, sin permiso") if silent else _("Llegó en un archivo")


def _came_alone(contact: Contact) -> bool:
    """Their own word was there before they were a contact."""
    own = contact.consent_entries.filter(source__in=consent.OF_THE_PERSON)
    return own.filter(happened_at__lte=contact.created_at).exists()


def _merged(entry: ConsentEntry) -> str:
    if entry.act == Consent.WITHDRAWN:
        return _("Es la misma persona que otra que pidió su baja")
    return _("Al unirla con otra, el permiso de la otra no pasó a esta")


def _granted(entry: ConsentEntry) -> str:
    stated = statements.GRANTING.get(entry.evidence.get("statement", ""))
    if stated:
        return str(stated.one)
    if entry.source == Source.REPLY:
        return _("Respondió %(word)s") % {"word": entry.text[:40] or _("ALTA")}
    return {
        Source.FORM: _("Aceptó en un formulario")
        if "wamid" in entry.evidence
        else _("Un formulario dijo que aceptaba"),
        Source.BUTTON: _("Tocó el botón para recibir promociones"),
        Source.META: _("Aceptó una invitación en WhatsApp")
        if entry.evidence.get("choice") == "signup"
        else _("Volvió a aceptar en WhatsApp"),
        Source.API: _("Lo registró otro programa"),
        Source.STAFF: _("Lo registró Soporte"),
    }.get(Source(entry.source), _("Dio su permiso"))


def _withdrawn(source: Source) -> str:
    return {
        Source.IMPORT: _("Venía en una lista de bajas"),
        Source.PANEL: _("Pidió su baja en el negocio"),
        Source.FORM: _("Pidió su baja en un formulario"),
        Source.BUTTON: _("Tocó «No recibir promociones»"),
        Source.META: _("Dejó de recibir promociones en WhatsApp"),
        Source.REFUSED: _("Meta avisó que no quiere promociones"),
        Source.API: _("Lo registró otro programa"),
        Source.STAFF: _("Lo registró Soporte"),
    }[source]
