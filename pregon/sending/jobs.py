"""The pipe's own jobs."""

from procrastinate import Blueprint

from pregon.sending import sweep

blueprint = Blueprint()


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="sweep", queueing_lock="sending.sweep")
def sweep_batches(timestamp: int) -> None:
    """Every minute: what ran out of time, and doubts of a week ago."""
    sweep.expire()
    sweep.close()
