"""What a version says: to Meta, which accepts it, and on the drawn phone, which shows what Meta will show."""

from typing import Any

import orjson
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.contacts.models import Contact, Field
from pregon.promotions import compositions, fields, preview, problems, shapes
from pregon.promotions.models import Version, Way
from pregon.simulator import messages, reviews, setup
from pregon.simulator import shapes as meta
from pregon.whatsapp.cloud import payloads
from tests import make
from tests.promotions import examples

REFERENCE = "pregon:abc:77"
MARIANA = Contact(name="Mariana  Torres", mobile="+522225550199", email="m@example.com", fields={"sucursal": "Centro"})


def sent(version: Version, contact: Contact) -> dict[str, Any]:
    """The body that leaves for this person."""
    message, _texts = preview.payload(version)
    values = fields.values(contact, preview.fields_of(version), version.fallbacks, {})
    slots = {f"v{index}": value for index, value in enumerate(values)}
    answer: dict[str, Any] = orjson.loads(payloads.compile(message)("+522225550199", slots, REFERENCE))
    return answer


def received(version: Version, contact: Contact) -> meta.Filled:
    """What Meta makes of it; raises Meta's refusal."""
    components = version.template.components if version.template else compositions.components(version)
    return meta.fill(meta.read(components), sent(version, contact)["template"].get("components", []))


def arrived(version: Version, contact: Contact) -> messages.Message:
    """Free text as it stands in the person's chat; raises Meta's refusal."""
    world = setup.seed(setup.default())
    return messages.receive(world, next(iter(world.numbers.values())), sent(version, contact))


def test_asunto_and_detalle_fill_the_variables_of_their_names() -> None:
    version = examples.version(
        Way.TEMPLATE,
        template=examples.template(examples.NAMED),
        subject="15% menos",
        detail="Aparta antes del 30.",
        values={"body.nombre": "{{nombre}}"},
    )
    shown = preview.render(version, MARIANA)
    assert shown.body == "Hola Mariana 👋 *15% menos*\nAparta antes del 30.\nTe esperamos."
    assert shown.buttons == [("reply", "Apartar"), ("optout", "No recibir promociones")]
    assert received(version, MARIANA).body == shown.body
    assert preview.payload(version).texts == ["{{nombre}}"]


def test_numbered_variables_get_their_roles_from_their_place() -> None:
    gaps = shapes.read(examples.NUMBERED).gaps
    assert [(gap.key, gap.role, gap.suggestion) for gap in gaps] == [
        ("header.1", shapes.Role.SUBJECT, ""),
        ("body.1", shapes.Role.OTHER, "{{nombre}}"),
        ("body.2", shapes.Role.DETAIL, ""),
        ("button.1", shapes.Role.OTHER, ""),
        ("button.2", shapes.Role.OTHER, ""),
    ]


def test_variables_go_in_numerical_order_whatever_their_place() -> None:
    gaps = shapes.read([{"type": "BODY", "text": "De {{2}} para {{1}}: {{3}}."}]).gaps
    assert [gap.name for gap in gaps] == ["1", "2", "3"]


def test_buttons_bring_the_reference_back() -> None:
    version = examples.version(
        Way.TEMPLATE,
        template=examples.template(examples.NUMBERED),
        subject="Pan",
        detail="Hay conchas.",
        values={"body.1": "{{nombre}}", "button.1": "conchas", "button.2": "PAN15"},
    )
    buttons = [part for part in sent(version, MARIANA)["template"]["components"] if part["type"] == "button"]
    assert [(part["index"], part["parameters"][0]) for part in buttons] == [
        ("0", {"type": "payload", "payload": f"{REFERENCE}:baja"}),
        ("1", {"type": "text", "text": "conchas"}),
        ("2", {"type": "coupon_code", "coupon_code": "PAN15"}),
    ]
    assert received(version, MARIANA).buttons[1] == ["url", "Ver", "https://laespiga.example/o/conchas"]


def test_a_template_of_ones_own_is_header_body_footer_and_the_opt_out() -> None:
    version = examples.version(
        Way.OWN,
        subject="Pan para {{nombre}}",
        detail="Hola {{nombre}}, tu sucursal {{sucursal}} abre hoy.",
        footer="La Espiga",
        buttons=[
            {"kind": "url", "text": "Ver", "url": "https://laespiga.example"},
            {"kind": "reply", "text": "Quiero", "url": ""},
        ],
    )
    header, body, footer, buttons = compositions.components(version)
    assert (header["text"], header["example"]) == ("Pan para {{1}}", {"header_text": ["Mariana"]})
    assert body["text"] == "Hola {{1}}, tu sucursal {{2}} abre hoy."
    assert body["example"] == {"body_text": [["Mariana", "sucursal"]]}
    assert footer == {"type": "FOOTER", "text": "La Espiga"}
    assert [button["text"] for button in buttons["buttons"]] == ["Quiero", "No recibir promociones", "Ver"]
    assert received(version, MARIANA).body == "Hola Mariana, tu sucursal Centro abre hoy."
    assert preview.render(version, MARIANA).header == "Pan para Mariana"
    assert compositions.name(version) == "charolas_para_tu_posada_12_1"
    assert compositions.language(version) == "es_MX"


