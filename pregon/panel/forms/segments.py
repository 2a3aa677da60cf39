"""The form of a segment: conditions one under the other, each a row of two or three controls.

Rows come and go by sending the form (`act` is add or remove-3), so that it works without a script. What it says is read by
`contacts.rules`, as a program's JSON is.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pregon.accounts.models import Account
from pregon.contacts import field_values, fields, rules, segments
from pregon.contacts.field_values import CHOICE, DATE, NUMBER, TEXT, YES_NO
from pregon.contacts.models import Consent, ContactImport, Field, Segment
from pregon.contacts.rules import OWN, Group, Refused, Rule
from pregon.lib import phones

Choices = list[tuple[str, str | Promise]]

GROUP_KIND = "group"
DAY = "day:"  # before the name of a field of dates: a row about one day; the one with OWN is about days from now
BIRTHDAY = "birthday"
LABELS: dict[str, str | Promise] = {
    "consent": gettext_lazy("Permiso"),
    "tag": gettext_lazy("Etiqueta"),
    "name": gettext_lazy("Nombre"),
    "mobile": gettext_lazy("Celular"),
    "email": gettext_lazy("Correo"),
    "created": gettext_lazy("Cuándo llegaron"),
    "import": gettext_lazy("Archivo en que llegaron"),
}
PRESENCE: Choices = [("filled", gettext_lazy("tienen")), ("empty", gettext_lazy("no tienen"))]
OPS: dict[str, Choices] = {
    "consent": [("is", gettext_lazy("están")), ("is_not", gettext_lazy("no están"))],
    "tag": [("is", gettext_lazy("tienen")), ("is_not", gettext_lazy("no tienen"))],
    "name": [("word", gettext_lazy("tiene una palabra que empieza con")), *PRESENCE],
    "mobile": [("starts", gettext_lazy("empieza con")), *PRESENCE, ("to_fix", gettext_lazy("está por corregir"))],
    "email": PRESENCE,
    "created": [
        ("within", gettext_lazy("en los últimos")),
        ("not_within", gettext_lazy("hace más de")),
    ],
    "import": [("is", gettext_lazy("es")), ("is_not", gettext_lazy("no es"))],
}
IS: Choices = [("is", gettext_lazy("es")), ("is_not", gettext_lazy("no es"))]
SOMETHING: Choices = [("filled", gettext_lazy("tiene algo")), ("empty", gettext_lazy("está vacío"))]
SIZE: Choices = [("more", gettext_lazy("es más de")), ("less", gettext_lazy("es menos de"))]
OWN_OPS: dict[str, Choices] = {
    TEXT: [*IS, ("starts", gettext_lazy("empieza con")), *SIZE, *SOMETHING],
    NUMBER: [*SIZE, *IS, *SOMETHING],
    DATE: [
        ("within", gettext_lazy("en los últimos")),
        ("not_within", gettext_lazy("hace más de")),
        ("coming", gettext_lazy("en los próximos")),
        ("anniversary", gettext_lazy("vuelve cada año en los próximos")),
        *SOMETHING,
    ],
    BIRTHDAY: [("anniversary", gettext_lazy("cumplen años en los próximos")), *SOMETHING],
    DAY: [("before", gettext_lazy("antes del")), ("after", gettext_lazy("después del"))],
    YES_NO: [*IS, *SOMETHING],
    CHOICE: [*IS, *SOMETHING],
}
EVERY_OP = {op: label for ops in OWN_OPS.values() for op, label in ops}
ACTIVITY_OPS: Choices = [
    ("within", gettext_lazy("sí, en los últimos")),
    ("not_within", gettext_lazy("no, en los últimos")),
    ("ever", gettext_lazy("alguna vez")),
    ("never", gettext_lazy("nunca")),
]
DAYS = ("within", "not_within")
NO_VALUE = ("filled", "empty", "to_fix", "ever", "never")
PROPOSED = {"created": 30, "consent": Consent.GRANTED}
FIRST = Group("all", (Rule("consent", "is", Consent.GRANTED),))


def kinds(own: Iterable[Field]) -> Choices:
    """What a condition can be about; of the fields of the business's own, dates twice, but for birthdays."""
    activities = ((activity.name, activity.label) for activity in rules.ACTIVITIES.values())
    return [*LABELS.items(), *(each for field in own for each in _about(field)), *activities]


def _about(field: Field) -> Choices:
    starts = (OWN, DAY) if _kind_of(field) == DATE else (OWN,)
    return [(start + field.name, _label(field, start)) for start in starts]


def _label(field: Field, start: str) -> str:
    return _("%(name)s, antes o después de un día") % {"name": field.label} if start == DAY else field.label


def _kind_of(field: Field) -> str:
    return BIRTHDAY if field.kind == DATE and fields.is_birthday(field.label) else field.kind


