"""What the pages say about when a broadcast leaves, and until when Meta's limit holds it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.panel.views import plans_seen
from pregon.promotions import broadcasts, launch, plan
from pregon.promotions.plan import Crowd, Load, Plan, Room
from pregon.sending import outbox
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number, Portfolio
from tests import make

pytestmark = pytest.mark.django_db


def at_noon() -> str:
    hours = 12 - timezone.now().hour
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


@pytest.fixture
def owner():
    """A business at noon, without quiet hours, that Meta lets write to two people a day; three would get it."""
    member = make.business(time_zone=at_noon(), quiet_from=None, quiet_until=None)
    for _person in range(3):
        make.contact(member.account)
    Portfolio.objects.update(daily_limit=2)
    return member


def words(response) -> str:
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def seen(owner, broadcast) -> str:
    return words(make.signed_in(owner).get(reverse("panel:broadcast", args=[broadcast.pk])))


def test_the_review_says_on_which_days(owner) -> None:
    text = seen(owner, make.broadcast(owner.account))
    assert "Sale hoy a 2 personas y mañana a 1; termina mañana hacia las" in text
    assert "Hoy 2 de" in text and "Mañana 1 de" in text and "2 + 1 = 3" in text
    assert "Meta deja que tu negocio escriba primero a 2 personas en 24 horas" in text


def test_what_fits_says_nothing_of_a_limit(owner) -> None:
    Portfolio.objects.update(daily_limit=3)
    text = seen(owner, make.broadcast(owner.account))
    assert "Sale en menos de un minuto." in text and "Meta deja" not in text


def held(owner, people: int, until: timedelta = timedelta(hours=22)):
    """A broadcast that Meta's limit holds, with so many still to go."""
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    Batch.objects.update(hold=Batch.Hold.LIMIT, held_until=timezone.now() + until)
    wait(people)
    return broadcast


def wait(people: int) -> None:
    """So many of the batch are still to go, none of them in a pump's hands."""
    Batch.objects.update(queued=people, queue_size=people)


def test_the_result_says_until_when_it_is_held(owner) -> None:
    broadcast = held(owner, 2)
    text = seen(owner, broadcast)
    assert "Límite diario de Meta" in text and "Falta menos" not in text
    assert re.search(
        r"Sigue solo mañana a las 1\d:\d\d con las 2 personas que faltan y termina hacia las 1\d:\d\d\.", text
    ), text
    wait(1)
    assert "con la persona que falta y termina hacia las" in seen(owner, broadcast)
    Batch.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    assert "Sigue solo" not in seen(owner, broadcast)


def test_held_with_more_than_a_day_of_people_it_names_the_last_day(owner) -> None:
    text = seen(owner, held(owner, 6))  # two a day
    assert re.search(r"con las 6 personas que faltan y termina el \w+ \d+ de \w+ hacia las 1\d:\d\d\.", text)
    assert "Faltan unos 3 días" in text
    wait(2_000)
    text = seen(owner, Batch.objects.get().broadcast)
    assert "con las 2,000 personas que faltan." in text and "Falta más de un año" in text


def test_a_stopped_number_goes_on_at_no_hour(owner) -> None:
    broadcast = held(owner, 2)
    Number.objects.update(stopped_at=timezone.now(), stop_reason="Se acabó el saldo")
    text = seen(owner, broadcast)
    assert "Tu número está detenido" in text and "Sigue solo" not in text


def test_a_card_that_rests_asks_seldom(owner, django_assert_max_num_queries) -> None:
    broadcast, browser = held(owner, 6), make.signed_in(owner)
    address = reverse("panel:broadcast_card", args=[broadcast.pk])
    browser.get(address)
    with django_assert_max_num_queries(10):
        assert "every 20s" in browser.get(address).content.decode()


def test_one_that_goes_says_what_the_limit_leaves_for_later(owner, django_assert_max_num_queries) -> None:
    broadcast, browser = make.broadcast(owner.account, approved_by=owner.user), make.signed_in(owner)
    launch.launch(broadcast, owner.user)
    text = seen(owner, broadcast)
    assert "Sale hoy a 2 personas y mañana a 1; termina mañana hacia las" in text
    assert "Meta deja que tu negocio escriba primero a 2 personas en 24 horas" in text
    assert "Faltan unas 24 horas" in text
    address = reverse("panel:broadcast_card", args=[broadcast.pk])
    browser.get(address)
    with django_assert_max_num_queries(7):
        assert "every 2s" in browser.get(address).content.decode()


