"""The pages of segments: built without a script, counted while one builds, used in the list and in a broadcast."""

import re

import pytest
from django.urls import reverse

from pregon.accounts.models import Role
from pregon.contacts import fields, rules, segments
from pregon.contacts.field_values import Reading
from pregon.contacts.models import Field
from pregon.promotions import audiences
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make.business()


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


def url(name, *args):
    return reverse(f"panel:{name}", args=args)


def row(at, kind, op, **more):
    return {f"c{at}-{key}": value for key, value in {"kind": kind, "op": op, **more}.items()}


def own(account):
    """A field of each kind."""
    fields.ensure(
        account,
        {
            "edad": Reading("number"),
            "cumple": Reading("date"),
            "compra": Reading("date"),
            "vip": Reading("yes_no"),
            "talla": Reading("choice", choices=["M", "G"]),
        },
    )


def saved(account, data, name="Anas"):
    segment = segments.new(account, None)
    segments.save(segment, name, rules.parse(data))
    return segment


ANA = {"all": [{"field": "name", "op": "word", "value": "ana"}]}


class TestForm:
    def test_nobody_yet(self, browser):
        page = browser.get(url("segments"))
        assert "Aún no tienes segmentos" in page.text
        assert url("segment_new") in page.text

    def test_a_new_one_begins_with_a_whole_condition(self, owner, browser):
        make.contact(owner.account, "Ana")
        page = browser.get(url("segment_new"))
        assert '<b class="num">1 persona</b> <span class="soft">de las que ' in page.text
        assert "Completa las condiciones" not in page.text
        assert 'hx-trigger="change from' in page.text
        page = browser.post(url("segment_new"), {"mode": "all", "act": "add", "add": "tag"})
        assert 'hx-trigger="load, change from' in page.text  # the browser asks how many

    def test_conditions_come_and_go_and_are_saved(self, owner, browser):
        tag = make.tag(owner.account, "VIP", make.contact(owner.account, "Ana", fields={"sucursal": "Centro"}))
        first = row(0, "consent", "is", value="granted")
        page = browser.post(url("segment_new"), {"mode": "all", "act": "add", "add": "tag", **first})
        assert 'name="c1-kind" value="tag"' in page.text
        both = first | row(1, "tag", "is", value=tag.pk)
        page = browser.post(url("segment_new"), {"mode": "all", "act": "remove-0", **both})
        assert 'name="c0-kind" value="tag"' in page.text
        assert "c1-kind" not in page.text
        both |= row(2, "own:sucursal", "is", value="Centro") | row(3, "written", "not_within", value="30")
        page = browser.post(
            url("segment_new"), {"mode": "all", "act": "save", "name": "  Los   VIP ", **both}, follow=True
        )
        assert "Guardamos el segmento «Los VIP»" in page.text
        assert "no les has escrito en los últimos 30 días" in page.text
        segment = owner.account.segments.get()
        assert segment.created_by == owner.user
        assert segment.definition == {
            "all": [
                {"field": "consent", "op": "is", "value": "granted"},
                {"field": "tag", "op": "is", "value": tag.pk},
                {"field": "own:sucursal", "op": "is", "value": "Centro"},
                {"field": "written", "op": "not_within", "value": 30},
            ]
        }

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (row(0, "mobile", "starts", value="222"), {"field": "mobile", "op": "starts", "value": "+52222"}),
            (row(0, "mobile", "starts", value="+34 6"), {"field": "mobile", "op": "starts", "value": "+346"}),
            (row(0, "mobile", "to_fix", value=""), {"field": "mobile", "op": "to_fix"}),
            (row(0, "own:edad", "more", value="12,5"), {"field": "own:edad", "op": "more", "value": 12.5}),
            (row(0, "own:edad", "is", value="1,200.50"), {"field": "own:edad", "op": "is", "value": "1200.5"}),
            (row(0, "own:cumple", "anniversary", value="0"), {"field": "own:cumple", "op": "anniversary", "value": 0}),
            (
                row(0, "day:cumple", "after", value="2026-07-01"),
                {"field": "own:cumple", "op": "after", "value": "2026-07-01"},
            ),
            (row(0, "own:vip", "is", value="sí"), {"field": "own:vip", "op": "is", "value": "sí"}),
            (row(0, "own:talla", "is_not", value="M"), {"field": "own:talla", "op": "is_not", "value": "M"}),
            (row(0, "own:borrado", "starts", value="X"), {"field": "own:borrado", "op": "starts", "value": "X"}),
            (row(0, "email", "filled"), {"field": "email", "op": "filled"}),
            (row(0, "read", "never", value="30"), {"field": "read", "op": "never"}),
            (row(0, "name", "word", value="José"), {"field": "name", "op": "word", "value": "José"}),
        ],
    )
    def test_each_kind_of_row(self, owner, browser, given, kept):
        own(owner.account)
        browser.post(url("segment_new"), {"mode": "any", "act": "save", "name": "X", **given})
        assert owner.account.segments.get().definition == {"any": [kept]}

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"name": ""}, "Ponle un nombre"),
            ({"name": "Anas"}, "Ya tienes un segmento con ese nombre"),
            (row(0, "created", "within", value=""), "Van días"),
            (row(0, "created", "within", value="0"), "Van días"),
            (row(0, "name", "word", value=""), "Va un texto"),
            (row(0, "mobile", "starts", value="abc"), "Va el comienzo de un celular"),
            (row(0, "own:edad", "more", value="mucho"), "Va un número"),
            (row(0, "own:cumple", "within", value="0"), "Van días"),
            (row(0, "day:cumple", "before", value="ayer"), "Va un día"),
            (row(0, "own:talla", "is", value=""), "obligatorio"),
            (row(0, "tag", "is", value="999"), "opción válida"),
        ],
    )
    def test_what_is_wrong_is_said_where_it_is(self, owner, browser, given, told):
        own(owner.account)
        saved(owner.account, ANA)
        data = {"mode": "all", "act": "save", "name": "Otro", **row(0, "name", "word", value="ana"), **given}
        page = browser.post(url("segment_new"), data)
        assert told in page.text
        assert owner.account.segments.count() == 1

    def test_a_field_is_asked_for_by_its_kind(self, owner, browser):
        own(owner.account)
        owner.account.own_fields.filter(name="cumple").update(label="Cumpleaños")
        page = browser.get(url("segment_new"))
        assert '<option value="own:cumple">Cumpleaños</option>' in page.text
        assert "day:cumple" not in page.text
        assert '<option value="day:compra">Compra, antes o después de un día</option>' in page.text
        page = browser.post(url("segment_new"), {"mode": "all", "act": "add", "add": "own:talla"})
        assert '<option value="G">G</option>' in page.text
        assert "empieza con" not in page.text
        page = browser.post(url("segment_new"), {"mode": "all", "act": "add", "add": "day:compra"})
        assert 'type="date"' in page.text

    def test_a_birthday_is_asked_for_as_one(self, owner, browser):
        own(owner.account)
        page = browser.post(url("segment_new"), {"mode": "all", "act": "add", "add": "own:cumple"}).text
        ops = re.findall(r'<option value="(\w+)"', page.partition('name="c0-op"')[2].partition("</select>")[0])
        assert ops == ["anniversary", "filled", "empty"]
        assert ">cumplen años en los próximos</option>" in page
        assert "días (0 es hoy)" in page
        page = browser.post(url("segment_new"), {"mode": "all", "act": "add", "add": "own:compra"}).text
        ops = re.findall(r'<option value="(\w+)"', page.partition('name="c0-op"')[2].partition("</select>")[0])
        assert ops == ["within", "not_within", "coming", "anniversary", "filled", "empty"]
        assert "cumplen años" not in page

    def test_of_a_birthday_a_program_may_ask_more(self, owner, browser):
        own(owner.account)
        segment = saved(owner.account, {"all": [{"field": "own:cumple", "op": "before", "value": "2000-01-01"}]})
        page = browser.get(url("segment_edit", segment.pk)).text
        assert "Cumple, antes o después de un día" in page
        assert 'value="2000-01-01"' in page

    def test_a_condition_of_another_time_stays(self, owner, browser):
        """Made when the field was a text, which it is no more."""
        own(owner.account)
        condition = {"field": "own:talla", "op": "starts", "value": "X"}
        segment = saved(owner.account, {"all": [condition]})
        page = browser.get(url("segment_edit", segment.pk))
        assert '<option value="starts" selected>' in page.text
        assert '<option value="X" selected>' in page.text
        given = row(0, "own:talla", "starts", value="X")
        browser.post(url("segment_edit", segment.pk), {"mode": "all", "act": "save", "name": "Anas", **given})
        segment.refresh_from_db()
        assert segment.definition == {"all": [condition]}

    def test_changed_and_deleted(self, owner, browser):
        segment = saved(owner.account, ANA)
        page = browser.get(url("segment_edit", segment.pk))
        assert 'value="ana"' in page.text
        browser.post(
            url("segment_edit", segment.pk),
            {"mode": "all", "act": "save", "name": "Luises", **row(0, "name", "word", value="luis")},
        )
        segment.refresh_from_db()
        assert (segment.name, segment.definition["all"][0]["value"]) == ("Luises", "luis")
        browser.post(url("segment_delete", segment.pk))
        assert not owner.account.segments.exists()

    def test_a_group_of_a_program_is_shown_and_kept(self, owner, browser):
        inner = {"any": [{"field": "read", "op": "ever"}, {"field": "email", "op": "empty"}]}
        segment = saved(owner.account, {"all": [ANA["all"][0], inner]})
        page = browser.get(url("segment_edit", segment.pk))
        assert "leyeron alguna promoción o no tienen correo" in page.text
        group = row(
            1, "group", "", value='{"any": [{"field": "read", "op": "ever"}, {"field": "email", "op": "empty"}]}'
        )
        data = {"mode": "all", "act": "save", "name": "Anas", **row(0, "name", "word", value="ana"), **group}
        browser.post(url("segment_edit", segment.pk), data)
        segment.refresh_from_db()
        assert segment.definition == {"all": [ANA["all"][0], inner]}

    def test_from_the_sentence_of_the_list(self, owner, browser):
        tag = make.tag(owner.account, "VIP", make.contact(owner.account))
        page = browser.get(url("contacts"), {"permiso": "con", "etiqueta": tag.pk, "sin": "nunca"})
        assert f"{url('segment_new')}?permiso=con&amp;etiqueta={tag.pk}&amp;sin=nunca" in page.text
        page = browser.get(url("segment_new"), {"permiso": "con", "etiqueta": tag.pk, "sin": "nunca"})
        assert [
            f'name="c{at}-kind" value="{kind}"' in page.text for at, kind in enumerate(("consent", "tag", "written"))
        ]
        assert '<b class="num">1 persona</b>' in page.text


