"""«Conviene ver hoy»: what of a business wants a person's eye, the gravest first. Every line comes from data."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.accounts.models import Account
from pregon.contacts import tally
from pregon.contacts.tally import Counts
from pregon.panel import wording
from pregon.promotions.models import Broadcast
from pregon.promotions.results import DOUBT
from pregon.quota.models import Period
from pregon.sending.models import Batch
from pregon.support.models import Case
from pregon.whatsapp import templates
from pregon.whatsapp.models import Number

MOST = 6
REFUSED = ("REJECTED", "PAUSED", "DISABLED")  # Meta's words for templates that cannot be sent


@dataclass(frozen=True)
class Item:
    """One line: what it is, in a sentence, and where to go."""

    tone: str
    icon: str
    title: str
    text: str
    url: str
    action: str


@dataclass(frozen=True)
class Facts:
    """What is looked at; read once, in five queries."""

    account: Account
    number: Number | None
    period: Period | None
    contacts: Counts
    sendings: list[Broadcast]
    refused: list[str]
    case: Case | None


def read(account: Account, number: Number | None, period: Period | None) -> Facts:
    wanting = Q(status=Broadcast.Status.WAITING) | Q(batch__status=Batch.Status.PAUSED) | Q(batch__unconfirmed__gt=0)
    sendings = Broadcast.objects.filter(wanting, account=account).exclude(status=Broadcast.Status.DISCARDED)
    refused = templates.of(number).filter(status__in=REFUSED).values_list("name", flat=True)[:3] if number else []
    answered = Case.objects.filter(account=account, status=Case.Status.ANSWERED)
    return Facts(
        account=account,
        number=number,
        period=period,
        contacts=tally.of(account),
        sendings=list(sendings.select_related("promotion", "batch").order_by("-id")[:5]),
        refused=list(refused),
        case=answered.order_by("-updated_at").first(),
    )


def find(facts: Facts) -> list[Item]:
    """At most MOST."""
    found = [*_stopped(facts), *_templates(facts), *_sendings(facts), *_quota(facts), *_cases(facts), *_contacts(facts)]
    return found[:MOST]


def _stopped(facts: Facts) -> Iterator[Item]:
    if facts.account.suspended_at:
        words = facts.account.suspension_reason or _("Nada sale mientras tanto; tus datos siguen aquí.")
        yield Item(
            "failed", "player-stop", _("Tu negocio está en pausa"), words, reverse("panel:case_new"), _("Preguntar")
        )
    if facts.number and facts.number.stopped_at:
        title, words = _("Tu número está detenido"), facts.number.stop_reason or _("Meta dejó de aceptar sus mensajes.")
        yield Item(
            "failed",
            "device-mobile-off",
            title,
            wording.told(words),
            reverse("panel:settings"),
            _("Ver cómo reanudarlo"),
        )
    if facts.number is None and facts.contacts.total:
        words = _("Sin él no sale ninguna promoción.")
        yield Item(
            "waiting", "device-mobile", _("Conecta tu número"), words, reverse("panel:settings"), _("Ir a Ajustes")
        )


def _templates(facts: Facts) -> Iterator[Item]:
    if facts.refused:
        n = len(facts.refused)
        title = ngettext("Meta rechazó o pausó una plantilla", "Meta rechazó o pausó plantillas", n)
        words = ", ".join(f"«{name}»" for name in facts.refused) + "."
        yield Item("failed", "file-x", title, words, reverse("panel:settings_templates"), _("Ver por qué"))


def _sendings(facts: Facts) -> Iterator[Item]:
    for sending in facts.sendings:
        yield _sending(sending)


def _sending(sending: Broadcast) -> Item:
    url, name = reverse("panel:broadcast", args=[sending.pk]), f"«{sending.promotion}»"
    if sending.status == Broadcast.Status.WAITING or sending.batch is None:
        return Item(
            "waiting",
            "alert-triangle",
            _("%(name)s espera tu decisión") % {"name": name},
            wording.told(sending.wait_reason),
            url,
            _("Decidir"),
        )
    if sending.batch.status == Batch.Status.PAUSED:
        title = _("%(name)s está en pausa") % {"name": name}
        words = wording.told(sending.batch.pause_reason)
        return Item("waiting", "player-pause", title, words, url, _("Ver y seguir"))
    n = sending.batch.unconfirmed
    title = ngettext("%(n)s mensaje por confirmar", "%(n)s mensajes por confirmar", n) % {"n": wording.number(n)}
    closes = wording.written(sending.batch.created_at + DOUBT, "long")
    sentence = ngettext("De %(name)s. Se cierra solo el %(day)s.", "De %(name)s. Se cierran solos el %(day)s.", n)
    words = sentence % {"name": name, "day": closes}
    return Item("waiting", "clock-question", title, words, url, ngettext("Ver cuál", "Ver cuáles", n))


def _quota(facts: Facts) -> Iterator[Item]:
    if facts.period and facts.period.limit and not facts.period.remaining:
        words = _("Se renueva el %(day)s.") % {"day": wording.written(facts.period.ends_at, "long")}
        yield Item(
            "waiting",
            "credit-card",
            _("Usaste o reservaste todo tu cupo"),
            words,
            reverse("panel:subscription"),
            _("Ver planes"),
        )


def _cases(facts: Facts) -> Iterator[Item]:
    if facts.case:
        title = _("Respondimos tu caso %(n)s") % {"n": facts.case.pk}
        yield Item(
            "accepted",
            "message-2",
            title,
            f"«{facts.case.subject}».",
            reverse("panel:case", args=[facts.case.pk]),
            _("Leer"),
        )


def _contacts(facts: Facts) -> Iterator[Item]:
    url = reverse("panel:contacts")
    if n := facts.contacts.unknown:
        title = ngettext("%(n)s contacto sin permiso", "%(n)s contactos sin permiso", n) % {"n": wording.number(n)}
        yield Item(
            "omitted", "user-question", title, _("No reciben promociones."), f"{url}?permiso=sin", _("Ver quiénes")
        )
    if n := facts.contacts.to_fix:
        title = ngettext("%(n)s contacto por corregir", "%(n)s contactos por corregir", n) % {"n": wording.number(n)}
        yield Item(
            "omitted",
            "pencil",
            title,
            _("Su número está incompleto o no existe."),
            f"{url}?permiso=corregir",
            _("Corregir"),
        )
