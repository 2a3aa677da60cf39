"""The pages of control: what rests, what stopped, and what repeats. HTTP in, rows and HTML out."""

import re
from datetime import time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Account, Role
from pregon.promotions import halts, quiet, recurrences
from pregon.promotions.models import Broadcast, Recurrence
from pregon.promotions.recurrences import Rule
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Quality
from tests import make
from tests.promotions.test_broadcast_pages import page, words
from tests.promotions.test_quiet import during
from tests.promotions.test_recurrences import EVERY_DAY, come_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    make.rates()
    member = make.business()
    make.contact(member.account, "Ana")
    make.contact(member.account, "Eva")
    return member


def fall_asleep(owner):
    Account.objects.filter(pk=owner.account_id).update(**during(owner.account))
    owner.account.refresh_from_db()
    quiet.hold(Batch.objects.all())


# Quiet hours


def test_the_review_says_when_it_really_leaves(owner, browser, approved):
    assert "horas de silencio" not in words(browser.get(page("broadcast", approved)))
    fall_asleep(owner)
    assert "Cae en tus horas de silencio: empieza a salir" in words(browser.get(page("broadcast", approved)))


def test_scheduled_into_the_night_it_is_told_when_it_leaves(owner, browser, approved):
    fall_asleep(owner)
    at = timezone.localtime(timezone.now() + timedelta(minutes=20), owner.account.zone)
    answer = browser.post(page("broadcast_schedule", approved), {"at": f"{at:%Y-%m-%dT%H:%M}"}, follow=True)
    assert "en tus horas de silencio: empieza a salir" in words(answer)


def test_held_it_says_until_when_and_a_person_may_send_it(owner, browser, launched):
    fall_asleep(owner)
    shown = words(browser.get(page("broadcast", launched)))
    sentence = r"Sigue solo \w+ a las \d+:\d\d con las 2 personas que faltan y termina .*hacia las \d+:\d\d\."
    assert re.search(sentence, shown), shown
    assert "Son tus horas de silencio." in shown
    assert "Enviar de todos modos" in shown
    assert "Horas de silencio" in words(browser.get(reverse("panel:broadcasts")))
    for _ in range(2):
        assert browser.post(page("broadcast_waive", launched)).status_code == 302
    assert "horas de silencio" not in words(browser.get(page("broadcast", launched)))
    assert not Batch.objects.get().held


def test_changing_the_hours_lets_it_go_on_at_once(owner, browser, launched):
    fall_asleep(owner)
    browser.post(reverse("panel:settings_rest"), {"repeat_days": 7, "repeat_limit": 2})
    assert Batch.objects.get().hold == Batch.Hold.NONE


# Stopped by itself


def test_low_quality_is_explained_and_gone_on_with_knowingly(owner, browser, launched):
    owner.account.numbers.update(quality=Quality.RED)
    halts.check()
    shown = words(browser.get(page("broadcast", launched)))
    assert "calidad baja" in shown
    assert "Lo sé: seguir de todos modos" in shown
    assert "calidad baja" in words(browser.post(page("broadcast_resume", launched), follow=True))
    assert Batch.objects.get().status == Batch.Status.PAUSED
    for _ in range(2):
        browser.post(page("broadcast_accept", launched))
    assert Batch.objects.get().status == Batch.Status.RUNNING


def test_before_it_is_sent_low_quality_asks_first(owner, browser, approved):
    owner.account.numbers.update(quality=Quality.RED)
    assert "Lo sé: dejar que se envíe" in words(browser.get(page("broadcast", approved)))
    browser.post(page("broadcast_launch", approved))
    assert not Batch.objects.exists()
    browser.post(page("broadcast_accept", approved))
    assert "Lo sé" not in words(browser.get(page("broadcast", approved)))
    browser.post(page("broadcast_launch", approved))
    assert Batch.objects.get().queued == 2


def test_what_a_person_paused_goes_on_in_two_steps_where_quality_is_low(owner, browser, launched):
    outbox.pause(launched.batch_id, "Lo pausó Lucía", Batch.Cause.PERSON)
    owner.account.numbers.update(quality=Quality.RED)
    shown = words(browser.get(page("broadcast", launched)))
    assert "Lo sé: dejar que se envíe" in shown and "seguir de todos modos" not in shown
    browser.post(page("broadcast_accept", launched))
    assert Batch.objects.get().status == Batch.Status.PAUSED
    assert "Lo sé" not in words(browser.get(page("broadcast", launched)))
    browser.post(page("broadcast_resume", launched))
    assert Batch.objects.get().status == Batch.Status.RUNNING


