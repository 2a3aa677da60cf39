"""Modo práctica: what it is, where the phones are, what to try."""

import pytest
from pytest_django import Settings

from pregon.accounts.models import Account, Role
from tests import make

pytestmark = pytest.mark.django_db
PHONES = "http://127.0.0.1:8002"


def page(role: Role = Role.OWNER, **fields: object) -> str:
    account = make.account(**fields)
    return make.signed_in(make.member(account, role)).get("/practica/").content.decode()


def test_where_there_is_none_it_says_so(settings: Settings) -> None:
    settings.SIMULATOR_URL = ""
    html = page()
    assert "no tiene modo práctica" in html and "Qué probar" not in html


def test_off_it_can_be_turned_on_and_says_what_to_try(settings: Settings) -> None:
    settings.SIMULATOR_URL = PHONES
    html = page()
    assert "Encender modo práctica" in html and "Contesta BAJA" in html and PHONES not in html


def test_on_it_leads_to_the_phones(settings: Settings) -> None:
    settings.SIMULATOR_URL = PHONES
    html = page(practice=True)
    assert f'href="{PHONES}"' in html and "Apagar modo práctica" in html
    assert Account.objects.get().practice


def test_who_only_looks_cannot_turn_it(settings: Settings) -> None:
    settings.SIMULATOR_URL = PHONES
    assert "Encender modo práctica" not in page(Role.VIEWER)
