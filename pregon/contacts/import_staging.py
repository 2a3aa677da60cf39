"""Rows of a file beside the base: kept in a table of their own, and judged there in one statement.

`contacts_staged_<import>` holds the rows as they were read. It is UNLOGGED: what PostgreSQL loses of it when it crashes is
read again from the file. `judged` is temporary: some of these rows with their outcome, until the transaction ends.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from pregon.contacts import finding, statements, tags
from pregon.contacts.import_rows import LEAVES, NO, NULL, STAGED, UNIT, YES
from pregon.contacts.models import ContactImport
from pregon.lib import text

MOST_TAGS = 200  # more distinct ones in a file are not labels, but a column taken for them
SHOWN = 5  # rows left out that the review shows
WHOLE_FILE = (0, 2**31 - 1)


class Outcome(models.TextChoices):
    """What becomes of a row. The first that applies, in the order of `_outcome`, wins."""

    NEW = "new", _("Nuevos")
    UPDATED = "updated", _("Actualizados")
    NO_CONSENT = "no_consent", _("Sin permiso")  # new or changed, without permission
    TO_FIX = "to_fix", _("Por corregir")  # a name with a bad number
    OPT_OUT = "opt_out", _("Bajas que se anotan")
    DUPLICATE = "duplicate", _("Repetidos en el archivo")
    UNCHANGED = "unchanged", _("Iguales a los que ya tienes")
    INCOMPLETE = "incomplete", _("Incompletos")
    INVALID = "invalid", _("Imposibles")
    WITHDRAWN = "withdrawn", _("Dados de baja")


SAVED = (Outcome.NEW, Outcome.UPDATED, Outcome.NO_CONSENT, Outcome.TO_FIX, Outcome.OPT_OUT)
LEFT_OUT = (Outcome.DUPLICATE, Outcome.UNCHANGED, Outcome.INCOMPLETE, Outcome.INVALID, Outcome.WITHDRAWN)


class LeftOut(NamedTuple):
    """A row that is not saved, and what its reason needs to know."""

    line: int
    name: str
    raw: str
    outcome: str
    reason: str
    """Of a bad number: phones.Problem.code."""
    first_line: int | str
    """Of the same person in the file."""
    refused_at: object
    """When the person withdrew: datetime or None."""


class Way(NamedTuple):
    """How the permission of a file is stated: that decides what its rows say."""

    word: str
    """SQL: what the person's rows say together."""
    granting: bool
    """Whether a yes counts."""


WAYS = {
    "grants": Way("word", True),
    statements.NONE: Way("word", False),
    statements.OPT_OUT: Way(str(LEAVES), False),
}


def way(statement: str) -> str:
    """Key of WAYS. Before a statement is chosen, one that grants is supposed."""
    return statement if statement in (statements.NONE, statements.OPT_OUT) else "grants"


def table(import_: ContactImport) -> str:
    return f"contacts_staged_{import_.pk:d}"


def make(import_: ContactImport) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table(import_)}")
        cursor.execute(
            f"CREATE UNLOGGED TABLE {table(import_)} (line integer, name text, search text, raw text, mobile text, problem text, "
            "reason text, email text, tags text, fields jsonb, hash text, first_line integer, word smallint, remarks text)"
        )


def drop(import_: ContactImport) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table(import_)}")


def kept(import_: ContactImport) -> bool:
    """False when it was dropped, or emptied by a crash of PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table(import_)])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table(import_)})")
        return bool(cursor.fetchone()[0]) or not import_.rows


def copy(import_: ContactImport, blocks: Iterable[bytes]) -> None:
    """Appends lines as `import_rows` writes them."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table(import_)} ({STAGED}) FROM STDIN (NULL '{NULL}')") as into,
    ):
        for block in blocks:
            into.write(block)


def widen() -> None:
    """Until the transaction ends: sorting some thousand rows, or grouping a million, needs no file, and nobody remembers
    what was found for a number, since each comes once."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL enable_memoize = off")


def finish(import_: ContactImport) -> None:
    """Once all rows are there: those of the same person know each other, and a stretch of lines is found fast."""
    with connection.cursor() as cursor:
        cursor.execute(_TWICE % {"table": table(import_)}, {"unit": UNIT})
        cursor.execute(f"CREATE INDEX ON {table(import_)} (line)")
        cursor.execute(f"SET LOCAL default_statistics_target = 10; ANALYZE {table(import_)}")  # its size, above all


# A number, or a name with the same bad number: then the first row is the person, and a no in any of them counts.
_TWICE = """
WITH person AS (
    SELECT coalesce(mobile, search || %%(unit)s || raw) AS key, min(line) AS first_line, min(word) AS word
    FROM %(table)s WHERE mobile IS NOT NULL OR name <> '' GROUP BY 1 HAVING count(*) > 1
)
UPDATE %(table)s AS staged SET first_line = person.first_line, word = person.word
FROM person WHERE coalesce(mobile, search || %%(unit)s || raw) = person.key AND (mobile IS NOT NULL OR name <> '')
"""


def tag_names(import_: ContactImport) -> list[str]:
    """Distinct names in the rows, MOST_TAGS + 1 of them at most, as first written."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT unnest(string_to_array(tags, %s)) FROM (SELECT DISTINCT tags FROM {table(import_)} WHERE tags <> '') "
            f"AS given LIMIT {MOST_TAGS + 1:d}",
            [UNIT],
        )
        return [name for (name,) in cursor]


