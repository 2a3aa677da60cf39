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
from functools import cached_property
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
from pregon.contacts.tally import Counts
from pregon.lib import phones, text

PAGE = 50
EXACT = 10_000  # up to here people are counted one by one
SURELY_MORE = 3 * EXACT  # by a sample: then nobody is counted
PATIENCE = 30  # milliseconds for that; then, and beyond, a sample tells
PLACES = [random.Random(at).random() for at in range(40)]  # in the base, from 0 to 1
STRETCH = 100  # people looked at from each place
RARE = 250  # by a sample: these are collected from the whole base, however long that takes
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

    @cached_property
    def counts(self) -> Counts:
        """Of the whole account."""
        return tally.of(self.account)

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
class Turn:
    """From where on: after the anchor, or `back` from it; without one from the beginning."""

    anchor: tuple[int, str, int] | None = None
    """The way in which a contact is found, its key there, and its id."""
    back: bool = False


@dataclass(frozen=True)
class Page:
    """A stretch of a list of `count`; `before` and `after` are ids of contacts to go on from, None at an end."""

    count: Count
    ids: list[int]
    before: int | None
    after: int | None

    @property
    def rows(self) -> list[Contact]:
        """Those of `ids` who are still there, with their labels."""
        found = Contact.objects.prefetch_related("tags").in_bulk(self.ids)
        return [found[pk] for pk in self.ids if pk in found]


def of(account: Account, query: str = "", group: Group = EVERYBODY) -> Finding:
    """Who is meant by what was typed and by the rules. Asks the database which of several words is the rarest."""
    query = query.replace("\x00", "")  # PostgreSQL takes none
    where, params = rules.sql(group, timezone.localtime(timezone=account.zone))
    everybody = Finding(account, group, (Way("true", "c.search"),), f"c.account_id = %(account)s AND {where}", params)
    params["account"] = account.pk
    digits = re.sub("[^0-9]", "", query)
    if len(digits) >= 3 and len(digits) * 2 > len(query.replace(" ", "")):
        return _by_number(everybody, query, digits)
    words = text.words(query).split() or text.fold(query).split()
    return _by_words(everybody, words) if words else everybody


def count(found: Finding) -> Count:
    """How many there are: exactly up to EXACT unless that takes too long and they are no few, or when the tally knows; else about
    how many."""
    return _count(found, Turn())[0]


def page(found: Finding, counted: Count | None = None, *, after: int | None = None, before: int | None = None) -> Page:
    """The PAGE people that follow contact `after` or precede `before`, or the first ones. `counted`: a `count` of the same.

    An anchor that is not among them (any more) leads to the first page.
    """
    anchor = _anchor(found, after or before)
    turn = Turn(anchor, back=anchor is not None and before is not None)
    counted, ids = (counted, None) if counted else _count(found, turn)
    if ids is None and counted.people <= (EXACT if counted.exact else RARE):
        people, ids = _few(found, turn, found.counts.total + 1)
        counted = Count(people)
    return _shown(counted, _many(found, turn) if ids is None else ids, turn)


def _shown(counted: Count, ids: list[int], turn: Turn) -> Page:
    """`ids`: one more than a page where it goes on."""
    shown = ids[:PAGE][::-1] if turn.back else ids[:PAGE]
    first, last = (shown[0], shown[-1]) if shown else (None, None)
    more = len(ids) > PAGE
    if turn.back:
        return Page(counted, shown, first if more else None, last)
    return Page(counted, shown, first if turn.anchor else None, last if more else None)


def _count(found: Finding, turn: Turn) -> tuple[Count, list[int] | None]:
    """`count`; and the ids of the page where all were collected for that."""
    known = tally.known(found.counts, found.rules) if found.ways[0].holds == "true" else None
    if known is not None:
        return Count(known), None
    if found.counts.total <= EXACT:
        people, ids = _few(found, turn, EXACT + 1)
        return Count(people), ids
    about = _estimate(found)
    few = None if about > SURELY_MORE else _few_soon(found, turn)
    if few is None and about <= RARE:  # of so few a sample knows nothing: it says nobody where a hundred are
        few = _few(found, turn, found.counts.total + 1)
    if few and few[0] <= EXACT:
        return Count(few[0]), few[1]
    return Count(max(about, EXACT) if few else about, exact=False), None


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
        matches.append((_few(asked, Turn(), PROBED)[0], -len(word), word))
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
        yield Way(tail + begun, "(c.mobile || '')")  # by itself the planner would walk all numbers in their order
    yield Way(f"c.mobile IS NULL AND {RAW} >= %(digits)s AND {RAW} < %(digits_end)s", RAW)


