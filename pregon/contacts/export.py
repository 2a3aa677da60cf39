"""Contacts as a CSV: one that a spreadsheet opens, and that an import reads again without changing anything."""

from collections.abc import Iterator

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts.models import Consent, Contact
from pregon.lib import spreadsheets

PERMISSION = {Consent.GRANTED: "sí", Consent.UNKNOWN: "", Consent.WITHDRAWN: "baja"}  # as read_permission reads them


def csv(account: Account, rows: QuerySet[Contact]) -> Iterator[bytes]:
    """Chunks of the file; memory does not grow with the rows."""
    return spreadsheets.write_csv(_lines(own_fields(account), rows))


def own_fields(account: Account) -> list[str]:
    """The names of the business's own columns, sorted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT jsonb_object_keys(fields) FROM contacts_contact WHERE account_id = %s AND fields <> '{}' ORDER BY 1",
            [account.pk],
        )
        return [name for (name,) in cursor]


def _lines(fields: list[str], rows: QuerySet[Contact]) -> Iterator[list[object]]:
    yield [
        _("Nombre"),
        _("Celular"),
        _("Correo"),
        _("Permiso"),
        _("Permiso desde"),
        _("Etiquetas"),
        _("Id de WhatsApp"),
        *fields,
    ]
    for row in rows.order_by("id").prefetch_related("tags").iterator(chunk_size=2000):
        yield [
            row.name,
            row.mobile or row.mobile_raw,
            row.email,
            PERMISSION[Consent(row.consent)],
            f"{timezone.localtime(row.consent_at):%Y-%m-%d}" if row.consent_at else "",
            ", ".join(tag.name for tag in row.tags.all()),
            row.meta_user_id or "",
            *(row.fields.get(name, "") for name in fields),
        ]
