"""Why a row of a file stays out, and what one can do: two short sentences."""

from datetime import datetime

from babel import dates
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pregon.contacts.import_staging import LeftOut, Outcome
from pregon.lib import locales, phone_faults


def tell(row: LeftOut) -> tuple[str, str]:
    """(why, what to do next); the second may be empty."""
    match row.outcome:
        case Outcome.DUPLICATE:
            return _("Repetida."), _("Es la misma persona de la fila %(line)s.") % {"line": row.first_line}
        case Outcome.UNCHANGED:
            return _("Ya la tienes igual."), _("No hay nada que cambiar.")
        case Outcome.WITHDRAWN:
            return _withdrawn(row.refused_at), _("Solo puede volver si te escribe.")
        case _outcome:
            return f"{phone_faults.explain(row.reason)}.", _("Corrige el número, o pídeselo completo.")


def _withdrawn(moment: object) -> str:
    if not isinstance(moment, datetime):
        return _("De baja.")
    locale = locales.of(get_language() or "es")
    day = dates.format_date(timezone.localtime(moment), "d MMM y", locale=locale).replace(".", "")
    return _("De baja el %(day)s.") % {"day": day}