def test_a_stopped_template_and_number_are_told(owner, browser, launched):
    owner.account.templates.update(status="PAUSED")
    halts.check()
    assert "Meta puso en pausa la plantilla" in words(browser.get(page("broadcast", launched)))
    answer = words(browser.post(page("broadcast_resume", launched), follow=True))
    assert "Puedes seguir cuando Meta la apruebe otra vez" in answer
    outbox.stop_number(owner.account.numbers.get().pk, "Se acabó el saldo de tu cuenta de Meta")
    assert "Tu número está detenido: no sale nada. Se acabó el saldo" in words(browser.get(page("broadcast", launched)))
    assert "Se acabó el saldo" in words(browser.get(reverse("panel:home")))


def test_a_stopped_number_is_said_wherever_it_keeps_a_broadcast_waiting(owner, browser, launched):
    outbox.stop_number(owner.account.numbers.get().pk, "Hay un problema con el pago de la cuenta en Meta")
    shown = words(browser.get(page("broadcast", launched)))
    assert "El envío está detenido" in shown
    assert "Meta. Revisa la forma de pago en Meta y reintenta. Ver cómo reanudarlo" in shown
    assert "el envío sigue solo" not in shown
    for name in ("broadcasts", "home"):
        assert "Número detenido" in words(browser.get(reverse(f"panel:{name}")))
    assert "Revisa la forma de pago en Meta" in words(browser.get(reverse("panel:settings")))


def test_going_on_is_offered_once_meta_approved_the_template_again(owner, browser, launched):
    owner.account.templates.update(status="PAUSED")
    halts.check()
    shown = words(browser.get(page("broadcast", launched)))
    assert "Podrás seguir cuando Meta la apruebe otra vez" in shown
    assert page("broadcast_resume", launched) not in browser.get(page("broadcast", launched)).content.decode()
    owner.account.templates.update(status="APPROVED")
    assert "Meta ya la aprobó: puedes seguir" in words(browser.get(page("broadcast", launched)))
    assert page("broadcast_resume", launched) in browser.get(page("broadcast", launched)).content.decode()


def test_who_looks_on_sees_the_page_anew_when_it_stops(browser, launched):
    running = browser.get(page("broadcast_card", launched), {"seen": "send"})
    assert "HX-Refresh" not in running.headers
    outbox.pause(launched.batch_id, "Falló más de la mitad de los últimos mensajes. Mira por qué antes de seguir")
    assert browser.get(page("broadcast_card", launched), {"seen": "send"}).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in browser.get(page("broadcast_card", launched), {"seen": "player-pause"}).headers


def test_a_reason_is_told_in_the_readers_language(browser, launched):
    outbox.pause(launched.batch_id, "Falló más de la mitad de los últimos mensajes. Mira por qué antes de seguir")
    browser.cookies["django_language"] = "en"
    assert "Falló" not in words(browser.get(page("broadcast", launched)))


def test_stopped_before_it_began_it_reached_nobody(browser, launched):
    browser.post(page("broadcast_cancel", launched))
    shown = words(browser.get(page("broadcast", launched)))
    assert "no le llegó a nadie" in shown and "va camino" not in shown


# Repeating


def rule(**changes):
    given = {"every": "week", "weekdays": ["0", "3"], "clock": "10:00", "ends": "forever"}
    return given | changes


def test_repeated_paused_resumed_ended(browser, approved):
    shown = words(browser.get(page("broadcast", approved)))
    assert "Repetir" in shown
    for _ in range(2):
        answer = browser.post(page("broadcast_repeat", approved), rule(), follow=True)
    assert "Se repite cada lunes y jueves a las 10:00." in words(answer)
    assert "Se repite cada lunes y jueves a las 10:00" in words(browser.get(reverse("panel:broadcasts")))
    found = Recurrence.objects.get()
    assert (found.every, found.weekdays, found.until, found.times) == ("week", [0, 3], None, None)

    browser.post(page("recurrence_pause", approved))
    assert "y está en pausa" in words(browser.get(page("broadcast", approved)))
    assert "En pausa: cada lunes" in words(browser.get(reverse("panel:broadcasts")))
    browser.post(page("recurrence_resume", approved))
    approved.refresh_from_db()
    assert approved.status == Broadcast.Status.SCHEDULED
    browser.post(page("recurrence_end", approved))
    assert "Ya terminó" in words(browser.get(page("broadcast", approved)))


