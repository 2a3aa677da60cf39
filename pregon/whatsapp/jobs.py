"""What is asked of Meta without anyone waiting: each hour, and when a webhook says that something changed."""

import logging

from django.db import transaction
from procrastinate import Blueprint
from procrastinate.exceptions import AlreadyEnqueued

from pregon.whatsapp import numbers, problems, templates
from pregon.whatsapp.cloud import events
from pregon.whatsapp.models import Number

log = logging.getLogger(__name__)
OfAccount = events.NumberQualityEvent | events.AccountEvent | events.TemplateStatusEvent | events.TemplateCategoryEvent
blueprint = Blueprint()


@blueprint.periodic(cron="23 * * * *")
@blueprint.task(name="sync_all", queueing_lock="whatsapp.sync_all")
def sync_all(timestamp: int) -> None:
    """One job per number: a slow or broken one holds up none of the others."""
    for number_id in Number.objects.order_by("id").values_list("pk", flat=True):
        ask_again(number_id)


@blueprint.task(name="sync")
def sync(number_id: int) -> None:
    """A number and its templates as Meta has them. A refusal is the owner's to mend, and the page shows it."""
    number = Number.objects.select_related("account").filter(pk=number_id).first()
    if number is None:
        return
    try:
        templates.sync(numbers.refresh(number))
    except problems.MetaProblem as problem:
        log.warning("number %s was not synced: code %s, trace %s", number_id, problem.code, problem.trace_id or "-")


def heard(event: OfAccount) -> None:
    """A webhook says that something of a business account changed: Meta itself is asked what it is now."""
    for number_id in Number.objects.filter(waba_id=event.waba_id).values_list("pk", flat=True):
        ask_again(number_id)


def ask_again(number_id: int) -> None:
    """Enqueue one `sync` of a number; one that waits already is enough."""
    try:
        with transaction.atomic():  # a refused INSERT costs the caller's transaction nothing
            sync.configure(queueing_lock=f"whatsapp.sync:{number_id}").defer(number_id=number_id)
    except AlreadyEnqueued:
        log.debug("number %s waits for its sync already", number_id)