def judge(import_: ContactImport, lines: tuple[int, int], *, numbering: bool) -> None:
    """Says in `judged` what becomes of the rows after the first line up to the second, as the import's statement has it.

    `numbering`: they will be saved.
    """
    given = _given(import_, lines)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.judged")
        select = _judgement(import_, _STRETCH, numbering=numbering)
        cursor.execute(f"CREATE TEMPORARY TABLE judged ON COMMIT DROP AS {select}", given)


def judge_again(import_: ContactImport, lines: Sequence[int]) -> None:
    """These rows of `judged` once more."""
    given = _given(import_, WHOLE_FILE) | {"lines": [*lines]}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM judged WHERE line = ANY(%(lines)s)", given)
        select = _judgement(import_, "s.line = ANY(%(lines)s)", numbering=True)
        cursor.execute(f"INSERT INTO judged {select}", given)


def review(import_: ContactImport) -> dict[str, dict[str, Any]]:
    """Per way of stating the permission its `counts`, the first `examples` left out, and how many `keep` a permission although
    their row says no: a list may be older than the permission, so that only a withdrawal ends it."""
    outcomes = ", ".join(f"{_outcome(way)} AS {name}, {_grants(way)} AS {name}_said_yes" for name, way in WAYS.items())
    columns = ", ".join(f"{name}, {name}_said_yes AND {name} IN ('new', 'updated') AS {name}_grants" for name in WAYS)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.told")
        beside = _beside(import_, _STRETCH, limit="")
        keeps = f"word = {NO} AND consent = 'granted' AND line <= first_line AS keeps"
        told = f"SELECT line, refused_at, {keeps}, {outcomes} FROM ({beside}) AS beside OFFSET 0"
        select = f"SELECT line, refused_at, keeps, {columns} FROM ({told}) AS told"
        cursor.execute(f"CREATE TEMPORARY TABLE told ON COMMIT DROP AS {select}", _given(import_, WHOLE_FILE))
        cursor.execute("SELECT count(*) FROM told WHERE keeps")
        (keep,) = cursor.fetchone()
    return {
        name: {
            "counts": _counts("told", name),
            "examples": _examples(import_, name),
            "keep": 0 if name == statements.OPT_OUT else keep,
        }
        for name in WAYS
    }


def counts() -> dict[str, int]:
    """Of `judged`: rows per outcome, every outcome named, and `grants`: the rows that bring a permission."""
    return _counts("judged", "outcome")


def _counts(table: str, column: str) -> dict[str, int]:
    grants = "grants" if column == "outcome" else f"{column}_grants"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}, count(*), count(*) FILTER (WHERE {grants}) FROM {table} GROUP BY 1")
        found = cursor.fetchall()
    rows = {outcome: number for outcome, number, _grants in found}
    return {outcome: rows.get(outcome, 0) for outcome in Outcome.values} | {
        "grants": sum(grants for *_, grants in found)
    }


def _examples(import_: ContactImport, column: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT line, name, raw, {column}, reason, first_line, refused_at FROM {table(import_)} JOIN "
            f"(SELECT * FROM told WHERE {column} = ANY(%s) ORDER BY line LIMIT {SHOWN:d}) AS first USING (line) ORDER BY line",
            [list(LEFT_OUT)],
        )
        return [(*row, at.isoformat() if at else None) for *row, at in cursor]


_STRETCH = "s.line > %(after)s AND s.line <= %(upto)s"


def _given(import_: ContactImport, lines: tuple[int, int]) -> dict[str, Any]:
    names = [*import_.given_tags, *filter(None, [import_.tag])]
    known = tags.known(import_.account)
    found = [(name, known[text.fold(name)].pk) for name in names if text.fold(name) in known]
    return {
        "account": import_.account_id,
        "after": lines[0],
        "upto": lines[1],
        "unit": UNIT,
        "tag": import_.tag,
        "tag_names": [name for name, _tag in found],
        "tag_ids": [tag for _name, tag in found],
    }


def _beside(import_: ContactImport, which: str, limit: str) -> str:
    """SELECT of the rows with whom they are about: `contact`, `refused`, and whether a row `changes` anything."""
    return _BESIDE.format(table=table(import_), which=which, limit=limit, account=_ACCOUNT)


