"""Rows of a reviewed file become people, a part at a time, each in a transaction of less than a second.

`done_upto` moves in the same transaction as the people: whoever goes on after a crash begins with the first row that is not
saved. Between two parts everybody else has their turn: an act of consent waits for one part at most.
"""

import json
from pathlib import Path

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from pregon.contacts import consent, import_merge, import_reading, import_rejects, import_staging, statements, tags
from pregon.contacts.models import ContactImport, Tag

PART = 25_000  # rows
Status = ContactImport.Status


def begin(import_: ContactImport) -> None:
    """Before the first part: nobody is saved, and the file of what stays out has only its head."""
    head = import_rejects.head()
    import_.counts = dict.fromkeys([*import_staging.Outcome.values, "grants"], 0)
    import_.done_rows = import_.done_upto = 0
    import_.rejects.save(f"{Path(str(import_.file.name)).stem}.csv", ContentFile(head), save=False)
    import_.rejects_bytes = len(head)


def save_part(import_pk: int) -> None:
    """The next rows; after the last ones it is COMMITTED. Nothing happens when it is no longer SAVING."""
    with transaction.atomic():
        found = _locked(import_pk)
        kept = found and import_staging.kept(found)
        if found and kept:
            _save_part(found)
    if found and not kept:  # PostgreSQL has lost the table: it crashed
        with transaction.atomic():
            import_reading.stage(found)
    if found and found.status == Status.COMMITTED:  # not while others wait: somebody may be reading in it
        import_staging.drop(found)


def _locked(import_pk: int) -> ContactImport | None:
    """Whoever saves holds the row: of two that do, one waits."""
    rows = ContactImport.objects.select_for_update(of=("self",), no_key=True).select_related("account")
    return rows.filter(pk=import_pk, status=Status.SAVING).first()


def _save_part(import_: ContactImport) -> None:
    upto, rows = _stretch(import_)
    if rows:
        _merge(import_, upto)
        import_.done_upto = upto
        import_.done_rows += rows
    if rows < PART:
        import_.status, import_.committed_at = Status.COMMITTED, timezone.now()
    import_.save(update_fields=["done_upto", "done_rows", "counts", "rejects_bytes", "status", "committed_at"])


def _stretch(import_: ContactImport) -> tuple[int, int]:
    """The last line of the next part, and its rows."""
    table = import_staging.table(import_)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(max(line), 0), count(*) FROM (SELECT line FROM {table} WHERE line > %s ORDER BY line LIMIT %s) AS s",
            [import_.done_upto, PART],
        )
        return cursor.fetchone()  # type: ignore[no-any-return]


def _merge(import_: ContactImport, upto: int) -> None:
    _keep_tags(import_)
    consent.lock_base(import_.account_id)
    import_staging.judge(import_, (import_.done_upto, upto), numbering=True)
    if changed := import_merge.lock():
        import_staging.judge_again(import_, changed)
    words = statements.ALL[import_.statement].words
    text = ": ".join(filter(None, (str(words), import_.wording)))
    evidence = json.dumps({"file": import_.file_name, "statement": import_.statement})
    import_merge.merge(import_, now=timezone.now(), text=text, evidence=evidence)
    found = import_staging.counts()
    import_.counts = {key: import_.counts[key] + found[key] for key in found}
    _write_rejects(import_)


def _keep_tags(import_: ContactImport) -> None:
    """Its tags, made where they are missing; whoever wants to delete one waits for this part."""
    names = [*import_.given_tags, *filter(None, [import_.tag])]
    if names and import_.statement != statements.OPT_OUT:
        made = tags.ensure(import_.account, names)
        [*Tag.objects.select_for_update(no_key=True).filter(pk__in=[tag.pk for tag in made]).order_by("pk")]


def _write_rejects(import_: ContactImport) -> None:
    """After what the last part wrote that was committed."""
    with Path(import_.rejects.path).open("r+b") as file:
        file.truncate(import_.rejects_bytes)
        file.seek(import_.rejects_bytes)
        file.writelines(import_rejects.rows())
        import_.rejects_bytes = file.tell()