def test_free_text_has_answers_and_always_the_way_out() -> None:
    version = examples.version(
        Way.TEXT, detail="Hola {{nombre}}\nya llegó", buttons=[{"kind": "reply", "text": "Va", "url": ""}]
    )
    interactive = sent(version, MARIANA)["interactive"]
    assert interactive["body"]["text"] == "Hola Mariana\nya llegó"
    assert [button["reply"] for button in interactive["action"]["buttons"]] == [
        {"id": f"{REFERENCE}:0", "title": "Va"},
        {"id": f"{REFERENCE}:baja", "title": "No recibir más"},
    ]


def test_free_text_with_a_link_has_only_the_link() -> None:
    link = {"kind": "url", "text": "Ver", "url": "https://laespiga.example"}
    interactive = sent(examples.version(Way.TEXT, detail="Hola", buttons=[link]), MARIANA)["interactive"]
    assert interactive["action"]["parameters"] == {"display_text": "Ver", "url": "https://laespiga.example"}


@pytest.mark.parametrize(
    "hostile",
    ["{{{$reference}}}", "{{$reference}}", "{{", "{{{{v0}}}}", '"}]}', "<script>alert(1)</script>", "\\u0000"],
)
def test_hostile_words_stay_words(hostile: str) -> None:
    version = examples.version(Way.TEXT, detail=f"Hola {hostile} {{{{nombre}}}}")
    body = sent(version, MARIANA)["interactive"]["body"]["text"]
    assert REFERENCE not in body
    assert body.endswith(" Mariana")


def test_a_value_with_braces_is_not_read_again() -> None:
    version = examples.version(Way.TEXT, detail="{{nombre}} y {{correo}}")
    contact = Contact(name="{{correo}}", email="x@example.com")
    assert preview.render(version, contact).body == "{{correo}} y x@example.com"
    assert sent(version, contact)["interactive"]["body"]["text"] == "{{correo}} y x@example.com"


def test_without_a_contact_the_values_are_invented_and_an_empty_gap_is_dots() -> None:
    version = examples.version(Way.TEMPLATE, template=examples.template(examples.NAMED), detail="Hola")
    assert preview.render(version, None).body == "Hola … 👋 *…*\nHola\nTe esperamos."


WORDS = st.text(
    st.sampled_from("aB é😀\n\t{}*<>\"'\\1$%") | st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
    max_size=60,
)
PLAIN = st.lists(
    st.sampled_from(["Hay pan ", "hoy ", "😀 ", "{{nombre}}", "{{Correo}}", " y más", "."]), min_size=1, max_size=6
).map("".join)
WILD = st.lists(WORDS | st.sampled_from(["{{nombre}}", "{{ correo }}", "{{nombre_completo}}"]), max_size=5).map("".join)
SPOKEN = PLAIN | WILD
PEOPLE = st.builds(
    Contact, name=WORDS, email=WORDS, mobile=st.sampled_from(["+522225550199", None]), fields=st.just({})
)
BUTTON = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["reply", "url"]),
        "text": WORDS | st.sampled_from(["Ver", "Quiero"]),
        "url": st.just("https://x.example/a"),
    }
)
CODE = st.sampled_from(["PAN15", "pan 15", "{{nombre}}", "", "p" * 21]) | WILD
FALLBACKS = {"nombre": "vecina", "nombre_completo": "vecina", "correo": "tu correo", "celular": "tu celular"}


@settings(max_examples=150, deadline=None)
@given(
    SPOKEN,
    SPOKEN,
    st.fixed_dictionaries({"body.nombre": SPOKEN, "body.1": SPOKEN, "button.1": CODE, "button.2": CODE}),
    PEOPLE,
)
@pytest.mark.django_db
@pytest.mark.parametrize("frame", [examples.NAMED, examples.NUMBERED])
def test_what_is_ready_is_accepted_and_looks_as_drawn(
    frame: list[dict[str, Any]], subject: str, detail: str, values: dict[str, str], contact: Contact
) -> None:
    version = examples.version(
        Way.TEMPLATE,
        template=examples.template(frame),
        subject=subject,
        detail=detail,
        values=values,
        fallbacks=FALLBACKS,
    )
    agree(version, contact)


