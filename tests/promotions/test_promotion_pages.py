"""The pages of promotions: HTTP in, rows and HTML out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pregon.accounts.models import Member, Role
from pregon.promotions import drafts
from pregon.promotions.drafts import Draft
from pregon.promotions.models import Promotion, Way
from tests import make
from tests.promotions import examples

pytestmark = pytest.mark.django_db

LIST = "/promociones/"
WRITE = "/promociones/nueva/escribir/"
FREE = {"way": "text", "name": "Pan de hoy", "detail": "Hola {{nombre}}, hay conchas."}


@pytest.fixture
def owner() -> Member:
    return make.business()


@pytest.fixture
def client(owner: Member) -> Client:
    return make.signed_in(owner)


@pytest.fixture
def saved(owner: Member) -> Promotion:
    return drafts.create(
        owner.account, owner.user, Draft("Charolas", Way.TEXT, detail="Hola {{nombre}}, hay charolas.")
    )


def page(promotion: Promotion, tail: str = "") -> str:
    return f"/promociones/{promotion.pk}/{tail}"


def test_nothing_yet_says_what_will_be_here(client: Client) -> None:
    assert "Aún no tienes promociones" in client.get(LIST).content.decode()


def test_the_list_finds_by_name_and_tells_what_was_sent(client: Client, saved: Promotion) -> None:
    drafts.create(saved.account, None, Draft("Roscas", Way.OWN))
    html = client.get(LIST, {"q": "charo"}).content.decode()
    assert "Charolas" in html
    assert "Roscas" not in html
    assert "Aún no se envía" in html
    assert "Ninguna se llama así" in client.get(LIST, {"q": "<script>alert(1)</script>"}).content.decode()


def test_long_lists_have_pages(client: Client, owner: Member) -> None:
    for n in range(27):
        drafts.create(owner.account, None, Draft(f"Promo {n:02}", Way.OWN))
    first = client.get(LIST).content.decode()
    assert "Promo 26" in first
    assert "Promo 01" not in first
    rest = client.get(LIST, {"before": first.split("before=")[1].split('"')[0]}).content.decode()
    assert "Promo 01" in rest
    assert client.get(LIST, {"before": "x' OR 1=1"}).status_code == 200


def test_the_chooser_shows_templates_with_their_gaps(client: Client, owner: Member) -> None:
    number = owner.account.numbers.get()
    usable = make.template(number, components=examples.NAMED, parameter_format="NAMED")
    make.template(number, components=examples.PHOTO)
    make.template(number, components=examples.NAMED, status="REJECTED")
    html = client.get("/promociones/nueva/").content.decode()
    assert f"way=template&amp;template={usable.pk}" in html
    assert html.count("Usar esta") == 1
    assert '<span class="p-var">Asunto</span>' in html
    assert "foto" in html


def test_a_promotion_is_written_saved_and_shown_again(client: Client, owner: Member) -> None:
    template = make.template(owner.account.numbers.get(), components=examples.NAMED, parameter_format="NAMED")
    asked = {"way": "template", "template": template.pk}
    assert 'value="{{nombre}}"' in client.get(WRITE, asked).content.decode()
    typed = {"name": "Posada", "subject": "15% menos", "detail": "Aparta\r\n", "gap-body.nombre": "{{nombre}}"}
    answer = client.post(WRITE, asked | typed | {"fallback-nombre": "vecina"}, follow=True)
    version = drafts.latest(Promotion.objects.get(name="Posada"))
    assert (version.subject, version.detail, version.template) == ("15% menos", "Aparta", template)
    assert (version.values, version.fallbacks) == ({"body.nombre": "{{nombre}}"}, {"nombre": "vecina"})
    html = answer.content.decode()
    assert "Guardamos «Posada»" in html
    assert "15% menos" in html


def test_ones_own_keeps_its_buttons(client: Client) -> None:
    typed = {
        "way": "own", "name": "Propia", "subject": "Pan", "detail": "Hay pan hoy.", "footer": "Responde BAJA",
        "button1-kind": "url", "button1-text": "Ver", "button1-url": "https://laespiga.example",
        "button2-kind": "", "button2-text": "sobra",
    }  # fmt: skip
    client.post(WRITE, typed)
    version = drafts.latest(Promotion.objects.get(name="Propia"))
    assert version.buttons == [{"kind": "url", "text": "Ver", "url": "https://laespiga.example"}]


def test_wrong_fields_keep_what_was_typed_and_save_nothing(client: Client) -> None:
    html = client.post(WRITE, FREE | {"name": "", "footer": "x" * 61}).content.decode()
    assert "hay conchas." in html
    assert 'aria-invalid="true"' in html
    assert not Promotion.objects.exists()


def test_preview_without_a_script_saves_nothing(client: Client, owner: Member) -> None:
    make.contact(owner.account, "Ana Ruiz")
    html = client.post(WRITE, FREE | {"act": "preview"}).content.decode()
    assert "Hola Ana, hay conchas." in html
    assert not Promotion.objects.exists()


def test_the_live_preview_shows_a_person_and_what_is_missing(client: Client, owner: Member, saved: Promotion) -> None:
    ana, someone = make.contact(owner.account, "Ana Ruiz"), FREE | {"como": "nadie"}
    html = client.post(
        page(saved, "vista/"), FREE | {"como": ana.pk, "detail": "*Hola* {{nombre}} {{nombr}}"}
    ).content.decode()
    assert "<b>Hola</b> Ana" in html
    assert "«nombr»" in html
    assert "Hola {{nombre}}" in client.post("/promociones/nueva/vista/", someone).content.decode()


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "{{", "{{{$reference}}}", "{% now %}", "😀" * 600, "\x00", "a\n" * 500]
)
def test_hostile_words_are_only_words(client: Client, words: str) -> None:
    typed = FREE | {"detail": words, "name": words, "subject": words, "button1-kind": "x", "button1-text": words}
    html = client.post("/promociones/nueva/vista/", typed).content.decode()
    assert "<script>alert" not in html
    assert "<script>alert" not in client.post(WRITE, typed, follow=True).content.decode()


def test_an_edit_is_a_version_that_can_be_seen_again(client: Client, saved: Promotion) -> None:
    client.post(page(saved), FREE | {"detail": "Ya no hay."})
    assert drafts.latest(saved).number == 2
    assert "hay charolas." in client.get(page(saved), {"version": "1"}).content.decode()
    assert "Ya no hay." in client.get(page(saved), {"version": "9" * 30}).content.decode()


def test_people_without_a_name_are_counted_beside_the_fallback(client: Client, owner: Member, saved: Promotion) -> None:
    row = make.contact(owner.account)
    row.name = ""
    row.save()
    assert "A una persona de tu base" in client.get(page(saved)).content.decode()


def test_it_is_copied_put_away_and_brought_back(client: Client, saved: Promotion) -> None:
    client.post(page(saved, "duplicar/"))
    assert Promotion.objects.filter(name="Copia de Charolas").exists()
    client.post(page(saved, "archivar/"))
    assert "Charolas</b>" in client.get(LIST, {"archived": "1"}).content.decode()
    client.post(page(saved, "archivar/"), {"restore": "1"})
    saved.refresh_from_db()
    assert saved.archived_at is None


def test_preparing_saves_and_leads_to_the_review_page(client: Client, saved: Promotion) -> None:
    answer = client.post(page(saved), FREE | {"act": "send", "detail": "Hola a todos hoy."})
    broadcast = saved.broadcasts.get()
    assert answer.headers["Location"] == reverse("panel:broadcast", args=[broadcast.pk])
    assert broadcast.version.detail == "Hola a todos hoy."


def test_what_is_not_ready_is_saved_and_says_why(client: Client, saved: Promotion) -> None:
    html = client.post(page(saved), FREE | {"act": "send", "detail": ""}, follow=True).content.decode()
    assert "aún no se puede enviar" in html
    assert "Falta el detalle." in html
    assert not saved.broadcasts.exists()


def test_without_a_number_a_review_says_what_to_do(client: Client, owner: Member) -> None:
    owner.account.numbers.all().delete()
    made = drafts.create(owner.account, None, Draft("Propia", Way.OWN, subject="Pan", detail="Hay pan hoy."))
    assert "Aún no conectas un número" in client.post(page(made, "revision/"), follow=True).content.decode()


def test_a_plan_without_the_module_hides_nothing(saved: Promotion, client: Client) -> None:
    saved.account.subscription.plan = make.plan("basico")
    saved.account.subscription.save()
    assert "Tus promociones siguen aquí" in client.get(LIST).content.decode()
    assert "hay charolas." in client.get(page(saved)).content.decode()
    assert client.post(page(saved), FREE).status_code == 403
    assert client.get("/promociones/nueva/").status_code == 403
    assert drafts.latest(saved).number == 1


ROUTES = ["", "plantilla/", "vista/", "duplicar/", "archivar/", "revision/"]


@pytest.mark.parametrize("tail", ROUTES)
def test_others_find_nothing(saved: Promotion, tail: str) -> None:
    stranger = make.signed_in(make.business())
    method: Callable[..., Any] = stranger.get if tail in ("", "plantilla/") else stranger.post
    assert method(page(saved, tail), FREE).status_code == 404
    assert Client().get(page(saved)).headers["Location"].startswith("/")
    assert stranger.post(page(saved), FREE).status_code == 404


def test_a_template_of_others_is_not_there(client: Client) -> None:
    foreign = make.template(make.number(make.account()))
    assert client.get(WRITE, {"way": "template", "template": foreign.pk}).status_code == 404
    assert client.post(WRITE, {"way": "template", "template": "x", "name": "x"}).status_code == 404
    assert client.get(WRITE, {"way": "pigeon"}).status_code == 404


def test_a_viewer_looks_and_changes_nothing(saved: Promotion) -> None:
    viewer = make.signed_in(make.member(saved.account, Role.VIEWER))
    html = viewer.get(page(saved)).content.decode()
    assert "hay charolas." in html
    assert "Preparar envío" not in html
    for url in (page(saved), page(saved, "vista/"), page(saved, "duplicar/"), page(saved, "archivar/"), WRITE):
        assert viewer.post(url, FREE).status_code == 403


def test_an_editor_may_write(saved: Promotion) -> None:
    editor = make.signed_in(make.member(saved.account, Role.EDITOR))
    assert editor.post(page(saved), FREE | {"detail": "Otro."}).status_code == 302


@pytest.fixture
def many(owner: Member, saved: Promotion) -> Promotion:
    for n in range(30):
        drafts.create(owner.account, owner.user, Draft(f"Promo {n}", Way.OWN, detail="Hola"))
        make.contact(owner.account, f"Persona {n}", fields={"sucursal": "Centro"})
        make.template(owner.account.numbers.get())
        drafts.save(saved, owner.user, Draft("Charolas", Way.TEXT, detail=f"Hola {{{{nombre}}}} {n}"))
    return saved


def test_pages_ask_a_fixed_number_of_queries(
    client: Client, many: Promotion, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        client.get(LIST)
    with django_assert_max_num_queries(12):
        client.get("/promociones/nueva/")
    with django_assert_max_num_queries(18):
        client.get(page(many))
    with django_assert_max_num_queries(10):
        client.post(page(many, "vista/"), FREE)
