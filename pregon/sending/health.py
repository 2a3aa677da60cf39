"""Pauses a batch by itself when most of what it sends fails: whoever sends it should look before the rest follows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from pregon.sending.models import Batch, Status

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


def params(batch_ids: Collection[int]) -> list[Any]:
    """Of `WATCH`."""
    reason = _("Falló más de la mitad de los últimos mensajes. Mira por qué antes de seguir")
    return [reason, Batch.Cause.ENGINE, list(batch_ids), FEWEST, SHARE, WINDOW]


# What a webhook reports as undelivered counts like a refusal. After a person let it go on, it looks at what follows.
WATCH = """
UPDATE sending_batch b SET status = 'paused', pause_reason = %s, pause_cause = %s
WHERE b.id = ANY(%s) AND b.status = 'running' AND (
    SELECT count(*) >= %s AND count(*) FILTER (WHERE failed) > count(*) * %s FROM (
        SELECT m.status = 'failed' OR m.delivery = 2 AS failed FROM sending_message m
        WHERE m.batch_id = b.id AND m.position >= b.watched_from AND m.position < b.cursor AND m.status IN ('accepted', 'failed')
        ORDER BY m.position DESC LIMIT %s
    ) last
)
"""
