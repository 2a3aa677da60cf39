"""How far a large launch is, told to everybody while its own transaction is still open: over a connection of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from pregon.promotions import audiences
from pregon.promotions.models import Broadcast


class CalledOff(Exception):
    """It is no longer being launched: someone took it back."""


@contextmanager
def telling(broadcast: Broadcast) -> Iterator[Callable[[int], None]]:
    """Gives a function that takes how many people are done, and raises `CalledOff`."""
    people = audiences.count(broadcast.account, audiences.read(broadcast.audience))
    aside = connection.copy()
    try:
        yield lambda frozen: _tell(aside, broadcast.pk, frozen, people)
    finally:
        aside.close()


def _tell(aside: BaseDatabaseWrapper, broadcast_id: int, frozen: int, people: int) -> None:
    with aside.cursor() as cursor:
        cursor.execute(TELL, [frozen, max(people, frozen), broadcast_id, Broadcast.Status.LAUNCHING])
        if cursor.rowcount == 0:
            raise CalledOff


TELL = "UPDATE promotions_broadcast SET frozen = %s, to_freeze = %s WHERE id = %s AND status = %s"