@settings(max_examples=150, deadline=None)
@given(SPOKEN, SPOKEN, WORDS | st.just("Responde BAJA"), st.lists(BUTTON, max_size=2), PEOPLE)
@pytest.mark.django_db
def test_ones_own_is_accepted_and_looks_as_drawn(
    subject: str, detail: str, footer: str, buttons: list[dict[str, str]], contact: Contact
) -> None:
    agree(
        examples.version(
            Way.OWN, subject=subject, detail=detail, footer=footer, buttons=buttons, fallbacks=FALLBACKS,
            template=None,
        ),
        contact,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(SPOKEN, SPOKEN, WORDS, st.lists(BUTTON, max_size=2), PEOPLE)
@pytest.mark.django_db
def test_free_text_is_accepted_and_looks_as_drawn(
    subject: str, detail: str, footer: str, buttons: list[dict[str, str]], contact: Contact
) -> None:
    given = {"subject": subject, "detail": detail.strip(), "footer": footer, "buttons": buttons}
    agree(examples.version(Way.TEXT, fallbacks=FALLBACKS, **given), contact)


def agree(version: Version, contact: Contact) -> None:
    """Whatever it says, a body can be made; what has no problems is accepted by Meta, and drawn as Meta shows it."""
    sent(version, contact)
    drawn = preview.render(version, contact)
    review = problems.before_review(version) if version.way == Way.OWN else problems.find(version)
    if review:
        return
    if version.way == Way.OWN:
        reviews.check(compositions.components(version))
    shown = arrived(version, contact) if version.way == Way.TEXT else received(version, contact)
    assert (drawn.header, drawn.body, drawn.footer) == (shown.header, shown.body, shown.footer)
    assert [words for _kind, words in drawn.buttons] == [button[1] for button in shown.buttons]
    assert len(shown.header) <= problems.HEADER


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(
    name=WORDS,
    email=WORDS,
    column=WORDS
    | st.dates().map(str)
    | st.decimals(-1000, 1000, places=3).map(str)
    | st.sampled_from(["2026-07-01\n", "1.5 "]),
    fallback=st.sampled_from(["", " ", "vecina"]),
    country=st.sampled_from(["MX", "CL", "PA"]),
    kind=st.sampled_from(Field.Kind.values),
)
def test_sql_and_python_give_the_same_values(
    name: str, email: str, column: str, fallback: str, country: str, kind: str
) -> None:
    account = make.account(country=country)
    row = make.contact(account, name=name or "x", email=email, fields={"sucursal": column})
    names = ["nombre", "Nombre_Completo", "celular", "correo", "sucursal", "Enlace_baja", "nadie"]
    fallbacks = {"sucursal": fallback, "nombre": fallback}
    account.own_fields.update(kind=kind)
    styles = fields.styles(account.pk, names)
    sql, params = fields.values_sql(names, fallbacks, styles)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql} FROM contacts_contact c WHERE id = %(id)s", params | {"id": row.pk})
        (found,) = cursor.fetchone()
    assert [value or "" for value in found] == fields.values(row, names, fallbacks, styles)
    missing, params = fields.missing_sql(names[:-1], fallbacks)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {missing} FROM contacts_contact c WHERE id = %(id)s", params | {"id": row.pk})
        assert cursor.fetchone()[0] == (not all(fields.values(row, names[:-1], fallbacks, styles)))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "kind", "kept", "written"),
    [
        ("MX", "date", "2026-07-01", "01/07/2026"),
        ("PA", "date", "2026-07-01", "07/01/2026"),
        ("MX", "text", "2026-07-01", "2026-07-01"),
        ("CL", "number", "1234.5", "1234,5"),
        ("MX", "number", "1234.5", "1234.5"),
        ("CL", "text", "1234.5", "1234.5"),
        ("CL", "number", "versión 1.5", "versión 1.5"),
        ("CL", "yes_no", "sí", "sí"),
    ],
)
def test_a_value_is_written_as_people_of_the_country_do(country: str, kind: str, kept: str, written: str) -> None:
    account = make.account(country=country)
    person = make.contact(account, fields={"dato": kept})
    account.own_fields.update(kind=kind)
    version = examples.version(Way.TEXT, detail="Dice {{dato}}.", fallbacks={})
    assert preview.render(version, person).body == f"Dice {written}."


@pytest.mark.django_db
def test_fields_that_can_be_inserted_and_those_nobody_has() -> None:
    account = make.account()
    make.contact(account, fields={"sucursal": "Centro", "¿raro?": "x"})
    make.contact(make.account(), fields={"ajena": "x"})
    assert fields.available(account) == ["nombre", "nombre_completo", "celular", "correo", "enlace_baja", "sucursal"]
    assert fields.unknown(account, ["nombre", "sucursal", "ajena", "sucursl"]) == ["ajena", "sucursl"]
