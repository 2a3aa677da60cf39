"""The pages of contacts: what they show, who may see and change what, how many queries they cost."""

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts import consent, people, tally
from pregon.contacts.models import Consent, ConsentEntry, Contact, Source
from pregon.sending.models import Batch, Message, Omission, Status
from tests import make

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def figures(response):
    """The facets: con permiso, sin permiso, de baja, en total."""
    return [int(n) for n in re.findall(r'class="p-facet".*?class="v">([\d,.]+)<', response.content.decode(), re.DOTALL)]


class TestList:
    def test_nobody_yet(self, browser):
        page = browser.get(url("contacts"))
        assert "Aún no tienes contactos" in page.text
        assert url("import_new") in page.text

    def test_the_sum_closes(self, owner, browser):
        for consent_ in ("granted", "granted", "unknown", "withdrawn"):
            make.contact(owner.account, consent=consent_)
        make.contact(make.account("Otra"), "Nadie de aquí")
        page = browser.get(url("contacts"))
        assert figures(page) == [2, 1, 1, 4]
        assert "Nadie de aquí" not in page.text

    def test_the_sentence_filters(self, owner, browser):
        mariana, rosa = make.contact(owner.account, "Mariana"), make.contact(owner.account, "Rosa", consent="unknown")
        tag = make.tag(owner.account, "Centro", mariana, rosa)
        page = browser.get(url("contacts"), {"permiso": "con", "etiqueta": tag.pk, "q": "mari"})
        assert ">Mariana<" in page.text
        assert ">Rosa<" not in page.text
        assert "las personas con permiso" in page.text

    def test_people_without_a_recent_promotion(self, owner, browser):
        assert browser.get(url("contacts"), {"sin": "semana"}).status_code == 200
        make.contact(owner.account, "Rosa")
        assert "Rosa" in browser.get(url("contacts"), {"sin": "nunca"}).text

    def test_search_by_htmx_gets_the_list_alone(self, owner, browser):
        make.contact(owner.account, "Mariana")
        part = browser.get(url("contacts"), {"q": "maria"}, headers={"HX-Request": "true"})
        assert "Mariana" in part.text
        assert "<html" not in part.text

    @pytest.mark.parametrize(
        "query", ["permiso=x", "etiqueta=x", "etiqueta=99999999999999999999", "despues=-1", "desde=²", "q=%00"]
    )
    def test_odd_addresses_show_the_list(self, owner, browser, query):
        make.contact(owner.account)
        assert browser.get(f"{url('contacts')}?{query}").status_code == 200

    def test_pages(self, owner, browser):
        for n in range(60):
            make.contact(owner.account, f"Persona {n:02}")
        first = browser.get(url("contacts")).text
        assert "1 a 50 de 60" in first
        following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
        second = browser.get(following).text
        assert "51 a 60 de 60" in second
        back = re.search(r'rel="prev" href="([^"]+)"', second)[1].replace("&amp;", "&")
        assert "1 a 50 de 60" in browser.get(back).text

    def test_queries_do_not_grow_with_the_people(self, owner, browser, django_assert_max_num_queries):
        for _n in range(55):
            make.tag(owner.account, f"Etiqueta {_n}", make.contact(owner.account))
        browser.get(url("contacts"))
        with django_assert_max_num_queries(14):
            browser.get(url("contacts"))

    def test_a_plan_without_the_module_hides_nobody(self):
        member = make.business("basico")
        make.contact(member.account, "Mariana")
        page = make.signed_in(member).get(url("contacts"))
        assert "Mariana" in page.text
        assert "Tu plan no incluye promociones" in page.text


