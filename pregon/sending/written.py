"""Whether anybody of an import was written to: then it is not taken back any more."""

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from pregon.contacts import imports
from pregon.contacts.models import ContactImport


def answer(sender: type, import_: ContactImport, **_others: Any) -> str:
    """A sentence that refuses an undo, or nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN, {"import": import_.pk, "account": import_.account_id, "since": import_.created_at})
        written = bool(cursor.fetchone()[0])
    return _("Ya le escribiste a alguien con este archivo.") if written else ""


# To whom it brought, or to whom it gave permission, in a batch launched since. Without such a batch the rest is not looked at.
_WRITTEN = """
SELECT EXISTS (
    SELECT FROM sending_batch AS batch
    JOIN sending_message AS message ON message.batch_id = batch.id AND message.status <> 'omitted'
    JOIN contacts_contact AS c ON c.id = message.contact_id
    WHERE batch.account_id = %(account)s AND batch.created_at >= %(since)s AND (
        c.source_id = %(import)s
        OR EXISTS (SELECT FROM contacts_consententry AS entry WHERE entry.contact_id = c.id AND entry.import_id = %(import)s)
    )
)
"""


def connect() -> None:
    imports.asked.connect(answer, dispatch_uid="sending.written")
