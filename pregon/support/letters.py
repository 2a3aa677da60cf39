"""What is written by e-mail about a case: to the address that was given with it, and of a new one to the provider."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from pregon.accounts.models import User
from pregon.support import keys
from pregon.support.models import Case, Reply


def opened(case: Case) -> None:
    """We have it: its number, what was written, where to see the answer."""
    _send(case, _("Caso %(n)s: lo recibimos") % {"n": case.pk}, "support/opened.txt", {})


def arrived(case: Case) -> None:
    """To the provider's team: a new one waits. What people wrote stays out of the subject: a line break in it is no mail."""
    team = User.objects.filter(is_staff=True, is_active=True).order_by("id").values_list("email", flat=True)
    if team:
        subject = _("Caso %(n)s: %(module)s") % {"n": case.pk, "module": case.get_module_display()}
        context = {"case": case, "url": settings.PUBLIC_URL + reverse("staff:case", args=[case.pk])}
        send_mail(subject, render_to_string("support/arrived.txt", context), None, list(team))


def answered(reply: Reply) -> None:
    """The provider's answer, in full."""
    case = reply.case
    _send(case, _("Caso %(n)s: te respondimos") % {"n": case.pk}, "support/answered.txt", {"reply": reply})


def address(case: Case) -> str:
    """Where its thread is: in the panel, or behind a signed address for who reported without a business."""
    in_panel = case.account_id is not None
    path = reverse("panel:case", args=[case.pk]) if in_panel else reverse("panel:case_link", args=[keys.write(case)])
    return settings.PUBLIC_URL + path


def _send(case: Case, subject: str, template: str, more: dict[str, object]) -> None:
    context = {"case": case, "module": case.get_module_display(), "url": address(case), **more}
    send_mail(subject, render_to_string(template, context), None, [case.email])
