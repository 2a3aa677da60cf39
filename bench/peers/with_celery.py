"""One Celery task per message, through Redis."""

from functools import cache

import pywa
from celery import Celery

from bench.peers import line, with_pywa

app = Celery("peers", broker=line.REDIS)
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 64  # what Celery's guide advises for many short tasks


@cache
def client() -> pywa.WhatsApp:
    """One for each worker process, made after the fork."""
    return with_pywa.client()


@app.task
def send(n: int) -> None:
    client().send_template(**line.message(n))


def fill(messages: int) -> None:
    for n in range(messages):
        send.delay(n)
