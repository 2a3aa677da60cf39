"""What ends by itself when it was kept long enough; how long, `docs/consent.md` and the panel's *Privacidad* tell."""

from django.utils import timezone

from pregon.contacts import import_tidying, optin
from pregon.contacts.models import OptinRequest

SLICE = 1_000


def forget() -> None:
    """Files that are through, and forms of people who put themselves on a list."""
    import_tidying.forget_files()
    while _forget_requests():
        pass


def _forget_requests() -> int:
    """Some at a time, so that nobody waits for all of them. What a form came to is an act of consent."""
    old = OptinRequest.objects.filter(created_at__lt=timezone.now() - optin.KEPT).order_by("pk")
    return OptinRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:SLICE])).delete()[0]
