"""Contacts as lines of a file that a spreadsheet opens, and that an import reads again without changing anything.

PostgreSQL writes the lines: of a million people they are a minute of work, that Python would do beside the sending.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts import fields
from pregon.contacts.models import Field
from pregon.lib import spreadsheets


class Dress(NamedTuple):
    """How a line is written: SQL of a cell over a text `{0}`, and of what stands before, between and after cells.

    `number` and `date` are of values as `field_values` writes them, or of anything else.
    """

    cell: str
    number: str
    date: str
    before: str
    between: str
    after: str


# What a spreadsheet would calculate gets an apostrophe, as in `spreadsheets.write_csv`.
_SAFE = r"CASE WHEN {0} ~ '^[=+@\t\r-]' AND {0} !~ '^[+-]?[0-9][0-9 .,]*$' THEN '''' || {0} ELSE {0} END"
_QUOTED = f"""'"' || replace({_SAFE}, '"', '""') || '"'"""
# As text, which is never calculated. A cell holds 32,767 characters, and XML three of the control characters.
_PLAIN = r"regexp_replace(left({0}, 32767), '[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]', '', 'g')"
_ESCAPED = f"replace(replace(replace({_PLAIN}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
_TEXT = f"""'<c t="inlineStr"><is><t xml:space="preserve">' || {_ESCAPED} || '</t></is></c>'"""
# With the decimals of the country, where «1.234» may be a thousand.
_LOCAL = "replace({0}, '.', %(point)s::text)"
# A cell holds 15 digits. All figures of a workbook have a point, whatever the country, and are read so again.
_FITS = "{0} ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?$' AND length(translate({0}, '-.', '')) <= 15"
_NUMBER = f"CASE WHEN {_FITS} THEN '<c><v>' || {{0}} || '</v></c>' ELSE {_TEXT} END"
# Days since the one before 1900, as a sheet counts them: wrongly before March of that year. 31 February is a text.
_LOOKS = "{0} ~ '^(19|20)[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'"
_DAY = "(make_date(left({0}, 4)::int, substr({0}, 6, 2)::int, 1) + substr({0}, 9, 2)::int - 1)"
_DATE = f"""CASE WHEN {_LOOKS} THEN
    CASE WHEN to_char({_DAY}, 'YYYY-MM-DD') = {{0}} AND {_DAY} >= DATE '1900-03-01'
        THEN '<c s="{spreadsheets.DAY_STYLE}"><v>' || ({_DAY} - DATE '1899-12-30') || '</v></c>' ELSE {_TEXT} END
ELSE {_TEXT} END"""
DRESSES = {
    "csv": Dress(_QUOTED, _QUOTED.format(_LOCAL), _QUOTED, "''", "','", r"E'\r\n'"),
    "xlsx": Dress(_TEXT, _NUMBER, _DATE, "'<row>'", "''", "'</row>'"),
}

_CELLS = (
    "c.name",
    "coalesce(c.mobile, c.mobile_raw)",
    "c.email",
    "CASE c.consent WHEN 'granted' THEN 'sí' WHEN 'withdrawn' THEN 'baja' ELSE '' END",  # as read_permission reads them
    "coalesce(to_char(c.consent_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD'), '')",
    """coalesce((
        SELECT string_agg(tag.name, ', ' ORDER BY tag.name) FROM contacts_contact_tags AS has
        JOIN contacts_tag AS tag ON tag.id = has.tag_id WHERE has.contact_id = c.id
    ), '')""",
    "coalesce(c.meta_user_id, '')",
)


class Own(NamedTuple):
    """A column of the business's own."""

    name: str
    label: str
    kind: str


def own_fields(account: Account) -> list[Own]:
    return [Own(field.name, field.label, field.kind) for field in fields.of(account)]


def width(own: Sequence[Own]) -> int:
    """How many columns there are."""
    return len(_heads()) + len(own)


def head(own: Sequence[Own], dress: str) -> bytes:
    """The first line. `own` are `own_fields`, `dress` is a key of DRESSES."""
    params = {f"cell_{at}": name for at, name in enumerate([*_heads(), *(field.label for field in own)])}
    return _written(dress, [f"%({key})s::text" for key in params], "(SELECT 0 AS id) AS c", params)


def lines(contacts: Sequence[int], own: Sequence[Own], point: str, dress: str) -> bytes:
    """Of contacts (ids) in the order of their ids, with days on the active clock.

    `point` is what the country writes before decimals, in a CSV: «1.234» may be a thousand there.
    """
    params: dict[str, Any] = {f"field_{at}": field.name for at, field in enumerate(own)}
    values = [f"coalesce(c.fields ->> %({key})s, '')" for key in params]
    kinds = ["" for _cell in _CELLS] + [field.kind for field in own]
    params |= {"contacts": contacts, "zone": timezone.get_current_timezone_name(), "point": point}
    people = "contacts_contact AS c WHERE c.id = ANY(%(contacts)s::bigint[])"
    return _written(dress, [*_CELLS, *values], people, params, kinds)


def _heads() -> list[str]:
    return [
        _("Nombre"), _("Celular"), _("Correo"), _("Permiso"), _("Permiso desde"), _("Etiquetas"), _("Id de WhatsApp"),
    ]  # fmt: skip


def _written(dress: str, cells: Sequence[str], people: str, params: dict[str, Any], kinds: Sequence[str] = ()) -> bytes:
    how = DRESSES[dress]
    by_kind: dict[str, str] = {Field.Kind.NUMBER: how.number, Field.Kind.DATE: how.date}
    dressed = [by_kind.get(kind, how.cell) for kind in kinds] or [how.cell] * len(cells)
    named = ", ".join(f"{cell} AS cell_{at}" for at, cell in enumerate(cells))
    joined = f" || {how.between} || ".join(cell.format(f"cell_{at}") for at, cell in enumerate(dressed))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(string_agg({how.before} || {joined} || {how.after}, '' ORDER BY id), '')
            FROM (SELECT c.id, {named} FROM {people}) AS found
            """,
            params,
        )
        return str(cursor.fetchone()[0]).encode()
