"""How far an import is, as its page shows it."""

from typing import Any

from django.utils.translation import gettext as _

from pregon.contacts import import_saving
from pregon.contacts.import_staging import SAVED
from pregon.contacts.models import ContactImport
from pregon.panel import drawing, wording

Status = ContactImport.Status


def progress(import_: ContactImport) -> dict[str, Any]:
    """`figure` with its `words`, and `parts` of `whole` for the bar."""
    figure, done, whole = _so_far(import_)
    return {
        "import": import_,
        "figure": figure,
        "words": _words(import_, whole),
        "parts": [drawing.Part(done, _("Listo"), "accepted"), drawing.Part(whole - done, _("Falta"), "soft")],
        "whole": whole,
    }


def _so_far(import_: ContactImport) -> tuple[int, int, int]:
    """The figure, and how much is done of how much. Rows are counted as they come; how many there will be, the bytes tell."""
    match import_.status:
        case Status.READING:
            return import_.rows, min(import_.read_bytes, import_.file_bytes), import_.file_bytes
        case Status.SAVING:
            saved = import_saving.rows(import_)
            return saved, saved, max(import_.rows, saved)
        case _undoing:
            whole = sum(import_.counts[outcome] for outcome in SAVED)
            return import_.taken_back, import_.taken_back, max(whole, import_.taken_back)


def _words(import_: ContactImport, whole: int) -> str:
    match import_.status:
        case Status.READING:
            return _("filas leídas")
        case Status.SAVING:
            return _("de %(rows)s filas") % {"rows": wording.number(whole)}
        case _status:
            return _("de %(people)s personas") % {"people": wording.number(whole)}