class ConditionForm(forms.Form):
    """One row. `kind` is a key of `kinds`, or a group that a program made, kept as it is."""

    kind = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, account: Account, own: Iterable[Field], kind: str, *args: Any, **kwargs: Any) -> None:
        """`own`: the account's own fields."""
        super().__init__(*args, **kwargs)
        self.account, self.about = account, kind
        self.initial.setdefault("kind", kind)
        if kind == GROUP_KIND:
            self.label: str | Promise = _("Varias condiciones")
            self.fields["value"] = forms.CharField(widget=forms.HiddenInput)
            return
        self.own = _named(own, kind)
        self.label = _label(self.own, DAY if kind.startswith(DAY) else OWN) if self.own else dict(kinds([]))[kind]
        self.fields["op"] = _select(_("Condición"), self._ops())
        if value := self._value_field():
            self.fields["value"] = value

    def _ops(self) -> Choices:
        if not self.own:
            return OPS.get(self.about, ACTIVITY_OPS)
        ops, kept = OWN_OPS[DAY if self.about.startswith(DAY) else _kind_of(self.own)], self._kept("op")
        return [*ops, (kept, EVERY_OP[kept])] if kept in EVERY_OP.keys() - dict(ops).keys() else ops

    def _kept(self, name: str) -> str:
        """What the row says now; of another time, when the field had another kind, it stays."""
        return str(self.data.get(self.add_prefix(name)) or self.initial.get(name) or "")

    def _value_field(self) -> forms.Field | None:
        if not self.own:
            return _value_field(self.account, self.about)
        kind = DAY if self.about.startswith(DAY) else _kind_of(self.own)
        if kind == CHOICE:
            options = dict.fromkeys([*self.own.choices, *filter(None, [self._kept("value")])])
            return _select(self.own.label, ((option, option) for option in options))
        return _own_value_field(kind, self.own)

    @property
    def valueless(self) -> bool:
        """The op chosen asks for nothing."""
        return self["op"].value() in NO_VALUE if "op" in self.fields else False

    @property
    def words(self) -> str:
        """Of a group, as it is kept."""
        try:
            group = rules.parse({"all": [json.loads(self["value"].value())]})
        except (ValueError, Refused):
            return ""
        return segments.describe(group, segments.names(self.account, group))

    def part(self) -> Rule | Group | None:
        """The condition; None when it is wrong, and its field says why."""
        if not self.is_valid():
            return None
        try:
            return rules.parse({"all": [self._json()]}).parts[0]
        except (ValueError, Refused) as refused:
            self.add_error("value" if "value" in self.fields else "op", str(refused).rpartition(": ")[2])
            return None

    def _json(self) -> Any:
        given = self.cleaned_data
        if self.about == GROUP_KIND:
            return json.loads(given["value"])
        rule = {"field": OWN + self.own.name if self.own else self.about, "op": given["op"]}
        return rule if given["op"] in NO_VALUE else rule | {"value": self._value(given["op"], given.get("value"))}

    def _value(self, op: str, value: Any) -> Any:
        if self.about == "mobile" and value:
            return _beginning(value, self.account.country)
        if op in ("more", "less"):
            try:
                return float(str(value).replace(",", "."))
            except ValueError:
                return value
        if self.own and self.own.kind == NUMBER:
            return field_values.read_number(value, field_values.point(self.account.country)) or value
        return int(value) if self.about in ("tag", "import") and value else value


