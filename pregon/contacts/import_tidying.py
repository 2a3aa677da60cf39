"""What imports need no more goes: tables of rows, what people were before, and the files themselves."""

from contextlib import suppress
from datetime import timedelta

from django.db import connection
from django.db.models import DurationField, F, Func, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.contacts import import_remarks, import_staging, imports
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


def forget_files() -> int:
    """Those that are kept long enough (`Account.keep_files_days`), also when nobody looked at them. Returns how many."""
    for import_ in _old(Q(status=imports.Status.REVIEWING)):
        with suppress(imports.AlreadyClosed):  # somebody came back to it
            imports.discard(import_)
    old = _old(
        ~Q(status__in=[*imports.UNDERWAY, imports.Status.REVIEWING]) & ~(Q(file="") & Q(rejects="") & Q(sample=[]))
    )
    return sum(_forget_file(import_) for import_ in old)


def forget_rows(account: Account) -> None:
    """What is shown of the rows of files that are through, and still is: all of it goes together."""
    through = account.imports.exclude(status__in=[*imports.UNDERWAY, imports.Status.REVIEWING])
    for import_ in through.exclude(sample=[]):
        _forget_rows(import_)
        import_.save(update_fields=["sample", "reviews", "remarks"])


def _old(which: Q) -> QuerySet[ContactImport]:
    days = Func(
        F("account__keep_files_days"), template="make_interval(days => %(expressions)s)", output_field=DurationField()
    )
    through = Coalesce("undone_at", "committed_at", "created_at")
    return ContactImport.objects.annotate(through_at=through).filter(which, through_at__lt=Now() - days).order_by("pk")


def _forget_file(import_: ContactImport) -> bool:
    files = [(file.storage, str(file.name)) for file in (import_.file, import_.rejects) if file]
    if import_.file:
        import_remarks.path(import_).unlink(missing_ok=True)
    import_.file = import_.rejects = ""
    _forget_rows(import_)
    import_.save(update_fields=["file", "rejects", "sample", "reviews", "remarks"])
    for storage, name in files:
        storage.delete(name)
    return bool(files)


def _forget_rows(import_: ContactImport) -> None:
    import_.sample = []
    for review in import_.reviews.values():
        review["examples"] = []
    import_.remarks.pop("examples", None)
