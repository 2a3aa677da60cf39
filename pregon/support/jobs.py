"""Letters about cases, written without anyone waiting: a mail server that is away is tried again."""

from procrastinate import Blueprint, RetryStrategy

from pregon.support import letters
from pregon.support.models import Case, Reply

blueprint = Blueprint()
AGAIN = RetryStrategy(max_attempts=10, exponential_wait=4, retry_exceptions={OSError})  # smtplib's errors are OSErrors


@blueprint.task(name="tell_opened", retry=AGAIN)
def tell_opened(case_id: int) -> None:
    """Its number, and where to see it."""
    if case := Case.objects.filter(pk=case_id).first():
        letters.opened(case)


@blueprint.task(name="tell_provider", retry=AGAIN)
def tell_provider(case_id: int) -> None:
    """That it waits. A job of its own: where one of the two letters fails, the other is not written twice."""
    if case := Case.objects.filter(pk=case_id).select_related("account").first():
        letters.arrived(case)


@blueprint.task(name="tell_answered", retry=AGAIN)
def tell_answered(reply_id: int) -> None:
    """What the provider answered."""
    if reply := Reply.objects.filter(pk=reply_id).select_related("case", "author").first():
        letters.answered(reply)
