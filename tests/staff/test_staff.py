"""The provider's site: cases are answered, businesses paused, plans edited, and nobody else comes in."""

import re
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateWorker
from pytest_django import DjangoAssertNumQueries

from pregon.accounts.models import Account, User
from pregon.promotions import launch
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.staff import businesses, health, offers
from pregon.staff.models import Act, What
from pregon.staff.templatetags.staff import waited
from pregon.subscriptions import changes
from pregon.subscriptions.models import Plan
from pregon.support import cases
from pregon.support.models import Case
from pregon.webhooks.models import Arrival
from tests import make
from tests.support import letters

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> User:
    return make.user("equipo@example.com", name="Ana Núñez", is_staff=True)


@pytest.fixture
def staff(team: User) -> Client:
    client = Client()
    client.force_login(team, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def opened(account: Account | None = None, detail: str = "No abre", **fields: object) -> Case:
    report = cases.Report(**{"module": "contacts", "email": "lucia@example.com", "detail": detail} | fields)
    return cases.open_case(report, cases.Sender(None, account))


@pytest.mark.parametrize("name", ["cases", "businesses", "plans", "plan_new", "health"])
def test_only_the_team_comes_in(name: str, staff: Client, client: Client) -> None:
    url = reverse(f"staff:{name}")
    assert staff.get(url).status_code == 200
    assert make.signed_in(make.business()).get(url).status_code == 404
    assert client.get(url).status_code == 302


def test_a_business_owner_can_neither_read_nor_answer_as_the_team() -> None:
    member = make.business()
    case, client = opened(member.account), make.signed_in(member)
    for name in ("case", "case_close", "case_reopen"):
        assert client.post(reverse(f"staff:{name}", args=[case.pk]), {"body": "x"}).status_code == 404
    assert client.get(reverse("staff:business", args=[member.account.pk])).status_code == 404
    for name in ("business_plan", "business_suspend", "business_reactivate"):
        assert client.post(reverse(f"staff:{name}", args=[member.account.pk]), {"reason": "x"}).status_code == 404
    assert client.post(reverse("staff:plan", args=[make.plan().pk])).status_code == 404


class TestQueue:
    def test_the_longest_wait_comes_first_and_the_figures_add_up(self, staff: Client) -> None:
        _, second, third = (opened(detail=detail) for detail in ("Primero", "Segundo", "Tercero"))
        Case.objects.filter(pk=second.pk).update(updated_at=timezone.now() - timedelta(hours=3, minutes=10))
        cases.close(third)
        html = staff.get(reverse("staff:cases")).content.decode()
        assert html.index("Segundo") < html.index("Primero")
        assert "Tercero" not in html and "3 h 10" in html
        assert re.findall(r'<span class="v">(\d+)</span>', html) == ["2", "0", "1", "3"]
        assert "Tercero" in staff.get(reverse("staff:cases"), {"estado": "todos"}).content.decode()

    def test_one_finds_by_number_email_business_words_and_module(self, staff: Client) -> None:
        bakery = opened(make.account("Panadería"), detail="Mi Excel")
        opened(detail="Otra cosa", email="otro@example.com", module="number")
        for query in (f"#{bakery.pk}", "LUCIA@", "panader", "excel"):
            html = staff.get(reverse("staff:cases"), {"q": query}).content.decode()
            assert "Mi Excel" in html and "Otra cosa" not in html
        assert "Mi Excel" not in staff.get(reverse("staff:cases"), {"modulo": "number"}).content.decode()
        for odd in ("9" * 40, "%", "\x00", "²"):
            assert (
                staff.get(reverse("staff:cases"), {"q": odd, "estado": odd, "modulo": odd, "pagina": odd}).status_code
                == 200
            )

    def test_its_queries_do_not_grow(
        self, staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(5):
            opened(make.account(f"Negocio {n}"), email=f"{n}@example.com")
        with django_assert_max_num_queries(5):
            staff.get(reverse("staff:cases"))

    def test_waits_are_written_as_people_say_them(self) -> None:
        now = timezone.now()
        spans = ((0, "0 min"), (12, "12 min"), (62, "1 h 02"), (24 * 60, "1 día"), (50 * 60, "2 días"))
        assert [waited(now - timedelta(minutes=minutes, seconds=1)) for minutes, _ in spans] == [
            words for _, words in spans
        ]


class TestCase:
    def test_an_answer_reaches_the_person_by_mail_and_in_the_panel(
        self, staff: Client, mailoutbox: list[EmailMessage]
    ) -> None:
        member = make.business()
        case = opened(member.account)
        staff.post(reverse("staff:case", args=[case.pk]), {"body": "Guarda la hoja como .xlsx."})
        letters.write()
        assert "Guarda la hoja como .xlsx." in mailoutbox[-1].body
        html = make.signed_in(member).get(reverse("panel:case", args=[case.pk])).content.decode()
        assert "Guarda la hoja como .xlsx." in html and "Ana Núñez" in html

    def test_it_shows_where_the_person_stood(self, staff: Client) -> None:
        member = make.business()
        sending = make.broadcast(member.account, make.promotion(member.account, "Buen Fin"))
        sending.batch = make.batch(member.account, accepted=431, failed=9, omitted=34, unconfirmed=12)
        sending.save()
        case = opened(member.account, context={"broadcast": sending.pk, "code": 131049, "trace": "A8f3"})
        html = staff.get(reverse("staff:case", args=[case.pk])).content.decode()
        for words in ("Buen Fin", "431 + 9 + 34 + 12 = 486", "131049", "Meta pidió esperar", "A8f3", "Profesional"):
            assert words in html

    def test_a_context_somebody_made_up_shows_nothing_of_others(self, staff: Client) -> None:
        other = make.business()
        sending = make.broadcast(other.account, make.promotion(other.account, "Secreto"))
        case = opened(make.account(), context={"broadcast": sending.pk, "code": "<b>", "trace": "<i>x</i>"})
        html = staff.get(reverse("staff:case", args=[case.pk])).content.decode()
        assert "Secreto" not in html and "<i>x</i>" not in html

    def test_it_is_closed_with_the_answer_and_opened_again(self, staff: Client) -> None:
        case = opened()
        staff.post(reverse("staff:case", args=[case.pk]), {"body": "Listo.", "act": "close"})
        assert Case.objects.get().status == Case.Status.CLOSED
        staff.post(reverse("staff:case_reopen", args=[case.pk]))
        assert Case.objects.get().status == Case.Status.OPEN
        staff.post(reverse("staff:case_close", args=[case.pk]))
        assert Case.objects.get().status == Case.Status.CLOSED
        assert staff.post(reverse("staff:case", args=[case.pk]), {"body": ""}).status_code == 422


class TestBusinesses:
    def test_the_list_says_plan_quota_number_and_waiting_cases(self, staff: Client) -> None:
        member = make.business(name="Panadería <La Espiga>")
        ledger.reserve(Period.objects.get().pk, 12, "batch:1")
        opened(member.account)
        html = staff.get(reverse("staff:businesses")).content.decode()
        assert "Panadería &lt;La Espiga&gt;" in html and "12 de 2" in html and "+52 222 555 0142" in html
        assert "Profesional" in html and "Casos sin responder" in html
        assert "La Espiga" in staff.get(reverse("staff:businesses"), {"q": member.user.email}).content.decode()
        assert "Ningún negocio es así." in staff.get(reverse("staff:businesses"), {"q": "zzz"}).content.decode()

    def test_its_queries_do_not_grow(
        self, staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(4):
            make.business(name=f"Negocio {n}")
        make.account("Sin plan")
        with django_assert_max_num_queries(7):
            assert "Sin plan" in staff.get(reverse("staff:businesses")).content.decode()
        with django_assert_max_num_queries(16):
            staff.get(reverse("staff:business", args=[Account.objects.first().pk]))  # type: ignore[union-attr]

    def test_nothing_leaves_while_a_business_is_in_pause(self, staff: Client, team: User) -> None:
        member = make.business()
        make.contact(member.account)
        sending = make.broadcast(member.account, approved_by=member.user)
        url = reverse("staff:business_suspend", args=[member.account_id])
        assert staff.post(url, {"reason": ""}).status_code == 422
        staff.post(url, {"reason": "Falta el pago."})
        with pytest.raises(launch.Refused):
            launch.launch(sending, member.user)
        assert "Falta el pago." in make.signed_in(member).get("/").content.decode()
        act = Act.objects.get()
        assert (act.account, act.actor, act.what, act.detail) == (
            member.account,
            team,
            What.SUSPENDED,
            "Falta el pago.",
        )
        staff.post(reverse("staff:business_reactivate", args=[member.account_id]))
        sending.refresh_from_db()
        assert launch.launch(sending, member.user)

    def test_doing_it_twice_is_one_act(self, team: User) -> None:
        account = make.account()
        for _ in range(2):
            businesses.suspend(account, "Motivo", team)
        for _ in range(2):
            businesses.reactivate(account, team)
        assert list(Act.objects.order_by("id").values_list("what", flat=True)) == [What.SUSPENDED, What.REACTIVATED]

    def test_a_plan_is_changed_with_its_limit(self, staff: Client) -> None:
        account, premium = make.business().account, make.plan("premium")
        staff.post(reverse("staff:business_plan", args=[account.pk]), {"plan": premium.pk})
        assert changes.plan(account) == premium
        assert Period.objects.get().limit == 10_000
        assert Act.objects.get().detail == "Profesional → Premium"
        staff.post(reverse("staff:business_plan", args=[account.pk]), {"plan": premium.pk})
        staff.post(reverse("staff:business_plan", args=[account.pk]), {"plan": 0})
        assert Act.objects.count() == 1


class TestPlans:
    def fields(self, plan: Plan, **changed: object) -> dict[str, object]:
        names = ("name", "summary", "monthly_limit", "price", "currency", "modules", "position")
        kept = {name: getattr(plan, name) for name in names}
        return kept | {"is_public": "on"} | changed

    def test_a_changed_limit_counts_in_every_month_that_runs(self, staff: Client) -> None:
        plan, accounts = make.plan(), [make.business().account for _ in range(2)]
        late = make.account()
        make.subscription(late)  # its month is not open yet
        response = staff.post(reverse("staff:plan", args=[plan.pk]), self.fields(plan, monthly_limit=2_500))
        assert response.status_code == 302
        assert {period.limit for period in Period.objects.all()} == {2_500}
        assert Period.objects.count() == 3
        assert "monthly_limit: 2000 → 2500" in Act.objects.get().detail
        changes.change(accounts[0], make.plan("premium"))
        assert Period.objects.get(account=accounts[0]).limit == 10_000

    def test_a_lowered_one_never_goes_below_what_is_used_and_reserved(self, team: User) -> None:
        plan = make.plan()
        make.business()
        ledger.reserve(Period.objects.get().pk, 1_500, "batch:1")
        plan.monthly_limit = 1_000
        offers.save(plan, team)
        period = Period.objects.get()
        assert (period.limit, period.lapsing, period.remaining) == (1_500, 500, 0)

    def test_new_businesses_begin_with_one_plan(self, staff: Client) -> None:
        make.plan("starter")
        staff.post(reverse("staff:plan_new"), {
            "name": "Mini", "slug": "mini", "monthly_limit": 50, "price": "0", "currency": "mxn", "modules": ["contacts"],
            "position": 0, "begins": "on",
        })  # fmt: skip
        assert Plan.objects.get(is_initial=True).slug == "mini"
        assert Plan.objects.get(slug="mini").currency == "MXN"

    def test_mistakes_are_said_and_save_nothing(self, staff: Client) -> None:
        plan = make.plan()
        response = staff.post(
            reverse("staff:plan", args=[plan.pk]), self.fields(plan, currency="pesos", monthly_limit=-1)
        )
        assert response.status_code == 422
        assert not Act.objects.exists()

    def test_what_is_no_longer_offered_stays_with_who_has_it(self, staff: Client) -> None:
        member, plan = make.business(), make.plan()
        staff.post(reverse("staff:plan", args=[plan.pk]), {**self.fields(plan), "is_public": ""})
        assert not Plan.objects.get(pk=plan.pk).is_public
        assert changes.plan(member.account) == plan


class TestHealth:
    def test_without_a_worker_it_says_what_to_do(self, staff: Client) -> None:
        html = staff.get(reverse("staff:health")).content.decode()
        assert "pregon worker" in html and "Algo pide atención." in html

    def test_readings_are_those_of_the_database(self) -> None:
        Arrival.objects.create(body=b"{}")
        Arrival.objects.create(body=b"x", error="not JSON", processed_at=timezone.now())
        make.batch(make.business().account, queued=7, unconfirmed=2)
        found = health.read()
        assert (found.arrivals, found.unreadable, found.queued, found.doubts, found.workers) == (1, 1, 7, 2, 0)
        assert found.reading and not found.working
        Arrival.objects.update(received_at=timezone.now() - timedelta(minutes=5))
        assert not health.read().reading

    def test_a_beating_heart_is_seen(self, staff: Client) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_workers")  # of workers that other tests killed
            cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
        assert ProcrastinateWorker.objects.count() == 1
        assert "Todo corre." in staff.get(reverse("staff:health")).content.decode()