class TestPerson:
    def test_added_then_found(self, browser):
        page = browser.post(
            url("contact_new"), {"name": "Rosa", "mobile": "222 555 0184", "tags": "Centro, VIP"}, follow=True
        )
        assert "Guardamos a Rosa" in page.text
        assert "+52 222 555 0184" in page.text
        assert "Sin permiso" in page.text

    def test_a_bad_number_is_explained_and_kept(self, browser):
        page = browser.post(url("contact_new"), {"name": "Rosa", "mobile": "222 555 01"})
        assert "Faltan 2 dígitos" in page.text
        assert 'value="222 555 01"' in page.text

    def test_a_number_of_somebody_else_leads_to_them(self, owner, browser):
        there = people.add(owner.account, people.Details(name="Rosa <3", mobile="2225550184"))
        page = browser.post(url("contact_new"), {"name": "Otra", "mobile": "+52 1 222 555 0184"})
        assert f'href="{url("contact", there.pk)}">Rosa &lt;3</a>' in page.text

    def test_edited(self, owner, browser):
        person = people.add(owner.account, people.Details("Rosa", "2225550184", fields={"sucursal": "Norte"}))
        shown = browser.get(url("contact_edit", person.pk))
        assert 'value="Norte"' in shown.text
        data = {"name": "Rosa Elena", "mobile": "2225550184", "own_0": "Centro"}
        assert "Rosa Elena" in browser.post(url("contact_edit", person.pk), data, follow=True).text
        person.refresh_from_db()
        assert person.fields == {"sucursal": "Centro"}

    def test_deleted(self, owner, browser):
        person = make.contact(owner.account, consent="withdrawn")
        assert "ningún archivo podrá reactivarlo" in browser.get(url("contact_delete", person.pk)).text
        browser.post(url("contact_delete", person.pk))
        assert not owner.account.contacts.exists()

    def test_permission_with_its_evidence(self, owner, browser):
        person = people.add(owner.account, people.Details("Rosa", "2225550184"))
        data = {"statement": "store", "day": "2026-03-04", "text": "Firmó la hoja"}
        page = browser.post(url("contact_consent", person.pk), data, follow=True)
        assert "Con permiso" in page.text
        assert "Se apuntó en la tienda" in page.text
        assert "«Firmó la hoja»" in page.text
        entry = person.consent_entries.get()
        assert (entry.actor, entry.happened_at.date().isoformat()) == (owner.user, "2026-03-04")

    @pytest.mark.parametrize("day", ["2999-01-01", "ayer", ""])
    def test_permission_has_a_day_that_came(self, owner, browser, day):
        person = people.add(owner.account, people.Details("Rosa", "2225550184"))
        browser.post(url("contact_consent", person.pk), {"statement": "store", "day": day, "text": "x"})
        assert not person.consent_entries.exists()

    def test_over_a_baja_only_an_owner_and_only_later(self, owner, browser):
        person = people.add(owner.account, people.Details("Rosa", "2225550184"))
        consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON, text="BAJA")
        data = {"statement": "store", "day": "2026-03-05", "text": "Volvió a firmar"}
        manager = make.signed_in(make.member(owner.account, Role.MANAGER))
        assert manager.post(url("contact_consent", person.pk), data).status_code == 403
        assert (
            "Pidió su baja después"
            in browser.post(url("contact_consent", person.pk), data | {"day": "2026-03-04"}).text
        )
        browser.post(url("contact_consent", person.pk), data)
        person.refresh_from_db()
        assert person.consent == Consent.GRANTED

    def test_withdrawn_by_hand(self, owner, browser):
        person = make.contact(owner.account)
        page = browser.post(url("contact_withdraw", person.pk), {"text": "Lo pidió en la tienda"}, follow=True)
        assert "ya no recibe promociones" in page.text
        assert "«Lo pidió en la tienda»" in page.text
        assert owner.account.contacts.get().consent == Consent.WITHDRAWN

    def test_messages_are_shown(self, owner, browser):
        person = make.contact(owner.account)
        number, period = owner.account.numbers.get(), owner.account.periods.get()
        given = {"number": number, "period": period, "payload": {}, "ends_at": timezone.now()}
        batch = Batch.objects.create(account=owner.account, **given)
        said = {"contact": person, "status": Status.OMITTED, "omission": Omission.WINDOW}
        Message.objects.create(account=owner.account, batch=batch, position=0, **said)
        page = browser.get(url("contact", person.pk)).text
        assert "Mensaje suelto" in page
        assert "Omitido: Fuera de ventana" in page
        assert ">Nunca<" in browser.get(url("contacts")).text

    def test_queries(self, owner, browser, django_assert_max_num_queries):
        person = people.add(owner.account, people.Details("Rosa", "2225550184", tags=["Centro", "VIP"]))
        for _n in range(5):
            consent.record(person, Consent.GRANTED, source=Source.PANEL, happened_at=NOON, actor=owner.user)
        with django_assert_max_num_queries(14):
            browser.get(url("contact", person.pk))

    def test_a_message_that_failed_says_why_and_what_to_do(self, owner, browser):
        person = make.contact(owner.account)
        make.message(make.batch(owner.account), person, status=Status.FAILED, error_code=130403)
        page = browser.get(url("contact", person.pk))
        assert (
            "Tu negocio bloqueó a esta persona en WhatsApp. Desbloquéala en WhatsApp si quieres escribirle."
            in page.text
        )


