"""Files of exported contacts: written a part at a time, kept for some days, then gone.

The rows lie in a file whose length is kept with the task: what a part that did not commit has written is written over.
"""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.utils import timezone

from pregon.contacts import export, field_values
from pregon.contacts.models import Task
from pregon.lib import spreadsheets

KEPT = timedelta(days=7)
MOST = {"xlsx": 1_048_575}  # rows of a sheet, without the head
_BLOCK = 1 << 20


def begin(task: Task) -> None:
    """Where the file is going to be. In the transaction that makes the task."""
    task.file.name = f"exports/{timezone.now():%Y/%m}/{uuid4().hex}.{task.args['format']}"


def append(task: Task, contacts: list[int]) -> None:
    """Writes these people (ids), before the first of them the head. Raises OSError, also when the file is gone."""
    dress, path = task.args["format"], _rows(task)
    if not task.file_bytes:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        task.args["fields"] = export.own_fields(task.account)
    with path.open("r+b") as file:
        if file.seek(0, 2) < task.file_bytes:
            raise FileNotFoundError(path.name)
        file.seek(task.file_bytes)
        file.truncate()
        if not task.file_bytes:
            file.write(b"\xef\xbb\xbf" if dress == "csv" else b"")  # by which Excel knows UTF-8
            file.write(export.head(_own(task), dress))
        file.write(export.lines(contacts, _own(task), field_values.point(task.account.country), dress))
        task.file_bytes = file.tell()


def close(task: Task) -> None:
    """All rows are there: the file is made of them. It may take seconds, and be done again. Raises OSError."""
    if task.args["format"] == "csv":
        return
    draft = Path(f"{task.file.path}.{uuid4().hex}")
    try:
        with _rows(task).open("rb") as rows, draft.open("wb") as file:
            spreadsheets.write_workbook(iter(lambda: rows.read(_BLOCK), b""), export.width(_own(task)), file)
        draft.replace(task.file.path)
    finally:
        draft.unlink(missing_ok=True)


def forget_rows(task: Task) -> None:
    """What the file was made of, once it is made."""
    for path in _folder(task).glob(f"{Path(task.file.path).name}.*"):
        path.unlink(missing_ok=True)


def discard(task: Task) -> None:
    """All of it is gone, once no part is being written."""
    if not task.file:  # somebody was erased meanwhile
        return
    Task.objects.filter(pk=task.pk).update(file="")
    forget_rows(task)
    Path(task.file.path).unlink(missing_ok=True)


def expires_at(task: Task) -> datetime | None:
    """Until when its file can be downloaded; None: it cannot."""
    if task.status != Task.Status.DONE or not task.file or task.finished_at is None:
        return None
    end = task.finished_at + KEPT
    return end if timezone.now() < end else None


def tidy() -> None:
    """Deletes what has expired, or was never finished."""
    rows = Task.objects.filter(kind=Task.Kind.EXPORT).exclude(file="")
    ended = rows.filter(finished_at__lt=timezone.now() - KEPT) | rows.filter(status__in=["stopped", "broken"])
    for task in ended:
        discard(task)


def _own(task: Task) -> list[export.Own]:
    """Its columns, as they were when it began."""
    return [export.Own(*field) for field in task.args["fields"]]


def _folder(task: Task) -> Path:
    return Path(task.file.path).parent


def _rows(task: Task) -> Path:
    if not task.file:
        raise FileNotFoundError(f"task {task.pk}")
    return Path(task.file.path if task.args["format"] == "csv" else f"{task.file.path}.rows")
