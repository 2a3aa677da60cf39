"""Files that come with a case: pictures, PDF, sheets and text, few and small.

Refused    too many, too large, or not what its name says: the sentence tells which, and nothing was saved
"""

import uuid
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, TypeAlias

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse
from django.utils.translation import gettext as _

from pregon.support.models import Attachment, Case, Reply

Upload: TypeAlias = "UploadedFile[Any]"

MOST = 3
LARGEST = 5 * 1024 * 1024  # bytes of each
# How a file of each kind begins (https://en.wikipedia.org/wiki/List_of_file_signatures); text begins with anything but NUL.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    ".png": (b"\x89PNG\r\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF8",),
    ".webp": (b"RIFF",),
    ".pdf": (b"%PDF-",),
    ".xlsx": (b"PK\x03\x04",),
    ".csv": (),
    ".txt": (),
}
ACCEPT = ",".join(BEGINNINGS)


class Refused(Exception):
    """These files do not go with the case."""


def check(files: Sequence[Upload]) -> None:
    """Raises `Refused`."""
    if len(files) > MOST:
        raise Refused(_("Caben %(most)s archivos: quita los que sobran.") % {"most": MOST})
    for file in files:
        _check_one(file)


def keep(case: Case, files: Sequence[Upload], reply: Reply | None = None) -> None:
    """Save checked files under names that nobody can guess; the name they came with is kept as a label."""
    for file in files:
        row = Attachment(case=case, reply=reply, name=_label(file), size=file.size or 0)
        row.file.save(uuid.uuid4().hex + _kind(file), file, save=False)
        row.save()


def download(attachment: Attachment) -> FileResponse:
    """To be saved, never shown: whatever is in it, no browser runs it as ours."""
    response = FileResponse(
        attachment.file.open("rb"),
        as_attachment=True,
        filename=attachment.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _check_one(file: Upload) -> None:
    name = {"name": _label(file)}
    if _kind(file) not in BEGINNINGS:
        raise Refused(_("«%(name)s» no se puede adjuntar: sube imágenes, PDF, CSV, Excel (.xlsx) o texto.") % name)
    if (file.size or 0) > LARGEST:
        raise Refused(_("«%(name)s» pasa de 5 MB: súbelo más ligero.") % name)
    if not _begins_right(file):
        raise Refused(_("«%(name)s» no es lo que su nombre dice: guárdalo otra vez y súbelo.") % name)


def _begins_right(file: Upload) -> bool:
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    beginnings = BEGINNINGS[_kind(file)]
    return head.startswith(beginnings) if beginnings else b"\x00" not in head


def _kind(file: Upload) -> str:
    return PurePath(file.name or "").suffix.lower()


def _label(file: Upload) -> str:
    return (file.name or "")[-200:]