def test_only_what_was_chosen_is_kept(browser, approved):
    given = rule(every="month", month_day=31, ends="times", times=5, until="ayer", weekdays=["9"])
    browser.post(page("broadcast_repeat", approved), given)
    found = Recurrence.objects.get()
    assert (found.every, found.weekdays, found.month_day, found.until, found.times) == ("month", [], 31, None, 5)
    assert "5 veces en total" in words(browser.get(page("broadcast", approved)))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"weekdays": []}, "Marca al menos un día"), ({"every": "month"}, "Escribe un día del 1 al 31"),
        ({"every": "month", "month_day": 32}, "31"), ({"clock": "mañana"}, "Escribe una hora"),
        ({"ends": "day"}, "Elige el último día"), ({"ends": "times"}, "Escribe cuántas veces"),
        ({"ends": "times", "times": 0}, "Escribe cuántas veces, de 1 a 500"), ({"clock": ""}, "Escribe una hora"),
        ({"weekdays": ["0", "2", "4"]}, "sale 3 veces en 7 días, y tu límite por persona es 2"),
        ({"ends": "day", "until": "2001-01-01"}, "no hay ninguna fecha"), ({"weekdays": ["9"]}, "9"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be(browser, approved, wrong, sentence):
    assert sentence in words(browser.post(page("broadcast_repeat", approved), rule(**wrong)), 422)
    assert not Recurrence.objects.exists()


def test_what_hidden_fields_still_hold_is_not_read(browser, approved):
    """A value beyond its bounds, typed before another choice was made."""
    browser.post(page("broadcast_repeat", approved), rule(month_day=99, times=0, until="ayer"))
    found = Recurrence.objects.get()
    assert (found.weekdays, found.month_day, found.until, found.times) == ([0, 3], None, None, None)


def test_in_english_too(owner, browser, approved):
    recurrences.start(approved, Rule(Recurrence.Every.WEEK, time(10), weekdays=[0]), owner.user)
    browser.cookies["django_language"] = "en"
    shown = browser.get(page("broadcast", approved))
    assert "Monday" in words(shown)


def test_without_an_hour_it_says_that_the_repetition_rests(browser, approved):
    browser.post(page("broadcast_repeat", approved), rule())
    assert "Eso pausa también la repetición." in words(browser.get(page("broadcast", approved)))
    answer = words(browser.post(page("broadcast_unschedule", approved), follow=True))
    assert "y está en pausa" in answer
    assert "Reanudar la repetición" in answer


def test_another_time_zone_moves_what_repeats(owner, browser, approved):
    recurrences.start(approved, EVERY_DAY, owner.user)
    form = browser.get(reverse("panel:settings_business")).context["form"].initial
    browser.post(reverse("panel:settings_business"), form | {"time_zone": "America/Tijuana"})
    approved.refresh_from_db()
    assert approved.account.time_zone == "America/Tijuana"
    assert approved.scheduled_for.astimezone(approved.account.zone).hour == 10
    assert approved.occurrence == approved.scheduled_for


def test_what_is_not_signed_does_not_repeat(owner, browser):
    draft = make.broadcast(owner.account)
    assert "Falta aprobar" in words(browser.post(page("broadcast_repeat", draft), rule(), follow=True))
    assert not Recurrence.objects.exists()


def test_its_result_leads_to_the_rule(owner, browser, approved):
    recurrences.start(approved, EVERY_DAY, owner.user)
    come_due(approved)
    assert "Pausar la repetición" in words(browser.get(page("broadcast", approved)))
    assert browser.post(page("recurrence_pause", make.broadcast(owner.account))).status_code == 404


# Who may


CONTROLS = (
    "broadcast_waive",
    "broadcast_accept",
    "broadcast_repeat",
    "recurrence_pause",
    "recurrence_resume",
    "recurrence_end",
)


@pytest.mark.parametrize("name", CONTROLS)
def test_only_managers_and_only_ones_own(owner, approved, name):
    recurrences.start(approved, EVERY_DAY, owner.user)
    for role, status in ((Role.VIEWER, 403), (Role.EDITOR, 403)):
        assert make.signed_in(make.member(owner.account, role)).post(page(name, approved)).status_code == status
    stranger = make.signed_in(make.business())
    assert stranger.post(page(name, approved), rule()).status_code == 404
    assert Recurrence.objects.get().status == Recurrence.Status.ACTIVE


def test_pages_take_a_fixed_number_of_queries(owner, browser, approved, django_assert_max_num_queries):
    recurrences.start(approved, EVERY_DAY, owner.user)
    for name, most in (("broadcasts", 10), ("settings_rest", 8)):
        address = reverse(f"panel:{name}")
        browser.get(address)
        with django_assert_max_num_queries(most):
            assert browser.get(address).status_code == 200
