"""A file of contacts: started, reviewed as often as one likes, then committed or discarded.

    import_ = imports.start(account, upload, "clientes.xlsx", actor)     # SpreadsheetError
    review = imports.review(import_)                                     # figures that add up to the rows; nothing is saved
    imports.commit(import_, actor)                                       # one transaction

    ImportProblem          what to do next, in a sentence
      └ AlreadyClosed      somebody else has committed or discarded it

A row's yes counts only together with a statement of where the permission comes from. A file never brings back who withdrew.
Whoever commits holds the lock of the account's base, so two files at once come one after the other.
"""

import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, BinaryIO, cast
from uuid import uuid4

from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import consent, import_merge, import_reasons, import_rows, import_staging, statements
from pregon.contacts.import_rows import UNIT, Mapping_, Row
from pregon.contacts.import_staging import LEFT_OUT, SAVED, LeftOut, TooManyTags
from pregon.contacts.models import ContactImport
from pregon.lib import spreadsheets
from pregon.lib.spreadsheets import RowProblem, Table

SHOWN = 5  # rows left out that the review shows


class ImportProblem(Exception):
    """The file cannot be reviewed or committed as it is; the sentence says what to do."""


class AlreadyClosed(ImportProblem):
    """It was committed or discarded."""


@dataclass(frozen=True)
class Review:
    """What will become, or has become, of each row. `saved + left_out = rows`."""

    counts: dict[str, int]
    """Rows per Outcome, and `grants`: how many people get permission by it."""
    headers: list[str]
    sample: list[list[str]]
    problems: list[RowProblem]
    examples: list[LeftOut]
    """The first rows left out."""

    @property
    def saved(self) -> int:
        return sum(self.counts[outcome] for outcome in SAVED)

    @property
    def left_out(self) -> int:
        return sum(self.counts[outcome] for outcome in LEFT_OUT)

    @property
    def rows(self) -> int:
        return self.saved + self.left_out


def start(account: Account, file: BinaryIO, name: str, actor: User) -> ContactImport:
    """Keeps the file and guesses its columns. Raises SpreadsheetError for what is no table."""
    table = spreadsheets.open(file, name)
    mapping = import_rows.guess(table.headers, table.sample)
    file.seek(0)
    import_ = ContactImport(account=account, created_by=actor, file_name=name[:200], mapping=mapping)
    import_.file.save(f"{uuid4().hex}.bin", File(file), save=False)
    import_.save()
    return import_


def read_rows(table: Table, mapping: Mapping_, region: str) -> Iterator[Row]:
    """The rows of a table, good and bad ones, as a stream. Raises ImportProblem without a column of numbers."""
    if "mobile" not in mapping:
        raise ImportProblem(_("Dinos en qué columna está el celular."))
    return import_rows.read(table, mapping, region)


@transaction.atomic
def review(import_: ContactImport) -> Review:
    """Judges every row and saves nothing. Before a statement is chosen, the figures suppose that one will be.

    Raises ImportProblem, SpreadsheetError.
    """
    with opened(import_) as table:
        _stage(import_, table)
        _judge_for_review(import_)
        return _reviewed(table)


@transaction.atomic
def commit(import_: ContactImport, actor: User) -> Review:
    """Saves what the review has shown, judged again; `import_` is updated. Raises AlreadyClosed, ImportProblem."""
    _claim(import_)
    import_.created_by = actor
    with opened(import_) as table:
        _stage(import_, table)
        consent.lock_base(import_.account_id)
        import_staging.lock_known(import_.account)
        _match_tags(import_, make=True)
        import_staging.judge(import_.account, granting=import_.statement in statements.GRANTING, numbering=True)
        _merge(import_, timezone.now())
        found = _reviewed(table)
    _close(import_, found)
    return found


def discard(import_: ContactImport) -> None:
    """Forgets the file. Raises AlreadyClosed when it was committed meanwhile."""
    with transaction.atomic():
        _claim(import_)
        import_.status = ContactImport.Status.DISCARDED
        import_.save(update_fields=["status"])
    import_.file.delete(save=True)


