"""Bajas that a task has been asked for and has not come to: whoever takes one of its people away says theirs before.

Else the no would go with the contact, and the next file bring the number back as one that nobody has spoken for. All hold the
account's base (`consent.lock_base`): who begins such a task, who goes on with it, and who deletes or merges.
"""

from collections.abc import Sequence

from django.db.models import F
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.contacts import bulk_people, consent
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, Source, Task
from pregon.contacts.rules import Refused

WAITED_FOR = (Task.Status.WAITING, Task.Status.RUNNING)


def keep(account: Account, contacts: Sequence[int]) -> int:
    """Says the no of these locked contacts (ids) for the tasks that were still to come to them. Returns how many it said."""
    tasks = Task.objects.filter(account=account, kind=Task.Kind.OPT_OUT, status__in=WAITED_FOR).order_by("pk")
    return sum(_keep(task, contacts) for task in tasks.select_related("account", "created_by"))


def said(task: Task) -> Act:
    """At the click: who says yes after it, and before their turn, stays."""
    return Act(
        consent=Consent.WITHDRAWN,
        source=Source.PANEL,
        happened_at=task.created_at,
        actor=task.created_by,
        ip=task.ip,
        task=task,
    )


def _keep(task: Task, contacts: Sequence[int]) -> int:
    try:
        with timezone.override(task.account.zone):
            waiting = bulk_people.waiting(task, contacts)
    except Refused:  # what it was asked for is not known any more: it breaks off
        return 0
    if waiting:
        consent.record_many(task.account, waiting, said(task))
        Task.objects.filter(pk=task.pk).update(done=F("done") + len(waiting), changed=F("changed") + len(waiting))
    return len(waiting)
