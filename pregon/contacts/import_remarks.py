"""Cells of a file that are not saved as they stand: they stay empty, or are cut, and that is told for each row.

Counted, and written into a file beside the import's own, when it is read: what is saved of the rows changes nothing about them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from pregon.contacts import fields, import_rejects, import_staging
from pregon.contacts.field_values import LONGEST, TEXT, Reading
from pregon.contacts.import_rows import EMAIL, NAME, SAYS, UNIT
from pregon.contacts.models import ContactImport
from pregon.lib import spreadsheets

SHOWN = 5  # that the review shows


class Remark(NamedTuple):
    """One cell."""

    line: int
    name: str
    """Of the person."""
    raw: str
    """Their number as it stands in the file."""
    field: str
    """Name of a field of the business's own, NAME or EMAIL."""
    cell: str


def count(import_: ContactImport) -> dict[str, object]:
    """For ContactImport.remarks: cells by field, and the first of them."""
    given = {"unit": UNIT, "says": SAYS}
    rows = _ROWS.format(table=import_staging.table(import_))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT field, count(*) FROM ({rows}) AS r GROUP BY 1 ORDER BY 2 DESC, 1", given)
        counts = dict(cursor.fetchall())
        if not counts:
            return {}
        cursor.execute(
            f"SELECT line, name, raw, field, cell FROM ({rows}) AS r ORDER BY line, at LIMIT {SHOWN:d}", given
        )
        return {"counts": counts, "examples": cursor.fetchall()}


_ROWS = """
SELECT line, name, raw, split_part(remark, %(says)s, 1) AS field, split_part(remark, %(says)s, 2) AS cell, at
FROM {table} CROSS JOIN unnest(string_to_array(remarks, %(unit)s)) WITH ORDINALITY AS each (remark, at) WHERE remarks <> ''
"""


def write(import_: ContactImport) -> None:
    """The CSV of them all."""
    given = {"unit": UNIT, "says": SAYS}
    head = (_("Fila"), _("Nombre"), _("Celular en tu archivo"), _("Dato"), _("En tu archivo"), _("Qué pasó"))
    readings = fields.as_kept(import_)
    with path(import_).open("wb") as file, connection.cursor() as cursor:
        file.writelines(spreadsheets.write_csv([head]))
        cursor.execute(_WHY)
        why = [(field, label(import_, field), tell(field, readings)) for field in import_.remarks["counts"]]
        cursor.executemany("INSERT INTO why VALUES (%s, %s, %s)", why)
        with cursor.copy(_CSV.format(rows=_ROWS.format(table=import_staging.table(import_))), given) as copy:
            file.writelines(bytes(block).replace(b"\n", b"\r\n") for block in copy)


_WHY = """
DROP TABLE IF EXISTS pg_temp.why;
CREATE TEMPORARY TABLE why (field text, label text, why text) ON COMMIT DROP;
"""
_SAFE = {column: import_rejects.SAFE.format(column) for column in ("name", "raw", "label", "cell")}
_CSV = f"""
COPY (
    SELECT line, {_SAFE["name"]}, {_SAFE["raw"]}, {_SAFE["label"]}, {_SAFE["cell"]}, why FROM ({{rows}}) AS r JOIN why USING (field)
    ORDER BY line, at
) TO STDOUT (FORMAT csv)
"""


def path(import_: ContactImport) -> Path:
    return Path(f"{import_.file.path}.remarks.csv")


def label(import_: ContactImport, field: str) -> str:
    """As the file calls its column."""
    mapping = import_.mapping
    place = {NAME: mapping.get("name", mapping.get("last_name")), EMAIL: mapping.get("email")} | mapping.get(
        "fields", {}
    )
    return str(import_.headers[place[field]])


def tell(field: str, readings: Mapping[str, Reading]) -> str:
    """What became of such a cell."""
    if field == NAME:
        return _("El nombre es muy largo: se guardan sus primeras 120 letras.")
    if field == EMAIL:
        return _("No es un correo: queda vacío.")
    return _tell_own(readings.get(field, Reading(TEXT)))


def _tell_own(reading: Reading) -> str:
    match reading.kind, reading.order:
        case "number", _order:
            return _("No es un número: queda vacío.")
        case "date", "day_first":
            return _("No es una fecha con el día primero: queda vacía.")
        case "date", "month_first":
            return _("No es una fecha con el mes primero: queda vacía.")
        case "date", _order:
            return _("No es una fecha clara: queda vacía.")
        case "yes_no", _order:
            return _("No dice sí ni no: queda vacío.")
        case "choice", _order:
            return _("No es una de sus opciones: queda vacía.")
    return _("Es muy largo: se guardan sus primeras %(most)s letras.") % {"most": LONGEST}
