"""Where a broadcast stands, and the lock that everybody who changes it takes first."""

from django.utils.translation import gettext as _

from pregon.promotions.models import Broadcast, Recurrence

OPEN = frozenset({Broadcast.Status.DRAFT, Broadcast.Status.SCHEDULED, Broadcast.Status.WAITING})
UNSENT = OPEN | {Broadcast.Status.LAUNCHING}
RELATED = ("account", "promotion", "version__template", "number__portfolio")


class ClosedError(Exception):
    """The broadcast was launched or discarded: it no longer changes."""

    def __init__(self) -> None:
        super().__init__(_("Este envío ya salió o se descartó: no se puede cambiar. Prepara otro."))


def lock(broadcast: Broadcast) -> Broadcast:
    """The broadcast as it is now, held until the caller's transaction ends. Raises `ClosedError`."""
    found = locked(broadcast)
    if found.status not in OPEN:
        raise ClosedError
    return found


def lock_recurrence(broadcast: Broadcast) -> Recurrence | None:
    """Its recurrence as it is now, held likewise: whoever needs both takes it before the broadcast."""
    return Recurrence.objects.select_for_update(of=("self",), no_key=True).filter(occurrences=broadcast).first()


def locked(broadcast: Broadcast) -> Broadcast:
    """The same in whatever stage it is, with all that a forecast reads."""
    return Broadcast.objects.select_for_update(of=("self",)).select_related(*RELATED).get(pk=broadcast.pk)


def read(broadcast_id: int) -> Broadcast:
    """The same, not held."""
    return Broadcast.objects.select_related(*RELATED).get(pk=broadcast_id)