class TestMany:
    def post(self, browser, act, **data):
        return browser.post(url("contacts_bulk"), {"act": act, **data}, follow=True)

    def test_asks_before_it_does(self, owner, browser):
        people_ = [make.contact(owner.account) for _ in range(3)]
        page = self.post(browser, "delete", pick=[people_[0].pk, people_[1].pk])
        assert "Eliminar a 2 personas" in page.text
        assert owner.account.contacts.count() == 3
        self.post(browser, "delete", pick=[people_[0].pk, people_[1].pk], confirmed="1")
        assert list(owner.account.contacts.all()) == [people_[2]]

    def test_all_of_the_sentence(self, owner, browser):
        for n in range(60):
            make.contact(owner.account, consent="unknown" if n else "granted")
        self.post(browser, "opt_out", todas="1", permiso="sin", confirmed="1")
        assert tally.of(owner.account) == tally.Counts(1, 0, 59)

    def test_tags(self, owner, browser):
        one, other = make.contact(owner.account), make.contact(owner.account)
        old = make.tag(owner.account, "Vieja", one, other)
        self.post(browser, "tag", pick=[one.pk], names="Centro, VIP", take=old.pk, confirmed="1")
        assert sorted(one.tags.values_list("name", flat=True)) == ["Centro", "VIP"]
        assert list(other.tags.all()) == [old]

    def test_permission_never_brings_back_a_baja(self, owner, browser):
        rosa = people.add(owner.account, people.Details("Rosa", "2225550184"))
        ivan = people.add(owner.account, people.Details("Iván", "2225550185"))
        consent.record(ivan, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        data = {"statement": "web", "day": "2026-03-05", "text": "Formulario", "pick": [rosa.pk, ivan.pk]}
        page = self.post(browser, "consent", confirmed="1", **data)
        assert "Registramos el permiso de 1 persona" in page.text
        states = dict(owner.account.contacts.values_list("name", "consent"))
        assert states == {"Rosa": "granted", "Iván": "withdrawn"}

    def test_others_are_out_of_reach(self, owner, browser):
        stranger = make.contact(make.account("Otra"))
        for act in ("delete", "opt_out"):
            page = self.post(browser, act, pick=[stranger.pk], confirmed="1")
            assert "Elige a quién" in page.text
        assert Contact.objects.get(pk=stranger.pk).consent == Consent.GRANTED

    def test_unknown_acts(self, browser):
        assert self.post(browser, "explode").status_code == 404


class TestAccess:
    LOOK = ("contacts", "contact")
    EDIT = ("contact_new", "contact_edit", "contact_delete", "contact_consent", "contact_withdraw", "import_new")

    def addresses(self, names, pk):
        return [url(name) if name in ("contacts", "contact_new", "import_new") else url(name, pk) for name in names]

    def test_a_viewer_looks_and_changes_nothing(self, owner):
        person = people.add(owner.account, people.Details("Rosa", "2225550184"))
        viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
        assert [viewer.get(a).status_code for a in self.addresses(self.LOOK, person.pk)] == [200, 200]
        assert {viewer.get(a).status_code for a in self.addresses(self.EDIT, person.pk)} == {403}
        assert viewer.post(url("contacts_bulk"), {"act": "delete"}).status_code == 403
        assert "Agregar contacto" not in viewer.get(url("contacts")).text

    def test_an_editor_edits_and_does_not_export(self, owner):
        person = people.add(owner.account, people.Details("Rosa", "2225550184"))
        editor = make.signed_in(make.member(owner.account, Role.EDITOR))
        assert {editor.get(a).status_code for a in self.addresses(self.EDIT, person.pk)} == {200}
        assert editor.get(url("contacts_export")).status_code == 403
        assert editor.post(url("contacts_bulk"), {"act": "export", "todas": "1"}).status_code == 403
        assert "Descargar" not in editor.get(url("contacts")).text
        manager = make.signed_in(make.member(owner.account, Role.MANAGER))
        assert manager.get(url("contacts_export")).status_code == 200
        assert "Descargar" in manager.get(url("contacts")).text

    def test_a_stranger_finds_nobody(self, owner):
        person = people.add(owner.account, people.Details("Rosa", "2225550184"))
        stranger = make.signed_in(make.business())
        names = [name for name in self.LOOK + self.EDIT if name not in ("contacts", "contact_new", "import_new")]
        assert {stranger.get(a).status_code for a in self.addresses(names, person.pk)} == {404}
        assert {stranger.post(a).status_code for a in self.addresses(names[1:], person.pk)} == {404}
        assert owner.account.contacts.get().consent == Consent.UNKNOWN
        assert not ConsentEntry.objects.exists()

    def test_signed_out_people_are_sent_to_sign_in(self, client):
        for address in self.addresses(("contacts", "contact_new", "import_new"), 1):
            assert client.get(address).status_code == 302
