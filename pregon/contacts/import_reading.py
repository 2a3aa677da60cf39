"""A file on its way into its table (`import_staging`), and the figures of its review: in one transaction, or not at all.

What dies meanwhile leaves nothing behind: the file is read again from its beginning.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import BinaryIO, cast

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from pregon.contacts import (
    field_values,
    fields,
    import_options,
    import_process,
    import_remarks,
    import_rows,
    import_staging,
)
from pregon.contacts.import_rows import Frame, How
from pregon.contacts.models import ContactImport
from pregon.lib.spreadsheets import SpreadsheetError

log = logging.getLogger(__name__)
SMALL = 500_000  # bytes of a file that is read and saved within the click: some 7,000 rows
NOTICES = 20  # kept of what was odd about a file
Status = ContactImport.Status


@contextmanager
def words(import_: ContactImport) -> Iterator[None]:
    """In the language and at the hours of whoever brought it."""
    with translation.override(import_.language), timezone.override(import_.account.zone):
        yield


class Stopped(Exception):
    """Somebody has discarded the file, or stopped it, meanwhile."""


def small(import_: ContactImport) -> bool:
    return import_.file_bytes <= SMALL


def read(import_: ContactImport) -> None:
    """From READING to REVIEWING; to BROKEN, with the problem, when the file turns out to be none."""
    try:
        with transaction.atomic():
            _read(import_)
    except SpreadsheetError as error:
        _close(import_, Status.BROKEN, problem=str(error)[:300])
    except Stopped:
        log.info("import %s was stopped while it was read", import_.pk)


def stage(import_: ContactImport) -> None:
    """Only the table: the rows as they were read before. Joins the caller's transaction. Raises SpreadsheetError, Stopped."""
    import_staging.make(import_)
    readings = fields.readings(import_.account, import_rows.columns(import_.mapping))
    typed = {name: reading for name, reading in readings.items() if reading.kind != field_values.TEXT}
    how = How(
        import_.mapping, import_.account.country, settings.SECRET_KEYS[-1], typed
    )  # asked now: not while it is copied
    with nullcontext(_ignore) if small(import_) else _telling(import_) as tell:
        import_staging.copy(import_, _lines(import_, how, tell))
    import_staging.widen()
    import_.read_as = import_options.settle(import_, readings)
    import_staging.finish(import_)


def _read(import_: ContactImport) -> None:
    if problem := _unclear(import_):
        return _close(import_, Status.REVIEWING, problem=problem)
    stage(import_)
    import_.given_tags = import_staging.tag_names(import_)
    if len(import_.given_tags) > import_staging.MOST_TAGS:
        import_staging.drop(import_)
        return _close(import_, Status.REVIEWING, problem=_too_many_tags())
    import_.remarks = import_remarks.count(import_)
    known = {
        name: getattr(import_, name) for name in ("given_tags", "rows", "notices", "mapping", "read_as", "remarks")
    }
    _close(import_, Status.REVIEWING, problem="", reviews=import_staging.review(import_), **known)
    if import_.remarks:
        import_remarks.write(import_)
    return None


def _unclear(import_: ContactImport) -> str:
    """What people have to say about the columns first, if anything."""
    if "mobile" not in import_.mapping:
        return _("Dinos en qué columna está el celular.")
    columns = import_rows.columns(import_.mapping)
    if asked := [name for name, column in columns.items() if column == field_values.ASK]:
        header = import_.headers[import_.mapping["fields"][asked[0]]]
        return _("Dinos si en «%(name)s» va primero el día o el mes.") % {"name": header}
    known = fields.names(import_.account)
    if columns.keys() - set(known) and len(known) + len(columns.keys() - set(known)) > fields.MOST:
        return _("Caben %(most)s datos tuyos, y este archivo trae más: no guardes todas sus columnas.") % {
            "most": fields.MOST
        }
    return ""


def _too_many_tags() -> str:
    sentence = _("La columna de etiquetas tiene más de %(n)s distintas: elige otra columna, o no la guardes.")
    return sentence % {"n": import_staging.MOST_TAGS}


def _close(import_: ContactImport, status: Status, **fields: object) -> None:
    """Raises Stopped when it is no longer being read."""
    found = ContactImport.objects.filter(pk=import_.pk, status=Status.READING)
    if not found.update(status=status, read_bytes=import_.file_bytes, **fields):
        raise Stopped


def _lines(import_: ContactImport, how: How, tell: Callable[[Frame], None]) -> Iterator[bytes]:
    import_.rows, import_.notices = 0, []
    for frame in _frames(import_, how):
        import_.rows += frame.rows
        import_.notices = [*import_.notices, *frame.notices][:NOTICES]
        tell(frame)
        yield frame.lines


def _frames(import_: ContactImport, how: How) -> Iterator[Frame]:
    if not small(import_):
        yield from import_process.frames(import_.file.path, import_.file_name, how)
        return
    with import_.file.open("rb") as file:
        yield from import_rows.frames(cast(BinaryIO, file), import_.file_name, how)


def _ignore(_frame: Frame) -> None:
    """A small file is read before anybody could ask how far it is."""


@contextmanager
def _telling(import_: ContactImport) -> Iterator[Callable[[Frame], None]]:
    """Gives a function that tells everybody how far it is, over a connection of its own, and raises Stopped."""
    aside = connection.copy()

    def tell(frame: Frame) -> None:
        with aside.cursor() as cursor:
            cursor.execute(_TELL, [import_.rows, frame.at, import_.pk, [Status.READING, Status.SAVING]])
            if cursor.rowcount == 0:
                raise Stopped

    try:
        yield tell
    finally:
        aside.close()


_TELL = "UPDATE contacts_contactimport SET rows = %s, read_bytes = %s WHERE id = %s AND status = ANY(%s)"
