"""Pauses a batch by itself when most of what it sends fails: whoever sends it should look before the rest follows."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from pregon.sending.models import Batch, Status

log = logging.getLogger(__name__)
WINDOW = 200  # of the messages that Meta answered last
FEWEST = 50  # before them nothing is said
SHARE = 0.5  # more than this of them failed


def suspect(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether results of a flush are a reason to look."""
    return any(result.get("status") == Status.FAILED for result in results)


def watch(batch_ids: Collection[int]) -> None:
    """Pause those of these batches that fail too often. Joins the caller's transaction, batches locked."""
    if batch_ids:
        with connection.cursor() as cursor:
            cursor.execute(WATCH, params(batch_ids))
            note(cursor.fetchall())


def params(batch_ids: Collection[int]) -> list[Any]:
    """Of `WATCH`."""
    reason = _("Falló más de la mitad de los últimos mensajes. Mira por qué antes de seguir")
    return [WINDOW, list(batch_ids), reason, Batch.Cause.ENGINE, FEWEST, SHARE]


def note(paused: Iterable[Sequence[Any]]) -> None:
    """A line of the log for each row of `WATCH`, once it is committed."""
    for row in paused:
        transaction.on_commit(partial(_note, *row))


def _note(batch_id: int, number_id: int, failed: int, window: int) -> None:
    share = round(failed / window, 2)
    fields = {"batch": batch_id, "number": number_id, "share": share, "window": window}
    log.warning("batch %s paused: %s of its last %s messages failed", batch_id, failed, window, extra=fields)


# What a webhook reports as undelivered counts like a refusal. After a person let it go on, it looks at what follows.
WATCH = """
WITH last AS (
    SELECT b.id, answered.messages, answered.failed FROM sending_batch b CROSS JOIN LATERAL (
        SELECT count(*) AS messages, count(*) FILTER (WHERE failed) AS failed FROM (
            SELECT m.status = 'failed' OR m.delivery = 2 AS failed FROM sending_message m
            WHERE m.batch_id = b.id AND m.position >= b.watched_from AND m.position < b.cursor
                AND m.status IN ('accepted', 'failed')
            ORDER BY m.position DESC LIMIT %s
        ) answers
    ) answered WHERE b.id = ANY(%s) AND b.status = 'running'
)
UPDATE sending_batch b SET status = 'paused', pause_reason = %s, pause_cause = %s
FROM last WHERE b.id = last.id AND last.messages >= %s AND last.failed > last.messages * %s
RETURNING b.id, b.number_id, last.failed, last.messages
"""
