"""One act for many people: a few at once, more by a worker, part by part; stopped midway, taken back where that is possible.

    task = bulk.start(chosen, Kind.TAG, {"put": ["Centro"], "take": None}, actor)     # Refused
    bulk.go_on(task)                                                                  # at once for a few, else a worker does it
    bulk.stop(task); bulk.undo(task, actor); bulk.go_on(task)                         # Refused

What it is at stands in its status. `advance` does the next part, in a transaction of its own that also says whom it has come
to: everybody may call it at any time, nobody is done twice. See `bulk_people` for whom a task is about.

args, by kind
    tag        put: names; take: {"tag": id, "name": …} or None
    consent    happened_at (ISO 8601), text, evidence: what was said, as `consent.record` takes it
    export     format: csv or xlsx
    opt_out, delete: nothing
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from pregon.accounts.models import User
from pregon.contacts import bulk_acts, bulk_people, bulk_queue, consent, export_files
from pregon.contacts.bulk_people import Chosen, Count
from pregon.contacts.models import Task, TaskPart
from pregon.contacts.rules import Refused as NotUnderstood

SMALL = 1_000  # people, done within the click
PART = 2_000
UNDO = timedelta(days=30)  # what a task changed is kept for so long
Kind, Status = Task.Kind, Task.Status
ACTING = (Status.WAITING, Status.RUNNING)
OUTWARD = (Kind.OPT_OUT, Kind.DELETE)  # `optouts`: what they do is about numbers outside the base, too
UNDERWAY = (*ACTING, Status.UNDOING)  # `advance` has something to do


class Refused(Exception):
    """Nothing was done; the sentence says why."""


def count(chosen: Chosen, kind: str) -> Count:
    """Raises Refused when there is nobody to do it for."""
    found = bulk_people.count(chosen, kind)
    if not found.chosen.total:
        raise Refused(_("Elige a quién: marca a una o más personas."))
    if not found.able:
        raise Refused(_("Con las personas elegidas no hay nada que cambiar."))
    return found


@transaction.atomic
def start(chosen: Chosen, kind: str, args: Mapping[str, Any], actor: User, *, ip: str = "") -> Task:
    """A new task, of which nothing is done yet. Raises Refused when there is nobody to do it for, or too many."""
    if kind in OUTWARD:
        consent.lock_base(chosen.account.pk)  # whoever is taking somebody away just now is waited for
    able = count(chosen, kind).able
    if able > export_files.MOST.get(args.get("format", ""), able):
        raise Refused(_("Una hoja de Excel no alcanza para tantas personas: elige CSV."))
    task = Task(
        account=chosen.account, kind=kind, args=dict(args), audience=chosen.dump(), upto=bulk_people.last(chosen.account),
        total=able, created_by=actor, ip=ip[:45], language=translation.get_language() or "es",
    )  # fmt: skip
    if kind == Kind.EXPORT:
        export_files.begin(task)
    task.save()
    return task


def go_on(task: Task) -> None:
    """What there is to do: at once for a few people, else by a worker. `task` is updated."""
    try:
        while task.total <= SMALL and advance(task.pk):
            pass
    except OperationalError:  # it and another waited for each other: a worker tries again
        pass
    task.refresh_from_db()
    if task.status in UNDERWAY:
        bulk_queue.defer(task)


def finish(task: Task) -> None:
    """All there is to do, here and now; `task` is updated."""
    while advance(task.pk):
        pass
    task.refresh_from_db()


def advance(task_pk: int) -> bool:
    """The next part. False when it has ended."""
    try:
        task, more = _part(task_pk)
        if not more and task.kind == Kind.EXPORT:
            _publish(task)
    except Refused:
        return False
    except OSError:
        return _break(task_pk, _("No pudimos escribir el archivo. Pídelo otra vez."))
    except NotUnderstood:
        return _break(task_pk, _("Una condición de la lista ya no existe."))
    return more


def due() -> list[Task]:
    """Those that a worker is to go on with."""
    return list(Task.objects.filter(status__in=UNDERWAY).order_by("pk"))


def stop(task: Task) -> None:
    """Nobody else is done; what was done stays. Raises Refused when it has ended."""
    with _claimed(task, *ACTING) as claimed:
        claimed.status, claimed.finished_at = Status.STOPPED, timezone.now()
    _discard(task.pk)


def undo(task: Task, actor: User) -> None:
    """From now on its permissions count for nothing; the parts write what was before. Raises Refused with the reason why not."""
    with _claimed(task, Status.DONE, Status.STOPPED, Status.BROKEN) as claimed:
        if refusal := may_not_undo(claimed):
            raise Refused(refusal)
        claimed.status, claimed.undone_at, claimed.undone_by = Status.UNDOING, timezone.now(), actor


def may_not_undo(task: Task) -> str:
    """Why it cannot be undone, or nothing."""
    if reason := never_undone(task.kind):
        return reason
    if not task.changed:
        return _("No cambió nada.")
    if task.finished_at is None or timezone.now() - task.finished_at > UNDO:
        return _("Ya pasaron %(days)s días.") % {"days": UNDO.days}
    return ""


def never_undone(kind: str) -> str:
    """Why an act of this kind is never undone, or nothing."""
    return {
        Kind.OPT_OUT: _("Una baja no se deshace: quien pidió no recibir sigue fuera."),
        Kind.DELETE: _("Lo que se elimina no se guarda en otro lado: no se puede deshacer."),
        Kind.EXPORT: _("Un archivo no cambia nada en tus contactos."),
    }.get(Kind(kind), "")


def tidy() -> None:
    """What has expired goes: files, and what people were before."""
    export_files.tidy()
    TaskPart.objects.filter(task__finished_at__lt=timezone.now() - UNDO).exclude(task__status=Status.UNDOING).delete()


@transaction.atomic
def _part(task_pk: int) -> tuple[Task, bool]:
    """The next people, in the words and on the clock of whoever asked for it; and whether there may be more.

    Of two who come at once, the second waits. Raises Refused when it has ended.
    """
    for account_id in Task.objects.filter(pk=task_pk, kind__in=OUTWARD).values_list("account", flat=True):
        consent.lock_base(account_id)
    task = _locked(task_pk, UNDERWAY)
    with translation.override(task.language), timezone.override(task.account.zone):
        more = _back(task) if task.status == Status.UNDOING else _onward(task)
    task.save()
    return task, more


def _onward(task: Task) -> bool:
    task.status = Status.RUNNING
    ids = bulk_people.next_part(task, PART)
    task.changed += bulk_acts.act(task, ids) if ids or task.kind == Kind.EXPORT else 0  # a file has a head at least
    task.done += len(ids)
    task.last_id = max([task.last_id, *ids])
    if ids:  # it is closed in a transaction that holds nobody: a merge holds tags before people
        return True
    bulk_acts.close(task)
    if task.kind != Kind.EXPORT:  # its file is still to be made
        task.status, task.finished_at = Status.DONE, timezone.now()
    return False


def _back(task: Task) -> bool:
    part = task.parts.order_by("pk").first()
    if part:
        task.restored += bulk_acts.take_back(task, part)
        part.delete()
        return True
    bulk_acts.close_back(task)
    task.status = Status.UNDONE
    return False


def _publish(task: Task) -> None:
    """Outside the transaction, for it may take seconds. Raises OSError when its file is not to be any more."""
    export_files.close(task)
    rows = Task.objects.filter(pk=task.pk).exclude(file="")
    rows.filter(status=Status.RUNNING).update(status=Status.DONE, finished_at=timezone.now())
    if not rows.filter(status=Status.DONE).exists():  # stopped meanwhile, or somebody was erased
        export_files.discard(task)
        raise FileNotFoundError(f"task {task.pk}")
    export_files.forget_rows(task)


def _break(task_pk: int, problem: str) -> bool:
    ended = {"status": Status.BROKEN, "problem": problem, "finished_at": timezone.now()}
    Task.objects.filter(pk=task_pk, status__in=ACTING).update(**ended)
    _discard(task_pk)  # the disk may be full
    return False


def _discard(task_pk: int) -> None:
    """What an export has written that is not going to be a file."""
    for task in Task.objects.filter(pk=task_pk, kind=Kind.EXPORT, status__in=[Status.STOPPED, Status.BROKEN]):
        export_files.discard(task)


@contextmanager
def _claimed(task: Task, *status: str) -> Iterator[Task]:
    """Locks the task, once no part is being done, and saves what is changed of it; `task` is updated."""
    with transaction.atomic():
        claimed = _locked(task.pk, status)
        yield claimed
        claimed.save()
    task.refresh_from_db()


def _locked(task_pk: int, status: Sequence[str]) -> Task:
    """Raises Refused when its status is another one."""
    rows = Task.objects.select_related("account", "created_by").select_for_update(of=("self",), no_key=True)
    task = rows.get(pk=task_pk)
    if task.status not in status:
        raise Refused(_("Esta tarea ya terminó, se detuvo o se deshizo."))
    return task
