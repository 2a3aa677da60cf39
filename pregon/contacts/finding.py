"""People found by what is typed and by rules, a page at a time, as fast among a million as among fifty.

What is typed is looked for in *ways*, one after the other: names that begin with it, then those whose second word does, and so
on; numbers that begin with it, then those that end with it. Each way reads an index of its own in its own order, from where the
last page ended; nobody is found twice. Who fits a few thousand at most is collected first and sorted, so that a rare tag is not
looked for along all names. See docs/decisions/0009.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from psycopg import errors

from pregon.accounts.models import Account
from pregon.contacts import rules, tally
from pregon.contacts.models import Contact
from pregon.contacts.rules import EVERYBODY, Group
from pregon.lib import phones, text

PAGE = 50
EXACT = 10_000  # up to here people are counted one by one
SURELY_MORE = 3 * EXACT  # by a sample: then nobody is counted
PATIENCE = 30  # milliseconds for that; then, and beyond, a sample tells
SAMPLE, STRETCH = 40, 100  # places of the base, people looked at from each
PROBED = 500  # matches of a word, after which it counts as common
WORDS = range(2, 7)  # places of words with an index of their own: contact_by_word_2 and so on
LAST = "\U0010ffff"  # sorts behind every other character


@dataclass(frozen=True)
class Way:
    """SQL over a contact `c`: who is found, and by what they are sorted, which an index has."""

    holds: str
    key: str


@dataclass(frozen=True)
class Finding:
    """Who is looked for: those of `account` who fit `rules`, in any of `ways`. Made by `of`."""

    account: Account
    rules: Group
    ways: tuple[Way, ...]
    where: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def condition(self) -> str:
        """SQL over a contact `c`, with `params`: whether it is one of them."""
        holds = " OR ".join(f"({way.holds})" for way in self.ways)
        return f"{self.where} AND ({holds})"

    @property
    def people(self) -> QuerySet[Contact]:
        """All of them, in no order."""
        query = f"SELECT c.id FROM contacts_contact AS c WHERE {self.condition}"
        names = re.findall(r"%\((\w+)\)s", query)
        positional = re.sub(r"%\(\w+\)s", "%s", query)
        values = [self.params[name] for name in names]
        return self.account.contacts.filter(id__in=RawSQL(positional, values))  # noqa: S611 constants of ours


@dataclass(frozen=True)
class Count:
    """How many; not `exact`: told from a sample, to two digits."""

    people: int
    exact: bool = True


@dataclass(frozen=True)
class Page:
    """A stretch of a list; `before` and `after` are ids of contacts to go on from, None at an end."""

    rows: list[Contact]
    before: int | None
    after: int | None


def of(account: Account, query: str = "", group: Group = EVERYBODY) -> Finding:
    """Who is meant by what was typed and by the rules. Asks the database which of several words is the rarest."""
    query = query.replace("\x00", "")  # PostgreSQL takes none
    where, params = rules.sql(group, timezone.localtime(timezone=account.zone))
    everybody = Finding(account, group, (Way("true", "c.search"),), f"c.account_id = %(account)s AND {where}", params)
    params["account"] = account.pk
    digits = re.sub("[^0-9]", "", query)
    if len(digits) >= 3 and len(digits) * 2 > len(query.replace(" ", "")):
        return _by_number(everybody, query, digits)
    words = text.fold(query).split()
    return _by_words(everybody, words) if words else everybody


def count(found: Finding) -> Count:
    """How many there are: exactly up to EXACT unless that takes too long, or when the tally knows; else about how many."""
    known = tally.known(found.account, found.rules) if found.ways[0].holds == "true" else None
    if known is not None:
        return Count(known)
    total = tally.of(found.account).total
    if total <= EXACT:
        return Count(_fetch(*_counted(found, EXACT))[0][0])
    about = _estimate(found, total)
    people = None if about > SURELY_MORE else _count_some(found)
    if people is not None and people <= EXACT:
        return Count(people)
    return Count(about if people is None else max(about, EXACT), exact=False)


def page(found: Finding, counted: Count, *, after: int | None = None, before: int | None = None) -> Page:
    """The PAGE people that follow contact `after` or precede `before`, or the first ones. `counted`: `count` of the same.

    An anchor that is not among them (any more) leads to the first page.
    """
    small = counted.exact and counted.people <= EXACT
    anchor = _anchor(found, after or before)
    if anchor and before:
        ids = _ids(found, anchor, small=small, back=True)
        shown = ids[:PAGE][::-1]
        return Page(_rows(shown), shown[0] if len(ids) > PAGE else None, shown[-1] if shown else None)
    ids = _ids(found, anchor, small=small)
    shown = ids[:PAGE]
    return Page(_rows(shown), shown[0] if anchor and shown else None, shown[-1] if len(ids) > PAGE else None)


# Ways


def _by_words(everybody: Finding, words: Sequence[str]) -> Finding:
    """By the rarest word; the others are looked for in whoever has it."""
    lead = words[0] if len(words) == 1 else _rarest(everybody.account, words)
    others = [word for word in words if word != lead]
    params = everybody.params | _prefix(lead) | {f"word_{at}": f" {word}" for at, word in enumerate(others)}
    told = "".join(f" AND strpos(' ' || c.search, %(word_{at})s) > 0" for at in range(len(others)))
    return replace(everybody, ways=_word_ways(), where=everybody.where + told, params=params)


def _prefix(word: str) -> dict[str, str]:
    return {"prefix": word, "prefix_end": word + LAST, "prefix_word": f" {word}"}


def _word_ways() -> tuple[Way, ...]:
    """Whose first word begins with the prefix, whose second does, …; those of many words are looked through."""
    nth = ["c.search", *(f"split_part(c.search, ' ', {place})" for place in WORDS)]
    held = [f"{word} >= %(prefix)s AND {word} < %(prefix_end)s" for word in nth]
    held[1:] = [f"{word} <> '' AND {holds}" for word, holds in zip(nth[1:], held[1:], strict=True)]
    earlier = [f"NOT starts_with({word}, %(prefix)s)" for word in nth]
    ways = [Way(" AND ".join([holds, *earlier[:at]]), nth[at]) for at, holds in enumerate(held)]
    more = f"split_part(c.search, ' ', {WORDS.stop}) <> '' AND strpos(' ' || c.search, %(prefix_word)s) > 0"
    return (*ways, Way(" AND ".join([more, *earlier]), "c.search"))


def _rarest(account: Account, words: Sequence[str]) -> str:
    """The one fewest people have; of common ones the longest."""
    whole = Finding(account, EVERYBODY, _word_ways(), "c.account_id = %(account)s")
    matches = []
    for word in dict.fromkeys(words[:4]):
        asked = replace(whole, params={"account": account.pk} | _prefix(word))
        matches.append((_fetch(*_counted(asked, PROBED))[0][0], -len(word), word))
    return min(matches)[2]


def _by_number(everybody: Finding, query: str, digits: str) -> Finding:
    """A whole number in any form; else how it begins, with or without its country, or how it ends."""
    found = phones.read(query, everybody.account.country)
    if isinstance(found, phones.Phone):
        params = everybody.params | {"mobile": found.mobile}
        return replace(everybody, ways=(Way("c.mobile = %(mobile)s", "c.mobile"),), params=params)
    starts = phones.beginnings(query, everybody.account.country)
    typed = {"digits": digits} | {f"start_{at}": start for at, start in enumerate(starts)}
    params = everybody.params | typed | {f"{name}_end": value + LAST for name, value in typed.items()}
    return replace(everybody, ways=tuple(_number_ways(len(starts), ends=len(digits) > 3)), params=params)


def digits_of(raw: str) -> str:
    """SQL: the digits of a number as it was given; of contacts without a number `contact_by_raw` has them."""
    return f"(regexp_replace({raw}, '[^0-9]', '', 'g') COLLATE \"C\")"


RAW = digits_of("c.mobile_raw")
TAIL = "right(c.mobile, 4)"  # contact_by_tail: so many have the same four digits that their index is small


def _number_ways(starts: int, *, ends: bool) -> Iterator[Way]:
    """`starts` beginnings, of which none begins another; ends of four digits at least; what was given as a number."""
    for at in range(starts):
        yield Way(f"c.mobile >= %(start_{at})s AND c.mobile < %(start_{at}_end)s", "c.mobile")
    if ends:
        begun = "".join(f" AND NOT starts_with(c.mobile, %(start_{at})s)" for at in range(starts))
        tail = f"c.mobile IS NOT NULL AND {TAIL} = right(%(digits)s, 4) AND right(c.mobile, length(%(digits)s)) = %(digits)s"
        yield Way(tail + begun, TAIL)
    yield Way(f"c.mobile IS NULL AND {RAW} >= %(digits)s AND {RAW} < %(digits_end)s", RAW)


# What is asked


def _ids(found: Finding, anchor: tuple[int, str, int] | None, *, small: bool, back: bool = False) -> list[int]:
    """One more than a page, from the anchor on."""
    order = "DESC" if back else ""
    params = found.params | dict(zip(("from_way", "from_key", "from_id"), anchor or (), strict=False))
    parts = [
        f"(SELECT {at} AS way, {_selected(found, way, order, small=small)})"
        if anchor is None or at != anchor[0]
        else f"(SELECT {at} AS way, {_selected(found, way, order, small=small, onward='<' if back else '>')})"
        for at, way in enumerate(found.ways)
        if anchor is None or (at <= anchor[0] if back else at >= anchor[0])
    ]
    query = f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS found ORDER BY way {order}, key {order}, id {order} LIMIT {PAGE + 1}"
    return [pk for (pk,) in _fetch(query, params)]


def _selected(found: Finding, way: Way, order: str, *, small: bool, onward: str = "") -> str:
    """The rest of `SELECT n AS way, ` for one way. OFFSET 0: all are found before they are sorted."""
    begun = f" AND ({way.key}, c.id) {onward} (%(from_key)s, %(from_id)s)" if onward else ""
    rows = f"SELECT {way.key} AS key, c.id FROM contacts_contact AS c WHERE {found.where} AND {way.holds}{begun}"
    if small:
        return f"key, id FROM ({rows} OFFSET 0) AS few ORDER BY key {order}, id {order} LIMIT {PAGE + 1}"
    return f"{rows.removeprefix('SELECT ')} ORDER BY {way.key} {order}, c.id {order} LIMIT {PAGE + 1}"


def _anchor(found: Finding, contact: int | None) -> tuple[int, str, int] | None:
    """The way in which a contact is found, its key there, and its id."""
    if contact is None:
        return None
    parts = (
        f"SELECT {at} AS way, {way.key} AS key, c.id FROM contacts_contact AS c "
        f"WHERE c.id = %(contact)s AND {found.where} AND {way.holds}"
        for at, way in enumerate(found.ways)
    )
    rows = _fetch(" UNION ALL ".join(parts) + " LIMIT 1", found.params | {"contact": contact})
    return rows[0] if rows else None


def _rows(ids: Sequence[int]) -> list[Contact]:
    found = Contact.objects.prefetch_related("tags").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _count_some(found: Finding) -> int | None:
    """Up to one more than EXACT; None: it takes too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            query, params = _counted(found, EXACT + 1)
            cursor.execute(IMPATIENT.format(query), params)
            cursor.nextset()
            [(people,)] = cursor.fetchall()
            return int(people)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            return None
        raise


