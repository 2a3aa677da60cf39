"""The account of an import: what is saved and what stays out add up to the rows of the file."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.contacts.import_staging import LEFT_OUT, SAVED, Outcome

TONES: dict[str, str] = {
    Outcome.NEW: "accepted",
    Outcome.UPDATED: "accepted",
    Outcome.NO_CONSENT: "omitted",
    Outcome.TO_FIX: "failed",
    Outcome.OPT_OUT: "failed",
    Outcome.DUPLICATE: "omitted",
    Outcome.UNCHANGED: "omitted",
    Outcome.INCOMPLETE: "failed",
    Outcome.INVALID: "failed",
    Outcome.WITHDRAWN: "failed",
}
ICONS: dict[str, str] = {
    Outcome.NEW: "user-plus",
    Outcome.UPDATED: "user-edit",
    Outcome.NO_CONSENT: "user-question",
    Outcome.TO_FIX: "phone-x",
    Outcome.OPT_OUT: "user-minus",
    Outcome.DUPLICATE: "copy",
    Outcome.UNCHANGED: "equal",
    Outcome.INCOMPLETE: "phone-x",
    Outcome.INVALID: "phone-x",
    Outcome.WITHDRAWN: "user-off",
}
DETAILS: dict[str, Promise] = {
    Outcome.NEW: gettext_lazy("Personas que aún no tenías"),
    Outcome.UPDATED: gettext_lazy("Ya estaban: cambia su permiso o alguno de sus datos"),
    Outcome.NO_CONSENT: gettext_lazy("Se guardan, pero no reciben promociones hasta que acepten"),
    Outcome.TO_FIX: gettext_lazy("Tienen nombre, y un número al que no se puede escribir"),
    Outcome.OPT_OUT: gettext_lazy("Ya no reciben promociones; de quien no tenías, guardamos solo su no"),
    Outcome.DUPLICATE: gettext_lazy("La misma persona, más arriba en el archivo"),
    Outcome.UNCHANGED: gettext_lazy("No hay nada que cambiar"),
    Outcome.INCOMPLETE: gettext_lazy("Al número le faltan dígitos, y la fila no tiene nombre"),
    Outcome.INVALID: gettext_lazy("Ese número no existe, y la fila no tiene nombre"),
    Outcome.WITHDRAWN: gettext_lazy("Pidieron no recibir: un archivo no los reactiva"),
}
ALWAYS = {
    Outcome.NEW,
    Outcome.UPDATED,
    Outcome.NO_CONSENT,
    Outcome.DUPLICATE,
    Outcome.INCOMPLETE,
    Outcome.INVALID,
    Outcome.WITHDRAWN,
}


def account(counts: Mapping[str, int]) -> dict[str, Any]:
    """`sections` and `rows` as the ledger draws them; for the words around it `saved` (`people` and `opted_out`), `left_out` and
    `granted`.
    """
    saved, left = (_rows(counts, outcomes) for outcomes in (SAVED, LEFT_OUT))
    return {
        "sections": [
            {"title": _("Se guardan"), "label": _("Filas que se guardan"), "rows": saved},
            {"title": _("No se guardan"), "label": _("Filas que se quedan fuera"), "rows": left},
        ],
        "rows": sum(counts[outcome] for outcome in Outcome.values),
        "saved": sum(counts[outcome] for outcome in SAVED),
        "people": sum(counts[outcome] for outcome in SAVED if outcome != Outcome.OPT_OUT),
        "left_out": sum(counts[outcome] for outcome in LEFT_OUT),
        "granted": counts["grants"],
        "opted_out": counts[Outcome.OPT_OUT],
    }


def _rows(counts: Mapping[str, int], outcomes: tuple[Outcome, ...]) -> list[dict[str, Any]]:
    """Zero is written for what every file is asked for, and the rarer ones stay away."""
    return [
        {
            "figure": counts[outcome],
            "label": outcome.label,
            "detail": DETAILS[outcome],
            "tone": TONES[outcome],
            "icon": ICONS[outcome],
        }
        for outcome in outcomes
        if counts[outcome] or outcome in ALWAYS
    ]