def test_whom_a_pump_took_in_hand_does_not_wait_for_room_again(owner) -> None:
    Portfolio.objects.update(daily_limit=3)
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    outbox.lease(Batch.objects.get().number_id, 10)
    text = seen(owner, broadcast)
    assert "0 de 3" in text and "Falta menos de un minuto" in text and "Sale en menos" not in text


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=59), "Falta menos de un minuto"),
        (timedelta(seconds=61), "Falta cerca de 1 minuto"),
        (timedelta(minutes=89, seconds=50), "Faltan unos 90 minutos"),
        (timedelta(minutes=90), "Faltan unas 2 horas"),
        (timedelta(hours=35), "Faltan unas 35 horas"),
        (timedelta(hours=36), "Faltan unos 2 días"),
        (timedelta(days=12, hours=5), "Faltan unos 12 días"),
    ],
)
def test_how_long_it_takes_in_words(time: timedelta, words: str) -> None:
    assert plans_seen.lasts(time) == words


def test_for_nobody_it_says_so_and_discarded_nothing(owner) -> None:
    owner.account.contacts.all().delete()
    broadcast = make.broadcast(owner.account)
    text = seen(owner, broadcast)
    assert "Con esta lista no sale a nadie." in text and "menos de un minuto" not in text
    broadcasts.discard(broadcast)
    text = seen(owner, broadcast)
    assert "Este envío se descartó" in text and "Cuándo sale" not in text and "Este envío reserva" not in text


def test_how_long_it_takes_is_said_only_where_nothing_makes_it_wait(owner) -> None:
    Portfolio.objects.update(daily_limit=None)
    Number.objects.update(mps=1)
    broadcast = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(broadcast, owner.user)
    wait(600)
    assert "Faltan unos 10 minutos" in seen(owner, broadcast)
    now = timezone.now()
    Batch.objects.update(held_from=now + timedelta(minutes=20), held_until=now + timedelta(hours=9), hold="quiet")
    assert "Faltan unos" in seen(owner, broadcast)
    Batch.objects.update(held_from=now + timedelta(minutes=5))
    assert "Faltan unos" not in seen(owner, broadcast), "the night comes before its end"
    Batch.objects.update(held_from=None, held_until=None, hold="")
    Portfolio.objects.update(daily_limit=2_000)
    text = seen(owner, broadcast)
    assert "Faltan unos 10 minutos" in text and "Meta deja" not in text
    Portfolio.objects.update(daily_limit=None)
    Number.objects.update(stopped_at=now)
    assert "Faltan unos" not in seen(owner, broadcast)


def test_without_a_number_it_says_what_is_missing(owner) -> None:
    assert plans_seen.shown(None).sentence.startswith("Conecta tu número")


def planned(account, people: int, limit: int | None, mps: int = 80, starts: float = 0.0) -> Plan:
    now = timezone.now()
    load = Load(account, Number(pk=1, mps=mps), Crowd(people), now.timestamp() + starts)
    return plan.play([load], Room(limit), now)


@pytest.mark.parametrize(
    ("people", "limit", "mps", "starts", "sentence"),
    [
        (100, None, 80, 0, r"Sale en menos de un minuto\."),
        (80 * 600, None, 80, 0, r"Sale ahora y termina hacia las 1[23]:\d\d\."),
        (80, None, 80, 7_200, r"Empieza hoy a las 1[45]:\d\d y termina hacia las 1[45]:\d\d\."),
        (1, 1, 1, 86_400, r"Empieza mañana a las 1[23]:\d\d y termina hacia las 1[23]:\d\d\."),
        (2_500, 2_000, 80, 0, r"Sale hoy a 2,000 personas y mañana a 500; termina mañana hacia las 1[23]:\d\d\."),
        (10_000, 2_000, 80, 0, r"Sale en 5 días desde hoy; termina el \w+ \d+ de \w+ hacia las 1[34]:\d\d\."),
    ],
)
def test_the_sentence(owner, people: int, limit: int | None, mps: int, starts: float, sentence: str) -> None:
    with timezone.override(ZoneInfo(owner.account.time_zone)):
        assert re.fullmatch(sentence, plans_seen.shown(planned(owner.account, people, limit, mps, starts)).sentence)


def test_many_days_are_told_as_a_few(owner) -> None:
    with timezone.override(ZoneInfo(owner.account.time_zone)):
        shown = plans_seen.shown(planned(owner.account, 24_000, 2_000))
        assert [part.figure for part in shown.days] == [2_000] * 5 + [14_000]
        assert shown.days[-1].label == "7 días más"
        beyond = plans_seen.shown(planned(owner.account, 200_000, 250))
    assert "En un año no alcanza para" in beyond.why and "parte la lista" in beyond.why


def test_nobody_waits_less_than_they_were_told() -> None:
    assert plans_seen._whole_minute(datetime(2026, 11, 23, 10, 40, 1, tzinfo=UTC)).minute == 41
    assert plans_seen._whole_minute(datetime(2026, 11, 23, 10, 40, tzinfo=UTC)).minute == 40
