"""Rows of a file beside the base: copied to a temporary table, and judged there in one statement.

`staged` holds the rows as they were read, `judged` the same rows with their outcome. Both live until the transaction ends.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.contacts import tags
from pregon.contacts.import_rows import UNIT, Row
from pregon.lib import text

MOST_TAGS = 200  # more distinct ones in a file are not labels, but a column taken for them


class Outcome(models.TextChoices):
    """What becomes of a row. The first that applies, in the order of `_JUDGE`, wins."""

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


class TooManyTags(Exception):
    """The column of tags holds something else: `.count` distinct ones."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"{count} distinct tags")


class LeftOut(NamedTuple):
    """A row that is not saved, and what its reason needs to know."""

    line: int
    name: str
    raw: str
    outcome: str
    reason: str
    """Of a bad number."""
    first_line: int
    """Of the same person in the file."""
    refused_at: object
    """When the person withdrew: datetime or None."""


_STAGED = """
DROP TABLE IF EXISTS pg_temp.staged, pg_temp.staged_tag, pg_temp.judged;
CREATE TEMPORARY TABLE staged (
    line integer, key text, name text, search text, raw text, mobile text, problem text, reason text,
    email text, said smallint, tags text, fields jsonb, hash text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_tag (name text PRIMARY KEY, tag bigint) ON COMMIT DROP;
"""

_JUDGE = """
CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
WITH same AS (
    SELECT staged.*, min(line) OVER person AS first_line, min(said) OVER person AS word
    FROM staged WINDOW person AS (PARTITION BY key)
), beside AS (
    SELECT same.*, c.id AS contact, c.consent, coalesce(refusal.happened_at, c.consent_at) AS refused_at,
        word = 1 AND %(granting)s AND c.consent IS DISTINCT FROM 'granted' AS grants,
        refusal.id IS NOT NULL OR c.consent = 'withdrawn' AS refused,
        c.id IS NOT NULL AND (
            same.name NOT IN ('', c.name) OR same.email NOT IN ('', c.email) OR NOT c.fields @> same.fields
            OR same.tags <> '' AND EXISTS (
                SELECT FROM unnest(string_to_array(same.tags, %(unit)s)) AS given
                LEFT JOIN staged_tag ON staged_tag.name = given
                LEFT JOIN contacts_contact_tags AS has ON has.contact_id = c.id AND has.tag_id = staged_tag.tag
                WHERE has.id IS NULL
            )
        ) AS changes
    FROM same
    LEFT JOIN contacts_contact AS c ON c.account_id = %(account)s AND c.mobile = same.mobile
    LEFT JOIN contacts_refusal AS refusal
        ON refusal.account_id = %(account)s AND refusal.mobile_hash = same.hash AND same.mobile IS NOT NULL
), told AS (
    SELECT beside.*, CASE
        WHEN mobile IS NULL AND (name = '' OR word = -1) THEN problem
        WHEN line > first_line THEN 'duplicate'
        WHEN mobile IS NULL THEN CASE WHEN EXISTS (
            SELECT FROM contacts_contact AS c
            WHERE c.account_id = %(account)s AND c.search = beside.search AND c.mobile IS NULL AND c.mobile_raw = beside.raw
        ) THEN 'unchanged' ELSE 'to_fix' END
        WHEN refused THEN 'withdrawn'
        WHEN word = -1 THEN 'opt_out'
        WHEN NOT (contact IS NULL OR changes OR grants) THEN 'unchanged'
        WHEN NOT grants AND consent IS DISTINCT FROM 'granted' THEN 'no_consent'
        WHEN contact IS NULL THEN 'new'
        ELSE 'updated' END AS outcome
    FROM beside
)
SELECT line, key, name, search, raw, mobile, problem, reason, email, tags, fields, hash, first_line, refused_at, outcome,
    grants AND outcome IN ('new', 'updated') AS grants,
    contact IS NULL AND outcome IN ('new', 'no_consent', 'to_fix') AS arrives,
    CASE WHEN contact IS NULL AND outcome IN ('new', 'no_consent', 'to_fix') AND %(numbering)s
        THEN nextval(pg_get_serial_sequence('contacts_contact', 'id')) ELSE contact END AS contact
FROM told ORDER BY line
"""

_LEFT_OUT = """
SELECT line, name, raw, outcome, reason, first_line, refused_at FROM judged
WHERE outcome = ANY(%s) ORDER BY line
"""


def stage(rows: Iterable[Row]) -> None:
    """Copies the rows, one at a time."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGED)
        with cursor.copy("COPY staged FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE staged")


def stage_tags(account: Account, *, make: bool) -> None:
    """Matches the tags of the staged rows with the account's own; `make` creates the missing ones. Raises TooManyTags."""
    names = _tag_names()
    if len(names) > MOST_TAGS:
        raise TooManyTags(len(names))
    if make:
        tags.ensure(account, names)
    known = tags.known(account)
    found = [(name, known[text.fold(name)].pk) for name in names if text.fold(name) in known]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO staged_tag VALUES (%s, %s)", found)


def lock_known(account: Account) -> None:
    """Locks the contacts that the staged rows are about, so that no act of consent comes between judging and saving."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM contacts_contact AS c WHERE c.account_id = %s AND c.mobile IN (SELECT mobile FROM staged) "
            "ORDER BY c.id FOR NO KEY UPDATE",
            [account.pk],
        )


def judge(account: Account, *, granting: bool, numbering: bool) -> None:
    """Says what becomes of each row. `granting`: a statement stands behind the rows' yes. `numbering`: they will be saved."""
    given: dict[str, int | str] = {"account": account.pk, "granting": granting, "numbering": numbering, "unit": UNIT}
    with connection.cursor() as cursor:
        cursor.execute(_JUDGE, given)


def counts() -> dict[str, int]:
    """Rows per outcome, every outcome named, and `grants`: the rows that bring a permission."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outcome, count(*), count(*) FILTER (WHERE grants) FROM judged GROUP BY outcome")
        found = cursor.fetchall()
    rows = {outcome: number for outcome, number, _grants in found}
    return {outcome: rows.get(outcome, 0) for outcome in Outcome.values} | {
        "grants": sum(grants for *_, grants in found)
    }


def left_out(limit: int | None = None) -> Iterator[LeftOut]:
    """The rows that are not saved, in the order of the file, as a stream."""
    query = _LEFT_OUT if limit is None else f"{_LEFT_OUT} LIMIT {limit:d}"
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, [list(LEFT_OUT)])
        yield from (LeftOut(*row) for row in cursor)


def _tag_names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT unnest(string_to_array(tags, %s)) FROM (SELECT DISTINCT tags FROM staged WHERE tags <> '') AS t "
            "LIMIT 100000",
            [UNIT],
        )
        return [name for (name,) in cursor]
