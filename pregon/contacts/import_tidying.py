"""What imports need no more goes: tables of rows, and what people were before."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from pregon.contacts import import_staging, imports
from pregon.contacts.models import Before, ContactImport

REVIEW_DAYS = 7  # that the rows of a file under review are kept: after that they would be read again


def tidy() -> None:
    now = timezone.now()
    Before.objects.filter(import_file__committed_at__lt=now - timedelta(days=imports.UNDO_DAYS)).delete()
    reviewing = ContactImport.objects.filter(
        status=ContactImport.Status.REVIEWING, created_at__gte=now - timedelta(days=REVIEW_DAYS)
    )
    needed = {import_staging.table(row) for row in (*imports.due(), *reviewing)}
    with connection.cursor() as cursor:
        cursor.execute(r"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'contacts\_staged\_%'")
        for (name,) in cursor.fetchall():
            if name not in needed:
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)}")
