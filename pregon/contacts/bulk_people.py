"""Whom a task is about: people picked one by one, or all who fit a search and its rules.

A task goes through them by ascending id, up to the last contact there was at the click, and asks for each part again who fits:
who stops fitting before their turn is left out, who comes later is not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from pregon.accounts.models import Account
from pregon.contacts import finding, rules
from pregon.contacts.models import Task
from pregon.contacts.rules import EVERYBODY, Group
from pregon.contacts.tally import Counts

Kind = Task.Kind

# Whom an act changes anything for: a permission is noted for who has given none and can be written to.
ABLE = {
    Kind.CONSENT: "c.consent = 'unknown' AND (c.mobile IS NOT NULL OR c.meta_user_id IS NOT NULL)",
    Kind.OPT_OUT: "c.consent <> 'withdrawn'",
}
# No act of consent comes between the question and the answer. An export changes nothing and holds up nobody.
LOCK = {Kind.EXPORT: "", Kind.DELETE: "FOR UPDATE OF c"}


@dataclass(frozen=True)
class Chosen:
    """Contacts of `account` by their ids, or those found by `query` and the rules of `group`."""

    account: Account
    ids: Sequence[int] | None = None
    query: str = ""
    group: Group = EVERYBODY

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        if self.ids is not None:
            return {"ids": list(self.ids)}
        return {"query": self.query.replace("\x00", ""), "rules": rules.dump(self.group)}  # PostgreSQL keeps no NUL

    def condition(self) -> tuple[str, dict[str, Any]]:
        """SQL over a contact `c`, and its named parameters."""
        if self.ids is not None:
            mine = {"account": self.account.pk, "ids": list(self.ids)}
            return "c.account_id = %(account)s AND c.id = ANY(%(ids)s::bigint[])", mine
        found = finding.of(self.account, self.query, self.group)
        return found.condition, found.params


class Count(NamedTuple):
    """Of the chosen people, when they were counted."""

    chosen: Counts
    able: int
    """Those for whom the act changes something, as far as can be told before."""


def able(kind: str) -> str:
    """SQL over a contact `c`."""
    return ABLE.get(Kind(kind), "true")


def load(account: Account, data: dict[str, Any]) -> Chosen:
    """From `dump`. Raises rules.Refused when a condition is not known any more."""
    if "ids" in data:
        return Chosen(account, data["ids"])
    return Chosen(account, None, data["query"], rules.load(data["rules"]))


def count(chosen: Chosen, kind: str) -> Count:
    condition, params = chosen.condition()
    figures = ", ".join(f"count(*) FILTER (WHERE {each})" for each in (*STANDING, able(kind)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {figures} FROM contacts_contact AS c WHERE {condition}", params)
        *standing, fitting = cursor.fetchone()
    return Count(Counts(*standing), fitting)


STANDING = [f"c.consent = '{consent}'" for consent in ("granted", "unknown", "withdrawn")]


def last(account: Account) -> int:
    """The newest contact's id."""
    return account.contacts.order_by("-id").values_list("id", flat=True).first() or 0


def next_part(task: Task, most: int) -> list[int]:
    """The ids of the next people, locked by ascending id until the transaction ends."""
    return _ids(task, f"ORDER BY c.id LIMIT {most} {LOCK.get(Kind(task.kind), 'FOR NO KEY UPDATE OF c')}", {})


def waiting(task: Task, contacts: Sequence[int]) -> list[int]:
    """Those of these contacts (ids) to whom it is still to come."""
    return _ids(task, "AND c.id = ANY(%(task_among)s::bigint[])", {"task_among": [*contacts]})


def _ids(task: Task, rest: str, given: dict[str, Any]) -> list[int]:
    condition, params = load(task.account, task.audience).condition()
    query = f"""
        SELECT c.id FROM contacts_contact AS c
        WHERE {condition} AND {able(task.kind)} AND c.id > %(task_after)s AND c.id <= %(task_upto)s {rest}
    """
    with connection.cursor() as cursor:
        cursor.execute(query, params | given | {"task_after": task.last_id, "task_upto": task.upto})
        return [pk for (pk,) in cursor]