class SegmentForm(forms.Form):
    """Name, all or any, and the rows. `act` says what the button does: nothing but `save` saves."""

    name = forms.CharField(
        label=gettext_lazy("Nombre del segmento"),
        max_length=60,
        error_messages={"required": gettext_lazy("Ponle un nombre para encontrarlo después.")},
    )
    mode = forms.ChoiceField(
        choices=[
            ("all", gettext_lazy("todas estas condiciones")),
            ("any", gettext_lazy("alguna de estas condiciones")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    add = forms.ChoiceField(
        label=gettext_lazy("Otra condición"),
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(
        self, account: Account, segment: Segment, group: Group | None, data: Mapping[str, Any] | None = None
    ) -> None:
        mode = group.mode if group else "all"
        super().__init__(data, initial={"name": segment.name, "mode": mode})
        self.account, self.segment = account, segment
        self.own = fields.of(account)
        self.fields["add"].choices = kinds(self.own)  # type: ignore[attr-defined]
        if data is None:
            parts = group.parts if group else ()
            self.rows = [self._row(at, _kind(part), initial=_initial(part)) for at, part in enumerate(parts)]
        else:
            self.rows = self._sent(data)
        if not self.rows:
            self.rows = [self._row(0, "consent", initial=_proposed("consent"))]

    def group(self) -> Group | None:
        """What the rows say; None when one of them is wrong."""
        parts = [row.part() for row in self.rows]  # all, so that each says what is wrong
        whole = [part for part in parts if part is not None]
        mode = None if "mode" in self.errors else self.cleaned_data["mode"]
        if len(whole) < len(parts) or mode is None:
            return None
        try:
            return rules.parse({mode: [rules.dump(part) for part in whole]})
        except Refused as refused:
            self.add_error(None, str(refused))
            return None

    def _sent(self, data: Mapping[str, Any]) -> list[ConditionForm]:
        """The rows of the form that was sent, numbered anew, with what `act` adds or takes away."""
        act, known = data.get("act", ""), {name for name, _label in kinds(self.own)} | {GROUP_KIND}
        sent = {at: data.get(f"c{at}-kind", "") for at in range(rules.MOST)}
        places = [at for at, kind in sent.items() if (kind in known or _own_name(kind)) and act != f"remove-{at}"]
        rows = []
        for at, place in enumerate(places):
            given = {
                f"c{at}-{name}": data.get(f"c{place}-{name}")
                for name in ("kind", "op", "value")
                if f"c{place}-{name}" in data
            }
            rows.append(self._row(at, data[f"c{place}-kind"], given))
        added = data.get("add", "")
        if act == "add" and added in known - {GROUP_KIND} and len(rows) < rules.MOST:
            rows.append(self._row(len(rows), added, initial=_proposed(added)))
        return rows

    def _row(self, at: int, kind: str, data: Mapping[str, Any] | None = None, **more: Any) -> ConditionForm:
        return ConditionForm(self.account, self.own, kind, data, prefix=f"c{at}", **more)


def _select(label: str, choices: Iterable[tuple[Any, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices), widget=forms.Select(attrs={"class": "form-select"}))


def _value_field(account: Account, kind: str) -> forms.Field | None:
    """What a row asks for beside the op; asked of everybody, needed where the op needs it."""
    match kind:
        case "consent":
            return _select(_("Permiso"), Consent.choices)
        case "tag":
            return _select(_("Etiqueta"), account.tags.values_list("id", "name"))
        case "import":
            saved = account.imports.filter(status=ContactImport.Status.COMMITTED).order_by("-id")[:100]
            return _select(_("Archivo"), saved.values_list("id", "file_name"))
        case "email":
            return None
        case "name" | "mobile":
            return _text_field()
    return _days_field(1)


def _own_value_field(kind: str, own: Field) -> forms.Field:
    match kind:
        case "yes_no":
            return _select(own.label, ((each, each) for each in (field_values.YES, field_values.NO)))
        case "date":
            return _days_field(0, initial=7)
        case "birthday":
            return _days_field(0, initial=7, label=_("días (0 es hoy)"))
        case "day:":
            day = forms.DateInput(attrs={"class": "form-control", "type": "date"}, format="%Y-%m-%d")
            return forms.CharField(label=_("día"), required=False, widget=day)
    return _text_field(strip=False)


def _text_field(*, strip: bool = True) -> forms.Field:
    text = forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"})
    return forms.CharField(label=_("Valor"), max_length=rules.LONGEST, required=False, widget=text, strip=strip)


def _days_field(least: int, initial: int | None = None, label: str = "") -> forms.Field:
    attrs = {"class": "form-control", "min": least, "max": rules.MOST_DAYS, "inputmode": "numeric"}
    widget = forms.NumberInput(attrs=attrs)
    return forms.IntegerField(label=label or _("días"), required=False, initial=initial, widget=widget)


def _named(own: Iterable[Field], kind: str) -> Field | None:
    """The field that a row is about; one that is gone stays a text."""
    name = _own_name(kind)
    return next(
        (field for field in own if field.name == name), Field(name=name, label=segments.gone(name)) if name else None
    )


def _own_name(kind: str) -> str:
    return next((kind.removeprefix(start) for start in (OWN, DAY) if kind.startswith(start)), "")


def _kind(part: Rule | Group) -> str:
    if isinstance(part, Group):
        return GROUP_KIND
    return DAY + part.field.removeprefix(OWN) if part.op in ("before", "after") else part.field


def _initial(part: Rule | Group) -> dict[str, Any]:
    if isinstance(part, Group):
        return {"value": json.dumps(rules.dump(part))}
    return {"op": part.op, "value": part.value}


def _proposed(kind: str) -> dict[str, Any]:
    value = PROPOSED.get(kind, 30 if kind in rules.ACTIVITIES else None)
    return {} if value is None else {"value": value}


def _beginning(typed: str, country: str) -> str:
    """«222» as a number of the business's own country, «+34 6» as it is."""
    starts = phones.beginnings(typed, country)
    abroad = "+" + "".join(filter(str.isdecimal, typed))
    return next((start for start in starts if start != abroad), starts[0] if starts else typed)
