"""Imports, and acts for many people, that take longer than a click; and what they leave behind."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import InterfaceError, OperationalError, connection
from procrastinate import Blueprint, JobContext, RetryStrategy

from pregon.accounts.models import Account
from pregon.contacts import bulk, bulk_queue, field_work, import_queue, import_tidying, imports, pairs, retention
from pregon.contacts.models import ContactImport, Task

blueprint = Blueprint()
# A database that was away, or two that waited for each other: the inbox holds people, and may want the base.
AGAIN = RetryStrategy(max_attempts=10, wait=1, retry_exceptions={OperationalError, InterfaceError})
TURN = 10.0  # seconds, after which a task lets those of other businesses go on


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="go_on_due", queueing_lock="contacts.go_on_due")
def go_on_due(timestamp: int) -> None:
    """Every minute. The state is in the table: a lost job is deferred again, one that runs twice finds nothing to do."""
    for import_ in imports.due():
        import_queue.defer(import_)
    for task in bulk.due():
        bulk_queue.defer(task)


@blueprint.task(name="go_on", pass_context=True, retry=AGAIN)
def go_on(context: JobContext, import_id: int) -> None:
    """Until it has ended, waits for people, or this worker stops: then another goes on."""
    while imports.advance(import_id):
        if context.should_abort():
            import_queue.defer(ContactImport.objects.get(pk=import_id))
            return


@blueprint.task(name="go_on_with_task", pass_context=True, retry=AGAIN)
def go_on_with_task(context: JobContext, task_id: int) -> None:
    """Until it has ended, its turn is over, or this worker stops."""
    turn_ends = time.monotonic() + TURN
    while bulk.advance(task_id):
        if context.should_abort() or time.monotonic() > turn_ends:
            bulk_queue.defer(Task.objects.get(pk=task_id))
            return


@blueprint.periodic(cron="23 4 * * *")
@blueprint.task(name="tidy_imports", queueing_lock="contacts.tidy_imports")
def tidy_imports(timestamp: int) -> None:
    import_tidying.tidy()
    bulk.tidy()


@blueprint.task(name="find_pairs", pass_context=True, retry=AGAIN)
def find_pairs(context: JobContext, account_id: int, import_id: int | None) -> None:
    """Who may be the same person: after an import with anybody whom it brought, at night among all."""
    account = Account.objects.get(pk=account_id)
    with _cancelled(context):
        pairs.find(account, import_id)
        if import_id is None:
            pairs.recheck(account)


@blueprint.periodic(cron="41 3 * * *")
@blueprint.task(name="find_all_pairs", queueing_lock="contacts.find_all_pairs")
def find_all_pairs(timestamp: int) -> None:
    for account_id in Account.objects.order_by("id").values_list("id", flat=True):
        pairs.defer(account_id)


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="change_fields_due", queueing_lock="contacts.change_fields_due")
def change_fields_due(timestamp: int) -> None:
    """Every minute: a lost job is deferred again."""
    for field_pk in field_work.due():
        field_work.defer(field_pk)


@blueprint.task(name="change_field", pass_context=True, retry=AGAIN)
def change_field(context: JobContext, field_id: int) -> None:
    while field_work.advance(field_id):
        if context.should_abort():
            field_work.defer(field_id)
            return


@blueprint.periodic(cron="41 4 * * *")
@blueprint.task(name="forget", queueing_lock="contacts.forget")
def forget(timestamp: int) -> None:
    """Every night: what was kept of people long enough."""
    retention.forget()


@contextmanager
def _cancelled(context: JobContext) -> Iterator[None]:
    """Nobody waits half a minute for a statement when this worker stops: it ends with an error, for which the job is retried."""
    connection.ensure_connection()
    session, over = connection.connection, Event()

    def watch() -> None:
        while not over.wait(0.5):
            if context.should_abort():
                session.cancel_safe()

    watching = Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
