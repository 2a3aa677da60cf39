"""A person's page: one history of all that happened with them, a page at a time; people without a number."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Member
from pregon.contacts import consent, fields, identities, imports, people, tally
from pregon.contacts.field_values import Reading
from pregon.contacts.models import Consent, Contact, Source
from pregon.panel.views import contacts_timeline
from pregon.promotions import launch
from pregon.sending.models import Delivery, Message, Omission, Reply, Status
from tests import make
from tests.contacts.test_export import content
from tests.contacts.test_imports import begin, save, some

NOON = datetime(2026, 3, 4, 18, tzinfo=UTC)  # noon in Mexico
HOUR = timedelta(hours=1)
QUERIES = 15  # of the whole page
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner() -> Member:
    return make.business()


@pytest.fixture
def browser(owner: Member) -> Client:
    return make.signed_in(owner)


@pytest.fixture
def rosa(owner: Member) -> Contact:
    return people.add(owner.account, people.Details("Rosa", "222 555 0184", tags=["VIP"]), actor=owner.user)


def url(name: str, *args: object) -> str:
    return reverse(f"panel:{name}", args=args)


def answers(person: Contact, text: str, at: datetime, **fields: Any) -> Reply:
    return Reply.objects.create(
        wamid=f"wamid.{next(make.serial)}", account=person.account, contact=person, text=text, received_at=at, **fields
    )


def titles(page: Any) -> list[str]:
    """What the history says, from above."""
    return re.findall(r'<li class="p-row .*?<b>(.*?)</b>', page.text, re.DOTALL)


@pytest.fixture
def lived(owner: Member, rosa: Contact) -> Contact:
    """Something of every kind."""
    make.contact(owner.account)  # who gets what Rosa does not
    sent = make.broadcast(owner.account, approved_by=owner.user)
    launch.launch(sent, owner.user)
    first = Message.objects.get(contact=rosa)
    Message.objects.filter(pk=first.pk).update(created_at=NOON + HOUR)
    make.message(
        make.batch(owner.account), rosa, created_at=NOON + 3 * HOUR, delivery=Delivery.READ,
        delivered_at=NOON + 4 * HOUR, read_at=NOON + 30 * HOUR,
    )  # fmt: skip
    make.message(make.batch(owner.account), rosa, created_at=NOON + 2 * HOUR, status=Status.FAILED, error_code=131026)
    Contact.objects.filter(pk=rosa.pk).update(created_at=NOON)
    rosa.changes.update(at=NOON)
    consent.record(
        rosa, Consent.GRANTED, source=Source.PANEL, happened_at=NOON + 5 * HOUR, actor=owner.user, text="Firmó la hoja",
        evidence={"statement": "store"},
    )  # fmt: skip
    answers(rosa, "¿A qué hora abren?", NOON + 6 * HOUR, message=first, batch=first.batch)
    said = answers(rosa, "Baja", NOON + 7 * HOUR, opted_out=True)
    evidence = {"wamid": said.wamid}
    consent.record(
        rosa, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON + 7 * HOUR, text="Baja", evidence=evidence
    )
    people.edit(rosa, people.Details("Rosa Elena", "222 555 0184", tags=["Centro"]), actor=owner.user)
    return rosa


def test_all_in_the_order_of_time(lived: Contact, browser: Client, owner: Member) -> None:
    page = browser.get(url("contact", lived.pk))
    assert titles(page) == [
        f"{owner.user} cambió sus datos",
        "Respondió Baja",
        "Respondió a «Charolas para tu posada»",
        "Se apuntó en la tienda",
        "Mensaje suelto",
        "Mensaje suelto",
        "Charolas para tu posada",
        f"Lo agregó {owner.user}",
    ]
    for words in (
        "Nombre: Rosa → Rosa Elena",
        "Etiquetas nuevas: Centro",
        "Etiquetas quitadas: VIP",
        "«¿A qué hora abren?»",
        "«Firmó la hoja»",
        f"Lo anotó {owner.user}",
        "Enviado · Entregado 16:00 · Leído 5 mar, 18:00",
        "Este celular no tiene WhatsApp",
        "Omitido: Sin permiso",
    ):
        assert words in page.text, words


def test_own_fields_change_in_words(owner: Member, rosa: Contact, browser: Client) -> None:
    fields.ensure(owner.account, {"cumple": Reading("date")}, {"cumple": "Su día"})
    for day in ("2026-11-20", "2026-12-01"):
        given = people.Details(rosa.name, rosa.mobile or "", fields={"cumple": day, "vieja": day})
        people.edit(rosa, given, actor=owner.user)
    owner.account.own_fields.filter(name="vieja").delete()
    page = browser.get(url("contact", rosa.pk)).text
    assert "Su día: 20 de noviembre de 2026 → 1 de diciembre de 2026" in page
    assert "Vieja: 2026-11-20 → 2026-12-01" in page


@pytest.mark.parametrize(("shown", "kinds"), [("mensajes", 5), ("permiso", 2), ("cambios", 2), ("", 8), ("nada", 8)])
def test_parts_of_it(lived: Contact, browser: Client, shown: str, kinds: int) -> None:
    """Among messages an answer that withdrew is an answer; in the whole history its act of consent stands for it."""
    page = browser.get(url("contact", lived.pk), {"ver": shown})
    assert len(titles(page)) == kinds


def test_pages_miss_nothing_and_repeat_nothing(owner: Member, browser: Client, rosa: Contact) -> None:
    batch = make.batch(owner.account)
    for n in range(40):
        make.message(batch, rosa, created_at=NOON + (n // 10) * HOUR)
        answers(rosa, f"respuesta {n}", NOON + (n // 10) * HOUR)
    seen: list[tuple[str, int]] = []
    after, pages = None, 0
    while True:
        here = contacts_timeline._places(rosa, frozenset(contacts_timeline.Kind), after)
        seen += [(place.kind, place.pk) for place in here[: contacts_timeline.PAGE]]
        pages += 1
        if len(here) <= contacts_timeline.PAGE:
            break
        after = contacts_timeline.read_place(str(here[contacts_timeline.PAGE - 1]))
        assert after == here[contacts_timeline.PAGE - 1]
    assert pages == 3
    assert len(seen) == len(set(seen)) == 81


def test_more_of_it_comes_alone(owner: Member, browser: Client, rosa: Contact) -> None:
    for n in range(40):
        answers(rosa, f"respuesta {n}", NOON + n * HOUR)
    first = browser.get(url("contact", rosa.pk))
    assert len(titles(first)) == 30
    more = re.search(r'href="(\?[^"]*tras=[^"]+)"', first.text)
    assert more
    address = url("contact", rosa.pk) + more[1].replace("&amp;", "&")
    part = browser.get(address, headers={"HX-Request": "true"})
    assert len(titles(part)) == 11
    assert "<html" not in part.text and "<section" not in part.text and "Ver más" not in part.text
    assert len(titles(browser.get(address))) == 11  # the whole page, without a script


@pytest.mark.parametrize("after", ["x", "~~", "2026-03-04~r~1", "2026-99-04T00:00:00Z~r~1", "2026-03-04T00:00:00Z~z~1",
                                   "2026-03-04T00:00:00Z~r~²", "\0"])  # fmt: skip
def test_an_odd_place_is_the_beginning(browser: Client, rosa: Contact, after: str) -> None:
    assert len(titles(browser.get(url("contact", rosa.pk), {"tras": after}))) == 1


def test_queries_are_always_as_many(
    lived: Contact, owner: Member, browser: Client, django_assert_num_queries: Any
) -> None:
    browser.get(url("contact", lived.pk))
    with django_assert_num_queries(QUERIES):
        browser.get(url("contact", lived.pk))
    for n in range(10):
        answers(lived, f"respuesta {n}", NOON + n * HOUR)
        make.message(make.batch(owner.account), lived)
        consent.record(lived, Consent.GRANTED, source=Source.PANEL, happened_at=NOON, actor=make.user())
        people.edit(lived, people.Details(f"Rosa {n}", "222 555 0184"), actor=make.user())
    with django_assert_num_queries(QUERIES):
        browser.get(url("contact", lived.pk))


def test_files_tell_what_they_brought_and_changed(owner: Member, browser: Client, rosa: Contact) -> None:
    import_ = begin(
        owner.account, "Nombre;Celular\nRosa Luz;2225550184\nIván;2225550185\n", "lista.csv", statement="store"
    )
    save(import_)
    page = browser.get(url("contact", rosa.pk))
    assert titles(page)[:2] == ["Se apuntó en la tienda", "El archivo lista.csv cambió sus datos"]
    assert "lista.csv, fila 2" in page.text
    imports.undo(import_, owner.user)
    imports.finish(import_)
    page = browser.get(url("contact", rosa.pk))
    assert titles(page)[0] == "Se deshizo la importación de lista.csv"
    assert "La importación se deshizo: este permiso ya no cuenta." in page.text


def test_whom_a_file_brought(owner: Member, browser: Client) -> None:
    save(begin(owner.account, "Nombre;Celular\nIván;2225550185\n", "lista.csv", statement="none"))
    page = browser.get(url("contact", owner.account.contacts.get().pk))
    assert titles(page) == ["Llegó en un archivo"]
    assert "lista.csv" in page.text


class TestNumber:
    """What the number itself tells, hedged."""

    @pytest.mark.parametrize(
        ("mobile", "told", "not_told"),
        [
            ("+51987654321", ["Perú", "Parece móvil", "Claro", "Pudo cambiarse a otra."], ["Parece fijo"]),
            ("+5117654321", ["Perú", "Parece fijo"], ["Compañía de origen"]),
            ("+522225550142", ["México"], ["Línea", "Compañía de origen"]),
        ],
    )
    def test_it(self, owner: Member, browser: Client, mobile: str, told: list[str], not_told: list[str]) -> None:
        page = browser.get(url("contact", make.contact(owner.account, mobile=mobile).pk)).text
        assert all(words in page for words in told)
        assert not any(words in page for words in not_told)


class TestWithoutNumber:
    """People whom Meta alone can name."""

    @pytest.fixture
    def nora(self, owner: Member) -> Contact:
        return identities.add(owner.account, "MX.1349120", "Nora Oculta")

    def test_the_list_and_the_page(self, browser: Client, nora: Contact) -> None:
        assert "Sin número · por WhatsApp" in browser.get(url("contacts")).text
        page = browser.get(url("contact", nora.pk))
        assert "Oculta su número en WhatsApp." in page.text
        assert titles(page) == ["Llegó por WhatsApp, sin mostrar su número"]

    def test_what_whatsapp_tells_later(self, owner: Member, browser: Client, nora: Contact) -> None:
        now = timezone.now()
        identities.learn_number(owner.account_id, nora.pk, "+522225550190", now)
        identities.learn_user_id(owner.account_id, nora.pk, "MX.2", now + HOUR)
        identities.move(owner.account_id, nora.pk, "+522225550191", "", now + 2 * HOUR)
        page = browser.get(url("contact", nora.pk))
        assert titles(page) == [
            "Cambió de número en WhatsApp",
            "WhatsApp confirmó quién es",
            "Mostró su número en WhatsApp",
            "Llegó por WhatsApp, sin mostrar su número",
        ]
        assert "Celular: +52 222 555 0190 → +52 222 555 0191" in page.text
        assert "Reconocemos sus mensajes" not in page.text  # as before

    def test_they_are_not_to_be_fixed(self, owner: Member, browser: Client, nora: Contact) -> None:
        assert tally.of(owner.account).to_fix == 0
        assert "Nora" not in browser.get(url("contacts"), {"permiso": "corregir"}).text

    def test_edited_without_a_number(self, browser: Client, nora: Contact) -> None:
        page = browser.post(url("contact_edit", nora.pk), {"name": "Nora Luna", "mobile": ""}, follow=True)
        assert "Guardamos los cambios de Nora Luna" in page.text
        nora.refresh_from_db()
        assert (nora.mobile, nora.meta_user_id) == (None, "MX.1349120")

    def test_a_number_once_known_is_not_taken_away(self, browser: Client, rosa: Contact) -> None:
        Contact.objects.update(meta_user_id="MX.2")
        page = browser.post(url("contact_edit", rosa.pk), {"name": "Rosa", "mobile": ""})
        assert page.status_code == 200
        rosa.refresh_from_db()
        assert rosa.mobile == "+522225550184"

    @pytest.mark.parametrize(("said", "after"), [("granted", "unknown"), ("withdrawn", "withdrawn")])
    def test_a_typed_number_takes_along_a_no_alone(self, browser: Client, nora: Contact, said: str, after: str) -> None:
        consent.record(nora, Consent(said), source=Source.REPLY, happened_at=NOON)
        browser.post(url("contact_edit", nora.pk), {"name": "Nora", "mobile": "222 555 0190"})
        nora.refresh_from_db()
        assert (nora.mobile, nora.consent) == ("+522225550190", after)

    def test_permission_and_its_end_by_hand(self, browser: Client, nora: Contact) -> None:
        data = {"statement": "store", "day": "2026-03-04", "text": "Firmó la hoja"}
        assert "Registrar permiso" in browser.get(url("contact", nora.pk)).text
        assert "Con permiso" in browser.post(url("contact_consent", nora.pk), data, follow=True).text
        browser.post(url("contact_withdraw", nora.pk))
        nora.refresh_from_db()
        assert nora.consent == Consent.WITHDRAWN

    def test_permission_of_many(self, owner: Member, browser: Client, nora: Contact) -> None:
        broken = make.contact(owner.account, mobile=None, mobile_problem="invalid", consent="unknown")
        data = {"statement": "web", "day": "2026-03-05", "text": "Formulario", "pick": [nora.pk, broken.pk]}
        browser.post(url("contacts_bulk"), {"act": "consent", "confirmed": "1", **data})
        assert dict(owner.account.contacts.values_list("pk", "consent")) == {nora.pk: "granted", broken.pk: "unknown"}

    def test_the_export_names_them_and_comes_back_unchanged(
        self, owner: Member, browser: Client, nora: Contact, rosa: Contact
    ) -> None:
        Contact.objects.filter(pk=rosa.pk).update(meta_user_id="MX.2")
        exported = content(owner.account)
        lines = exported.decode().splitlines()
        assert lines[0].endswith('"Etiquetas","Id de WhatsApp"')
        assert {line.split(",")[-1] for line in lines[1:]} == {'"MX.1349120"', '"MX.2"'}
        review = imports.review(begin(owner.account, exported, statement="none"))
        assert some(review) == {"unchanged": 2}

    def test_a_promotion_goes_to_them(self, owner: Member, nora: Contact) -> None:
        consent.record(nora, Consent.GRANTED, source=Source.REPLY, happened_at=NOON)
        sent = make.broadcast(owner.account, approved_by=owner.user)
        launch.launch(sent, owner.user)
        message = Message.objects.get()
        assert (message.status, message.omission, message.meta_user_id) == (Status.QUEUED, "", "MX.1349120")

    def test_without_permission_it_does_not(self, owner: Member, nora: Contact) -> None:
        make.contact(owner.account)
        launch.launch(make.broadcast(owner.account, approved_by=owner.user), owner.user)
        assert Message.objects.get(contact=nora).omission == Omission.NO_CONSENT