# What is asked


def _many(found: Finding, turn: Turn) -> list[int]:
    """One more than a page, way by way, each in the order of its index."""
    order, onward = ("DESC", "<") if turn.back else ("", ">")
    parts = []
    for at, way in enumerate(found.ways):
        begun = f" AND ({way.key}, c.id) {onward} (%(from_key)s, %(from_id)s)"
        if turn.anchor and at != turn.anchor[0]:
            if (at > turn.anchor[0]) is turn.back:
                continue  # it is on the pages that came before
            begun = ""
        parts.append(
            f"(SELECT {at} AS way, {way.key} AS key, c.id FROM contacts_contact AS c WHERE {found.where} AND {way.holds}"
            f"{begun if turn.anchor else ''} ORDER BY {way.key} {order}, c.id {order} LIMIT {PAGE + 1})"
        )
    query = f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS found ORDER BY way {order}, key {order}, id {order} LIMIT {PAGE + 1}"
    return [pk for (pk,) in _fetch(query, found.params | _from(turn))]


def _from(turn: Turn) -> dict[str, Any]:
    return dict(zip(("from_way", "from_key", "from_id"), turn.anchor or (), strict=False))


def _few(found: Finding, turn: Turn, most: int) -> tuple[int, list[int]]:
    """How many there are, up to `most`, and if not more: one more than a page. All are collected, then sorted."""
    [(people, ids)] = _fetch(*_collected(found, turn, most))
    return people, ids


def _few_soon(found: Finding, turn: Turn) -> tuple[int, list[int]] | None:
    """None: it takes too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            query, params = _collected(found, turn, EXACT + 1)
            cursor.execute(IMPATIENT.format(query), params)
            cursor.nextset()
            [(people, ids)] = cursor.fetchall()
            return people, ids
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            return None
        raise


IMPATIENT = f"SET LOCAL statement_timeout = {PATIENCE}; {{0}}; SET LOCAL statement_timeout = DEFAULT"  # in one trip


def _collected(found: Finding, turn: Turn, most: int) -> tuple[str, dict[str, Any]]:
    parts = (
        f"(SELECT {at} AS way, {way.key} AS key, c.id FROM contacts_contact AS c WHERE {found.where} AND {way.holds} LIMIT {most})"
        for at, way in enumerate(found.ways)
    )
    order, onward = ("DESC", "<") if turn.back else ("", ">")
    begun = f"WHERE (way, key, id) {onward} (%(from_way)s, %(from_key)s, %(from_id)s)" if turn.anchor else ""
    query = f"""
        WITH few AS MATERIALIZED (SELECT * FROM ({" UNION ALL ".join(parts)}) AS found LIMIT {most})
        SELECT (SELECT count(*) FROM few),
            ARRAY(SELECT id FROM few {begun} ORDER BY way {order}, key {order}, id {order} LIMIT {PAGE + 1})
    """
    return query, found.params | _from(turn)


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


def _estimate(found: Finding) -> int:
    """From people at places spread over the base, always the same ones: a figure that jumps about says less than it knows."""
    holds = " OR ".join(f"({way.holds})" for way in found.ways)
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE {found.where} AND ({holds}))
        FROM (SELECT min(id) AS first, max(id) AS last FROM contacts_contact WHERE account_id = %(account)s) AS base,
            unnest(%(places)s::float8[]) AS place, LATERAL (
                SELECT * FROM contacts_contact
                WHERE account_id = %(account)s AND id >= (first + (last - first) * place)::bigint ORDER BY id LIMIT {STRETCH}
            ) AS c
    """
    [(seen, fitting)] = _fetch(query, found.params | {"places": PLACES})
    return _rounded(found.counts.total * fitting // max(seen, 1))


def _rounded(people: int) -> int:
    unit = int(10 ** max(0, len(str(people)) - 2))
    return round(people / unit) * unit


def _fetch(query: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())
