"""What people are written about, once each time: a broadcast that stopped by itself, a number through which nothing leaves.

`due` claims what nobody was told of and gives each its letter as a job, in one transaction: one letter, whoever looks.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, Role
from pregon.promotions.models import Broadcast
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

Defer = Callable[[int], object]
BY_ITSELF = (Batch.Cause.ENGINE, Batch.Cause.TEMPLATE, Batch.Cause.QUALITY)


@transaction.atomic
def due(broadcast: Defer, number: Defer) -> None:
    """Calls `broadcast` and `number` with the id of each that its people are to be told of."""
    stopped = Q(batch__status=Batch.Status.PAUSED, batch__pause_cause__in=BY_ITSELF)
    rows = Broadcast.objects.filter(stopped | Q(status=Broadcast.Status.WAITING)).select_related("batch")
    for found in rows.select_for_update(of=("self",), skip_locked=True):
        if found.told_of != reason(found):
            Broadcast.objects.filter(pk=found.pk).update(told_of=reason(found))
            broadcast(found.pk)
    news = Q(stop_told_at=None) | Q(stop_told_at__lt=F("stopped_at"))
    for line in Number.objects.filter(news, stopped_at__isnull=False).select_for_update(skip_locked=True):
        Number.objects.filter(pk=line.pk).update(stop_told_at=timezone.now())
        number(line.pk)


def reason(broadcast: Broadcast) -> str:
    """Why it does not go on."""
    return broadcast.batch.pause_reason if broadcast.batch else broadcast.wait_reason


def tell_of_broadcast(broadcast: Broadcast) -> None:
    subject = _("«%(name)s» se detuvo y espera tu decisión") % {"name": broadcast.promotion}
    context = {"reason": broadcast.told_of, "url": _address("panel:broadcast", broadcast.pk)}
    _send(broadcast.account, subject, context | {"promotion": broadcast.promotion})


def tell_of_number(number: Number) -> None:
    subject = _("Tu número %(number)s está detenido") % {"number": number.display}
    _send(number.account, subject, {"reason": number.stop_reason, "url": _address("panel:settings"), "number": number})


def _address(name: str, *args: int) -> str:
    return settings.PUBLIC_URL + reverse(name, args=args)


def _send(account: Account, subject: str, context: dict[str, object]) -> None:
    """To those who may decide."""
    seats = account.members.filter(role__in=[Role.OWNER, Role.MANAGER], user__is_active=True).order_by("id")
    words = render_to_string("promotions/stopped.txt", context | {"account": account})
    send_mail(subject, words, None, list(seats.values_list("user__email", flat=True)))
