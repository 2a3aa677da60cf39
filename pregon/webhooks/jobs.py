"""The inbox's own job."""

from procrastinate import Blueprint

from pregon.webhooks import inbox

blueprint = Blueprint()


@blueprint.periodic(cron="41 3 * * *")
@blueprint.task(name="prune", queueing_lock="webhooks.prune")
def prune_arrivals(timestamp: int) -> None:
    """Every night."""
    inbox.prune()
