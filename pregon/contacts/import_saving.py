"""Rows of a reviewed file become people, a part at a time, each in a transaction of about half a second.

What a part did is written into its row in the same transaction: whoever goes on after a crash takes the parts that are left.
Two are saved at once, for they have no person in common; they share the lock of the account's base, so that everybody else
(an act of consent, too) waits for these two at most, and so that two files of one business come one after the other.
"""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath

from django.db import connection, connections, transaction
from django.utils import timezone

from pregon.contacts import (
    consent,
    import_merge,
    import_reading,
    import_rejects,
    import_staging,
    pairs,
    statements,
    tags,
)
from pregon.contacts.models import ContactImport, ImportPart

PART = 12_500  # lines of the file: what is judged of them fits into PostgreSQL's memory for temporary tables
LANES = 2  # parts at once: one of PostgreSQL's processes for each,
RUN = 8  # and parts that each saves in one step
FEW = 2_000_000  # bytes of contacts: some 10,000
MANY = 10_000  # rows of a file, after which the planner is told
Status = ContactImport.Status


def claim(import_: ContactImport) -> None:
    """In the transaction that makes it SAVING: claims of a business come one after the other."""
    consent.lock_base(import_.account_id)
    import_.claimed_at = timezone.now()


def save(import_: ContactImport) -> bool:
    """The next parts; after the last one it is COMMITTED. False when another file of the business comes first."""
    if _behind(import_):
        return False
    if not import_staging.kept(import_):  # PostgreSQL has lost the table: it crashed
        with transaction.atomic():
            import_reading.stage(import_)
    _divide(import_)
    if not _save_parts(import_):
        time.sleep(0.05)  # others save the last ones
    _close(import_)
    return True


def _behind(import_: ContactImport) -> bool:
    earlier = ContactImport.objects.filter(account_id=import_.account_id, status=Status.SAVING)
    return earlier.filter(claimed_at__lt=import_.claimed_at).exists()


@transaction.atomic
def _divide(import_: ContactImport) -> None:
    locked = ContactImport.objects.select_for_update().filter(pk=import_.pk, status=Status.SAVING).first()
    if locked and not locked.parts.exists():
        _keep_tags(import_)  # now: of two parts that make them, the second waits for the first
        with connection.cursor() as cursor:
            cursor.execute(_PARTS.format(table=import_staging.table(import_)), {"import": import_.pk, "part": PART})


_PARTS = """
INSERT INTO contacts_importpart (import_id, after, upto, rows)
SELECT %(import)s, min(line) - 1, max(line), count(*) FROM {table} GROUP BY line / %(part)s ORDER BY 2
"""


def _save_parts(import_: ContactImport) -> bool:
    """As many as the lanes take. False when there was none to be had."""
    if import_.parts.filter(counts__isnull=True).count() <= 1 or _few_contacts():
        return _save_part(import_)
    with ThreadPoolExecutor(LANES) as lanes:
        return any([*lanes.map(_save_in_lane, [import_] * LANES)])


def _few_contacts() -> bool:
    """In the whole table: then any index will do for the planner, and two at once each look through what the other adds, for
    every row: minutes for a part."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('contacts_contact') < %s", [FEW])
        return bool(cursor.fetchone()[0])


def _save_in_lane(import_: ContactImport) -> int:
    """Over a connection of its own. Returns how many parts."""
    saved = 0
    try:
        with import_reading.words(import_):
            while saved < RUN and _save_part(import_):
                saved += 1
    finally:
        connections.close_all()
    return saved


@transaction.atomic
def _save_part(import_: ContactImport) -> bool:
    """One that nobody else saves; none, when it was stopped meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM contacts_contactimport WHERE id = %s AND status = 'saving' FOR SHARE", [import_.pk])
        if not cursor.rowcount:
            return False
    part = import_.parts.select_for_update(skip_locked=True).filter(counts__isnull=True).first()
    if part is None:
        return False
    part.counts = _merge(import_, part)
    part.save(update_fields=["counts"])
    return True


