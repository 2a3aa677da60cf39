"""A file of contacts: read, reviewed, saved; or discarded; or, once saved, taken back.

    import_ = imports.start(account, upload, "clientes.xlsx", actor)     # SpreadsheetError
    imports.go_on(import_)                                               # reads it: at once if small, else a worker does
    review = imports.review(import_)                                     # figures that add up to the rows; nothing is saved
    imports.commit(import_, actor); imports.go_on(import_)
    imports.undo(import_, actor); imports.go_on(import_)

    ImportProblem          what to do next, in a sentence
      └ AlreadyClosed      somebody else has committed, discarded or undone it

What it is at stands in its status. `advance` takes the next step of it: everybody may at any time, nothing happens twice. A
transaction takes about a second (but for reading, which locks nothing).

A row's yes counts only together with a statement of where the permission comes from. A file never brings back who withdrew.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, BinaryIO, cast
from uuid import uuid4

from django.core.files import File
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.models import Account, User
from pregon.contacts import (
    fields,
    import_kinds,
    import_mappings,
    import_queue,
    import_reading,
    import_rejects,
    import_remarks,
    import_rows,
    import_saving,
    import_staging,
    import_undoing,
    statements,
)
from pregon.contacts.import_staging import LEFT_OUT, SAVED, WHOLE_FILE, LeftOut
from pregon.contacts.import_undoing import Foretold
from pregon.contacts.models import ContactImport
from pregon.lib import spreadsheets
from pregon.lib.spreadsheets import RowProblem

UNDO_DAYS = 30  # that what people were before is kept
Status = ContactImport.Status
UNDERWAY = (Status.READING, Status.SAVING, Status.UNDOING)  # `advance` has something to do

CLOSED = gettext_lazy("Este archivo ya se guardó, se descartó o se deshizo.")
asked = Signal()  # sent with `import_` before an undo: whoever is above may answer with a sentence that refuses it


class ImportProblem(Exception):
    """The file cannot be reviewed, committed or undone as it is; the sentence says what to do."""


class AlreadyClosed(ImportProblem):
    """It was committed, discarded or undone."""


@dataclass(frozen=True)
class Review:
    """What will become, or has become, of each row. `saved + left_out = rows`."""

    counts: dict[str, int]
    """Rows per Outcome, and `grants`: how many people get permission by it."""
    problems: list[RowProblem]
    examples: list[LeftOut]
    """The first rows left out."""
    keep: int = 0
    """People with permission whose row says no: they keep it."""

    @property
    def saved(self) -> int:
        return sum(self.counts[outcome] for outcome in SAVED)

    @property
    def left_out(self) -> int:
        return sum(self.counts[outcome] for outcome in LEFT_OUT)

    @property
    def rows(self) -> int:
        return self.saved + self.left_out


def start(  # noqa: PLR0913 who brings what, and from where
    account: Account, file: BinaryIO, name: str, actor: User, *, ip: str = "", order: str = ""
) -> ContactImport:
    """Keeps the file and guesses its columns, as they were the last time. Raises SpreadsheetError for what is no table.

    `order`: of dates that leave it open, field_values.DAY_FIRST or MONTH_FIRST; without one, the review asks.
    """
    table = spreadsheets.open(file, name)
    mapping = import_mappings.find(account, table.headers)
    mapping = import_kinds.guess(account, table, mapping, order)
    import_ = ContactImport(
        account=account, created_by=actor, file_name=name[:200], mapping=mapping, headers=table.headers, sample=table.sample,
        language=translation.get_language() or "es", ip=ip or None,
    )  # fmt: skip
    file.seek(0)
    import_.digest = hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
    file.seek(0)
    import_.file.save(f"{uuid4().hex}.bin", File(file), save=False)
    import_.file_bytes = import_.file.size
    import_.save()
    return import_


def go_on(import_: ContactImport) -> None:
    """What there is to do: at once for a small file, else by a worker. `import_` is updated."""
    if import_reading.small(import_):
        while advance(import_.pk):
            pass
        import_.refresh_from_db()
    if import_.status in UNDERWAY:
        import_queue.defer(import_)


def finish(import_: ContactImport) -> None:
    """All there is to do, here and now; `import_` is updated."""
    import_.refresh_from_db()
    while import_.status in UNDERWAY:
        if not advance(import_.pk):
            time.sleep(0.1)  # another file of the business comes first
        import_.refresh_from_db()


def advance(import_pk: int) -> bool:
    """The next step of whatever it is at, in the words of whoever brought it.

    False when it waits for people, or for another file, or has ended.
    """
    import_ = ContactImport.objects.select_related("account").get(pk=import_pk)
    with import_reading.words(import_):
        match import_.status:
            case Status.READING:
                import_reading.read(import_)
            case Status.SAVING:
                if not import_saving.save(import_):
                    return False
            case Status.UNDOING:
                import_undoing.undo_part(import_pk)
    return ContactImport.objects.filter(pk=import_pk, status__in=UNDERWAY).exists()


def due() -> list[ContactImport]:
    """Those that a worker is to go on with."""
    return list(ContactImport.objects.filter(status__in=UNDERWAY).order_by("pk"))


def review(import_: ContactImport) -> Review:
    """Nothing is read for it. Before a statement is chosen, the figures suppose that one will be. Raises ImportProblem."""
    if import_.problem:
        raise ImportProblem(import_.problem)
    found = import_.reviews[import_staging.way(import_.statement)]
    return Review(
        counts=found["counts"] if import_.status == Status.REVIEWING else import_.counts,
        problems=[RowProblem(*notice) for notice in import_.notices],
        examples=[_example(row) for row in found["examples"]],
        keep=found.get("keep", 0),
    )


def change_columns(import_: ContactImport, mapping: import_rows.Mapping_) -> None:
    """The file is read again, with other columns. Raises AlreadyClosed."""
    with _claimed(import_, Status.REVIEWING) as claimed:
        claimed.mapping = mapping
        _begin_again(claimed)


def _agree(import_: ContactImport) -> bool:
    try:
        return fields.agree(import_)
    except fields.Refused as refused:
        raise ImportProblem(str(refused)) from None


def _begin_again(import_: ContactImport) -> None:
    import_.status, import_.problem = Status.READING, ""
    import_.rows = import_.read_bytes = 0
    import_.remarks, import_.read_as = {}, {}


def commit(import_: ContactImport, actor: User, ip: str = "") -> None:
    """From here on it is saved, with its statement, wording and tag. Raises AlreadyClosed, ImportProblem."""
    if import_.problem:
        raise ImportProblem(import_.problem)
    with _claimed(import_, Status.REVIEWING) as claimed:
        claimed.statement = import_.statement or statements.NONE
        claimed.wording, claimed.tag = import_.wording, import_.tag
        claimed.created_by, claimed.ip, claimed.language = actor, ip or None, translation.get_language() or "es"
        claimed.status = Status.SAVING
        import_saving.claim(claimed)
        if agreed := _agree(claimed):
            import_kinds.make(claimed)
        else:
            _begin_again(claimed)
    if not agreed:
        go_on(import_)
        raise ImportProblem(_("Tus datos cambiaron mientras tanto: revisa otra vez qué pasa con cada fila."))
    import_mappings.remember(import_.account, import_.headers, import_.mapping)


def discard(import_: ContactImport) -> None:
    """Forgets the file, also while it is read. Raises AlreadyClosed when it was committed meanwhile."""
    with _claimed(import_, Status.REVIEWING, Status.READING) as claimed:
        claimed.status = Status.DISCARDED
        import_remarks.path(claimed).unlink(missing_ok=True)
        file, claimed.file = claimed.file, ""
    file.storage.delete(str(file.name))
    import_staging.drop(import_)  # whoever reads it has noticed by then: before, one would wait for the other


def stop(import_: ContactImport, actor: User) -> None:
    """While it is saved: what was saved is taken back. Raises AlreadyClosed when it has ended."""
    with _claimed(import_, Status.SAVING) as claimed:  # waits for the parts that are just being saved
        claimed.undone_by, claimed.counts = actor, import_saving.counts(claimed)
        import_undoing.begin(claimed)


def undo(import_: ContactImport, actor: User) -> None:
    """Takes back what was saved. Raises AlreadyClosed, ImportProblem with the reason why not."""
    if refusal := may_not_undo(import_):
        raise ImportProblem(refusal)
    with _claimed(import_, Status.COMMITTED) as claimed:
        claimed.undone_by = actor
        import_undoing.begin(claimed)


def foretell(import_: ContactImport) -> Foretold:
    """What `undo` would do. Raises ImportProblem with the reason why it cannot be."""
    if refusal := may_not_undo(import_):
        raise ImportProblem(refusal)
    if import_.status != Status.COMMITTED:
        raise AlreadyClosed(CLOSED)
    return import_undoing.foretell(import_)


def may_not_undo(import_: ContactImport) -> str:
    """Why it cannot be undone, or nothing."""
    if import_.statement == statements.OPT_OUT:
        return _("Una baja no se deshace: quien pidió no recibir sigue fuera.")
    if import_.committed_at is None or timezone.now() - import_.committed_at > timedelta(days=UNDO_DAYS):
        return _("Ya pasaron %(days)s días desde que lo guardaste.") % {"days": UNDO_DAYS}
    answers = (answer for _receiver, answer in asked.send(ContactImport, import_=import_))
    return next(filter(None, answers), "")


def rejects(import_: ContactImport) -> IO[bytes]:
    """CSV of the rows that stay out, each with its reason: as saved, else as a review would find them now.

    The caller closes it. Raises ImportProblem, SpreadsheetError.
    """
    if import_.rejects:
        return cast(IO[bytes], import_.rejects.storage.open(str(import_.rejects.name)))
    if import_.problem:
        raise ImportProblem(import_.problem)
    if not import_.file:
        raise ImportProblem(_("Este archivo ya se borró, como todos los que ya cumplieron su plazo."))
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        file.write(import_rejects.head())
        with transaction.atomic():
            if not import_staging.kept(import_):
                import_reading.stage(import_)
            import_staging.judge(import_, WHOLE_FILE, numbering=False)
            file.writelines(import_rejects.rows())
        file.seek(0)
        stack.pop_all()
        return file


def remarks(import_: ContactImport) -> IO[bytes]:
    """CSV of the cells that are not saved as they stand. The caller closes it. Raises ImportProblem when there is none."""
    try:
        return import_remarks.path(import_).open("rb")
    except FileNotFoundError:
        raise ImportProblem(_("Todas sus celdas se guardan como están.")) from None


@contextmanager
def _claimed(import_: ContactImport, *status: str) -> Iterator[ContactImport]:
    """Locks the import and saves what is changed of it: of two people who press the button, one gets it."""
    with transaction.atomic():
        claimed = ContactImport.objects.select_for_update(of=("self",)).select_related("account").get(pk=import_.pk)
        if claimed.status not in status:
            raise AlreadyClosed(CLOSED)
        yield claimed
        claimed.save()
    import_.refresh_from_db()


def _example(row: list[Any]) -> LeftOut:
    found = LeftOut(*row)
    moment = found.refused_at
    return found._replace(refused_at=datetime.fromisoformat(moment)) if isinstance(moment, str) else found
