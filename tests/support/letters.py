"""The letters that wait, written as the worker would write them."""

from procrastinate.contrib.django.models import ProcrastinateJob

from pregon.support import jobs

WRITERS = {
    "support:tell_opened": jobs.tell_opened,
    "support:tell_provider": jobs.tell_provider,
    "support:tell_answered": jobs.tell_answered,
}


def write() -> int:
    """Write those that wait, in order. Returns how many; each call writes all of them again."""
    waiting = list(ProcrastinateJob.objects.filter(task_name__in=WRITERS).order_by("id"))
    for job in waiting:
        WRITERS[job.task_name](**job.args)
    return len(waiting)
