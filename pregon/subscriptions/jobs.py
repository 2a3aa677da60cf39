"""The hourly job of the subscriptions."""

from procrastinate import Blueprint

from pregon.subscriptions import renewals

blueprint = Blueprint()


@blueprint.periodic(cron="2 * * * *")
@blueprint.task(name="renew", queueing_lock="subscriptions.renew")
def renew(timestamp: int) -> None:
    """Open the months that began: zones change their day at every hour."""
    renewals.ensure_all()
