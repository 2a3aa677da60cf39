"""*Revisión*: what its pages show, what they change, for whom, and how many queries they cost."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts import consent, fields, pairs, people, review
from pregon.contacts.field_values import Reading
from pregon.contacts.models import Consent, Contact, Merge, Pair, Source
from pregon.contacts.review import Kind
from tests import make

pytestmark = pytest.mark.django_db
PEOPLE = [kind for kind in Kind if kind != Kind.DUPLICATES]


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def bad(account, name="Ana", raw="555 0142", problem="incomplete", **fields):
    given = {"mobile": None, "mobile_raw": raw, "mobile_problem": problem, "consent": "unknown", "consent_at": None}
    return make.contact(account, name, **given | fields)


def alike(account, **fields):
    two = [make.contact(account, "Lucía Mendoza", mobile=f"+5222255501{n}", **fields) for n in (42, 43)]
    pairs.find(account)
    return *two, pairs.opened(account).get()


def figures(page):
    return dict(
        re.findall(r'<a href="/contactos/revision/([\w-]+)/".*?p-kind-figure[^>]*>([\d,]+)<', page.text, re.DOTALL)
    )


class TestKinds:
    def test_each_is_counted(self, owner, browser):
        account, now = owner.account, timezone.now()
        alike(account)
        bad(account), bad(account, raw="1", consent="granted"), bad(account, raw="000 000 0000", problem="invalid")
        make.contact(account, consent="unknown")
        make.contact(account, no_whatsapp_at=now)
        make.contact(account, no_whatsapp_at=now, last_inbound_at=now + timedelta(seconds=1))
        make.contact(account, no_whatsapp_at=now - timedelta(days=91))
        make.contact(make.account("Otra"), consent="unknown", no_whatsapp_at=now)
        expected = {"duplicados": "1", "incompletos": "2", "invalidos": "1", "sin-permiso": "3", "sin-whatsapp": "1"}
        assert figures(browser.get(url("review"))) == expected
        for kind in PEOPLE:
            page = browser.get(url("review_kind", kind))
            assert page.text.count(" data-pick ") + page.text.count(" data-pick>") == int(expected[kind])

    def test_nothing_to_do(self, browser):
        for kind in PEOPLE:
            assert "Aquí no hay nada por revisar" in browser.get(url("review_kind", kind)).text
        assert "Nadie parece estar dos veces" in browser.get(url("pairs")).text

    @pytest.mark.parametrize("kind", ["otra", "Kind", "duplicadas"])
    def test_unknown_kinds(self, browser, kind):
        assert browser.get(url("review_kind", kind)).status_code == 404
        assert browser.post(url("review_complete"), {"revision": kind}).status_code == 404

    def test_pages_in_the_order_of_the_digits(self, owner, browser):
        for n in range(60):
            bad(owner.account, f"Persona {n}", raw=f"555 {(n * 7) % 60:02}")
        first = browser.get(url("review_kind", Kind.INCOMPLETE)).text
        assert "1 a 50 de 60" in first
        shown = re.findall(r'name="mobile" value="555 (\d\d)"', first)
        assert shown == [f"{n:02}" for n in range(50)]
        following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
        second = browser.get(url("review_kind", Kind.INCOMPLETE) + following).text
        assert "51 a 60 de 60" in second
        back = re.search(r'rel="prev" href="([^"]+)"', second)[1].replace("&amp;", "&")
        assert "1 a 50 de 60" in browser.get(url("review_kind", Kind.INCOMPLETE) + back).text

    @pytest.mark.parametrize("query", ["despues=x", "antes=99999999999999999999", "desde=-3", "despues=²", "despues=7"])
    def test_odd_addresses(self, owner, browser, query):
        bad(owner.account)
        alike(owner.account)
        assert "Ana" in browser.get(f"{url('review_kind', Kind.INCOMPLETE)}?{query}").text
        assert "Lucía" in browser.get(f"{url('pairs')}?{query}").text

    def test_it_is_found_from_the_list(self, owner, browser):
        bad(owner.account)
        page = browser.get(url("contacts")).text
        assert f'href="{url("review")}">Corregir sus números' in page
        viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
        assert url("review") not in viewer.get(url("contacts")).text

    def test_queries(self, owner, browser, django_assert_num_queries):
        account = owner.account
        for n in range(3):
            make.tag(account, f"Etiqueta {n}", bad(account), bad(account, problem="invalid"))
            make.contact(account, f"Zoe {n}", no_whatsapp_at=timezone.now())
        make.contact(account, "Lucía Mendoza", mobile="+522225550142")
        make.contact(account, "Lucía Mendoza", mobile="+522225550143")
        pairs.find(account)
        addresses = [url("review"), url("pairs"), *(url("review_kind", kind) for kind in PEOPLE)]
        costs = {address: self.cost(browser, address) for address in addresses}
        for n in range(40):
            make.tag(account, f"Más {n}", bad(account), bad(account, problem="invalid"))
            make.contact(account, f"Zoe {n}", no_whatsapp_at=timezone.now())
            make.contact(account, "Ana Ramos", mobile=f"+52333{n}50142")
        pairs.find(account)
        for address in addresses:
            assert self.cost(browser, address) == costs[address] <= 16, address

    def cost(self, browser, address):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return len(queries)


class TestOneByOne:
    def fix(self, browser, person, kind=Kind.INCOMPLETE, **data):
        given = {"name": person.name, "mobile": person.mobile_raw} | data
        return browser.post(url("review_fix", kind, person.pk), given, follow=True)

    def test_a_number_and_a_name(self, owner, browser):
        person = bad(owner.account, email="ana@example.com")
        make.tag(owner.account, "VIP", person)
        page = self.fix(browser, person, name="Ana Ramos", mobile="222 555 0142")
        assert "Guardamos los cambios de Ana Ramos" in page.text
        person.refresh_from_db()
        assert (person.name, person.mobile, person.mobile_problem) == ("Ana Ramos", "+522225550142", "")
        assert (person.email, person.tags.get().name) == ("ana@example.com", "VIP")

    @pytest.mark.parametrize(("typed", "words"), [("555 0142", "Faltan 3 dígitos"), ("", "Escribe un celular")])
    def test_one_that_is_still_bad_stays_in_its_row(self, owner, browser, typed, words):
        person, other = bad(owner.account), bad(owner.account, "Beto", raw="555 0199")
        page = self.fix(browser, person, mobile=typed)
        assert words in page.text
        assert 'aria-invalid="true"' in page.text
        assert f'name="mobile" value="{typed}"' in page.text
        assert other.name in page.text

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"mobile": "2" * 61}, "máximo 60 caracteres (tiene 61)"),
            ({"name": "A" * 121}, "máximo 120 caracteres (tiene 121)"),
        ],
    )
    def test_what_is_too_long_says_so(self, owner, browser, data, words):
        person = bad(owner.account)
        assert words in self.fix(browser, person, **data).text
        person.refresh_from_db()
        assert (person.name, person.mobile_raw) == ("Ana", "555 0142")

    def test_the_address_of_a_refused_row_leads_to_its_page(self, owner, browser):
        address = url("review_fix", Kind.INCOMPLETE, bad(owner.account).pk) + "?despues=7&desde=51"
        assert browser.get(address).url == url("review_kind", Kind.INCOMPLETE) + "?despues=7&desde=51"

    def test_a_name_alone(self, owner, browser):
        person = bad(owner.account)
        self.fix(browser, person, name="Ana Ramos")
        person.refresh_from_db()
        assert (person.name, person.mobile) == ("Ana Ramos", None)

    def test_a_number_of_somebody_else_leads_to_comparing(self, owner, browser):
        there = make.contact(owner.account, "Beto <3", mobile="+522225550142")
        person = bad(owner.account)
        page = self.fix(browser, person, mobile="222 555 0142")
        pair = pairs.opened(owner.account).get()
        assert (pair.low, pair.high, pair.why) == (there, person, "taken")
        assert "Beto &lt;3" in page.text
        assert url("pair", pair.low_id, pair.high_id) in page.text

    def test_a_no_stays(self, owner, browser):
        person = bad(owner.account)
        consent.record(person, Consent.WITHDRAWN, source=Source.PANEL, happened_at=timezone.now())
        self.fix(browser, person, mobile="222 555 0142")
        person.refresh_from_db()
        assert person.consent == Consent.WITHDRAWN


class TestMany:
    def complete(self, browser, *chosen, kind=Kind.INCOMPLETE, **data):
        given = {"revision": kind, "pick": [person.pk for person in chosen]} | data
        return browser.post(url("review_complete"), given, follow=True)

    def test_shows_what_becomes_of_each_before_it_saves(self, owner, browser):
        ana, beto, eva = bad(owner.account), bad(owner.account, "Beto", "555 0199"), bad(owner.account, "Eva", "55")
        make.contact(owner.account, "Zoe", mobile="+522225550199")
        assert "Lada o código de área" in self.complete(browser, ana, beto, eva).text
        page = self.complete(browser, ana, beto, eva, area="222", country="MX")
        assert "555 0142 → +52 222 555 0142" in page.text
        assert "Otra persona ya tiene ese celular" in page.text
        assert "1 de 3 queda con un número válido" in page.text
        assert owner.account.contacts.filter(mobile=None).count() == 3
        page = self.complete(browser, ana, beto, eva, area="222", country="MX", confirmed="1")
        assert "Corregimos el número de 1 persona" in page.text
        ana.refresh_from_db()
        assert (ana.mobile, ana.mobile_problem) == ("+522225550142", "")
        assert owner.account.contacts.filter(mobile=None).count() == 2

    @pytest.mark.parametrize(
        ("raw", "words"),
        [("222 555 01", "Ya empieza con 222"), ("36 12 34 56", "Sería de otro país"), ("55", "Faltan 5 dígitos")],
    )
    def test_nothing_is_guessed(self, owner, browser, raw, words):
        person = bad(owner.account, raw=raw)
        assert words in self.complete(browser, person, area="222", country="MX", confirmed="1").text
        assert owner.account.contacts.get().mobile is None

    def test_another_country(self, owner, browser):
        person = bad(owner.account, raw="300 123 4567", problem="invalid")
        self.complete(browser, person, kind=Kind.INVALID, area="", country="CO", confirmed="1")
        person.refresh_from_db()
        assert person.mobile == "+573001234567"

    @pytest.mark.parametrize(("prefix", "words"), [("", "Escribe lo que falta"), ("22x", "Escribe solo cifras")])
    def test_asks_for_what_is_missing(self, owner, browser, prefix, words):
        page = self.complete(browser, bad(owner.account), area=prefix, country="MX", confirmed="1")
        assert words in page.text
        assert owner.account.contacts.get().mobile is None

    def test_all_of_a_kind(self, owner, browser):
        for n in range(60):
            bad(owner.account, raw=f"555 01{n:02}")
        page = self.complete(browser, todas="1", area="222", country="MX")
        assert "60 de 60 quedan" in page.text
        assert "Elegir a las 60" in browser.get(url("review_kind", Kind.INCOMPLETE)).text
        self.complete(browser, todas="1", area="222", country="MX", confirmed="1")
        assert owner.account.contacts.exclude(mobile=None).count() == 60

    def test_the_same_number_goes_to_one(self, owner, browser):
        two = bad(owner.account), bad(owner.account, "Beto", "5550142")
        self.complete(browser, *two, area="222", country="MX", confirmed="1")
        assert owner.account.contacts.filter(mobile="+522225550142").count() == 1
        assert review.give(owner.account, {each.pk: "+522225550177" for each in two}, owner.user) == 1

    def test_what_was_said_for_the_number_holds_and_a_no_stays(self, owner, browser):
        ana, beto = bad(owner.account), bad(owner.account, "Beto", "555 0199")
        consent.record(beto, Consent.WITHDRAWN, source=Source.PANEL, happened_at=timezone.now())
        consent.withdraw_number(owner.account, "+522225550142", source=Source.REPLY, happened_at=timezone.now())
        self.complete(browser, ana, beto, area="222", country="MX", confirmed="1")
        found = owner.account.contacts.values_list("mobile", "consent")
        assert set(found) == {("+522225550142", "withdrawn"), ("+522225550199", "withdrawn")}
        assert owner.account.refusals.count() == 2

    def test_its_address_leads_to_the_kinds(self, browser):
        assert browser.get(url("review_complete")).url == url("review")

    def test_nobody_picked(self, browser):
        assert "Elige a quién" in self.complete(browser).text

    @pytest.mark.parametrize("act", ["delete", "opt_out"])
    def test_the_acts_of_the_list_come_back_here(self, owner, browser, act):
        person, other = bad(owner.account), make.contact(owner.account)
        data = {"act": act, "revision": Kind.INCOMPLETE, "todas": "1"}
        asked = browser.post(url("contacts_bulk"), data)
        assert '<input type="hidden" name="revision" value="incompletos">' in asked.text
        assert f'href="{url("review_kind", Kind.INCOMPLETE)}"' in asked.text
        answer = browser.post(url("contacts_bulk"), data | {"confirmed": "1"})
        assert answer["Location"] == url("review_kind", Kind.INCOMPLETE)
        assert not owner.account.contacts.filter(pk=person.pk).exclude(consent="withdrawn").exists()
        other.refresh_from_db()
        assert other.consent == Consent.GRANTED


class TestPairs:
    def test_side_by_side_and_merged(self, owner, browser):
        low, high, pair = alike(owner.account)
        people.edit(high, people.Details("Lucy", high.mobile, "lucy@example.com", ["VIP"]), actor=owner.user)
        make.message(make.batch(owner.account), high)
        page = browser.get(url("pair", pair.low_id, pair.high_id)).text
        assert "+52 222 555 0142" in page and "+52 222 555 0143" in page
        assert re.search(rf'name="numero" value="{low.pk}" checked', page)
        assert 'name="email"' not in page  # only one has one
        answer = browser.post(url("pair", pair.low_id, pair.high_id), {"numero": high.pk, "name": low.pk}, follow=True)
        assert "Ahora es una sola persona" in answer.text
        kept = owner.account.contacts.get()
        assert (kept.pk, kept.name, kept.email) == (high.pk, "Lucía Mendoza", "lucy@example.com")
        assert browser.get(url("contact", low.pk))["Location"] == url("contact", kept.pk)
        shown = browser.get(url("contact", kept.pk)).text
        assert "Se unió con" in shown
        assert "+52 222 555 0142" in shown

    def test_own_fields_are_shown_as_people_read_them(self, owner, browser):
        wanted = {"gasto": Reading("number"), "cumple_1": Reading("date")}
        fields.ensure(owner.account, wanted, {"gasto": "Gasto al mes", "cumple_1": "Su cumpleaños"})
        low, high, _pair = alike(owner.account)
        theirs = {"cumple_1": "2026-11-20", "gasto": "1200.5", "vieja": "x"}
        Contact.objects.filter(pk__in=(low.pk, high.pk)).update(fields=theirs)
        page = browser.get(url("pair", low.pk, high.pk)).text
        labels = [page.index(f'<th scope="row">{label}') for label in ("Gasto al mes", "Su cumpleaños", "Vieja")]
        assert labels == sorted(labels)
        assert "20 de noviembre de 2026" in page
        assert "2026-11-20" not in page
        browser.post(url("pair", low.pk, high.pk), {"numero": low.pk})
        was = browser.get(url("contact", low.pk)).text.partition("Qué tenía cada una")[2]
        assert was.count("<dt>Su cumpleaños</dt><dd>20 de noviembre de 2026</dd>") == 2

    def test_merged_in_another_tab(self, owner, browser):
        low, high, pair = alike(owner.account)
        third = make.contact(owner.account)
        address, other = url("pair", pair.low_id, pair.high_id), url("pair", low.pk, third.pk)
        Pair.objects.create(account=owner.account, low=low, high=third, why="email", score=9)
        browser.post(address, {"numero": high.pk})
        for answer in (browser.get(address, follow=True), browser.post(address, {"numero": low.pk}, follow=True)):
            assert answer.redirect_chain == [(url("pairs"), 302)]
            assert "Ya son una sola persona: alguien las unió." in answer.text
            assert f'<a href="{url("contact", high.pk)}">Ver la ficha</a>' in answer.text
        assert "Ya no están entre las parejas" in browser.get(other, follow=True).text
        third.delete()
        page = browser.get(other, follow=True).text
        assert "Una de las dos ya no está" in page
        assert f'<a href="{url("contact", high.pk)}">Ver la ficha</a>' in page
        assert browser.get(url("pair", 10**30, 10**31)).status_code == 404
        assert make.signed_in(make.business()).get(address).status_code == 404

    def test_told_apart_in_another_tab(self, owner, browser):
        low, _high, pair = alike(owner.account)
        address = url("pair", pair.low_id, pair.high_id)
        open_tab = {"numero": low.pk, "state": "open"}
        assert "Ya está anotado" not in browser.get(address).text
        browser.post(url("pairs_apart"), {"pick": pair.pk})
        page = browser.post(address, open_tab).text
        assert "Ya está anotado que son personas distintas." in page
        assert f"Lo anotó {owner.user}" in page
        assert not Merge.objects.exists()
        browser.post(address, open_tab | {"state": "apart"})
        assert Merge.objects.get().kept == low

    def test_acts_of_the_other_number_say_so(self, owner, browser):
        low, high, pair = alike(owner.account, consent="unknown", consent_at=None)
        consent.record(high, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now(), text="ALTA")
        browser.post(url("pair", pair.low_id, pair.high_id), {"numero": low.pk})
        page = browser.get(url("contact", low.pk)).text
        assert "Respondió ALTA" in page
        assert "No es del número que tiene ahora." in page
        assert "Al unirla con otra, el permiso de la otra no pasó a esta" in page
        assert f"Lo hizo {owner.user}" in page
        assert "dejó tus contactos" not in page
        assert "aún no ha dado su permiso" in page

    def test_says_what_becomes_of_the_permission(self, owner, browser):
        low, _high, pair = alike(owner.account)
        assert "Queda con permiso" in browser.get(url("pair", pair.low_id, pair.high_id)).text
        consent.record(low, Consent.WITHDRAWN, source=Source.REPLY, happened_at=timezone.now(), text="BAJA")
        page = browser.get(url("pair", pair.low_id, pair.high_id)).text
        assert "Queda de baja" in page
        assert "Respondió BAJA" in page

    @pytest.mark.parametrize(
        ("consents", "bare", "words"),
        [
            (("unknown", "unknown"), False, "Queda sin permiso"),
            (("granted", "unknown"), False, "El permiso es del número"),
            (("granted", "unknown"), True, "Queda con permiso"),
            (("unknown", "granted"), True, "Queda sin permiso"),
        ],
    )
    def test_says_whose_permission_stays(self, owner, browser, consents, bare, words):
        """`bare`: the second has no number, so that nothing is to be chosen."""
        low, high, pair = alike(owner.account)
        fields = {"mobile": None, "mobile_problem": "incomplete"} if bare else {}
        Contact.objects.filter(pk=low.pk).update(consent=consents[0])
        Contact.objects.filter(pk=high.pk).update(consent=consents[1], **fields)
        page = browser.get(url("pair", pair.low_id, pair.high_id)).text
        assert words in page
        assert ('name="numero"' in page) != bare

    def test_one_who_is_gone_meanwhile(self, owner, browser):
        low, high, pair = alike(owner.account)
        Contact.objects.filter(pk=high.pk).update(account=make.account("Otra"))
        answer = browser.post(url("pair", pair.low_id, pair.high_id), {"numero": low.pk}, follow=True)
        assert "Una de las dos ya no está" in answer.text
        assert not Merge.objects.exists()

    def test_different_people(self, owner, browser):
        _low, _high, pair = alike(owner.account)
        page = browser.post(url("pairs_apart"), {"pick": [pair.pk, "x"]}, follow=True)
        assert "Anotamos que son personas distintas" in page.text
        assert not pairs.opened(owner.account).exists()
        assert "Elige al menos una pareja" in browser.post(url("pairs_apart"), follow=True).text

    def test_the_person_page_points_to_it(self, owner, browser):
        low, high, pair = alike(owner.account)
        for one, other in ((low, high), (high, low)):
            Contact.objects.filter(pk=other.pk).update(name="Lucy <3")
            page = browser.get(url("contact", one.pk)).text
            assert "Podría ser la misma persona que Lucy &lt;3." in page
            assert url("pair", pair.low_id, pair.high_id) in page
            Contact.objects.filter(pk=other.pk).update(name="Lucía Mendoza")

    def test_pages(self, owner, browser):
        people_ = [make.contact(owner.account) for _ in range(12)]
        rows = [(low, high) for at, low in enumerate(people_) for high in people_[at + 1 :]][:60]
        for n, (low, high) in enumerate(rows):
            Pair.objects.create(account=owner.account, low=low, high=high, why="email", score=n % 3 * 10)
        first = browser.get(url("pairs")).text
        following = re.search(r'rel="next" href="([^"]+)"', first)[1]
        second = browser.get(url("pairs") + following).text
        seen = [int(pk) for pk in re.findall(r'name="pick" value="(\d+)"', first + second)]
        assert seen == list(pairs.opened(owner.account).values_list("pk", flat=True))
        assert len(re.findall(r'name="pick"', second)) == 10


class TestAccess:
    def test_an_editor_reviews_and_a_viewer_does_not(self, owner):
        low, _high, pair = alike(owner.account)
        person = bad(owner.account)
        pages = [url("review"), url("pairs"), url("pair", pair.low_id, pair.high_id), url("review_kind", "incompletos")]
        acts = [
            url("pair", pair.low_id, pair.high_id),
            url("pairs_apart"),
            url("review_complete"),
            url("review_fix", "incompletos", person.pk),
        ]
        editor = make.signed_in(make.member(owner.account, Role.EDITOR))
        viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
        assert {editor.get(page).status_code for page in pages} == {200}
        assert {viewer.get(page).status_code for page in pages} == {403}
        assert {viewer.post(act).status_code for act in acts} == {403}
        assert {viewer.get(act).status_code for act in acts if act != url("pairs_apart")} == {403}
        assert "Comparar" not in viewer.get(url("contact", low.pk)).text

    def test_a_stranger_finds_nobody(self, owner):
        low, high, pair = alike(owner.account)
        person = bad(owner.account)
        stranger = make.signed_in(make.business())
        assert stranger.get(url("pair", pair.low_id, pair.high_id)).status_code == 404
        assert stranger.post(url("pair", pair.low_id, pair.high_id), {"numero": low.pk}).status_code == 404
        assert stranger.post(url("review_fix", "incompletos", person.pk), {"mobile": "2225550142"}).status_code == 404
        stranger.post(url("pairs_apart"), {"pick": pair.pk})
        data = {"revision": "incompletos", "pick": person.pk, "area": "222", "country": "MX", "confirmed": "1"}
        stranger.post(url("review_complete"), data)
        assert pairs.opened(owner.account).get() == pair
        assert set(owner.account.contacts.all()) == {low, high, person}
        assert owner.account.contacts.get(pk=person.pk).mobile is None
        merged = browser_merge(owner, pair)
        assert stranger.get(url("contact", merged)).status_code == 404

    def test_signed_out_people_are_sent_to_sign_in(self, client):
        for address in (url("review"), url("pairs"), url("pair", 1, 2), url("review_kind", "incompletos")):
            assert client.get(address).status_code == 302


def browser_merge(owner, pair):
    """Returns the id that is no more."""
    make.signed_in(owner).post(url("pair", pair.low_id, pair.high_id), {"numero": pair.low_id})
    return pair.high_id