def rejects(import_: ContactImport) -> IO[bytes]:
    """CSV of the rows that stay out, each with its reason: as committed, else as a review would find them now.

    The caller closes it. Raises ImportProblem, SpreadsheetError.
    """
    if import_.rejects:
        return cast(IO[bytes], import_.rejects.storage.open(str(import_.rejects.name)))
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        with transaction.atomic(), opened(import_) as table:
            _stage(import_, table)
            _judge_for_review(import_)
            file.writelines(_rejects_csv(import_staging.left_out()))
        file.seek(0)
        stack.pop_all()
        return file


@contextmanager
def opened(import_: ContactImport) -> Iterator[Table]:
    """The file as a table. Raises SpreadsheetError."""
    with import_.file.open("rb") as file:
        yield spreadsheets.open(cast(BinaryIO, file), import_.file_name)


def _claim(import_: ContactImport) -> None:
    """Locks the import: of two people who press the button, one gets it."""
    locked = ContactImport.objects.select_for_update().get(pk=import_.pk)
    if locked.status != ContactImport.Status.REVIEWING:
        raise AlreadyClosed(_("Este archivo ya se guardó o se descartó."))


def _stage(import_: ContactImport, table: Table) -> None:
    rows = read_rows(table, import_.mapping, import_.account.country)
    import_staging.stage(_dressed(import_, rows))


def _judge_for_review(import_: ContactImport) -> None:
    _match_tags(import_, make=False)
    import_staging.judge(import_.account, granting=import_.statement in {"", *statements.GRANTING}, numbering=False)


def _match_tags(import_: ContactImport, *, make: bool) -> None:
    try:
        import_staging.stage_tags(import_.account, make=make)
    except TooManyTags as error:
        sentence = _("La columna de etiquetas tiene %(n)s distintas: elige otra columna, o no la guardes.")
        raise ImportProblem(sentence % {"n": error.count}) from error


def _dressed(import_: ContactImport, rows: Iterable[Row]) -> Iterable[Row]:
    """The rows with the import's own tag, and with the no that a list of opt-outs stands for."""
    if import_.statement == statements.OPT_OUT:
        return (row._replace(said=import_rows.NO, tags="") for row in rows)
    if tag := import_.tag:
        return (row._replace(tags=f"{row.tags}{UNIT}{tag}" if row.tags else tag) for row in rows)
    return rows


def _reviewed(table: Table) -> Review:
    return Review(
        counts=import_staging.counts(),
        headers=table.headers,
        sample=table.sample,
        problems=table.problems,
        examples=list(import_staging.left_out(SHOWN)),
    )


def _merge(import_: ContactImport, now: datetime) -> None:
    words = statements.ALL[import_.statement or statements.NONE].words
    text = ": ".join(filter(None, (str(words), import_.wording)))
    evidence: dict[str, Any] = {"import": import_.pk, "file": import_.file_name, "statement": import_.statement}
    import_merge.merge(import_, now=now, text=text, evidence=json.dumps(evidence))


def _close(import_: ContactImport, found: Review) -> None:
    with tempfile.TemporaryFile() as file:
        file.writelines(_rejects_csv(import_staging.left_out()))
        import_.rejects.save(f"{uuid4().hex}.csv", File(file), save=False)
    import_.counts = found.counts
    import_.status = ContactImport.Status.COMMITTED
    import_.committed_at = timezone.now()
    import_.save()


def _rejects_csv(rows: Iterable[LeftOut]) -> Iterator[bytes]:
    head = (_("Fila"), _("Nombre"), _("Celular en tu archivo"), _("Por qué"), _("Qué hacer"))
    told = ((row.line, row.name, row.raw, *import_reasons.tell(row)) for row in rows)
    return spreadsheets.write_csv(itertools.chain([head], told))
