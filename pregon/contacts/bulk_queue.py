"""Acts for many people, waiting for a worker that has the folder of their files."""

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from pregon.contacts import import_queue
from pregon.contacts.models import Task


def here() -> str:
    """A queue of its own: neither a launch nor a file waits behind it."""
    return f"bulk-{import_queue.place()}"


def defer(task: Task) -> None:
    """Have a worker go on with it, one after another for a business. One that waits for that already is enough."""
    lock, once = f"contacts.bulk:{task.account_id}", f"contacts.task:{task.pk}"
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            job = app.configure_task("contacts:go_on_with_task", queue=here(), lock=lock, queueing_lock=once)
            job.defer(task_id=task.pk)
    except AlreadyEnqueued:
        pass
