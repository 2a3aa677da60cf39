"""The pipe's own jobs."""

from procrastinate import Blueprint

from pregon.sending import erasure, reach, sweep

blueprint = Blueprint()


@blueprint.periodic(cron="* * * * *")
@blueprint.task(name="sweep", queueing_lock="sending.sweep")
def sweep_batches(timestamp: int) -> None:
    """Every minute: what ran out of time, and doubts of a week ago."""
    sweep.expire()
    sweep.close()


@blueprint.periodic(cron="41 * * * *")
@blueprint.task(name="prune_reached", queueing_lock="sending.prune_reached")
def prune_reached(timestamp: int) -> None:
    """Every hour: whom Meta's limit no longer counts."""
    reach.prune()


@blueprint.periodic(cron="11 * * * *")
@blueprint.task(name="finish_erasures", queueing_lock="sending.finish_erasures")
def finish_erasures(timestamp: int) -> None:
    """Every hour: what a launch under way still wrote down about someone whose data were being erased."""
    erasure.finish()
