"""Contacts who may be the same person: found among a million in some minutes, a part at a time, and remembered until decided.

Two ways lead to candidates, each one statement that reads and locks nothing:

- *blocks*: who has one e-mail, or gave the same digits of a number that is to be corrected; up to BLOCK people;
- *neighbours*: of all with one word in their names (the first two count), sorted by their numbers, and again by their numbers
  read backwards, those within REACH of each other. Numbers that differ in one digit have either all before or all after it
  in common, so in one of the two orders hardly anybody stands between them.

`likeness` then says of each pair of candidates whether it is one. Words and e-mails are dealt out to parts by their hash, so
that a statement sorts about PART people however many there are. Whoever has one word is sorted together: were it all, PostgreSQL
does it in its files, and what it finds is read a little at a time until as many pairs are open as anybody reviews.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from pregon.accounts.models import Account, User
from pregon.contacts import likeness, tally
from pregon.contacts.likeness import POINTS, Likeness, Seen, Why
from pregon.contacts.models import Contact, Pair
from pregon.lib import phone_patterns

PART = 100_000  # people: each part reads the whole base twice and sorts its share
BLOCK = 20  # people with one e-mail, beyond which it is an office's
REACH = 3
SHARERS = 20  # people beside somebody with a word in common, to estimate a sort by
MOST = 10_000  # open pairs of an account: nobody reviews more
COMPARED = 5_000  # candidates at once
WRITTEN = 500  # pairs in one transaction
SAID = (Why.TAKEN, Why.META)  # not found by comparing
Ids = tuple[int, int]
T = TypeVar("T")


def find(account: Account, import_id: int | None = None) -> None:
    """Notes all likely pairs; of an import: those with anybody whom it brought."""
    parts = 1 + _people(account, import_id) // PART
    offices = _offices(account)
    for part in range(parts):
        candidates = _candidates(account, {"parts": parts, "part": part, "import": import_id})
        while opened(account).count() < MOST and (some := {*islice(candidates, COMPARED)}):
            _note(account, some, offices)


def defer(account_id: int, import_id: int | None = None) -> None:
    """Have a worker look. One business after another; one that waits for that already is enough."""
    once = f"contacts.pairs:{account_id}:{import_id or ''}"
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            task = app.configure_task("contacts:find_pairs", lock="contacts.pairs", queueing_lock=once)
            task.defer(account_id=account_id, import_id=import_id)
    except AlreadyEnqueued:
        pass


def opened(account: Account) -> QuerySet[Pair]:
    """Those that nobody has decided on, the surest first."""
    return account.pairs.filter(state=Pair.State.OPEN).order_by("-score", "id")


def of(contact: Contact) -> QuerySet[Pair]:
    """Open ones with this contact."""
    return opened(contact.account).filter(Q(low=contact) | Q(high=contact)).select_related("low", "high")


def note(one: Contact, other: Contact) -> None:
    """The pair of two of an account of whom WhatsApp says that they are one. It says so often: what people decided stays."""
    low, high = sorted((one, other), key=lambda contact: contact.pk)
    found = {"account_id": one.account_id, "why": Why.META, "score": POINTS[Why.META]}
    pair, new = Pair.objects.get_or_create(low=low, high=high, defaults=found)
    if not new:
        Pair.objects.filter(pk=pair.pk, state=Pair.State.OPEN).exclude(why__in=SAID).update(**found)


def put(one: Contact, other: Contact) -> Pair:
    """The pair of two of an account of whom somebody says that they have one number: open, whatever was said before."""
    low, high = sorted((one, other), key=lambda contact: contact.pk)
    found = {"why": Why.TAKEN, "score": POINTS[Why.TAKEN], "state": Pair.State.OPEN}
    return Pair.objects.update_or_create(low=low, high=high, defaults={"account_id": one.account_id, **found})[0]


def tell_apart(account: Account, pairs: Iterable[int], actor: User) -> int:
    """They are different people, and are not proposed again. Returns how many pairs were open."""
    rows = opened(account).filter(pk__in=list(pairs)).order_by()
    return rows.update(state=Pair.State.APART, decided_by=actor, decided_at=timezone.now())


def recheck(account: Account, contacts: Sequence[int] | None = None) -> None:
    """Open pairs that are none any more go: all, or those of these contacts, whom somebody has changed."""
    rows = opened(account).exclude(why__in=SAID).order_by("id")
    offices = _offices(account) if contacts is None else frozenset()
    if contacts is not None:
        rows = rows.filter(Q(low__in=contacts) | Q(high__in=contacts))
    for pairs in _runs(list(rows.values_list("id", "low_id", "high_id")), WRITTEN):
        seen = _seen(account, {pk for _pair, *ids in pairs for pk in ids}, offices)
        gone = [pair for pair, low, high in pairs if not _alike(seen, (low, high))]
        Pair.objects.filter(pk__in=gone, state=Pair.State.OPEN).delete()


def _people(account: Account, import_id: int | None) -> int:
    """How many are compared: of an import, about those who share a word with whom it brought."""
    total = tally.of(account).total
    if import_id is None:
        return total
    return min(total, SHARERS * account.contacts.filter(source=import_id).count())


def _alike(seen: dict[int, Seen], ids: Ids) -> Likeness | None:
    """None also when one of them is gone."""
    one, other = map(seen.get, ids)
    return likeness.find(one, other) if one and other else None


def _note(account: Account, candidates: set[Ids], offices: frozenset[str]) -> None:
    seen = _seen(account, {pk for ids in candidates for pk in ids}, offices)
    found = [(ids, alike) for ids in candidates if (alike := _alike(seen, ids))]
    for some in _runs(found, WRITTEN):
        _write(account, some)


@transaction.atomic
def _write(account: Account, found: Sequence[tuple[Ids, Likeness]]) -> None:
    """Whoever is deleted meanwhile is waited for, and left out."""
    there = _there({pk for ids, _alike in found for pk in ids})
    known = [(ids, alike) for ids, alike in found if there.issuperset(ids)]
    given: dict[str, Any] = {
        "account": account.pk,
        "low": [low for (low, _high), _alike in known],
        "high": [high for (_low, high), _alike in known],
        "why": [",".join(alike.why) for _ids, alike in known],
        "score": [alike.score for _ids, alike in known],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, given)


def _there(contacts: Iterable[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_THERE, {"ids": list(contacts)})
        return {pk for (pk,) in cursor.fetchall()}


_THERE = "SELECT id FROM contacts_contact WHERE id = ANY(%(ids)s) ORDER BY id FOR KEY SHARE"
_WRITE = """
INSERT INTO contacts_pair (account_id, low_id, high_id, why, score, state)
SELECT %(account)s, low, high, why, score, 'open'
FROM unnest(%(low)s::bigint[], %(high)s::bigint[], %(why)s::text[], %(score)s::int[]) AS found (low, high, why, score)
ON CONFLICT (low_id, high_id) DO UPDATE SET why = excluded.why, score = excluded.score
WHERE contacts_pair.state = 'open' AND (contacts_pair.why, contacts_pair.score) <> (excluded.why, excluded.score)
    AND contacts_pair.why NOT IN ('taken', 'meta')
