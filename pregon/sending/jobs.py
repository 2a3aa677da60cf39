"""The pipe's own jobs."""

from procrastinate import Blueprint

from pregon.sending import erasure, reach, sweep

blueprint = Blueprint()
ERASURES = "sending.erasures"  # one at a time


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
@blueprint.task(name="finish_erasures", lock=ERASURES, queueing_lock="sending.finish_erasures")
def finish_erasures(timestamp: int) -> None:
    """Every hour: what a launch under way still wrote down about someone whose data were being erased, and what is left."""
    erasure.finish()
    for erasure_pk in erasure.due():
        erasure.complete(erasure_pk)


@blueprint.task(name="complete_erasure", lock=ERASURES)
def complete_erasure(erasure_id: int) -> None:
    """What was left of a click: a second for some millions of messages. One that fails is taken up again within the hour."""
    erasure.complete(erasure_id)
