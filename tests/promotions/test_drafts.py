"""Promotions written down: versions, copies, what is missing before they may be sent, and Meta's review."""

from typing import Any

import pytest

from pregon.promotions import drafts, problems
from pregon.promotions.drafts import Draft
from pregon.promotions.models import Broadcast, Promotion, Version, Way
from pregon.simulator.app import Simulator
from pregon.whatsapp import numbers, practice
from pregon.whatsapp.problems import MetaProblem
from tests import make
from tests.promotions import examples

pytestmark = pytest.mark.django_db

OWN = Draft(
    "Charolas",
    Way.OWN,
    subject="15% menos",
    detail="Hola {{nombre}}, hay conchas hasta el 30 de noviembre.",
    footer="La Espiga",
)


def promotion(draft: Draft = OWN) -> Promotion:
    return drafts.create(make.account(), make.user(), draft)


def changed(draft: Draft = OWN, **fields: Any) -> Draft:
    return Draft(**{name: getattr(draft, name) for name in draft.__dataclass_fields__} | fields)


def test_a_promotion_begins_with_its_first_version() -> None:
    account, actor = make.account(), make.user()
    made = drafts.create(account, actor, OWN)
    version = drafts.latest(made)
    assert (version.number, version.subject, version.created_by, made.created_by) == (1, "15% menos", actor, actor)
    assert drafts.written(version) == OWN


def test_saving_the_same_makes_no_version_and_a_new_name_neither() -> None:
    made = promotion()
    assert drafts.save(made, None, OWN).number == 1
    assert drafts.save(made, None, changed(name="Otra")).number == 1
    made.refresh_from_db()
    assert made.name == "Otra"


def test_an_edit_makes_a_version_and_keeps_what_was_said() -> None:
    made = promotion()
    assert drafts.save(made, None, changed(detail="Ya no hay.")).number == 2
    assert list(made.versions.order_by("number").values_list("detail", flat=True)) == [OWN.detail, "Ya no hay."]


def test_an_edit_undoes_the_approval_of_what_was_not_sent_yet() -> None:
    made = promotion()
    broadcast = Broadcast.objects.create(
        account=made.account, promotion=made, version=drafts.latest(made), approved_at=made.created_at, approved_count=3
    )
    drafts.save(made, None, changed(subject="Otro asunto"))
    broadcast.refresh_from_db()
    assert broadcast.approved_at is None
    assert broadcast.approval_lost
    assert broadcast.version.number == 2


def test_a_copy_says_the_same_and_is_its_own() -> None:
    made = promotion()
    copy = drafts.duplicate(made, None)
    assert (copy.name, drafts.latest(copy).detail) == ("Copia de Charolas", OWN.detail)
    drafts.save(copy, None, changed(detail="Otro."))
    assert drafts.latest(made).number == 1


def test_what_is_planned_cannot_be_archived() -> None:
    made = promotion()
    planned = Broadcast.objects.create(
        account=made.account, promotion=made, version=drafts.latest(made), status=Broadcast.Status.SCHEDULED
    )
    with pytest.raises(drafts.Refused, match="Cancélalo"):
        drafts.archive(made)
    planned.delete()
    drafts.archive(made)
    made.refresh_from_db()
    assert made.archived_at is not None


def reviewed(made: Promotion, status: str = "APPROVED") -> Version:
    """As after the review of its latest version."""
    version = drafts.latest(made)
    version.template = make.template(make.number(made.account), status=status)
    version.save()
    return version


def test_a_review_stays_while_meta_would_see_the_same() -> None:
    made = promotion()
    approved = reviewed(made).template
    assert drafts.save(made, None, changed(fallbacks={"nombre": "vecina"})).template == approved
    assert drafts.save(made, None, changed(detail="Hola {{nombre}}, otra cosa.")).template is None


def test_the_same_words_are_not_handed_in_twice() -> None:
    made = promotion()
    reviewed(made, "PENDING")
    with pytest.raises(drafts.Refused, match="en manos de Meta"):
        drafts.submit_for_review(made, make.number(made.account))
    with pytest.raises(drafts.Refused, match="Ajustes"):
        drafts.submit_for_review(made, None)


def test_meta_takes_it_for_review_once(simulator: Simulator) -> None:
    made = promotion()
    number = numbers.connect(made.account, practice.SAMPLE_NUMBER, practice.SAMPLE_WABA, practice.TOKEN)
    template = drafts.submit_for_review(made, number)
    assert (template.name, template.status, template.language) == (f"charolas_{made.pk}_1", "PENDING", "es_MX")
    assert drafts.latest(made).template == template
    assert "en revisión" in " ".join(drafts.ready(drafts.latest(made)))
    with pytest.raises(drafts.Refused, match="en manos de Meta"):
        drafts.submit_for_review(made, number)
    Version.objects.update(template=None)  # as if the other of two clicks had not seen it yet
    with pytest.raises(MetaProblem):
        drafts.submit_for_review(made, number)


def test_without_meta_nothing_is_handed_in_and_the_words_stay(simulator: Simulator, settings: Any) -> None:
    made = promotion()
    number = numbers.connect(made.account, practice.SAMPLE_NUMBER, practice.SAMPLE_WABA, practice.TOKEN)
    settings.GRAPH_URL = settings.SIMULATOR_URL = "http://127.0.0.1:9"
    with pytest.raises(MetaProblem, match="llegar a Meta"):
        drafts.submit_for_review(made, number)
    assert drafts.latest(made).template is None


