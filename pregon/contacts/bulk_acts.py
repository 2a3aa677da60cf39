"""What a task does with each part of its people, and how that is taken back. The part's people are locked."""

from datetime import datetime
from typing import Any

from pregon.contacts import consent, export_files, optouts, people, tags
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, Source, Task, TaskPart
from pregon.lib import text

Kind = Task.Kind


def act(task: Task, ids: list[int]) -> int:
    """For these contacts. Returns how many of them it changed."""
    match task.kind:
        case Kind.TAG:
            return _tag(task, ids)
        case Kind.CONSENT:
            TaskPart.objects.create(task=task, people=ids)
            return _say(_yes(task), task, ids)
        case Kind.OPT_OUT:
            return _say(optouts.said(task), task, ids)
        case Kind.DELETE:
            return people.delete(task.account, ids, actor=task.created_by)
        case _export:
            export_files.append(task, ids)
            return 0


def close(task: Task) -> None:
    """After the last part."""
    if taken := task.args.get("take"):
        tags.forget(task.account, [taken["tag"]])


def take_back(task: Task, part: TaskPart) -> int:
    """What one part changed is as before. Returns for how many contacts."""
    locked = task.account.contacts.filter(pk__in=part.people).order_by("pk").select_for_update(no_key=True)
    found = list(locked.only("pk", "mobile", "meta_user_id"))
    if task.kind == Kind.CONSENT:  # its permissions count for nothing by now
        consent.settle(task.account_id, found)
        return len(found)
    back = tags.unlink(task, part.given)
    if found:
        tags.revive(task.account, task.args["take"]["tag"], task.args["take"]["name"])
        back += tags.put(task.account, part.people, [task.args["take"]["name"]])
    return len({*back})


def close_back(task: Task) -> None:
    """After the last part of an undo: tags that only the task had given are gone again."""
    given = {text.fold(name) for name in task.args.get("put", ())}
    tags.forget(task.account, [tag.pk for folded, tag in tags.known(task.account).items() if folded in given])


def _tag(task: Task, ids: list[int]) -> int:
    put, taken = task.args["put"], task.args["take"]
    lost = tags.take(task.account, ids, taken["tag"]) if taken else []
    given = tags.put(task.account, ids, put, task) if put else []
    if given or lost:
        TaskPart.objects.create(task=task, given=given, people=lost)
    return len({*lost, *given})


def _say(said: Act, task: Task, ids: list[int]) -> int:
    """Of whom something later is known, that counts."""
    consent.record_many(task.account, ids, said)
    return task.account.contacts.filter(pk__in=ids, consent=said.consent).count()


def _yes(task: Task) -> Act:
    said: dict[str, Any] = task.args
    return Act(
        consent=Consent.GRANTED,
        source=Source.PANEL,
        happened_at=datetime.fromisoformat(said["happened_at"]),
        actor=task.created_by,
        text=said["text"],
        ip=task.ip,
        evidence=said["evidence"],
        task=task,
    )
