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
from pregon.contacts import rules, segments
from pregon.contacts.models import Consent, ContactImport, Segment
from pregon.contacts.rules import OWN, Group, Refused, Rule
from pregon.lib import phones
from pregon.promotions import fields

Choices = list[tuple[str, str | Promise]]

OWN_KIND, GROUP_KIND = "own", "group"
LABELS: dict[str, str | Promise] = {
    "consent": gettext_lazy("Permiso"),
    "tag": gettext_lazy("Etiqueta"),
    OWN_KIND: gettext_lazy("Un dato tuyo"),
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
    OWN_KIND: [
        ("is", gettext_lazy("es")),
        ("is_not", gettext_lazy("no es")),
        ("starts", gettext_lazy("empieza con")),
        ("more", gettext_lazy("es más de")),
        ("less", gettext_lazy("es menos de")),
        ("filled", gettext_lazy("tiene algo")),
        ("empty", gettext_lazy("está vacío")),
    ],
    "name": [("word", gettext_lazy("tiene una palabra que empieza con")), *PRESENCE],
    "mobile": [("starts", gettext_lazy("empieza con")), *PRESENCE, ("to_fix", gettext_lazy("está por corregir"))],
    "email": PRESENCE,
    "created": [
        ("within", gettext_lazy("en los últimos")),
        ("not_within", gettext_lazy("hace más de")),
    ],
    "import": [("is", gettext_lazy("es")), ("is_not", gettext_lazy("no es"))],
}
ACTIVITY_OPS: Choices = [
    ("within", gettext_lazy("sí, en los últimos")),
    ("not_within", gettext_lazy("no, en los últimos")),
    ("ever", gettext_lazy("alguna vez")),
    ("never", gettext_lazy("nunca")),
]
DAYS = ("within", "not_within")
NO_VALUE = ("filled", "empty", "to_fix", "ever", "never")
PROPOSED = {"created": 30, "consent": Consent.GRANTED}


def kinds() -> Choices:
    """What a condition can be about."""
    return [*LABELS.items(), *((activity.name, activity.label) for activity in rules.ACTIVITIES.values())]


class ConditionForm(forms.Form):
    """One row. `kind` is a key of `kinds`, or a group that a program made, kept as it is."""

    kind = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, account: Account, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account, self.about = account, kind
        self.label = dict(kinds()).get(kind, _("Varias condiciones"))
        self.initial.setdefault("kind", kind)
        if kind == GROUP_KIND:
            self.fields["value"] = forms.CharField(widget=forms.HiddenInput)
            return
        if kind == OWN_KIND:
            used = self.data.get(self.add_prefix("what")) or self.initial.get("what")
            names = dict.fromkeys([*_own_fields(account), *([used] if used else [])])  # one that nobody has now stays
            self.fields["what"] = _select(_("Dato"), ((name, name) for name in names))
        self.fields["op"] = _select(_("Condición"), OPS.get(kind, ACTIVITY_OPS))
        if value := _value_field(account, kind):
            self.fields["value"] = value

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
        name = OWN + given["what"] if self.about == OWN_KIND else self.about
        rule = {"field": name, "op": given["op"]}
        return rule if given["op"] in NO_VALUE else rule | {"value": self._value(given["op"], given.get("value"))}

    def _value(self, op: str, value: Any) -> Any:
        if self.about == "mobile" and value:
            return _beginning(value, self.account.country)
        if op in ("more", "less"):
            try:
                return float(str(value).replace(",", "."))
            except ValueError:
                return value
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
        choices=kinds,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(
        self, account: Account, segment: Segment, group: Group | None, data: Mapping[str, Any] | None = None
    ) -> None:
        mode = group.mode if group else "all"
        super().__init__(data, initial={"name": segment.name, "mode": mode})
        self.account, self.segment = account, segment
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
        act, known = data.get("act", ""), {name for name, _label in kinds()} | {GROUP_KIND}
        places = [at for at in range(rules.MOST) if data.get(f"c{at}-kind") in known and act != f"remove-{at}"]
        rows = []
        for at, place in enumerate(places):
            given = {
                f"c{at}-{name}": data.get(f"c{place}-{name}")
                for name in ("kind", "op", "what", "value")
                if f"c{place}-{name}" in data
            }
            rows.append(self._row(at, data[f"c{place}-kind"], given))
        added = data.get("add", "")
        if act == "add" and added in known - {GROUP_KIND} and len(rows) < rules.MOST:
            rows.append(self._row(len(rows), added, initial=_proposed(added)))
        return rows

    def _row(self, at: int, kind: str, data: Mapping[str, Any] | None = None, **more: Any) -> ConditionForm:
        return ConditionForm(self.account, kind, data, prefix=f"c{at}", **more)


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
        case "name" | "mobile" | "own":
            text = forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"})
            return forms.CharField(
                label=_("Valor"), max_length=rules.LONGEST, required=False, widget=text, strip=kind != "own"
            )
    number = forms.NumberInput(
        attrs={"class": "form-control", "min": 1, "max": rules.MOST_DAYS, "inputmode": "numeric"}
    )
    return forms.IntegerField(label=_("días"), required=False, widget=number)


def _own_fields(account: Account) -> list[str]:
    return [name for name in fields.available(account) if not fields.built_in(name)]


def _kind(part: Rule | Group) -> str:
    if isinstance(part, Group):
        return GROUP_KIND
    return OWN_KIND if part.field.startswith(OWN) else part.field


def _initial(part: Rule | Group) -> dict[str, Any]:
    if isinstance(part, Group):
        return {"value": json.dumps(rules.dump(part))}
    return {"op": part.op, "what": part.field.removeprefix(OWN), "value": part.value}


def _proposed(kind: str) -> dict[str, Any]:
    return {"value": PROPOSED.get(kind, 30 if kind in rules.ACTIVITIES else None)}


def _beginning(typed: str, country: str) -> str:
    """«222» as a number of the business's own country, «+34 6» as it is."""
    starts = phones.beginnings(typed, country)
    abroad = "+" + "".join(filter(str.isdecimal, typed))
    return next((start for start in starts if start != abroad), starts[0] if starts else typed)
