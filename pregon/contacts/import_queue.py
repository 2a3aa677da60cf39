"""Long imports, waiting for a worker that has their files."""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from pregon.contacts.models import ContactImport
from pregon.settings.env import kept_secret


def here() -> str:
    """The queue of this folder of files: a worker on another machine, with a folder of its own, has none of them.

    A queue of its own as well so that a long file holds up nobody's launch.
    """
    return f"imports-{place()}"


def place() -> str:
    """What this folder of files is called among others."""
    return kept_secret(Path(settings.MEDIA_ROOT) / "place")[:12]


def defer(import_: ContactImport) -> None:
    """Have a worker go on with it, one after another for a business. One that waits for that already is enough."""
    lock, once = f"contacts.account:{import_.account_id}", f"contacts.import:{import_.pk}"
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            task = app.configure_task("contacts:go_on", queue=here(), lock=lock, queueing_lock=once)
            task.defer(import_id=import_.pk)
    except AlreadyEnqueued:
        pass
