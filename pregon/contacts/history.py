"""The acts of consent of a person, as one tells them."""

from collections.abc import Iterable
from typing import Any, Protocol

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.contacts import consent, statements
from pregon.contacts.models import Consent, ConsentEntry, Contact, Source


class Told(Protocol):
    """What an act is told from: an entry has it."""

    @property
    def act(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def evidence(self) -> dict[str, Any]: ...


class Came(Protocol):
    """Whoever came in a file, or not."""

    @property
    def source_id(self) -> int | None: ...


GRANTED: dict[Source, Promise] = {
    Source.FORM: gettext_lazy("Aceptó en un formulario"),
    Source.BUTTON: gettext_lazy("Tocó el botón para recibir promociones"),
    Source.META: gettext_lazy("Volvió a aceptar en WhatsApp"),
    Source.API: gettext_lazy("Lo registró otro programa"),
    Source.STAFF: gettext_lazy("Lo registró Soporte"),
}
WITHDRAWN: dict[Source, Promise] = {
    Source.IMPORT: gettext_lazy("Venía en una lista de bajas"),
    Source.PANEL: gettext_lazy("Pidió su baja en el negocio"),
    Source.FORM: gettext_lazy("Pidió su baja en un formulario"),
    Source.BUTTON: gettext_lazy("Tocó «No recibir promociones»"),
    Source.META: gettext_lazy("Dejó de recibir promociones en WhatsApp"),
    Source.REFUSED: gettext_lazy("Meta avisó que no quiere promociones"),
    Source.API: gettext_lazy("Lo registró otro programa"),
    Source.STAFF: gettext_lazy("Lo registró Soporte"),
}


def latest(contacts: Iterable[Contact]) -> dict[int, ConsentEntry]:
    """By contact id the act that made each what they are; those of whom nothing was said are not in it."""
    asked = {contact.pk: consent.spoken(contact).hash for contact in contacts}
    rows = ConsentEntry.objects.filter(contact__in=asked, act=F("contact__consent"), mobile_hash__in=asked.values())
    newest = rows.order_by("contact", "-happened_at", "-id").distinct("contact")
    return {row.contact_id: row for row in newest if row.contact_id}


def tell(entry: Told) -> str:
    """«Se apuntó en la tienda», «Respondió BAJA»."""
    match entry.act, entry.source:
        case _act, _source if "merge" in entry.evidence:
            return _merged(entry)
        case Consent.UNKNOWN, _source:
            return _("Su permiso terminó: dejó tus contactos o cambió de número")
        case Consent.GRANTED, _source:
            return _granted(entry)
        case _act, Source.REPLY:
            return _("Respondió %(word)s") % {"word": entry.text[:40] or _("BAJA")}
        case _act, _source if entry.evidence.get("moved") == "id":
            return _("Había pedido su baja sin mostrar su número")
        case _act, _source if entry.evidence.get("moved"):
            return _("Había pedido su baja con su número anterior")
        case _act, source:
            return str(WITHDRAWN[Source(source)])


def tell_beginning(contact: Came, *, silent: bool = True) -> str:
    """How someone came; ``silent``: nothing was ever said of their permission."""
    if not contact.source_id:
        alone = not silent and isinstance(contact, Contact) and _came_alone(contact)
        return _("Se apuntó por su cuenta") if alone else _("Agregado a mano")
    return _("Llegó en un archivo, sin permiso") if silent else _("Llegó en un archivo")


def _came_alone(contact: Contact) -> bool:
    """Their own word was there before they were a contact."""
    own = contact.consent_entries.filter(source__in=consent.OF_THE_PERSON)
    return own.filter(happened_at__lte=contact.created_at).exists()


def _merged(entry: Told) -> str:
    if entry.act == Consent.WITHDRAWN:
        return _("Es la misma persona que otra que pidió su baja")
    return _("Al unirla con otra, el permiso de la otra no pasó a esta")


def _granted(entry: Told) -> str:
    stated = statements.GRANTING.get(entry.evidence.get("statement", ""))
    if stated:
        return str(stated.one)
    match entry.source:
        case Source.REPLY:
            return _("Respondió %(word)s") % {"word": entry.text[:40] or _("ALTA")}
        case Source.FORM if "wamid" not in entry.evidence:
            return _("Un formulario dijo que aceptaba")
        case Source.META if entry.evidence.get("choice") == "signup":
            return _("Aceptó una invitación en WhatsApp")
    return str(GRANTED.get(Source(entry.source), _("Dio su permiso")))
