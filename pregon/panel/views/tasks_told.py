"""Acts for many people, as people read them."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.contacts import bulk_people, rules, segments
from pregon.contacts.bulk import Kind, Status
from pregon.contacts.models import Task
from pregon.panel import drawing, wording

TONES = {  # status → tone and icon
    Status.WAITING: ("waiting", "clock"),
    Status.RUNNING: ("waiting", "hourglass"),
    Status.DONE: ("accepted", "circle-check"),
    Status.STOPPED: ("omitted", "player-stop"),
    Status.BROKEN: ("failed", "alert-triangle"),
    Status.UNDOING: ("waiting", "restore"),
    Status.UNDONE: ("omitted", "restore"),
}


def url(task: Task) -> str:
    return reverse("panel:task", args=[task.pk])


def title(task: Task) -> str:
    """What it is to do: «Poner Centro y quitar VIP»."""
    if task.kind == Kind.EXPORT:
        return _("Descargar como %(format)s") % {"format": {"csv": "CSV", "xlsx": "Excel"}[task.args["format"]]}
    return _tagging(task) if task.kind == Kind.TAG else str(Kind(task.kind).label)


def _tagging(task: Task) -> str:
    names = {"put": ", ".join(task.args["put"]), "take": (task.args["take"] or {}).get("name", "")}
    if not names["take"]:
        return _("Poner %(put)s") % names
    return (_("Poner %(put)s y quitar %(take)s") if names["put"] else _("Quitar %(take)s")) % names


def did(task: Task) -> str:
    """What it has done so far, in a sentence."""
    figure = task.done if task.kind == Kind.EXPORT else task.changed
    if not figure:
        return _("No había nada que cambiar.")
    sentence = {
        Kind.TAG: ngettext(
            "Cambiamos las etiquetas de %(n)s persona.", "Cambiamos las etiquetas de %(n)s personas.", figure
        ),
        Kind.CONSENT: ngettext(
            "Registramos el permiso de %(n)s persona.", "Registramos el permiso de %(n)s personas.", figure
        ),
        Kind.OPT_OUT: ngettext(
            "%(n)s persona ya no recibe promociones.", "%(n)s personas ya no reciben promociones.", figure
        ),
        Kind.DELETE: ngettext(
            "Eliminamos a %(n)s persona de tus contactos.", "Eliminamos a %(n)s personas de tus contactos.", figure
        ),
        Kind.EXPORT: ngettext("El archivo trae a %(n)s persona.", "El archivo trae a %(n)s personas.", figure),
    }[Kind(task.kind)]
    return sentence % {"n": wording.number(figure)}


def whom(task: Task) -> str:
    """«Personas que tienen la etiqueta Centro», as it stood at the click."""
    if "ids" in task.audience:
        chosen = len(task.audience["ids"])
        sentence = ngettext("%(n)s persona que elegiste", "%(n)s personas que elegiste", chosen)
        return sentence % {"n": wording.number(chosen)}
    try:
        chosen_by = bulk_people.load(task.account, task.audience)
    except rules.Refused:
        return _("Las personas de una lista con una condición que ya no existe")
    conditions = segments.describe(chosen_by.group, segments.names(task.account, chosen_by.group))
    words = _("Personas que %(conditions)s") % {"conditions": conditions} if conditions else _("Todas las personas")
    return _("%(who)s, buscando «%(query)s»") % {"who": words, "query": chosen_by.query} if chosen_by.query else words


def row(task: Task) -> dict[str, Any]:
    """As a list shows it."""
    tone, icon = TONES[Status(task.status)]
    return {
        "task": task,
        "title": title(task),
        "tone": tone,
        "icon": icon,
        "did": did(task) if task.finished_at else "",
    }


def progress(task: Task) -> dict[str, Any]:
    """`figure` of `whole`, and `parts` for the bar."""
    undoing = task.status == Status.UNDOING
    figure = task.restored if undoing else task.done
    whole = max(task.changed if undoing else task.total, figure)
    parts = [drawing.Part(figure, _("Listo"), "accepted"), drawing.Part(whole - figure, _("Falta"), "soft")]
    return {"task": task, "figure": figure, "whole": whole, "parts": parts}