class TestCount:
    def test_while_one_builds_it(self, owner, browser, django_assert_max_num_queries):
        make.contact(owner.account, "Ana")
        make.contact(owner.account, "Luis")
        data = {"mode": "all", **row(0, "name", "word", value="ana")}
        with django_assert_max_num_queries(8):
            page = browser.get(url("segment_count"), data)
        assert '<b class="num">1 persona</b>' in page.text
        assert "<html" not in page.text
        assert "Completa las condiciones" in browser.get(url("segment_count"), data | {"c0-value": ""}).text

    def test_of_a_saved_one(self, owner, browser):
        make.contact(owner.account, "Ana")
        segment = saved(owner.account, ANA)
        assert "1 persona" in browser.get(url("segment_people", segment.pk)).text


class TestUse:
    def test_in_the_list(self, owner, browser, django_assert_max_num_queries):
        make.contact(owner.account, "Ana")
        make.contact(owner.account, "Luis")
        segment = saved(owner.account, ANA)
        with django_assert_max_num_queries(15):
            page = browser.get(url("contacts"), {"segmento": segment.pk})
        assert ">Ana<" in page.text
        assert ">Luis<" not in page.text
        page = browser.post(url("contacts_bulk"), {"act": "opt_out", "todas": "1", "segmento": segment.pk})
        assert "1 persona" in page.text
        gone = segment.pk
        segment.delete()
        page = browser.get(url("contacts"), {"segmento": gone})
        assert "Nadie cumple" in page.text

    def test_as_the_audience_of_a_broadcast(self, owner, browser):
        make.contact(owner.account, "Ana")
        segment = saved(owner.account, ANA)
        broadcast = make.broadcast(owner.account)
        address = url("broadcast_audience", broadcast.pk)
        assert "Elige un segmento." in browser.post(address, {"kind": "segment"}).text
        browser.post(address, {"kind": "segment", "segment": segment.pk})
        broadcast.refresh_from_db()
        assert audiences.read(broadcast.audience) == audiences.of_segment(segment)
        assert "Segmento Anas" in browser.get(url("broadcast", broadcast.pk)).text
        assert "checked" in browser.get(address).text.partition('value="segment"')[2][:10]

    def test_asking_for_what_is_no_more_is_told_and_reaches_nobody(self, owner, browser):
        fields.ensure(owner.account, {"zona": Reading("text")})
        make.contact(owner.account, "Ana")
        segment = saved(owner.account, {"all": [{"field": "own:zona", "op": "is_not", "value": "B"}]})
        told = "Una de sus condiciones pide algo que ya no existe"
        assert told not in browser.get(url("segments")).text
        owner.account.own_fields.update(work=Field.Work.DELETING)
        for address in (url("segments"), url("segment_edit", segment.pk), url("segment_people", segment.pk)):
            page = browser.get(address)
            assert told in page.text
            assert "«zona», un dato que ya no existe" in page.text
        broadcast = make.broadcast(owner.account)
        page = browser.post(
            url("broadcast_audience", broadcast.pk), {"kind": "segment", "segment": segment.pk}, follow=True
        )
        assert told in page.text
        broadcast.refresh_from_db()
        assert audiences.read(broadcast.audience).kind is audiences.Kind.ALL

    def test_a_tag_that_is_gone_is_told_too(self, owner, browser):
        tag = make.tag(owner.account, "VIP", make.contact(owner.account, "Ana"))
        saved(owner.account, {"all": [{"field": "tag", "op": "is_not", "value": tag.pk}]})
        tag.delete()
        assert "pide algo que ya no existe" in browser.get(url("segments")).text

    def test_queries_of_the_list_do_not_grow(self, owner, browser, django_assert_max_num_queries):
        fields.ensure(owner.account, {"zona": Reading("text")})
        for n in range(5):
            saved(owner.account, {"all": [{"field": "own:zona", "op": "is", "value": "B"}]}, f"Zona {n}")
        with django_assert_max_num_queries(9):
            browser.get(url("segments"))

    def test_a_tag_that_is_searched_for_is_offered(self, owner, browser):
        tag = make.tag(owner.account, "Sucursal Centro", make.contact(owner.account, "Ana"))
        page = browser.get(url("contacts"), {"q": "cent"})
        assert f"etiqueta={tag.pk}" in page.text.partition("También es una etiqueta")[2][:200]


class TestAccess:
    def test_a_viewer_looks_and_a_stranger_finds_none(self, owner):
        segment = saved(owner.account, ANA)
        viewer = make.signed_in(make.member(owner.account, Role.VIEWER))
        assert viewer.get(url("segments")).status_code == 200
        assert viewer.get(url("segment_people", segment.pk)).status_code == 200
        assert {viewer.get(a).status_code for a in (url("segment_new"), url("segment_edit", segment.pk))} == {403}
        assert viewer.post(url("segment_delete", segment.pk)).status_code == 403
        stranger = make.signed_in(make.business())
        for name in ("segment_edit", "segment_people"):
            assert stranger.get(url(name, segment.pk)).status_code == 404
        assert stranger.post(url("segment_delete", segment.pk)).status_code == 404
        broadcast = make.broadcast(stranger_account := make.business().account)
        assert audiences.read(broadcast.audience).kind is audiences.Kind.ALL
        assert stranger_account.segments.count() == 0