# Its value is kept from the planner: of a business that is not yet in its statistics it supposes one contact, so that any index
# that begins with the business would do, and all of its contacts be looked through for every row.
_ACCOUNT = "(SELECT %(account)s::bigint)"
# For a part LIMIT 1, one look into an index per row, whatever the planner thinks of a table that grows while it is filled;
# nothing for the whole file, so that it may read the tables side by side.
_BESIDE = """
WITH given AS (
    SELECT tags, array_agg(DISTINCT known.tag) FILTER (WHERE known.tag IS NOT NULL) AS ids, bool_or(known.tag IS NULL) AS unknown
    FROM (SELECT DISTINCT tags FROM {table} AS s WHERE {which}) AS t
    CROSS JOIN unnest(string_to_array(concat_ws(%(unit)s, nullif(tags, ''), nullif(%(tag)s, '')), %(unit)s)) AS one
    LEFT JOIN unnest(%(tag_names)s::text[], %(tag_ids)s::bigint[]) AS known (name, tag) ON known.name = one
    GROUP BY tags
)
SELECT s.*, given.ids AS tag_ids, c.id AS contact, c.consent, coalesce(refusal.happened_at, c.consent_at) AS refused_at,
    refusal.id IS NOT NULL OR c.consent = 'withdrawn' AS refused,
    c.id IS NOT NULL AND (
        s.name NOT IN ('', c.name) OR s.email NOT IN ('', c.email) OR NOT c.fields @> s.fields OR coalesce(given.unknown, false)
        OR given.ids IS NOT NULL
            AND NOT given.ids <@ ARRAY(SELECT has.tag_id FROM contacts_contact_tags AS has WHERE has.contact_id = c.id)
    ) AS changes
FROM {table} AS s
LEFT JOIN LATERAL (
    SELECT * FROM contacts_contact AS c WHERE c.account_id = {account} AND c.mobile = s.mobile {limit}
) AS c ON true
LEFT JOIN LATERAL (
    SELECT * FROM contacts_refusal AS refusal
    WHERE s.mobile IS NOT NULL AND refusal.account_id = {account} AND refusal.mobile_hash = s.hash {limit}
) AS refusal ON true
LEFT JOIN given ON given.tags = s.tags
WHERE {which}
"""


def _grants(way: Way) -> str:
    return f"({way.word} = {YES} AND {way.granting} AND consent IS DISTINCT FROM 'granted')"


def _outcome(way: Way) -> str:
    return _OUTCOME.format(
        word=way.word,
        leaves=LEAVES,
        grants=_grants(way),
        digits=finding.RAW,
        digits_here=finding.digits_of("beside.raw"),
        account=_ACCOUNT,
    )


_OUTCOME = """CASE
    WHEN mobile IS NULL AND (name = '' OR {word} = {leaves}) THEN problem
    WHEN line > first_line THEN 'duplicate'
    WHEN mobile IS NULL THEN CASE WHEN (
        SELECT true FROM contacts_contact AS c
        WHERE c.account_id = {account} AND c.mobile IS NULL AND {digits} = {digits_here}
            AND c.mobile_raw = beside.raw AND c.search = beside.search LIMIT 1
    ) THEN 'unchanged' ELSE 'to_fix' END
    WHEN refused THEN 'withdrawn'
    WHEN {word} = {leaves} THEN 'opt_out'
    WHEN NOT (contact IS NULL OR changes OR {grants}) THEN 'unchanged'
    WHEN NOT {grants} AND consent IS DISTINCT FROM 'granted' THEN 'no_consent'
    WHEN contact IS NULL THEN 'new'
    ELSE 'updated' END"""


def _judgement(import_: ContactImport, which: str, *, numbering: bool) -> str:
    """Columns of `judged`; a contact that `arrives` gets its id here. OFFSET 0: the outcome is found out once per row."""
    stated = WAYS[way(import_.statement)]
    number = "nextval('contacts_contact_id_seq')" if numbering else "NULL"
    return _JUDGEMENT.format(
        beside=_beside(import_, which, limit="LIMIT 1"), outcome=_outcome(stated), grants=_grants(stated), number=number
    )


# What most statements ask for stands first: a row is unpacked up to the last column that is asked for.
_JUDGEMENT = """
SELECT line,
    CASE WHEN contact IS NULL AND outcome IN ('new', 'no_consent', 'to_fix') THEN {number} ELSE contact END AS contact,
    contact IS NULL AND outcome IN ('new', 'no_consent', 'to_fix') AS arrives,
    said_yes AND outcome IN ('new', 'updated') AS grants,
    outcome, tag_ids, mobile, hash, name, search, raw, problem, reason, email, fields, first_line, refused_at
FROM (SELECT beside.*, {grants} AS said_yes, {outcome} AS outcome FROM ({beside}) AS beside OFFSET 0) AS told
"""
