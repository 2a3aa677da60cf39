"""The pages of acts for many people: asked, begun, followed, stopped, taken back; files; and who may."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from pregon.accounts.models import Role
from pregon.contacts import bulk, consent
from pregon.contacts.bulk import Kind, Status
from pregon.contacts.models import Consent, ConsentEntry, Source, Task
from tests import make
from tests.contacts.crowd import ANAS, begin, do, gather, snapshot, take_back
from tests.contacts.test_bulk import PUT, YES
from tests.contacts.test_consent import NOON
from tests.contacts.test_import_pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def post(browser, act, **data):
    return browser.post(url("contacts_bulk"), {"act": act, **data}, follow=True)


class TestAsked:
    def test_what_it_does_and_to_how_many(self, owner, browser):
        ids = gather(owner.account, 30)
        for pk in ids[:2]:
            person = owner.account.contacts.get(pk=pk)
            consent.record(person, Consent.WITHDRAWN, source=Source.REPLY, happened_at=NOON)
        page = words(post(browser, "opt_out", todas="1"))
        assert "Dar de baja a 28 personas" in page
        assert "Una baja no se deshace" in page
        assert "Quien llegue a tus contactos después de tu clic no entra" in page
        assert "por partes" not in page
        page = words(post(browser, "consent", pick=ids[:5]))
        assert "Registrar el permiso de 3 personas" in page
        assert "Lo puedes deshacer durante 30 días" in page
        assert "después de tu clic" not in page
        assert not Task.objects.exists()

    def test_its_address_leads_to_the_list(self, browser):
        assert browser.get(url("contacts_bulk")).url == url("contacts")

    def test_many_are_done_by_parts(self, owner, browser):
        gather(owner.account, bulk.SMALL + 1)
        assert "se hace por partes" in words(post(browser, "delete", todas="1"))

    def test_a_form_that_is_not_filled_in_begins_nothing(self, owner, browser):
        gather(owner.account, 3)
        assert "Escribe una etiqueta" in words(post(browser, "tag", todas="1", confirmed="1"))
        page = post(browser, "consent", todas="1", confirmed="1", q=ANAS, statement="web", day="2099-01-01", text="Sí")
        assert "Ese día aún no llega" in page.text
        assert 'name="q" value="ana"' in page.text
        assert not Task.objects.exists()

    @pytest.mark.parametrize("act", Kind.values)
    def test_queries_do_not_grow(self, owner, browser, act, django_assert_max_num_queries):
        gather(owner.account, 200)
        with django_assert_max_num_queries(14):
            browser.post(url("contacts_bulk"), {"act": act, "todas": "1"})


class TestDone:
    def test_a_few_at_once_with_the_way_back(self, owner, browser):
        gather(owner.account, 30)
        before = snapshot(owner.account)
        page = post(browser, "tag", todas="1", q=ANAS, names="VIP", confirmed="1")
        task = Task.objects.get()
        assert "Cambiamos las etiquetas de 10 personas. Ver o deshacer" in words(page)
        assert f'href="{url("task", task.pk)}"' in page.text
        assert 'value="ana"' in page.text  # back on the list, as it was searched
        page = words(browser.get(url("task", task.pk)))
        assert "Poner VIP" in page
        assert "Todas las personas, buscando «ana»" in page
        assert "La pidió Lucía Mendoza" in page
        assert "Puedes hasta el" in page
        page = words(browser.post(url("task_undo", task.pk), follow=True))
        assert "10 personas están como antes" in page
        assert snapshot(owner.account) == before

    def test_evidence_of_a_permission(self, owner, browser):
        gather(owner.account, 3)
        said = {"statement": "web", "day": "2026-03-05", "text": "Casilla de la página"}
        page = post(browser, "consent", todas="1", confirmed="1", **said)
        assert "Registramos el permiso de 3 personas" in words(page)
        entry = ConsentEntry.objects.first()
        assert (entry.text, entry.actor, entry.evidence) == ("Casilla de la página", owner.user, {"statement": "web"})
        assert (entry.task.ip, f"{entry.happened_at.astimezone(owner.account.zone):%Y-%m-%d}") == (
            "127.0.0.1",
            "2026-03-05",
        )

    def test_what_has_no_way_back_says_so_afterwards_too(self, owner, browser):
        gather(owner.account, 3)
        assert "Ver detalles" in words(post(browser, "opt_out", todas="1", confirmed="1"))
        page = browser.get(url("task", Task.objects.get().pk))
        assert "Una baja no se deshace" in words(page)
        assert url("task_undo", Task.objects.get().pk) not in page.text

    def test_who_said_something_later_is_counted_apart(self, owner, browser):
        [pk, *_others] = gather(owner.account, 3)
        task = begin(owner.account, Kind.OPT_OUT)
        person = owner.account.contacts.get(pk=pk)
        consent.record(person, Consent.GRANTED, source=Source.REPLY, happened_at=timezone.now())
        bulk.finish(task)
        page = words(browser.get(url("task", task.pk)))
        assert "2 personas ya no reciben promociones" in page
        assert "1 persona sigue como estaba" in page

    def test_the_segment_of_the_sentence_is_told(self, owner, browser):
        from pregon.contacts import rules, segments

        gather(owner.account, 6)
        segment = segments.new(owner.account, None)
        segments.save(segment, "Anas", rules.parse({"any": [{"field": "name", "op": "word", "value": "ana"}]}))
        post(browser, "tag", todas="1", segmento=segment.pk, permiso="sin", names="VIP", confirmed="1")
        task = Task.objects.get()
        segment.delete()
        assert task.changed == 2
        page = words(browser.get(url("task", task.pk)))
        assert "Personas que están sin permiso y (tienen un nombre con «ana»)" in page


class TestFollowed:
    @pytest.fixture
    def task(self, owner):
        gather(owner.account, 30)
        usual, bulk.PART = bulk.PART, 12
        yield begin(owner.account, Kind.TAG, PUT, actor=owner.user)
        bulk.PART = usual

    def test_how_far_it_is(self, browser, task):
        assert "Espera su turno" in words(browser.get(url("task", task.pk)))
        bulk.advance(task.pk)
        page = browser.get(url("task", task.pk))
        assert "12 de 30 personas" in words(page)
        part = browser.get(url("task_progress", task.pk), HTTP_HX_REQUEST="true")
        assert "data-live" in part.text and "<html" not in part.text
        bulk.finish(task)
        assert browser.get(url("task_progress", task.pk))["HX-Refresh"] == "true"
        assert "Cambiamos las etiquetas de 30 personas" in words(browser.get(url("task", task.pk)))

    def test_stopped_and_taken_back(self, owner, browser, task):
        before = snapshot(owner.account)
        bulk.advance(task.pk)
        page = words(browser.post(url("task_stop", task.pk), follow=True))
        assert "Detenida" in page
        assert "Cambiamos las etiquetas de 12 personas" in page
        assert "A 18 personas no les pasó nada" in page
        assert "ya terminó" in words(browser.post(url("task_stop", task.pk), follow=True))
        browser.post(url("task_undo", task.pk))
        assert snapshot(owner.account) == before

    def test_many_go_to_a_worker(self, owner, browser):
        gather(owner.account, bulk.SMALL + 1)
        page = post(browser, "tag", todas="1", names="VIP", confirmed="1")
        task = Task.objects.get()
        assert page.redirect_chain[-1][0] == url("task", task.pk)
        assert "0 de 1,001 personas" in words(page)
        assert "Puedes cerrar esta página" in page.text

    def test_broken(self, browser, task):
        Task.objects.update(audience={"query": "", "rules": {"all": [{"field": "luna", "op": "is"}]}})
        bulk.finish(task)
        page = words(browser.get(url("task", task.pk)))
        assert "Una condición de la lista ya no existe." in page
        assert "No pudo" not in page


class TestFile:
    @pytest.mark.parametrize("dress", ["csv", "xlsx"])
    def test_asked_for_and_downloaded(self, owner, browser, dress):
        gather(owner.account, 30)
        page = browser.get(url("contacts_export"), {"q": ANAS})
        assert "Descargar los datos de 10 personas" in words(page)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', page.text))
        page = browser.post(url("contacts_bulk"), hidden | {"format": dress}, follow=True)
        assert "El archivo trae a 10 personas" in words(page)
        answer = browser.get(url("task_file", Task.objects.get().pk))
        assert answer["Content-Disposition"].startswith('attachment; filename="panaderia-la-espiga-2')
        assert b"".join(answer)[:2] == (b"PK" if dress == "xlsx" else b"\xef\xbb")

    def test_of_the_picked(self, owner, browser):
        ids = gather(owner.account, 5)
        post(browser, "export", pick=ids[:2], format="csv", confirmed="1")
        content = b"".join(browser.get(url("task_file", Task.objects.get().pk))).decode()
        assert [line.split(",")[0] for line in content.splitlines()[1:]] == ['"Ana 0"', '"Eva 1"']

    def test_nobody_to_download(self, browser):
        assert "Elige a quién" in words(browser.get(url("contacts_export"), {"q": "nadie"}, follow=True))

    def test_expired(self, owner, browser):
        gather(owner.account, 3)
        task = do(owner.account, Kind.EXPORT, {"format": "csv"})
        Task.objects.update(finished_at=NOON)
        assert url("task_file", task.pk) not in browser.get(url("task", task.pk)).text
        assert "ya no está" in words(browser.get(url("task_file", task.pk), follow=True))

    def test_deleted_from_the_disk(self, owner, browser):
        gather(owner.account, 3)
        task = do(owner.account, Kind.EXPORT, {"format": "csv"})
        task.file.storage.delete(task.file.name)
        assert "ya no está" in words(browser.get(url("task_file", task.pk), follow=True))

    def test_none_of_another_kind(self, owner, browser):
        gather(owner.account, 3)
        assert browser.get(url("task_file", do(owner.account, Kind.TAG, PUT).pk)).status_code == 404


class TestList:
    def test_nothing_yet(self, browser):
        assert "Aún no tienes tareas" in browser.get(url("tasks")).text

    def test_the_latest_first_page_by_page(self, owner, browser, django_assert_max_num_queries):
        gather(owner.account, 3)
        tasks = [do(owner.account, Kind.TAG, PUT, actor=owner.user) for _n in range(26)]
        take_back(tasks[0])
        begin(owner.account, Kind.DELETE)
        with django_assert_max_num_queries(9):
            page = browser.get(url("tasks"))
        assert re.findall(r"tareas/(\d+)/", page.text)[:2] == [str(Task.objects.latest("id").pk), str(tasks[-1].pk)]
        assert "0 de 3" in words(page)
        [older] = re.findall(r'href="([^"]*antes=\d+)"', page.text)
        page = browser.get(older)
        assert re.findall(r"tareas/(\d+)/", page.text) == [str(task.pk) for task in reversed(tasks[:2])]
        assert "Deshecha" in words(page)

    @pytest.mark.parametrize("status", Status.values)
    def test_queries_of_a_task(self, owner, browser, status, django_assert_max_num_queries):
        gather(owner.account, 30)
        task = do(owner.account, Kind.CONSENT, YES)
        Task.objects.update(status=status)
        with django_assert_max_num_queries(9):
            assert browser.get(url("task", task.pk)).status_code == 200


class TestAccess:
    ADDRESSES = ("task", "task_progress", "task_stop", "task_undo", "task_file")

    def reach(self, browser, task):
        return [
            (browser.post if name in ("task_stop", "task_undo") else browser.get)(url(name, task.pk)).status_code
            for name in self.ADDRESSES
        ]

    def test_a_stranger_finds_none(self, owner):
        gather(owner.account, 3)
        task = do(owner.account, Kind.EXPORT, {"format": "csv"})
        stranger = make.signed_in(make.business())
        assert self.reach(stranger, task) == [404] * 5
        assert "Aún no tienes tareas" in stranger.get(url("tasks")).text

    def test_who_edits_does_not_download(self, owner):
        gather(owner.account, 3)
        task = do(owner.account, Kind.EXPORT, {"format": "csv"})
        editor = make.signed_in(make.member(owner.account, Role.EDITOR))
        assert self.reach(editor, task) == [200, 200, 302, 302, 403]
        assert url("task_file", task.pk) not in editor.get(url("task", task.pk)).text
        viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
        assert self.reach(viewer, task) == [403] * 5
        assert url("tasks") not in viewer.get(url("contacts")).text

    def test_signed_out_people_are_sent_to_sign_in(self, owner, client):
        gather(owner.account, 3)
        assert self.reach(client, do(owner.account, Kind.TAG, PUT)) == [302] * 5