def test_what_meta_would_refuse_is_not_handed_in() -> None:
    made = promotion(changed(detail="{{nombre}}"))
    with pytest.raises(drafts.Refused, match="empiece o termine"):
        drafts.submit_for_review(made, make.number(made.account))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (None, "envíala a revisión"),
        ("PENDING", "en revisión"),
        ("REJECTED", "rechazada"),
        ("PAUSED", "en pausa"),
        ("APPROVED", ""),
    ],
)
def test_only_an_approved_template_is_ready(status: str | None, sentence: str) -> None:
    made = promotion()
    if status:
        reviewed(made, status)
    found = drafts.ready(drafts.latest(made))
    assert found == [] if not sentence else sentence in " ".join(found)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"subject": ""}, "Falta el asunto."),
        ({"detail": " "}, "Falta el detalle."),
        ({"subject": "¡Pan! 🥐"}, "sin emojis"),
        ({"subject": "{{nombre}} y {{correo}}"}, "un solo dato"),
        ({"subject": "x" * 36 + "{{nombre}}"}, "puede llegar a 61 letras"),
        ({"detail": "Hola {{nombre}}{{correo}} hoy"}, "dos datos"),
        ({"detail": "x" * 1025}, "caben 1024"),
        ({"detail": "Hola {{ y ya"}, "llaves"),
        ({"detail": "Hola {{nombr}} y ya"}, "«nombr»"),
        ({"footer": "Hola {{nombre}}"}, "El pie va igual"),
        ({"buttons": [{"kind": "reply", "text": "", "url": ""}]}, "le faltan palabras"),
        ({"buttons": [{"kind": "reply", "text": "x" * 26, "url": ""}]}, "caben 25"),
        (
            {"buttons": [{"kind": "reply", "text": "Va", "url": ""}, {"kind": "reply", "text": "VA", "url": ""}]},
            "mismas palabras",
        ),
        ({"buttons": [{"kind": "url", "text": "Ver", "url": "laespiga"}]}, "https://"),
        ({"buttons": [{"kind": "url", "text": "Ver", "url": "javascript:alert(1)"}]}, "https://"),
        ({"buttons": [{"kind": "url", "text": "Ver", "url": "https://[x"}]}, "https://"),
        ({"buttons": [{"kind": "url", "text": "Ver", "url": "https://x.example/{{nombre}}"}]}, "igual para todos"),
    ],
)
def test_every_obstacle_is_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    made = promotion(changed(**fields))
    assert sentence in " ".join(drafts.ready(drafts.latest(made)))


def filled(components: list[dict[str, Any]], **fields: Any) -> list[str]:
    """The obstacles of a template filled that way."""
    account = make.account()
    row = make.template(make.number(account), components=components, parameter_format="NAMED")
    given = {"subject": "Pan", "detail": "Hay conchas.", "values": {"body.nombre": "{{nombre}}"}} | fields
    return drafts.ready(drafts.latest(drafts.create(account, None, Draft("x", Way.TEMPLATE, row, **given))))


def test_a_filled_template_is_ready() -> None:
    assert filled(examples.NAMED) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"detail": ""}, "Falta: Detalle."),
        ({"subject": ""}, "Falta: Asunto."),
        ({"values": {}}, "Falta: Nombre."),
        ({"detail": "Uno\ndos"}, "un solo párrafo"),
        ({"detail": "x" * 1000}, "El mensaje puede llegar"),
    ],
)
def test_gaps_that_are_not_filled_are_told(fields: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(filled(examples.NAMED, **fields))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"button.1": "a b", "button.2": "PAN"}, "sin espacios"),
        ({"button.1": "{{nombre}}", "button.2": "PAN"}, "igual para todos"),
        ({"button.1": "a", "button.2": "P N"}, "solo letras y números"),
    ],
)
def test_addresses_and_codes_have_rules_of_their_own(values: dict[str, str], sentence: str) -> None:
    assert sentence in " ".join(filled(examples.NUMBERED, values={"body.1": "{{nombre}}"} | values))


def test_a_template_with_a_photo_says_that_it_cannot_be_used_yet() -> None:
    assert "foto" in " ".join(filled(examples.PHOTO))


def test_a_column_that_someone_has_is_no_slip() -> None:
    account = make.account()
    make.contact(account, fields={"sucursal": "Centro"})
    made = drafts.create(account, None, Draft("x", Way.TEXT, detail="Ven a {{sucursal}} hoy"))
    assert drafts.ready(drafts.latest(made)) == []


def test_free_text_takes_a_link_or_answers() -> None:
    buttons = [{"kind": "reply", "text": "Va", "url": ""}, {"kind": "url", "text": "Ver", "url": "https://x.example"}]
    made = promotion(Draft("x", Way.TEXT, detail="Hola", buttons=buttons))
    assert "no las dos cosas" in " ".join(drafts.ready(drafts.latest(made)))


@pytest.mark.parametrize("url", ["https://laespiga.example/charolas", "http://x.example"])
def test_addresses_that_serve(url: str) -> None:
    assert problems.web_address(url)
