"""When a broadcast leaves, in words: «Sale hoy a 2,000 personas y mañana a 500; termina mañana hacia las 10:55.»"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pregon.panel import drawing, wording
from pregon.promotions import plan as plans
from pregon.promotions.models import Broadcast
from pregon.promotions.plan import Day, Plan
from pregon.sending.models import Batch

SHOWN = 5  # days that the table tells one by one
AT_ONCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Shown:
    """A sentence, why it takes so long, and the days where there are several."""

    sentence: str
    why: str = ""
    days: Sequence[drawing.Part] = ()
    people: int = 0  # of all days


def shown(plan: Plan | None) -> Shown:
    """None: there is no number."""
    if plan is None:
        return Shown(_("Conecta tu número de WhatsApp en Ajustes: sin él no se puede enviar."))
    days = _parts(plan) if len(plan.days) > 1 else ()
    return Shown(f"{_leaves(plan)}.", _why(plan), days, sum(day.people for day in plan.days))


def _parts(plan: Plan) -> list[drawing.Part]:
    """The first days one by one, what follows them as one."""
    days, later = plan.days[:SHOWN], plan.days[SHOWN:]
    parts = [drawing.Part(day.people, _capital(_named(day.day)), caption=_hours(day)) for day in days]
    if later:
        name = ngettext("%(n)s día más", "%(n)s días más", len(later)) % {"n": wording.number(len(later))}
        parts.append(drawing.Part(sum(day.people for day in later), name))
    return parts


def _hours(day: Day) -> str:
    first, last = wording.clock(day.starts), wording.clock(_whole_minute(day.ends))
    return _("de %(first)s a %(last)s") % {"first": first, "last": last}


def _leaves(plan: Plan) -> str:
    if not plan.days:
        return _("Con esta lista no sale a nadie")
    now = timezone.now()
    if plan.finishes - now < AT_ONCE:
        return _("Sale en menos de un minuto")
    names = {"end": _moment(plan.finishes), "clock": wording.clock(_whole_minute(plan.finishes))}
    if len(plan.days) == 1 and plan.starts - now < AT_ONCE:
        return _("Sale ahora y termina %(end)s") % names
    if len(plan.days) == 1:
        return _("Empieza %(start)s y termina hacia las %(clock)s") % (names | {"start": at(plan.starts)})
    if len(plan.days) == 2:
        return _two_days(plan, names)
    return _("Sale en %(days)s días desde %(first)s; termina %(end)s") % {
        **names, "days": wording.number(len(plan.days)), "first": _on(plan.days[0].day),
    }  # fmt: skip


def _two_days(plan: Plan, names: dict[str, str]) -> str:
    first, second = plan.days
    people = ngettext("%(n)s persona", "%(n)s personas", first.people) % {"n": wording.number(first.people)}
    return _("Sale %(first)s a %(people)s y %(second)s a %(others)s; termina %(end)s") % {
        **names, "first": _on(first.day), "people": people, "second": _on(second.day),
        "others": wording.number(second.people),
    }  # fmt: skip


def _why(plan: Plan) -> str:
    if plan.limit is None:
        return ""
    why = _(
        "Meta deja que tu negocio escriba primero a %(limit)s personas en 24 horas: lo que no cabe espera y sale solo."
    )
    beyond = _("En un año no alcanza para %(n)s: parte la lista.") if plan.beyond else ""
    figures = {"limit": wording.number(plan.limit), "n": wording.number(plan.beyond)}
    return f"{why} {beyond}".strip() % figures


def goes_on(batch: Batch) -> str:
    """When a batch that is held goes on: «mañana a las 10:55»; nothing for one that is not."""
    return at(batch.held_until) if batch.held and batch.held_until else ""


def of(broadcast: Broadcast, batch: Batch) -> Plan | None:
    """Of who is left of a running one, from when it goes on; None where only its number's pace decides, or that is stopped."""
    number = broadcast.number
    if number is None or number.stopped_at or batch.status != Batch.Status.RUNNING or not batch.queued:
        return None
    if not batch.held and number.portfolio.daily_limit is None:
        return None
    begins = batch.held_until if batch.held and batch.held_until else timezone.now()
    return plans.of(broadcast, number, plans.remaining(batch), begins, batch=batch)


def rest(batch: Batch, plan: Plan | None) -> str:
    """When one that is held goes on, as a sentence, with who is left and when the last of them gets it."""
    again = batch.held_until
    if plan is None or not (again and batch.held):
        return ""
    people = ngettext("la persona que falta", "las %(n)s personas que faltan", batch.queued)
    words = _("Sigue solo %(when)s con %(people)s.")
    if not plan.beyond:
        words = _("Sigue solo %(when)s con %(people)s y termina %(end)s.")
    names = {"when": at(again), "people": people % {"n": wording.number(batch.queued)}}
    return words % (names | {"end": _end(again, plan.finishes)})


def limited(batch: Batch, plan: Plan | None) -> Shown | None:
    """What is ahead of one that goes now and that Meta's limit is going to hold."""
    return shown(plan) if plan and plan.limit is not None and not batch.held else None


def left(plan: Plan) -> str:
    return _("Falta más de un año") if plan.beyond else lasts(plan.finishes - timezone.now())


def lasts(time: timedelta) -> str:
    """«Faltan unos 10 minutos», «Faltan unas 5 horas», «Faltan unos 3 días»."""
    if time < timedelta(minutes=1):
        return _("Falta menos de un minuto")
    if time < timedelta(minutes=90):
        n = round(time / timedelta(minutes=1))
        return ngettext("Falta cerca de %(n)s minuto", "Faltan unos %(n)s minutos", n) % {"n": n}
    if time < timedelta(hours=36):
        return _("Faltan unas %(n)s horas") % {"n": round(time / timedelta(hours=1))}
    return _("Faltan unos %(n)s días") % {"n": round(time / timedelta(days=1))}


def _end(begun: datetime, moment: datetime) -> str:
    """Of a day that was just named only the hour."""
    same = timezone.localtime(begun).date() == timezone.localtime(moment).date()
    return _clock(_whole_minute(moment)) if same else _moment(moment)


def _moment(moment: datetime) -> str:
    """«mañana hacia las 10:55»; of today only the hour."""
    whole = _whole_minute(moment)
    day = timezone.localtime(whole).date()
    return _clock(whole) if day == timezone.localdate() else f"{_on(day)} {_clock(whole)}"


def _clock(moment: datetime) -> str:
    return _("hacia las %(clock)s") % {"clock": wording.clock(moment)}


def at(moment: datetime) -> str:
    """«hoy a las 9:00», «mañana a las 9:00», «el martes 24 de noviembre a las 9:00»."""
    whole = _whole_minute(moment)
    return _("%(day)s a las %(clock)s") % {"day": _on(timezone.localtime(whole).date()), "clock": wording.clock(whole)}


def _whole_minute(moment: datetime) -> datetime:
    """The next one: nobody waits less than they were told."""
    return (moment + timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)


def _on(day: date) -> str:
    """«hoy», «mañana», «el martes 24 de noviembre»."""
    named = _named(day)
    return named if _near(day) else _("el %(day)s") % {"day": named}


def _named(day: date) -> str:
    """«hoy», «mañana», «martes 24 de noviembre»."""
    return _near(day) or wording.written(day, "weekday")


def _near(day: date) -> str:
    return {0: _("hoy"), 1: _("mañana")}.get((day - timezone.localdate()).days, "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
