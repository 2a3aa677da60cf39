"""Mi suscripción: sums that close, plans to compare, a change of plan, and pages whose module is missing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from pregon.accounts import access
from pregon.accounts.models import Member, Role
from pregon.panel import modules, movements, offers
from pregon.promotions import launch
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.subscriptions import changes
from pregon.subscriptions.models import Module
from tests import make
from tests.quota import charges

pytestmark = pytest.mark.django_db
PAGE, MOVES = "panel:subscription", "panel:subscription_movements"


def words(html: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.decode()))


@pytest.fixture
def owner() -> Member:
    for slug in ("basico", "starter", "premium"):
        make.plan(slug)
    owner = make.business("profesional")
    period = owner.account.periods.get()
    ledger.reserve(period.pk, 1_160, "batch:1")
    charges.consume(period.pk, 1_148)
    return owner


def test_the_month_is_an_addition_that_closes(owner: Member) -> None:
    text = words(make.signed_in(owner).get(reverse(PAGE)).content)
    assert "Profesional" in text
    assert "840 mensajes te quedan hasta el" in text
    assert re.search(r"1,148 Usados \+ 12 Reservados \+ 840 Restantes = 2,000 Límite de tu plan", text)
    assert "Hoy, día" in text
    for name, limit in (("Starter", "500"), ("Premium", "10,000"), ("Básico", "")):
        assert f"Cambiar a {name}" in text
        assert f"{limit} mensajes al mes" in text


def test_every_page_takes_a_fixed_number_of_queries(
    owner: Member, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    client = make.signed_in(owner)
    period = owner.account.periods.get()
    for n in range(60):
        ledger.grant(period.pk, 1, f"plan:{n}")
    with django_assert_max_num_queries(10):
        assert client.get(reverse(PAGE)).status_code == 200
    with django_assert_max_num_queries(10):
        assert client.get(reverse(MOVES)).status_code == 200


def test_the_owner_changes_the_plan_and_it_counts_now(owner: Member) -> None:
    page = make.signed_in(owner).post(reverse("panel:subscription_change", args=[make.plan("premium").pk]), follow=True)
    assert "Tu plan ahora es Premium. Te quedan 8,840 mensajes este mes." in words(page.content)
    assert changes.plan(owner.account) == make.plan("premium")


def test_what_a_plan_would_do_is_said_before_and_is_what_it_does(owner: Member) -> None:
    period = owner.account.periods.get()
    mine = make.plan("profesional")
    told = {
        offer.name: offer.effect for offer in offers.compare([make.plan("starter"), make.plan("premium")], mine, period)
    }
    assert "tu límite de este mes es 10,000 y te quedan 8,840" in told["Premium"]
    assert "ya usaste o reservaste 1,160" in told["Starter"]
    changes.change(owner.account, make.plan("starter"))
    period.refresh_from_db()
    assert (period.limit, period.remaining, period.lapsing) == (1_160, 0, 660)
    text = words(make.signed_in(owner).get(reverse(PAGE)).content)
    assert "660 se retiran conforme se liberen" in text
    back = offers.compare([mine], make.plan("starter"), period)[0]
    assert "tu límite de este mes es 2,000 y te quedan 840" in back.effect


def test_only_the_owner_changes_it_and_only_to_a_plan_on_offer(owner: Member) -> None:
    manager = make.member(owner.account, Role.MANAGER)
    address = reverse("panel:subscription_change", args=[make.plan("premium").pk])
    assert make.signed_in(manager).post(address).status_code == 403
    assert "Cambiar a Premium" not in words(make.signed_in(manager).get(reverse(PAGE)).content)
    type(make.plan("premium")).objects.filter(slug="premium").update(is_public=False)
    assert make.signed_in(owner).post(address).status_code == 404
    assert make.signed_in(owner).get(address).status_code == 405


def test_a_stranger_sees_only_their_own(owner: Member) -> None:
    stranger = make.business("starter")
    text = words(make.signed_in(stranger).get(reverse(PAGE)).content)
    assert "500 mensajes te quedan" in text
    assert "1,148" not in text
    other = owner.account.periods.get().pk
    assert "1,148" not in words(make.signed_in(stranger).get(reverse(MOVES) + f"?mes={other}").content)


def test_movements_add_up_to_the_counters_whatever_the_page() -> None:
    owner = make.business("premium")
    period = owner.account.periods.get()
    for _broadcast in range(120):
        ledger.reserve(period.pk, 10, f"batch:{make.batch(owner.account, period=period).pk}")
        charges.consume(period.pk, 8)
        charges.release(period.pk, 2)
    pages, before = [], ""
    while True:
        page = movements.page(period, before)
        pages.append(page)
        before = str(page.last)
        if not page.more:
            break
    rows = [row for page in pages for row in page.movements]
    assert [len(page.movements) for page in pages] == [50, 50, 21]
    period.refresh_from_db()
    for name in ("limit", "used", "reserved", "remaining"):
        figures = [getattr(row, name).replace(",", "").replace("−", "-") for row in rows]
        assert sum(int(figure or 0) for figure in figures) == getattr(period, name)


@pytest.mark.parametrize("before", ["9" * 5_000, "9" * 40, "9" * 19, "-1", "²", "x", ""])
def test_a_key_that_no_link_has_shows_a_page_all_the_same(owner: Member, before: str) -> None:
    assert make.signed_in(owner).get(reverse(MOVES), {"antes": before}).status_code == 200


def test_a_business_without_a_plan_is_shown_the_plans() -> None:
    member = make.member(make.account())
    make.plan("starter")
    text = words(make.signed_in(member).get(reverse(PAGE)).content)
    assert "Aún no tienes plan" in text
    assert "Cambiar a Starter" in text
    assert "Aún no hay movimientos" in words(make.signed_in(member).get(reverse(MOVES)).content)
    make.signed_in(member).post(reverse("panel:subscription_change", args=[make.plan("starter").pk]))
    assert Period.objects.get(account=member.account).limit == 500


@access.member()
@modules.needs_module(Module.WHATSAPP)
def sending(request: access.Request) -> HttpResponse:
    return HttpResponse("se puede enviar")


def asked(rf: RequestFactory, member: Member, **headers: str) -> HttpRequest:
    """Through the middlewares, as a browser asks."""
    from django.contrib.sessions.backends.signed_cookies import SessionStore
    from django_htmx.middleware import HtmxMiddleware

    request = rf.get("/promociones/nueva/", headers=headers)
    request.user, request.member, request.session = member.user, member, SessionStore()  # type: ignore[attr-defined]
    HtmxMiddleware(lambda _: HttpResponse())(request)
    return request


def test_a_plan_without_the_module_says_why_and_where_to_go(rf: RequestFactory) -> None:
    for slug in ("starter", "profesional", "premium"):
        make.plan(slug)
    owner = make.business("basico")
    for _ in range(3):
        make.contact(owner.account)
    page = sending(asked(rf, owner))
    text = words(page.content)
    assert page.status_code == 403
    assert "Tu plan no incluye Promociones WhatsApp" in text
    assert "Tus 3 contactos y tus promociones siguen guardados" in text
    assert "Starter (500 mensajes al mes)" in text
    assert reverse(PAGE) in page.content.decode()
    part = sending(asked(rf, owner, hx_request="true"))
    assert (part.status_code, part["HX-Refresh"]) == (200, "true")


def test_with_the_module_the_page_is_there(rf: RequestFactory) -> None:
    owner = make.business("starter")
    assert sending(asked(rf, owner)).content == b"se puede enviar"
    changes.change(owner.account, make.plan("basico"))
    assert sending(asked(rf, owner)).status_code == 403
    changes.change(owner.account, make.plan("starter"))
    assert sending(asked(rf, owner)).status_code == 200


def test_a_launch_asks_for_the_module_and_opens_the_month() -> None:
    account = make.account()
    make.subscription(account, "basico")
    with pytest.raises(launch.Refused, match="no incluye este módulo"):
        launch.check_account(account)
    changes.change(account, make.plan("starter"))
    account.periods.all().delete()
    launch.check_account(account)
    assert account.periods.get().limit == 500
