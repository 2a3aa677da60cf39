"""Ajustes: what each role sees and may change."""

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.urls import reverse

from pregon.accounts.models import Role
from pregon.panel.forms import settings as forms
from tests import make

pytestmark = pytest.mark.django_db


def business_form(**changes: object) -> dict[str, object]:
    given = {
        "name": "Panadería El Trigo",
        "country": "PE",
        "time_zone": "America/Lima",
        "address": "Jr. Puno 12",
    }
    return given | changes


def test_the_page_shows_business_number_templates_and_people(
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    owner = make.business()
    number = owner.account.numbers.get()
    for _ in range(8):
        make.template(number)
    for _ in range(8):
        make.member(owner.account, Role.EDITOR)
    client = make.signed_in(owner)
    with django_assert_max_num_queries(14):
        text = client.get(reverse("panel:settings")).content.decode()
    for words in (
        "Panadería La Espiga",
        "+52 222 555 0142",
        "Aprobada",
        "9 personas en total",
        "Comprobar conexión",
        "Conectar otro",
    ):
        assert words in text


def test_a_viewer_looks_and_changes_nothing() -> None:
    owner = make.business()
    client = make.signed_in(make.member(owner.account, Role.VIEWER))
    text = client.get(reverse("panel:settings")).content.decode()
    for words in ("Comprobar conexión", "Conectar otro", "Invitar y cambiar", "Traer de Meta"):
        assert words not in text
    for name in ("settings_business", "settings_rest", "settings_number_new", "settings_members"):
        assert client.get(reverse(f"panel:{name}")).status_code == 403
    assert client.post(reverse("panel:practice"), {"practice": "on"}).status_code == 403


def test_the_business_is_changed() -> None:
    owner = make.business()
    page = make.signed_in(owner).post(reverse("panel:settings_business"), business_form(), follow=True)
    assert "Guardamos los datos de tu negocio" in page.content.decode()
    account = owner.account
    account.refresh_from_db()
    assert (account.name, account.country, account.time_zone) == ("Panadería El Trigo", "PE", "America/Lima")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"time_zone": "America/Nowhere"},
        {"country": "XX"},
        {"name": "x" * 121},
    ],
)
def test_a_mistake_keeps_what_was_typed_and_changes_nothing(wrong: dict[str, object]) -> None:
    owner = make.business()
    page = make.signed_in(owner).post(reverse("panel:settings_business"), business_form(**wrong))
    assert "Jr. Puno 12" in page.content.decode()
    owner.account.refresh_from_db()
    assert owner.account.name == "Panadería La Espiga"


def rest_form(**changes: object) -> dict[str, object]:
    return {
        "quiet": "on",
        "quiet_from": "20:30",
        "quiet_until": "08:00",
        "repeat_days": 10,
        "repeat_limit": 3,
    } | changes


def test_the_rest_of_people_is_changed() -> None:
    owner = make.business()
    client, address = make.signed_in(owner), reverse("panel:settings_rest")
    text = client.get(address).content.decode()
    assert 'value="21:00"' in text and 'value="09:00"' in text, "proposed to who has none"
    page = client.post(address, rest_form(), follow=True).content.decode()
    assert "De 20:30 a 8:00 no sale ninguna promoción" in page
    assert "En 10 días nadie recibe la misma promoción dos veces, ni más de 3 en total" in page
    account = owner.account
    account.refresh_from_db()
    assert (account.quiet_from, account.quiet_until) == (time(20, 30), time(8))
    assert (account.repeat_days, account.repeat_limit) == (10, 3)


@pytest.mark.parametrize("left_over", [{}, {"quiet_from": "", "quiet_until": "08:00"}, {"quiet_from": "20:30"}])
def test_without_quiet_hours_neither_hour_is_kept(left_over: dict[str, str]) -> None:
    owner = make.business(quiet_from=time(21), quiet_until=time(9))
    given = {"repeat_days": 7, "repeat_limit": 2} | left_over
    page = make.signed_in(owner).post(reverse("panel:settings_rest"), given, follow=True).content.decode()
    assert "Sin horas de silencio" in page
    account = owner.account
    account.refresh_from_db()
    assert (account.quiet_from, account.quiet_until) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"repeat_days": 0}, {"repeat_days": 91}, {"repeat_limit": ""}, {"repeat_limit": 31}, {"quiet_from": ""},
        {"quiet_from": "25:00"}, {"quiet_from": "08:00"},
    ],
)  # fmt: skip
def test_a_rest_that_cannot_be(wrong: dict[str, object]) -> None:
    owner = make.business()
    answer = make.signed_in(owner).post(reverse("panel:settings_rest"), rest_form(**wrong))
    assert answer.status_code == 422
    owner.account.refresh_from_db()
    assert (owner.account.quiet_from, owner.account.repeat_days) == (None, 7)


def test_a_zone_that_we_do_not_offer_is_kept() -> None:
    owner = make.business(time_zone="Asia/Tokyo")
    assert "Asia/Tokyo" in make.signed_in(owner).get(reverse("panel:settings_business")).content.decode()


def test_zones_are_places_in_the_language_of_the_reader() -> None:
    spanish, english = dict(forms.zones_in("es")), dict(forms.zones_in("en"))
    assert spanish["America/Mexico_City"] == "México: Ciudad de México"
    assert english["America/Mexico_City"] == "Mexico: Mexico City"
    assert spanish["America/Argentina/Buenos_Aires"] == "Argentina: Buenos Aires"


def test_a_business_without_a_number_is_led_to_one() -> None:
    owner = make.member(make.account())
    text = make.signed_in(owner).get(reverse("panel:settings")).content.decode()
    assert "Aún no conectas un número" in text
    assert reverse("panel:settings_number_new") in text
    assert (
        "Conecta un número"
        in make.signed_in(owner).post(reverse("panel:settings_templates_sync"), follow=True).content.decode()
    )
    assert (
        "Aún no conectas un número" in make.signed_in(owner).get(reverse("panel:settings_templates")).content.decode()
    )


def test_practice_is_said_to_be_missing_where_it_is() -> None:
    owner = make.member(make.account())
    client = make.signed_in(owner)
    assert "no tiene modo práctica" in client.get(reverse("panel:practice")).content.decode()
    page = client.post(reverse("panel:practice"), {"practice": "on"}, follow=True)
    assert "Esta instalación no tiene modo práctica" in page.content.decode()
