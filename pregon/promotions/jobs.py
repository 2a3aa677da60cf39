"""Scheduled broadcasts, launched when their time has come."""

import logging

from django.db import transaction
from procrastinate import Blueprint
from procrastinate.exceptions import AlreadyEnqueued

from pregon.promotions import launch

blueprint = Blueprint()
log = logging.getLogger(__name__)


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="launch_due", queueing_lock="promotions.launch_due")
def launch_due(timestamp: int) -> None:
    """Every minute: one job per broadcast, so that one that fails does not hold up the others.

    The state is in the table: a lost job is deferred again a minute later, one that runs twice finds nothing to do.
    """
    for broadcast_id in launch.due():
        try:
            with transaction.atomic():  # a refused INSERT costs a caller's transaction nothing
                launch_one.configure(queueing_lock=f"promotions.launch:{broadcast_id}").defer(broadcast_id=broadcast_id)
        except AlreadyEnqueued:
            log.debug("broadcast %s waits for its launch already", broadcast_id)


@blueprint.task(name="launch_one")
def launch_one(broadcast_id: int) -> None:
    if launch.launch_due(broadcast_id):
        log.info("scheduled broadcast %s came due", broadcast_id)