"""


def _runs(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))


def _seen(account: Account, contacts: Iterable[int], offices: frozenset[str]) -> dict[int, Seen]:
    rows = Contact.objects.filter(account=account, pk__in=list(contacts)).annotate(address=Lower("email"))
    told = rows.values_list("id", "search", "mobile", "mobile_raw", "address")
    return {
        pk: Seen(search, *_number(mobile, raw), "" if email in offices else email)
        for pk, search, mobile, raw, email in told
    }


def _number(mobile: str | None, raw: str) -> tuple[str, bool]:
    return "".join(filter(str.isdigit, mobile or raw)), mobile is not None


# Candidates


def _candidates(account: Account, where: dict[str, Any]) -> Iterator[Ids]:
    """`where`: `part` of `parts`, and an `import` or None. Some come more than once."""
    given = where | {"account": account.pk, "code": phone_patterns.of(account.country).code, "block": BLOCK}
    yield from _blocks(given)
    yield from _neighbours(given)


def _blocks(given: dict[str, Any]) -> Iterator[Ids]:
    for (people,) in _fetch(_BLOCKS, given):
        yield from combinations(people, 2)


def _offices(account: Account) -> frozenset[str]:
    """E-mails of more people than are one."""
    rows = account.contacts.exclude(email="").annotate(address=Lower("email")).order_by().values("address")
    return frozenset(rows.annotate(people=Count("id")).filter(people__gt=BLOCK).values_list("address", flat=True))


def _neighbours(given: dict[str, Any]) -> Iterator[Ids]:
    for order in ("digits", "reverse(digits)"):
        for one, other in _fetch(_NEIGHBOURS.format(order=order, leads=_LEADS, others=_OTHERS), given):
            yield min(one, other), max(one, other)


def _fetch(query: str, given: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """PostgreSQL holds what is found, outside of any transaction: where all have one name, it is millions."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, given)
        while rows := cursor.fetchmany(COMPARED):
            yield from rows


