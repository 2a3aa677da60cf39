"""How far an import is, as its page shows it."""

from typing import Any

from django.utils.translation import gettext as _

from pregon.contacts.import_staging import SAVED
from pregon.contacts.models import ContactImport
from pregon.panel import drawing, wording

Status = ContactImport.Status


def progress(import_: ContactImport) -> dict[str, Any]:
    """`figure` with its `words`, and `parts` of `whole` for the bar."""
    figure, whole, parts = _read(import_) if import_.status == Status.READING else _written(import_)
    return {
        "import": import_,
        "figure": figure,
        "words": _words(import_, whole),
        "parts": [drawing.Part(parts, _("Listo"), "accepted"), drawing.Part(whole - parts, _("Falta"), "soft")],
        "whole": whole,
    }


def _read(import_: ContactImport) -> tuple[int, int, int]:
    """Rows are counted as they come; how many there will be, the bytes tell."""
    return import_.rows, import_.file_bytes, min(import_.read_bytes, import_.file_bytes)


def _written(import_: ContactImport) -> tuple[int, int, int]:
    saved = sum(import_.counts[outcome] for outcome in SAVED)
    whole = max(saved if import_.status == Status.UNDOING else import_.rows, import_.done_rows)
    return import_.done_rows, whole, import_.done_rows


def _words(import_: ContactImport, whole: int) -> str:
    match import_.status:
        case Status.READING:
            return _("filas leídas")
        case Status.SAVING:
            return _("de %(rows)s filas") % {"rows": wording.number(whole)}
        case _status:
            return _("de %(people)s personas") % {"people": wording.number(whole)}
