"""CSV of the rows that stay out, each with its reason: written by PostgreSQL, for they may be a million."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.contacts import import_reasons
from pregon.contacts.import_staging import LEFT_OUT, LeftOut
from pregon.lib import spreadsheets

_LINE = "\ue000"  # stands in a sentence for the first row's line: none of ours has it


def head() -> bytes:
    names = (_("Fila"), _("Nombre"), _("Celular en tu archivo"), _("Por qué"), _("Qué hacer"))
    return b"".join(spreadsheets.write_csv([names]))


def rows() -> Iterator[bytes]:
    """Of `judged`, without the head: blocks of whole lines."""
    given: dict[str, Any] = {"zone": timezone.get_current_timezone_name(), "outcomes": [*LEFT_OUT], "line": _LINE}
    with connection.cursor() as cursor:
        cursor.execute(_WHY)
        cursor.execute(_DISTINCT, given)
        cursor.executemany(
            "INSERT INTO why VALUES (%s, %s, %s, %s, %s)", [_told(*found) for found in cursor.fetchall()]
        )
        with cursor.copy(_CSV, given) as copy:
            for block in copy:
                yield bytes(block).replace(b"\n", b"\r\n")


def _told(outcome: str, reason: str, day: date | None, moment: datetime | None) -> list[Any]:
    why, then = import_reasons.tell(LeftOut(0, "", "", outcome, reason, _LINE, moment))
    return [outcome, reason, day, why, then]


_WHY = """
DROP TABLE IF EXISTS pg_temp.why;
CREATE TEMPORARY TABLE why (outcome text, reason text, day date, why text, next text) ON COMMIT DROP;
"""
_ROWS = """(
    SELECT line, name, raw, first_line, outcome, reason, refused_at,
        CASE WHEN outcome = 'withdrawn' THEN (refused_at AT TIME ZONE %(zone)s)::date END AS day
    FROM judged WHERE outcome = ANY(%(outcomes)s)
) AS r"""
_DISTINCT = f"SELECT outcome, reason, day, min(refused_at) FROM {_ROWS} GROUP BY 1, 2, 3"
# What a spreadsheet would calculate gets an apostrophe, as in `spreadsheets.write_csv`.
SAFE = "CASE WHEN {0} ~ '^[=+@-]' AND {0} !~ '^[+-]?[0-9][0-9 .,]*$' THEN '''' || {0} ELSE {0} END"
_CSV = f"""
COPY (
    SELECT line, {SAFE.format("name")}, {SAFE.format("raw")}, why, replace(next, %(line)s, first_line::text)
    FROM {_ROWS} JOIN why ON (why.outcome, why.reason) = (r.outcome, r.reason) AND why.day IS NOT DISTINCT FROM r.day
    ORDER BY line
) TO STDOUT (FORMAT csv)
"""