_RAW = "regexp_replace(c.mobile_raw, '[^0-9]', '', 'g')"
_FRESH = "(%(import)s::bigint IS NULL OR c.source_id = %(import)s)"
_OURS = "abs(hashtext({0})::bigint) %% %(parts)s = %(part)s"
_WORDS = "LATERAL (SELECT split_part(c.search, ' ', 1) UNION SELECT split_part(c.search, ' ', 2)) AS words (word)"
_BLOCKS = f"""
SELECT array_agg(id ORDER BY id) FROM (
    SELECT c.id, 'e' || lower(c.email) AS key, {_FRESH} AS fresh
    FROM contacts_contact AS c WHERE c.account_id = %(account)s AND c.email <> ''
    UNION ALL
    SELECT c.id, 'n' || {_RAW}, {_FRESH}
    FROM contacts_contact AS c
    WHERE c.account_id = %(account)s AND c.mobile IS NULL AND length({_RAW}) >= {likeness.SHORTEST}
) AS keyed WHERE {_OURS.format("key")}
GROUP BY key HAVING count(*) BETWEEN 2 AND %(block)s AND bool_or(fresh)
"""

# Numbers that are one slip apart differ by a digit, or nine times one, before zeros: told by arithmetic, for a sort of a million
# has six million neighbours. What is not a whole number is compared by its ends.
_COLUMNS = ("id", "digits", "partial", "fresh")
_LEADS = ", ".join(
    f"lead({name}, {step}) OVER line AS {name}_{step}" for step in range(1, REACH + 1) for name in _COLUMNS
)
_OTHERS = ", ".join(f"({', '.join(f'{name}_{step}' for name in _COLUMNS)})" for step in range(1, REACH + 1))
_NEIGHBOURS = f"""
WITH asked AS MATERIALIZED (
    SELECT DISTINCT word FROM contacts_contact AS c, {_WORDS} WHERE c.source_id = %(import)s
), known AS (
    SELECT c.id, word, {_FRESH} AS fresh, c.mobile IS NULL AS partial, coalesce(
        substr(c.mobile, 2), CASE WHEN starts_with({_RAW}, %(code)s) THEN {_RAW} ELSE %(code)s || {_RAW} END
    ) AS digits
    FROM contacts_contact AS c, {_WORDS}
    WHERE c.account_id = %(account)s AND word <> '' AND {_OURS.format("word")}
        AND (%(import)s::bigint IS NULL OR word IN (SELECT word FROM asked))
), lined AS (
    SELECT *, {{leads}} FROM known WINDOW line AS (PARTITION BY word ORDER BY {{order}}, id)
)
SELECT DISTINCT id, other FROM lined, LATERAL (VALUES {{others}}) AS next (other, others, other_partial, other_fresh)
WHERE other IS NOT NULL AND (fresh OR other_fresh) AND (
    CASE WHEN partial OR other_partial
        THEN strpos(others, digits) > 0 OR strpos(digits, others) > 0 OR right(digits, 4) = right(others, 4)
        ELSE right(digits, {likeness.SUBSCRIBER}) = right(others, {likeness.SUBSCRIBER})
            OR length(rtrim(abs(digits::bigint - others::bigint)::text, '0')) <= 2
    END
)
ORDER BY id
"""
