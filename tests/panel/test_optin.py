"""The pages where strangers join and leave, and the one where their business looks after them."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from pregon.accounts.models import Account, Member, Role
from pregon.contacts import consent, optin, people
from pregon.contacts.models import Consent, ConsentEntry, Contact, OptinPage, OptinRequest, Refusal, Source
from pregon.staff.models import Act, What
from tests import make

pytestmark = pytest.mark.django_db
MOBILE, TYPED = "+522225550177", "222 555 0177"
OFFER = optin.Offer(title="Entérate primero", text="Quiero las promociones de La Espiga.")


@pytest.fixture
def page() -> OptinPage:
    account = make.account()
    make.number(account)
    return optin.publish(account, OFFER, make.user())


def join(page: OptinPage) -> str:
    return reverse("panel:optin", args=[page.slug])


def leave(page: OptinPage) -> str:
    return reverse("panel:optout", args=[page.slug])


def given(page: OptinPage, **changes: str) -> dict[str, str]:
    filled = {"mobile": TYPED, "name": "Ana", "accepted": "on", "version": str(optin.latest(page).version)}
    return {name: value for name, value in (filled | changes).items() if value}


class TestJoining:
    def test_it_says_who_asks_what_for_and_how_one_leaves(
        self, page: OptinPage, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(3):  # the page with its business, its words, its number
            html = client.get(join(page)).content.decode()
        assert all(words in html for words in (page.account.name, OFFER.title, OFFER.text, optin.privacy(page.account)))
        assert leave(page) in html and "csrfmiddlewaretoken" in html

    def test_a_form_leads_to_the_persons_own_whatsapp(self, page: OptinPage, client: Client) -> None:
        response = client.post(join(page), given(page), REMOTE_ADDR="203.0.113.9", follow=True)
        asked = OptinRequest.objects.get()
        assert (asked.mobile, asked.name, asked.ip, asked.confirmed_at) == (MOBILE, "Ana", "203.0.113.9", None)
        html = response.content.decode()
        link = re.search(r'href="(https://wa\.me/[^"]+)"', html)
        assert link and unquote(link[1]) == f"https://wa.me/522225550142?text=ALTA {asked.code}"
        assert "hx-trigger" in html and MOBILE not in html and TYPED not in html
        assert not Contact.objects.exists() and not ConsentEntry.objects.exists()  # nobody knows yet whose number it is

    def test_the_page_tells_once_it_is_done(self, page: OptinPage, client: Client) -> None:
        asked = optin.ask(page, MOBILE)
        address = reverse("panel:optin_thanks", args=[page.slug, asked.code])
        assert "Falta un paso" in client.get(address).content.decode()
        part = client.get(address, headers={"HX-Request": "true"})
        assert "hx-get" in part.content.decode() and "<html" not in part.content.decode()
        OptinRequest.objects.update(confirmed_at=asked.created_at)
        assert client.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
        html = client.get(address).content.decode()
        assert "Ya estás en la lista" in html and "hx-get" not in html

    def test_a_code_that_is_over_leads_back_to_the_form(self, page: OptinPage, client: Client) -> None:
        asked = optin.ask(page, MOBILE)
        OptinRequest.objects.update(created_at=asked.created_at - optin.KEPT - timedelta(minutes=1))
        html = client.get(reverse("panel:optin_thanks", args=[page.slug, asked.code])).content.decode()
        assert "ya venció" in html and join(page) in html and "wa.me" not in html

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"accepted": ""}, "Marca la casilla"),
            ({"mobile": ""}, "Este campo es obligatorio"),
            ({"mobile": "222 555"}, "Faltan 4 dígitos"),
            ({"mobile": "'; DROP TABLE contacts_contact; --"}, "."),
            ({"mobile": "222\0555 0142"}, "."),
            ({"name": "a" * 121}, "120"),
            ({"url": "https://spam.example"}, "No pudimos leer"),
            ({"version": "0"}, "El texto cambió"),
            ({"version": "x"}, "El texto cambió"),
            ({"version": ""}, "El texto cambió"),
        ],
    )
    def test_what_is_refused_is_told_and_nothing_kept(
        self, page: OptinPage, client: Client, changes: dict[str, str], words: str
    ) -> None:
        response = client.post(join(page), given(page, **changes))
        assert response.status_code == 422 and words in response.content.decode()
        assert not OptinRequest.objects.exists()

    def test_words_that_changed_meanwhile_are_read_again(self, page: OptinPage, client: Client) -> None:
        old = given(page)
        optin.publish(page.account, optin.Offer(title="Otro", text="Otra cosa."), make.user())
        response = client.post(join(page), old)
        html = response.content.decode()
        assert response.status_code == 422 and "Otra cosa." in html and "checked" not in html
        assert 'name="version" value="2"' in html and TYPED in html  # what was typed stays
        assert client.post(join(page), given(page)).status_code == 302

    def test_known_and_unknown_numbers_get_the_same_answer(self, page: OptinPage) -> None:
        make.contact(page.account, mobile=MOBILE)
        consent.withdraw_number(page.account, "+522225550143", source=Source.REPLY, happened_at=page.created_at)
        answers = set()
        for typed in (TYPED, "222 555 0143", "222 555 0144"):
            html = Client().post(join(page), given(page, mobile=typed), follow=True).content.decode()
            answers.add(re.sub(rf"{OptinRequest.objects.latest('id').code}|csrf\w+|\"[\w-]{{64}}\"", "", html))
            leaving = Client().post(leave(page), {"mobile": typed}, follow=True)
            answers.add(leaving.status_code)
        assert len(answers) == 2, answers

    def test_many_forms_are_stopped_in_words_that_tell_nothing(self, page: OptinPage, client: Client) -> None:
        for _ in range(optin.PER_NUMBER):
            assert client.post(join(page), given(page)).status_code == 302
        response = client.post(join(page), given(page))
        assert response.status_code == 422 and "muchas solicitudes" in response.content.decode()
        assert OptinRequest.objects.count() == optin.PER_NUMBER

    def test_a_form_of_another_site_is_refused(self, page: OptinPage) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(join(page), given(page)).status_code == 403
        assert strict.post(leave(page), {"mobile": TYPED}).status_code == 403

    def test_closed_it_takes_nobody_and_people_may_still_leave(self, page: OptinPage, client: Client) -> None:
        OptinPage.objects.update(enabled=False)
        html = client.post(join(page), given(page)).content.decode()
        assert "Por ahora no se puede" in html and not OptinRequest.objects.exists()
        assert client.post(leave(page), {"mobile": TYPED}).status_code == 302
        assert Refusal.objects.exists()


class TestWithoutANumber:
    @pytest.fixture
    def page(self) -> OptinPage:
        return optin.publish(make.account(), OFFER, make.user())

    def test_nobody_can_prove_anything(self, page: OptinPage, client: Client) -> None:
        assert "Por ahora no se puede" in client.post(join(page), given(page)).content.decode()
        assert not OptinRequest.objects.exists()

    def test_a_form_alone_counts_where_the_business_says_so(self, page: OptinPage, client: Client) -> None:
        OptinPage.objects.update(takes_unconfirmed=True)
        html = client.post(join(page), given(page), follow=True).content.decode()
        assert "ya puede escribirte" in html
        entry = Contact.objects.get(mobile=MOBILE, consent=Consent.GRANTED).consent_entries.get()
        assert entry.evidence["confirmed"] is False

    def test_the_practice_number_serves_while_practising(self, page: OptinPage, client: Client) -> None:
        make.number(page.account, practice=True)
        assert "Por ahora" in client.get(join(page)).content.decode()
        Account.objects.update(practice=True)
        assert "modo práctica" in client.get(join(page)).content.decode()


class TestLeaving:
    def test_a_number_leaves_at_once(self, page: OptinPage, client: Client) -> None:
        ana = make.contact(page.account, mobile=MOBILE)
        html = client.post(leave(page), {"mobile": TYPED}, follow=True).content.decode()
        ana.refresh_from_db()
        assert ana.consent == Consent.WITHDRAWN and "ya no te manda promociones" in html

    def test_a_link_that_is_only_looked_at_takes_nobody_off(self, page: OptinPage, client: Client) -> None:
        ana = make.contact(page.account, mobile=MOBILE)
        address = optin.leave_url(ana.pk).removeprefix("http://127.0.0.1:8000")
        assert address == reverse("panel:optout_link", args=[optin.leave_key(ana.pk)])
        assert page.account.name in client.get(address).content.decode()
        ana.refresh_from_db()
        assert ana.consent == Consent.GRANTED
        html = client.post(address, REMOTE_ADDR="203.0.113.9", follow=True).content.decode()
        entry = ana.consent_entries.get()
        assert (entry.act, entry.ip, entry.actor) == (Consent.WITHDRAWN, "203.0.113.9", None)
        assert "Ya no estás en la lista" in html

    @pytest.mark.parametrize("key", ["1-0", "x", "%00", "1-" + "0" * 24, "-" * 300])
    def test_a_link_that_we_did_not_write_leads_nowhere(self, client: Client, key: str) -> None:
        assert client.get(f"/baja/c/{key}/").status_code == 404

    def test_the_link_of_somebody_deleted_says_how_to_leave(self, page: OptinPage, client: Client) -> None:
        ana = make.contact(page.account, mobile=MOBILE)
        address = reverse("panel:optout_link", args=[optin.leave_key(ana.pk)])
        people.delete(page.account, [ana.pk], actor=make.user())
        answer = client.get(address)
        assert answer.status_code == client.post(address).status_code == 404
        assert "responde BAJA" in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    ["/alta/nadie/", "/baja/nadie/", "/alta/nadie/qr.svg", "/alta/%00/", "/alta/../", "/alta/" + "a" * 300 + "/",
     "/alta/nadie/AAAAAAAA/", "/alta/nadie/%00/"],
)  # fmt: skip
def test_addresses_that_nobody_published(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_a_code_belongs_to_its_page(page: OptinPage, client: Client) -> None:
    other = optin.publish(make.account("Otra"), OFFER, make.user())
    asked = optin.ask(other, MOBILE)
    assert client.get(reverse("panel:optin_thanks", args=[page.slug, asked.code])).status_code == 404
    assert client.get(reverse("panel:optin_thanks_qr", args=[page.slug, asked.code])).status_code == 404


def test_the_picture_is_the_address_as_the_world_knows_it(page: OptinPage, client: Client, settings: Settings) -> None:
    first = client.get(reverse("panel:optin_qr", args=[page.slug]))
    assert first["Content-Type"] == "image/svg+xml" and b"<svg" in first.content
    settings.PUBLIC_URL = "https://otra.example"
    assert client.get(reverse("panel:optin_qr", args=[page.slug])).content != first.content


class TestSettings:
    @pytest.fixture
    def owner(self) -> Member:
        return make.business()

    def offer(self, **changes: str) -> dict[str, str]:
        return {"title": OFFER.title, "text": OFFER.text, "asks_name": "on", "enabled": "on"} | changes

    def test_it_proposes_words_and_publishes_them(self, owner: Member, client: Client) -> None:
        browser, address = make.signed_in(owner), reverse("panel:settings_optin")
        assert "Entérate primero" in browser.get(address).content.decode()
        html = browser.post(address, self.offer(keyword="espiga"), follow=True).content.decode()
        page = OptinPage.objects.get(account=owner.account)
        assert (page.keyword, optin.latest(page).text, optin.latest(page).created_by) == (
            "ESPIGA",
            OFFER.text,
            owner.user,
        )
        assert "http://127.0.0.1:8000" + join(page) in html and "text=ESPIGA" in html
        assert OFFER.title in client.get(join(page)).content.decode()
        assert OFFER.title in browser.get(reverse("panel:settings_optin_poster")).content.decode()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"keyword": "baja"}, "pide su baja"),
            ({"keyword": "hola"}, "por muchos motivos"),
            ({"keyword": "dos palabras"}, "Una sola palabra"),
            ({"privacy_url": "javascript:alert(1)"}, "URL"),
            ({"text": ""}, "obligatorio"),
            ({"text": "a" * 601}, "600"),
        ],
    )
    def test_what_is_refused_is_told(self, owner: Member, changes: dict[str, str], words: str) -> None:
        response = make.signed_in(owner).post(reverse("panel:settings_optin"), self.offer(**changes))
        assert response.status_code == 422 and words in response.content.decode()
        assert not OptinPage.objects.exists()

    @pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
    def test_who_may_not_approve_may_not_publish(self, owner: Member, role: Role) -> None:
        browser = make.signed_in(make.member(owner.account, role))
        assert browser.get(reverse("panel:settings_optin")).status_code == 403
        assert browser.get(reverse("panel:settings_optin_poster")).status_code == 404  # no page yet

    def test_queries(self, owner: Member, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        optin.publish(owner.account, OFFER, owner.user)
        browser = make.signed_in(owner)
        with django_assert_max_num_queries(10):
            browser.get(reverse("panel:settings_optin"))


class TestStaff:
    @pytest.fixture
    def browser(self) -> Client:
        client = Client()
        client.force_login(make.user(is_staff=True), backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def note(self, browser: Client, account: Account, act: str, mobile: str = TYPED) -> str:
        said = {"mobile": mobile, "act": act, "why": "Llamó a Soporte el martes."}
        address = reverse("staff:business_consent", args=[account.pk])
        return browser.post(address, said, REMOTE_ADDR="203.0.113.9", follow=True).content.decode()

    def test_a_no_is_noted_with_its_reason(self, browser: Client) -> None:
        ana = make.contact(make.account(), mobile=MOBILE)
        assert "Quedó anotado" in self.note(browser, ana.account, "withdrawn")
        ana.refresh_from_db()
        entry = ana.consent_entries.get()
        assert (ana.consent, entry.source, entry.text) == (
            Consent.WITHDRAWN,
            Source.STAFF,
            "Llamó a Soporte el martes.",
        )
        assert entry.ip == "203.0.113.9" and entry.actor is not None and entry.actor.is_staff
        assert Act.objects.get().what == What.CONSENT_NOTED and "0177" not in Act.objects.get().detail

    def test_a_yes_is_noted_of_contacts_alone(self, browser: Client) -> None:
        ana = make.contact(make.account(), mobile=MOBILE, consent=Consent.UNKNOWN)
        assert "no está en sus contactos" in self.note(browser, make.account("Otra"), "granted")
        self.note(browser, ana.account, "granted")
        ana.refresh_from_db()
        assert ana.consent == Consent.GRANTED and ConsentEntry.objects.count() == 1

    def test_it_brings_nobody_back(self, browser: Client) -> None:
        ana = make.contact(make.account(), mobile=MOBILE)
        consent.record(ana, Consent.WITHDRAWN, source=Source.REPLY, happened_at=ana.created_at)
        assert "Pidió su baja" in self.note(browser, ana.account, "granted")
        consent.record(ana, Consent.GRANTED, source=Source.STAFF, happened_at=ana.created_at + timedelta(days=1))
        assert ana.consent == Consent.WITHDRAWN

    def test_a_bad_number_is_told(self, browser: Client) -> None:
        assert "Faltan 4 dígitos" in self.note(browser, make.account(), "withdrawn", "222 555")
        assert not ConsentEntry.objects.exists() and not Act.objects.exists()
