"""Where a broadcast stands, and the lock that everybody who changes it takes first."""

from django.utils.translation import gettext as _

from pregon.promotions.models import Broadcast

OPEN = frozenset({Broadcast.Status.DRAFT, Broadcast.Status.SCHEDULED, Broadcast.Status.WAITING})


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


def locked(broadcast: Broadcast) -> Broadcast:
    """The same in whatever stage it is, with all that a forecast reads."""
    related = ("account", "promotion", "version__template", "number__portfolio")
    return Broadcast.objects.select_for_update(of=("self",)).select_related(*related).get(pk=broadcast.pk)
