"""Templates: copied from Meta, handed in, and kept true by webhooks."""

import time
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from pregon.accounts.models import Role
from pregon.simulator.app import Simulator
from pregon.whatsapp import numbers, practice, problems, templates
from pregon.whatsapp.cloud import events
from pregon.whatsapp.models import Number, Template
from tests import make

pytestmark = pytest.mark.django_db
EXAMPLES = [{"param_name": "nombre", "example": "Ana"}, {"param_name": "pan", "example": "conchas"}]
BODY = {
    "type": "BODY",
    "text": "Hola {{nombre}}, hoy hay {{pan}} recién salido del horno para ti.",
    "example": {"body_text_named_params": EXAMPLES},
}


@pytest.fixture
def number(simulator: Simulator) -> Number:
    return numbers.connect(make.account(), practice.SAMPLE_NUMBER, practice.SAMPLE_WABA, practice.TOKEN)


def test_all_are_copied_also_beyond_a_page(simulator: Simulator, number: Number) -> None:
    original = next(iter(simulator.world.templates.values()))
    for n in range(230):
        simulator.world.add_template(
            type(original)(f"99{n:05d}", number.waba_id, f"otra_{n:03d}", "es_MX", "UTILITY", original.components)
        )
    assert templates.sync(number) == 233
    row = Template.objects.get(name="promo_general")
    assert row.approved
    assert (row.language, row.category, row.rejected_reason) == ("es_MX", "MARKETING", "")
    assert row.body_text.startswith("Hola {{1}}")
    assert templates.of(number).count() == 233


def test_a_second_sync_changes_what_changed_and_marks_what_is_gone(simulator: Simulator, number: Number) -> None:
    templates.sync(number)
    world = simulator.world
    gone = next(each for each in world.templates.values() if each.name == "pedido_listo")
    world.drop_template(gone)
    next(each for each in world.templates.values() if each.name == "promo_general").status = "PAUSED"
    templates.sync(number)
    assert dict(Template.objects.values_list("name", "status")) == {
        "promo_general": "PAUSED", "promo_con_foto": "APPROVED", "pedido_listo": "DELETED",
    }  # fmt: skip
    assert not templates.of(number).filter(name="pedido_listo").exists()


def test_another_business_keeps_its_own(number: Number) -> None:
    other = make.template(make.number(make.account()))
    templates.sync(number)
    other.refresh_from_db()
    assert other.approved


def test_meta_down_changes_nothing(number: Number, settings: object) -> None:
    templates.sync(number)
    settings.GRAPH_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    with pytest.raises(problems.MetaProblem):
        templates.sync(number)
    assert Template.objects.filter(status="APPROVED").count() == 3


def test_one_is_handed_in_and_reviewed(simulator: Simulator, number: Number) -> None:
    simulator.world.settings.review_seconds = 0.05
    row = templates.submit(number, name="pan_de_hoy", components=[BODY])
    assert (row.status, row.parameter_format, row.category, row.language) == ("PENDING", "NAMED", "MARKETING", "es_MX")
    deadline = time.monotonic() + 5
    while simulator.world.templates[row.meta_id].status == "PENDING" and time.monotonic() < deadline:
        time.sleep(0.02)
    templates.sync(number)
    row.refresh_from_db()
    assert row.approved


def test_meta_refuses_in_words(number: Number) -> None:
    templates.submit(number, name="pan_de_hoy", components=[BODY])
    with pytest.raises(problems.MetaProblem, match="Ya hay una plantilla con ese nombre") as problem:
        templates.submit(number, name="pan_de_hoy", components=[BODY])
    assert problem.value.trace_id
    leading = BODY | {"text": "{{nombre}}, hoy hay {{pan}} recién salido del horno."}
    with pytest.raises(problems.MetaProblem, match="no puede empezar ni terminar"):
        templates.submit(number, name="otra_cosa", components=[leading])
    assert not Template.objects.filter(name="otra_cosa").exists()


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["Hola {{1}}"], "POSITIONAL"),
        (["Hola {{ nombre }}"], "NAMED"),
        (["Hola"], "POSITIONAL"),
        (["{{asunto}}", "Hola {{1}}"], "NAMED"),
    ],
)
def test_the_kind_of_variables(texts: list[str], form: str) -> None:
    assert templates.parameter_format([{"type": "BODY", "text": text} for text in texts]) == form


def test_a_webhook_moves_it_in_every_business_that_has_it() -> None:
    row = make.template(make.number(make.account()), status="PENDING")
    twin = make.template(make.number(make.account(), waba_id=row.waba_id), status="PENDING", meta_id=row.meta_id)
    other = make.template(make.number(make.account()), status="PENDING")
    at = datetime.now(UTC)
    key = (row.waba_id, row.meta_id, row.name, row.language)
    templates.apply(events.TemplateStatusEvent(*key, status="REJECTED", reason="INVALID_FORMAT", at=at))
    templates.apply(events.TemplateCategoryEvent(*key, category="UTILITY", at=at))
    for each in (row, twin):
        each.refresh_from_db()
        assert (each.status, each.rejected_reason, each.category) == ("REJECTED", "INVALID_FORMAT", "UTILITY")
    other.refresh_from_db()
    assert other.status == "PENDING"


def test_the_page_lists_them_and_brings_them_again(number: Number) -> None:
    editor = make.member(number.account, Role.EDITOR)
    manager = make.member(number.account, Role.MANAGER)
    assert "promo_general" not in make.signed_in(editor).get(reverse("panel:settings_templates")).content.decode()
    page = make.signed_in(manager).post(reverse("panel:settings_templates_sync"), follow=True)
    assert "Tienes 3 plantillas en Meta" in page.content.decode()
    assert "promo_general" in page.content.decode()
    assert make.signed_in(editor).post(reverse("panel:settings_templates_sync")).status_code == 403