IMPATIENT = f"SET LOCAL statement_timeout = {PATIENCE}; {{0}}; SET LOCAL statement_timeout = DEFAULT"  # in one trip


def _counted(found: Finding, most: int) -> tuple[str, dict[str, Any]]:
    parts = (
        f"(SELECT FROM contacts_contact AS c WHERE {found.where} AND {way.holds} LIMIT {most})" for way in found.ways
    )
    return (
        f"SELECT count(*) FROM (SELECT FROM ({' UNION ALL '.join(parts)}) AS found LIMIT {most}) AS matching",
        found.params,
    )


def _estimate(found: Finding, total: int) -> int:
    """From people at places spread over the base, always the same ones: a figure that jumps about says less than it knows."""
    [(first, last)] = _fetch(
        "SELECT min(id), max(id) FROM contacts_contact WHERE account_id = %(account)s", found.params
    )
    chance = random.Random(found.account.pk)
    places = [chance.randint(first, last) for _place in range(SAMPLE)] if last else []
    holds = " OR ".join(f"({way.holds})" for way in found.ways)
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE {found.where} AND ({holds}))
        FROM unnest(%(places)s::bigint[]) AS place, LATERAL (
            SELECT * FROM contacts_contact WHERE account_id = %(account)s AND id >= place ORDER BY id LIMIT {STRETCH}
        ) AS c
    """
    [(seen, fitting)] = _fetch(query, found.params | {"places": places})
    return _rounded(total * fitting // max(seen, 1))


def _rounded(people: int) -> int:
    unit = int(10 ** max(0, len(str(people)) - 2))
    return round(people / unit) * unit


def _fetch(query: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())
