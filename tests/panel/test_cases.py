"""*Reportar un problema*: the form for everybody, the cases for those they belong to."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from pregon.accounts import clients
from pregon.accounts.models import Account, Member, Role, User
from pregon.support import cases, keys
from pregon.support.models import Case
from tests import make
from tests.support import letters

pytestmark = pytest.mark.django_db
NEW = "/reportar/"
GIVEN = {"module": "contacts", "email": "ana@example.com", "detail": "No reconoce mi Excel", "mobile": "", "link": ""}


def value(html: str, name: str) -> str:
    """What a field of the form holds."""
    tag = re.search(rf'<(?:input|textarea)[^>]*name="{name}"[^>]*>([^<]*)', html)
    assert tag
    found = re.search(r'value="([^"]*)"', tag[0])
    return found[1] if found else tag[1].strip()


def chosen(html: str) -> str:
    found = re.search(r'<option value="(\w*)" selected', html)
    return found[1] if found else ""


def opened(account: Account, user: User | None = None) -> Case:
    return cases.open_case(cases.Report("contacts", "lucia@example.com", "No abre"), cases.Sender(user, account))


class TestForm:
    def test_signed_out_people_report_and_follow_their_case(
        self, client: Client, mailoutbox: list[EmailMessage]
    ) -> None:
        html = client.get(NEW).content.decode()
        assert "Crear caso" in html
        response = client.post(NEW, GIVEN, follow=True)
        case = Case.objects.get()
        assert (case.account, case.created_by, case.module) == (None, None, "contacts")
        shown = response.content.decode()
        assert f"Creamos tu caso {case.pk}" in shown and "ana@example.com" in shown
        letters.write()
        link = re.search(r"/casos/ver/\S+", mailoutbox[0].body)
        assert link and "No reconoce mi Excel" in Client().get(link[0]).content.decode()
        Client().post(link[0], {"body": "También en el celular."})
        assert case.replies.get().body == "También en el celular."

    def test_a_member_lands_on_the_case_of_their_business(self) -> None:
        member = make.member(make.account())
        response = make.signed_in(member).post(NEW, GIVEN)
        case = Case.objects.get()
        assert response["Location"] == reverse("panel:case", args=[case.pk])
        assert (case.account, case.created_by) == (member.account, member.user)

    def test_it_is_filled_from_where_the_person_stands(self) -> None:
        member = make.business()
        member.mobile = "+522225550142"
        member.save()
        sending = make.broadcast(member.account, make.promotion(member.account, "Buen Fin"))
        client = make.signed_in(member)
        html = client.get(f"{NEW}?broadcast={sending.pk}&code=131049&trace=A8f3&module=whatsapp").content.decode()
        assert "Envío «Buen Fin»" in html and "Código de Meta 131049" in html and "A8f3" in html
        assert "Meta pidió esperar" in html
        assert (value(html, "email"), value(html, "mobile")) == (member.user.email, member.mobile)
        assert chosen(html) == "broadcasts"
        client.post(NEW, GIVEN | {"broadcast": sending.pk, "code": 131049, "trace": "A8f3"})
        assert Case.objects.get().context == {"broadcast": sending.pk, "code": 131049, "trace": "A8f3"}

    def test_the_page_one_came_from_says_link_and_module(self) -> None:
        client = make.signed_in(make.business())
        html = client.get(NEW, headers={"Referer": "http://testserver/contactos/?q=ana"}).content.decode()
        assert value(html, "link") == "http://testserver/contactos/?q=ana"
        assert chosen(html) == "contacts"
        html = client.get(NEW, headers={"Referer": "http://elsewhere.example/contactos/"}).content.decode()
        assert value(html, "link") == ""

    @pytest.mark.parametrize("broken", ["x", "-1", "9" * 30, "1.5", "٣"])
    def test_a_broken_address_opens_the_form_all_the_same(self, broken: str) -> None:
        client = make.signed_in(make.business())
        assert (
            client.get(NEW, {"broadcast": broken, "code": broken, "trace": "x" * 900, "link": "y" * 900}).status_code
            == 200
        )

    def test_a_sending_of_another_business_is_not_named(self) -> None:
        other = make.business()
        sending = make.broadcast(other.account, make.promotion(other.account, "Secreto"))
        client = make.signed_in(make.business())
        assert "Secreto" not in client.get(f"{NEW}?broadcast={sending.pk}").content.decode()
        client.post(NEW, GIVEN | {"broadcast": sending.pk})
        assert Case.objects.get().context == {}

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"email": "ana@"}, "p-err"),
            ({"detail": "  "}, "p-err"),
            ({"module": "nada"}, "p-err"),
            ({"mobile": "555"}, "A este celular le faltan dígitos."),
            ({"website": "http://spam.example"}, "Este campo va vacío"),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_stays(
        self, client: Client, change: dict[str, str], words: str
    ) -> None:
        response = client.post(NEW, GIVEN | {"link": "mi enlace"} | change)
        html = response.content.decode()
        assert response.status_code == 422
        assert words in html and "mi enlace" in html
        assert not Case.objects.exists()

    def test_a_flood_is_told_what_to_do(self, client: Client) -> None:
        for _ in range(cases.STRANGERS):
            client.post(NEW, GIVEN)
        response = client.post(NEW, GIVEN)
        assert response.status_code == 422
        assert "espera un poco" in response.content.decode()
        assert Case.objects.count() == cases.STRANGERS

    def test_files_come_along_and_bad_ones_are_refused(self, client: Client) -> None:
        bad = SimpleUploadedFile("virus.exe", b"MZ")
        response = client.post(NEW, GIVEN | {"attached": bad})
        assert "«virus.exe» no se puede adjuntar" in response.content.decode()
        two = [SimpleUploadedFile("a.txt", b"uno"), SimpleUploadedFile("b.csv", b"a,b")]
        client.post(NEW, GIVEN | {"attached": two})
        assert [file.name for file in Case.objects.get().attachments.order_by("id")] == ["a.txt", "b.csv"]

    def test_behind_a_proxy_of_ours_its_word_counts_elsewhere_nobodys(self, settings: Settings) -> None:
        request = Client().get(NEW, headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}).wsgi_request
        assert clients.address(request) == "127.0.0.1"
        settings.SECURE = True
        assert clients.address(request) == "203.0.113.9"


class TestThread:
    @pytest.fixture
    def member(self) -> Member:
        return make.business()

    def test_owner_and_teammate_see_it_a_stranger_does_not(self, member: Member, client: Client) -> None:
        case = opened(member.account, member.user)
        url = reverse("panel:case", args=[case.pk])
        assert make.signed_in(member).get(url).status_code == 200
        assert make.signed_in(make.member(member.account, Role.VIEWER)).get(url).status_code == 200
        stranger = make.signed_in(make.member(make.account()))
        assert stranger.get(url).status_code == 404
        assert stranger.post(url, {"body": "hola"}).status_code == 404
        assert stranger.post(reverse("panel:case_close", args=[case.pk])).status_code == 404
        assert client.get(url).status_code == 302
        assert "No abre" not in stranger.get(reverse("panel:cases")).content.decode()

    def test_the_providers_answer_appears_and_is_escaped(self, member: Member) -> None:
        case = opened(member.account, member.user)
        cases.answer(case, "Prueba <b>otra vez</b>", author=make.user(name="Ana Núñez", is_staff=True))
        html = make.signed_in(member).get(reverse("panel:case", args=[case.pk])).content.decode()
        assert "Ana Núñez" in html and "Respondido" in html
        assert "Prueba &lt;b&gt;otra vez&lt;/b&gt;" in html and "<b>otra vez</b>" not in html

    def test_one_writes_closes_and_opens_again(self, member: Member) -> None:
        case, client = opened(member.account, member.user), make.signed_in(member)
        url = reverse("panel:case", args=[case.pk])
        assert client.post(url, {"body": "Sigue igual."}).status_code == 302
        client.post(reverse("panel:case_close", args=[case.pk]))
        assert "Enviar y abrir otra vez" in client.get(url).content.decode()
        client.post(url, {"body": "Volvió."})
        assert Case.objects.get().status == Case.Status.OPEN
        assert client.post(url, {"body": " "}).status_code == 422

    def test_files_are_saved_never_shown_and_only_for_those_who_may(self, member: Member) -> None:
        case, client = opened(member.account, member.user), make.signed_in(member)
        url = reverse("panel:case", args=[case.pk])
        client.post(url, {"body": "Va.", "attached": SimpleUploadedFile("año.txt", b"<script>")})
        file = case.attachments.get()
        address = reverse("panel:case_file", args=[case.pk, file.pk])
        assert address in client.get(url).content.decode()
        response = client.get(address)
        assert b"".join(response.streaming_content) == b"<script>"  # type: ignore[attr-defined]
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"].startswith("attachment")
        assert response["X-Content-Type-Options"] == "nosniff"
        stranger = make.member(make.account())
        assert make.signed_in(stranger).get(address).status_code == 404
        own = opened(stranger.account)
        assert make.signed_in(stranger).get(reverse("panel:case_file", args=[own.pk, file.pk])).status_code == 404

    def test_the_signed_address_opens_one_case_and_its_files(self, client: Client) -> None:
        client.post(NEW, GIVEN | {"attached": SimpleUploadedFile("a.txt", b"uno")})
        case = Case.objects.get()
        key, file = keys.write(case), case.attachments.get()
        response = client.get(reverse("panel:case_link_file", args=[key, file.pk]))
        assert b"".join(response.streaming_content) == b"uno"  # type: ignore[attr-defined]
        assert client.get(reverse("panel:case_link", args=[key + "x"])).status_code == 404
        other = opened(make.account())
        assert client.get(reverse("panel:case_link_file", args=[keys.write(other), file.pk])).status_code == 404

    def test_the_list_adds_up_and_filters(
        self, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(4):
            opened(member.account, member.user)
        cases.close(Case.objects.order_by("id").first())  # type: ignore[arg-type]
        client = make.signed_in(member)
        html = client.get(reverse("panel:cases"), {"estado": "closed"}).content.decode()
        assert html.count('<td class="full">') == 1
        assert re.search(r'href="/reportar/" aria-current="page"', html)
        assert client.get(reverse("panel:cases"), {"estado": "x", "antes": "9" * 40}).status_code == 200
        with django_assert_max_num_queries(9):
            client.get(reverse("panel:cases"))
        with django_assert_max_num_queries(10):
            client.get(reverse("panel:case", args=[Case.objects.first().pk]))  # type: ignore[union-attr]
