"""How many people an account has, by permission: exact, and read from a handful of rows whatever their number.

Triggers on `Contact` write what each statement adds and takes away (`Tally`), so that a form, a file and a deletion count alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Count, QuerySet

from pregon.accounts.models import Account
from pregon.contacts.models import Consent, Contact
from pregon.contacts.rules import Group, Rule


@dataclass(frozen=True)
class Counts:
    """`granted + unknown + withdrawn = total`; `to_fix` of them have a bad number."""

    granted: int
    unknown: int
    withdrawn: int
    to_fix: int = field(default=0)

    @property
    def total(self) -> int:
        return self.granted + self.unknown + self.withdrawn


def of(account: Account) -> Counts:
    """All contacts of the account."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [account.pk])
        return _counts(cursor)


_SUMS = "SELECT consent, to_fix, sum(people) FROM contacts_tally WHERE account_id = %s GROUP BY 1, 2"


def count(rows: QuerySet[Contact]) -> Counts:
    """Those of `rows`, one by one."""
    kinds = rows.order_by().values_list("consent", "mobile_problem")
    return _counts(kinds.annotate(n=Count("*")))


def known(counts: Counts, rules: Group) -> int | None:
    """How many fit the rules of all in `counts`, where this can be told without looking at anybody."""
    match rules.parts:
        case ():
            return counts.total if rules.mode == "all" else 0
        case (Rule("consent", "is", str(consent)),):
            return int(getattr(counts, consent))
        case (Rule("mobile", "to_fix"),):
            return counts.to_fix
    return None


def _counts(found: Iterable[tuple[str, object, int]]) -> Counts:
    people = dict.fromkeys(Consent.values, 0)
    to_fix = 0
    for consent, problem, n in found:
        people[consent] += n
        to_fix += n if problem else 0
    return Counts(**people, to_fix=to_fix)
