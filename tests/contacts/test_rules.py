"""Rules as JSON and in words."""

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from pregon.contacts import fields, rules, segments
from pregon.contacts.field_values import Reading
from pregon.contacts.rules import Refused, Rule
from tests import make
from tests.contacts.test_segments import ACTIVITIES

pytestmark = pytest.mark.django_db

KEYS = st.sampled_from(["all", "any", "field", "op", "value"]) | st.text()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))


class TestParse:
    @pytest.mark.parametrize(
        ("data", "path"),
        [
            (None, ""),
            ([], ""),
            ({}, ""),
            ({"all": []}, ""),
            ({"all": "x"}, ""),
            ({"all": [], "any": []}, ""),
            ({"all": [{}]}, "all[0]"),
            ({"all": [{"field": "tag", "op": "is", "value": 1, "extra": 1}]}, "all[0]"),
            ({"all": [{"field": "password", "op": "is", "value": "x"}]}, "all[0].field"),
            ({"all": [{"field": "account_id", "op": "is", "value": 1}]}, "all[0].field"),
            ({"all": [{"field": "own:", "op": "is", "value": "x"}]}, "all[0].field"),
            ({"all": [{"field": "own:" + "x" * 61, "op": "is", "value": "x"}]}, "all[0].field"),
            ({"all": [{"field": "own:a\x00", "op": "is", "value": "x"}]}, "all[0].field"),
            ({"all": [{"field": "tag", "op": "; DROP", "value": 1}]}, "all[0].op"),
            ({"all": [{"field": "tag", "op": "is", "value": "1"}]}, "all[0].value"),
            ({"all": [{"field": "tag", "op": "is", "value": True}]}, "all[0].value"),
            ({"all": [{"field": "tag", "op": "is", "value": 2**63}]}, "all[0].value"),
            ({"all": [{"field": "consent", "op": "is", "value": "maybe"}]}, "all[0].value"),
            ({"all": [{"field": "consent", "op": "is", "value": ["granted"]}]}, "all[0].value"),
            ({"all": [{"field": "name", "op": "word", "value": "a\x00"}]}, "all[0].value"),
            ({"all": [{"field": "name", "op": "word", "value": "\ud800"}]}, "all[0].value"),
            ({"all": [{"field": "name", "op": "word", "value": "\u0301"}]}, "all[0].value"),
            ({"all": [{"field": "name", "op": "word", "value": "x" * 201}]}, "all[0].value"),
            ({"all": [{"field": "mobile", "op": "starts", "value": "222"}]}, "all[0].value"),
            ({"all": [{"field": "own:x", "op": "more", "value": "12"}]}, "all[0].value"),
            ({"all": [{"field": "own:x", "op": "more", "value": float("nan")}]}, "all[0].value"),
            ({"all": [{"field": "own:x", "op": "more", "value": 10**400}]}, "all[0].value"),
            ({"all": [{"field": "read", "op": "within", "value": 0}]}, "all[0].value"),
            ({"all": [{"field": "read", "op": "ever", "value": 7}]}, "all[0].value"),
            ({"all": [{"any": [{"field": "read", "op": "within"}]}]}, "all[0].any[0].value"),
            ({"all": [{"any": [{"all": [{"field": "read", "op": "ever"}]}]}]}, "all[0].any[0]."),
            ({"all": [{"field": "read", "op": "ever"}] * 31}, ""),
        ],
    )
    def test_what_is_no_definition_is_refused_where_it_is_wrong(self, data, path):
        with pytest.raises(Refused) as caught:
            rules.parse(data)
        assert caught.value.path == path
        assert str(caught.value)

    @settings(deadline=None)
    @given(JSON)
    def test_any_json_is_read_or_refused(self, data):
        try:
            rules.parse(data)
        except Refused:
            pass


class TestWords:
    def test_every_op_has_its_sentence(self):
        names = segments.Names({7: "VIP"}, {7: "lista.csv"}, {})
        values = {"tag": 7, "import": 7, "consent": "granted", "created": 30}
        for field in [*rules.FIELDS, "own:sucursal", *ACTIVITIES]:
            for op in rules.operators(field):
                days = 30 if op in ("within", "not_within") else None
                told = segments.tell(Rule(field, op, values.get(field, days)), names)
                assert told and "%" not in told

    @pytest.mark.parametrize(
        ("label", "days", "words"),
        [
            ("Cumpleaños", 7, "cumplen años en los próximos 7 días, según Cumpleaños"),
            ("Fecha de nacimiento", 0, "cumplen años hoy, según Fecha de nacimiento"),
            ("Última compra", 7, "tienen en Última compra una fecha que vuelve cada año, en los próximos 7 días"),
        ],
    )
    def test_of_a_day_that_comes_every_year(self, label, days, words):
        names = segments.Names({}, {}, {"dia": label})
        with translation.override("es"):
            assert segments.tell(Rule("own:dia", "anniversary", days), names) == words

    def test_a_sentence(self):
        account = make.account()
        fields.ensure(account, {"sucursal": Reading("text")})
        tag = make.tag(account, "VIP")
        group = rules.parse(
            {"all": [
                {"field": "tag", "op": "is", "value": tag.pk},
                {"any": [{"field": "read", "op": "ever"}, {"field": "own:sucursal", "op": "is", "value": "Centro"}]},
                {"field": "written", "op": "not_within", "value": 1},
            ]}
        )  # fmt: skip
        with translation.override("es"):
            assert segments.describe(group, segments.names(account, group)) == (
                "tienen la etiqueta VIP y (leyeron alguna promoción o tienen «Centro» en Sucursal) "
                "y no les has escrito en el último día"
            )
