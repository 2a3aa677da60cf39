"""Inicio: the sums close, what wants attention is said, and a new business is led to its first sending."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from pregon.accounts.models import Account, Member, Role
from pregon.contacts.models import Consent
from pregon.panel.context import Quota
from pregon.panel.views import home
from pregon.promotions.models import Broadcast
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.sending.models import Batch
from pregon.support import cases
from pregon.whatsapp.models import Number
from tests import make
from tests.quota import charges

pytestmark = pytest.mark.django_db


def page(member: Member) -> str:
    response = make.signed_in(member).get(reverse("panel:home"))
    assert response.status_code == 200
    return response.content.decode()


def launched(member: Member, name: str = "Buen Fin dulce", **figures: int) -> Broadcast:
    promoted = make.promotion(member.account, name)
    sending = make.broadcast(member.account, promoted)
    batch = make.batch(member.account, promoted, status=Batch.Status.FINISHED, **figures)
    Broadcast.objects.filter(pk=sending.pk).update(status="launched", batch=batch, launched_at=timezone.now())
    sending.refresh_from_db()
    return sending


def test_the_quota_is_an_addition_that_closes() -> None:
    member = make.business()
    period = Period.objects.get()
    ledger.reserve(period.pk, 1_160, "batch:1")
    charges.consume(period.pk, 1_148)
    html = page(member)
    for figure in ("1,148", "12", "840", "2,000"):
        assert f">{figure}<" in html
    assert "mensajes te quedan" in html


def test_the_last_sendings_show_their_four_figures() -> None:
    member = make.business()
    launched(member, accepted=431, failed=9, omitted=34, unconfirmed=12)
    html = page(member)
    assert "486 personas" in html
    assert "Faltan 12 por confirmar" in html
    assert "12 mensajes por confirmar" in html


def test_a_new_business_is_led_through_the_tutorial() -> None:
    member = make.member(make.account())
    html = page(member)
    assert "Tu primer envío está a cuatro pasos" in html
    assert reverse("panel:import_new") in html
    assert "0 de 5" in html
    assert "Aún no tienes plan" in html


def test_what_wants_attention_comes_from_data() -> None:
    member = make.business()
    line = Number.objects.get()
    make.template(line, name="desayuno_sabado", status="REJECTED")
    make.contact(member.account, consent=Consent.UNKNOWN)
    make.contact(member.account, mobile=None, mobile_problem="incomplete")
    case = cases.open_case(
        cases.Report("other", "l@example.com", "No <b>abre</b>"), cases.Sender(member.user, member.account)
    )
    cases.answer(case, "Ya quedó.", author=make.user(is_staff=True))
    Number.objects.update(stopped_at=timezone.now(), stop_reason="El permiso de conexión con Meta venció.")
    html = page(member)
    for sentence in ("Tu número está detenido", "desayuno_sabado", "1 contacto sin permiso", "1 contacto por corregir"):
        assert sentence in html
    assert f"Respondimos tu caso {case.pk}" in html
    assert "No &lt;b&gt;abre&lt;/b&gt;" in html and "<b>abre</b>" not in html
    assert "Hay cinco cosas que conviene ver hoy." in html


def test_a_business_in_pause_reads_why() -> None:
    member = make.business()
    Account.objects.update(suspended_at=timezone.now(), suspension_reason="Falta el pago de noviembre.")
    assert "Falta el pago de noviembre." in page(member)


def test_first_steps_go_away_once_a_result_was_reviewed() -> None:
    member = make.business()
    sending = launched(member, accepted=3)
    assert "Primeros pasos" in page(member)
    Broadcast.objects.filter(pk=sending.pk).update(result_seen_at=timezone.now())
    assert "Primeros pasos" not in page(member)


def test_who_only_looks_is_offered_nothing_to_prepare() -> None:
    account = make.business().account
    make.contact(account)
    html = page(make.member(account, Role.VIEWER))
    assert reverse("panel:promotion_new") not in html
    assert reverse("panel:import_new") not in html


def test_signed_out_people_sign_in_first(client: Client) -> None:
    assert client.get("/").status_code == 302


def test_the_providers_team_goes_to_its_own_site(client: Client) -> None:
    client.force_login(make.user(is_staff=True), backend="allauth.account.auth_backends.AuthenticationBackend")
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == reverse("staff:cases")


def test_its_queries_do_not_grow_with_what_there_is(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    member = make.business()
    for n in range(5):
        launched(member, f"Promoción {n}", accepted=n, unconfirmed=2)
        make.template(Number.objects.get(), status="REJECTED")
        make.contact(member.account, consent=Consent.UNKNOWN)
    client = make.signed_in(member)
    client.get("/")
    with django_assert_max_num_queries(17):
        client.get("/")


@pytest.mark.parametrize(
    ("used", "reserved", "sentence"),
    [
        (0, 0, "Este mes aún no usas ninguno."),
        (1_148, 12, "A este ritmo (68 al día) te alcanza hasta el 1 de diciembre."),
        (170, 0, "Vas parejo: a este ritmo (10 al día) te alcanza todo el mes."),
        (1_990, 10, "Ya usaste o reservaste todo el mes."),
    ],
)
def test_the_pace_says_how_long_it_lasts(used: int, reserved: int, sentence: str) -> None:
    quota = Quota(2_000, used, reserved, 2_000 - used - reserved, date(2026, 11, 3), date(2026, 12, 2))
    with translation.override("es-mx"):
        assert home.pace(quota, date(2026, 11, 19)) == sentence


def test_the_pace_survives_the_first_and_the_last_day() -> None:
    for today in (date(2026, 11, 3), date(2026, 12, 2), date(2026, 12, 2) + timedelta(days=1)):
        assert home.pace(Quota(10, 9, 0, 1, date(2026, 11, 3), date(2026, 12, 2)), today)
