"""What happens to broadcasts by the clock: launched when their time has come, repeated, held at night, paused, told about."""

import logging

from procrastinate import Blueprint, RetryStrategy

from pregon.promotions import halts, launch, notices, quiet, recurrences
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

blueprint = Blueprint()
log = logging.getLogger(__name__)
AGAIN = RetryStrategy(max_attempts=10, exponential_wait=4, retry_exceptions={OSError})  # smtplib's errors are OSErrors


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="launch_due", queueing_lock="promotions.launch_due")
def launch_due(timestamp: int) -> None:
    """Every minute: one job per broadcast, so that one that fails does not hold up the others.

    The state is in the table: a lost job is deferred again a minute later, one that runs twice finds nothing to do.
    """
    for broadcast_id in launch.due():
        launch.defer(broadcast_id)


@blueprint.task(name="launch_one")
def launch_one(broadcast_id: int) -> None:
    if launch.launch_due(broadcast_id):
        log.info("broadcast %s was due", broadcast_id)


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="hold", queueing_lock="promotions.hold")
def hold(timestamp: int) -> None:
    """Every minute: the next quiet hours of those whose last are over."""
    quiet.hold(Batch.objects.all())


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="halt", queueing_lock="promotions.halt")
def halt(timestamp: int) -> None:
    """Every minute: what the sync found out, as webhooks tell it at once; and letters about what stopped."""
    halts.check()
    notices.due(
        lambda broadcast_id: tell_of_broadcast.defer(broadcast_id=broadcast_id),
        lambda number_id: tell_of_number.defer(number_id=number_id),
    )


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="repeat", queueing_lock="promotions.repeat")
def repeat(timestamp: int) -> None:
    """Every minute: the next occurrence of what repeats, once the one before has left. One job each, as above."""
    for recurrence_id in recurrences.due():
        repeat_one.defer(recurrence_id=recurrence_id)


@blueprint.task(name="repeat_one")
def repeat_one(recurrence_id: int) -> None:
    recurrences.keep(recurrence_id)


@blueprint.task(name="tell_of_broadcast", retry=AGAIN)
def tell_of_broadcast(broadcast_id: int) -> None:
    notices.tell_of_broadcast(Broadcast.objects.select_related("account", "promotion").get(pk=broadcast_id))


@blueprint.task(name="tell_of_number", retry=AGAIN)
def tell_of_number(number_id: int) -> None:
    notices.tell_of_number(Number.objects.select_related("account").get(pk=number_id))
