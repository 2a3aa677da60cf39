"""The guide says what the tutorial says, and its ticks are true."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pregon.accounts.models import Role
from pregon.promotions.models import Broadcast
from tests import make

pytestmark = pytest.mark.django_db
TUTORIAL = Path(__file__).with_name("tutorial_04.md").read_text()
CHECKLIST = {
    "Contactos revisados.",
    "Cupo disponible confirmado.",
    "Vista previa aprobada.",
    "Resultado de envío revisado.",
}


def words(html: str) -> str:
    """What a person reads, in one line."""
    main = html.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def sentences() -> list[str]:
    lines = (re.sub(r"^[#\-*\s]+(\d+ )?|\*\*$|\[|\]\(#\)$", "", line).strip() for line in TUTORIAL.splitlines())
    return [line for line in lines if line]


def page(client: Client) -> str:
    return client.get(reverse("panel:guides")).content.decode()


def test_the_tutorial_is_there_word_for_word() -> None:
    shown = words(page(make.signed_in(make.business())))
    missing = [line for line in sentences() if (line.rstrip(".") if line in CHECKLIST else line) not in shown]
    assert not missing


def test_its_four_steps_come_in_order_and_lead_to_their_pages() -> None:
    html = page(make.signed_in(make.business()))
    steps = ("Abre Contactos y", "Carga o revisa", "Prepara promoción o mensaje", "Revisa cupo y resultados")
    places = [html.index(f"<h3>{title}") for title in steps]
    assert places == sorted(places)
    main = html.partition("<main")[2]
    for name in ("home", "contacts", "import_new", "promotions", "broadcasts", "subscription", "case_new"):
        assert f'href="{reverse(f"panel:{name}")}"' in main


def test_nothing_is_ticked_before_the_first_sending() -> None:
    html = page(make.signed_in(make.business()))
    assert "0 de 4" in html
    assert html.count('visually-hidden">falta<') == 4


def test_ticks_follow_what_really_happened() -> None:
    member = make.business()
    make.contact(member.account)
    client, sending = make.signed_in(member), make.broadcast(member.account, approved_by=member.user)
    assert "2 de 4" in page(client)  # it fits, and was approved
    Broadcast.objects.filter(pk=sending.pk).update(omissions_seen_at=timezone.now())
    assert "3 de 4" in page(client)
    Broadcast.objects.filter(pk=sending.pk).update(version_id=sending.version_id, approved_at=None)
    assert "2 de 4" in page(client)


def test_a_plan_without_the_module_says_so_and_still_shows_the_guide() -> None:
    html = page(make.signed_in(make.business("basico")))
    assert "Tu plan no incluye este módulo." in html
    assert "Paso a paso" in html


def test_every_member_reads_it_and_nobody_else(client: Client) -> None:
    account = make.business().account
    viewer = make.member(account, Role.VIEWER)
    assert make.signed_in(viewer).get(reverse("panel:guides")).status_code == 200
    assert client.get(reverse("panel:guides")).status_code == 302


def test_its_queries_are_few(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    member = make.business()
    make.broadcast(member.account)
    client = make.signed_in(member)
    page(client)
    with django_assert_max_num_queries(12):
        page(client)