def _merge(import_: ContactImport, part: ImportPart) -> dict[str, int]:
    import_staging.widen()
    _settle_how()
    _keep_tags(import_)
    consent.lock_base(import_.account_id, shared=True)
    import_staging.judge(import_, (part.after, part.upto), numbering=True)
    if known := import_merge.lock():
        import_staging.judge_again(import_, known)
    evidence = json.dumps({"file": import_.file_name, "statement": import_.statement})
    import_merge.merge(import_, now=timezone.now(), text=import_.wording, evidence=evidence, known=bool(known))
    with _rejects(import_, part).open("wb") as file:  # by a part that does not commit, too: then it is written again
        file.writelines(import_rejects.rows())
    return import_staging.counts()


def _settle_how() -> None:
    """Without waiting for the disk: what PostgreSQL loses of the last half second when it crashes, it loses with the row that says
    that the part is saved, and whoever commits after it, as `_close` does, makes sure of this, too.

    And never row by row: a table may be empty when the planner looks, and grow meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off")


def _keep_tags(import_: ContactImport) -> None:
    """Its tags, made where they are missing; whoever wants to delete one waits for this part."""
    names = [*import_.given_tags, *filter(None, [import_.tag])]
    if names and import_.statement != statements.OPT_OUT:
        tags.keep(import_.account, names)


def _rejects(import_: ContactImport, part: ImportPart) -> Path:
    return Path(f"{import_.file.path}.{part.pk}.csv")


def _close(import_: ContactImport) -> None:
    """Once all parts are saved."""
    with transaction.atomic():
        found = ContactImport.objects.select_for_update().filter(pk=import_.pk, status=Status.SAVING).first()
        if found is None or found.parts.filter(counts__isnull=True).exists():
            return
        _join_rejects(found)
        found.counts, found.status, found.committed_at = counts(found), Status.COMMITTED, timezone.now()
        found.save(update_fields=["rejects", "counts", "status", "committed_at"])
    forget(found)
    if found.rows >= MANY or _first():
        _tell_planner()
    pairs.defer(found.account_id, found.pk)


def _first() -> bool:
    """Whether the planner knows nothing of contacts: it would look through a few thousand for each row of the next file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples < 0 FROM pg_class WHERE oid = 'contacts_contact'::regclass")
        return bool(cursor.fetchone()[0])


def _tell_planner() -> None:
    """PostgreSQL looks by itself when a tenth of a table is new: that may be long after, and until then all of a business that
    it does not know is looked through for each of its numbers."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, contacts_consententry, contacts_contact_tags, contacts_refusal")


def _join_rejects(import_: ContactImport) -> None:
    import_.rejects.name = str(PurePath(str(import_.file.name)).with_suffix(".csv"))
    with Path(import_.rejects.path).open("wb") as whole:
        whole.write(import_rejects.head())
        whole.writelines(_rejects(import_, part).read_bytes() for part in import_.parts.all())


def forget(import_: ContactImport) -> None:
    """What only the saving needed. Nobody waits for it: somebody may still be reading in the table."""
    if import_.file:  # an undo may come after it went, and these went before
        for part in import_.parts.all():
            _rejects(import_, part).unlink(missing_ok=True)
    import_staging.drop(import_)


def counts(import_: ContactImport) -> dict[str, int]:
    """Rows per outcome and `grants`, as far as it is saved."""
    known = Counter(dict.fromkeys([*import_staging.Outcome.values, "grants"], 0))
    for each in import_.parts.filter(counts__isnull=False).values_list("counts", flat=True):
        known.update(each)
    return dict(known)


def rows(import_: ContactImport) -> int:
    """How many of the file's rows are saved or left out by now."""
    return sum(import_.parts.filter(counts__isnull=False).values_list("rows", flat=True))
