"""Why people are left out, in words: a sentence and the next step for each reason."""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.sending.models import Omission


class Words(NamedTuple):
    """What happened, and what the business can do; `step` is empty where there is nothing to do."""

    sentence: str | Promise
    step: str | Promise


WORDS: Mapping[str, Words] = {
    Omission.OPT_OUT: Words(_("Pidieron no recibir más: respetamos su decisión"), ""),
    Omission.NO_CONSENT: Words(_("No han aceptado promociones"), _("Pedir permiso")),
    Omission.INCOMPLETE: Words(_("Faltan o sobran dígitos"), _("Corregir")),
    Omission.INVALID: Words(_("Ese número no existe, o no hay número"), _("Corregir")),
    Omission.COUNTRY: Words(_("Meta no entrega promociones a números de Estados Unidos"), ""),
    Omission.DUPLICATE: Words(_("Es la misma persona que otro contacto de la lista"), ""),
    Omission.NO_WHATSAPP: Words(_("Meta lo dijo en envíos anteriores"), _("Ver")),
    Omission.META_WAIT: Words(_("Recibieron muchas promociones de varios negocios: Meta pide esperar 24 horas"), ""),
    Omission.REPEATED: Words(
        _("Ya tienen esta promoción, o %(limit)s tuyas en %(days)s días: las cuidamos"), _("Ver la regla")
    ),
    Omission.WINDOW: Words(_("No te escribieron en las últimas 24 horas: usa una plantilla aprobada"), ""),
    Omission.MISSING_DATA: Words(_("Les falta un dato que el mensaje usa"), _("Completar")),
    Omission.QUOTA: Words(_("El cupo del mes no alcanza para todos"), _("Ver mi cupo")),
    Omission.META_LIMIT: Words(_("Meta no deja que tu número escriba a más personas en 24 horas"), ""),
    Omission.CANCELLED: Words(_("Detuviste el envío antes de que les llegara su turno"), ""),
    Omission.EXPIRED: Words(_("Se acabó el plazo del envío antes de que les llegara su turno"), ""),
}


def sentence(omission: str, account: Account) -> str:
    """What happened, with the figures of this business's own rule."""
    words = str(WORDS[omission].sentence)
    if omission == Omission.REPEATED:
        figures = {"limit": account.repeat_limit, "days": account.repeat_days}
        one = _("Ya tienen esta promoción, o %(limit)s tuyas en un día: las cuidamos")
        return str(one if account.repeat_days == 1 else words) % figures
    return words


def step(omission: str) -> str:
    return str(WORDS[omission].step)
