"""Long imports, waiting for a worker."""

from uuid import uuid4

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from pregon.contacts.models import ContactImport

QUEUE = "imports"  # of its own: a long file holds up no launch


def defer(import_: ContactImport) -> None:
    """Have a worker go on with it, one after another for a business. One that waits for that already is enough."""
    lock, once = f"contacts.account:{import_.account_id}", f"contacts.import:{import_.pk}"
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            app.configure_task("contacts:go_on", lock=lock, queueing_lock=once).defer(import_id=import_.pk)
    except AlreadyEnqueued:
        pass
