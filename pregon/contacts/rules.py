"""What people have in common, as a program says it: conditions joined by `all` or `any`, and their SQL.

    parse({"all": [{"field": "consent", "op": "is", "value": "granted"}, {"field": "own:sucursal", "op": "is", "value": "Centro"}]})

The JSON is documented in docs/segments.md. SQL is joined from constants of this module (and of whoever registers an activity);
values, and the names of a business's own fields, travel as parameters.

Refused     the JSON is not a definition: `.path` says where, the sentence why
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from pregon.contacts.models import Consent
from pregon.lib import text

MOST = 30  # conditions of a definition
DEEPEST = 2  # groups inside each other
LONGEST = 200  # characters of a value
MOST_DAYS = 3_650
OWN = "own:"  # before the name of a column of the business's own

Value = str | int | float | None


class Refused(Exception):
    """Not a definition."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        super().__init__(f"{path}: {why}" if path else why)


@dataclass(frozen=True)
class Rule:
    """One condition: `field` and `op` are keys of `operators`, `value` what the op asks for."""

    field: str
    op: str
    value: Value = None


@dataclass(frozen=True)
class Group:
    """Conditions of which all hold, or any. Without any condition `all` is everybody."""

    mode: Literal["all", "any"] = "all"
    parts: tuple["Rule | Group", ...] = ()


EVERYBODY = Group()


@dataclass(frozen=True)
class Activity:
    """Something that happens to people further up: `sql` holds for a contact `c` to whom it happened after %(since)s.

    `words` are sentences by op: within and not_within have %(days)s, ever and never have nothing to fill.
    """

    name: str
    label: str | Promise
    sql: str
    words: Mapping[str, str | Promise]


@dataclass(frozen=True)
class Operator:
    """`sql` is a condition over a contact `c`, with {value} and {name} for parameters; `read` checks a value (ValueError)."""

    sql: str
    read: Callable[[Any], Value]
    kept: Callable[[Any, datetime], Any] = field(default=lambda value, now: value)
    """From the value to the parameter."""


ACTIVITIES: dict[str, Activity] = {}


def register(activity: Activity) -> None:
    """Makes it a field with the ops within, not_within, ever and never."""
    ACTIVITIES[activity.name] = activity


def operators(name: str) -> Mapping[str, Operator]:
    """The ops of a field; none: there is no such field."""
    if name.startswith(OWN):
        return OWN_FIELD if _is_text(name) and 0 < len(name) - len(OWN) <= 60 else {}
    if activity := ACTIVITIES.get(name):
        return _of_activity(activity)
    return FIELDS.get(name, {})


def parse(data: object) -> Group:
    """A definition from its JSON. Raises Refused."""
    group = _group(data, "", DEEPEST)
    if not 0 < sum(1 for _rule in flat(group)) <= MOST:
        raise Refused("", _("Un segmento tiene de 1 a %(most)s condiciones.") % {"most": MOST})
    return group


def load(data: object) -> Group:
    """What `dump` wrote: also everybody, and a definition inside other conditions. Raises Refused."""
    return _group(data, "", DEEPEST + 1)


def dump(node: Group | Rule) -> dict[str, Any]:
    """The JSON that `parse` reads."""
    if isinstance(node, Group):
        return {node.mode: [dump(part) for part in node.parts]}
    return {"field": node.field, "op": node.op} | ({} if node.value is None else {"value": node.value})


def flat(group: Group) -> Iterator[Rule]:
    """All its conditions, whatever the nesting."""
    for part in group.parts:
        if isinstance(part, Group):
            yield from flat(part)
        else:
            yield part


def sql(group: Group, now: datetime) -> tuple[str, dict[str, Any]]:
    """A condition over a contact `c`, and its named parameters (`rule_…`). `now` at the business's own clock: it has its days."""
    params: dict[str, Any] = {}
    return _group_sql(group, params, now), params


def _group_sql(group: Group, params: dict[str, Any], now: datetime) -> str:
    parts = [
        _group_sql(part, params, now) if isinstance(part, Group) else _rule_sql(part, params, now)
        for part in group.parts
    ]
    joined = (" AND " if group.mode == "all" else " OR ").join(parts)
    return f"({joined})" if joined else str(group.mode == "all").lower()


def _rule_sql(rule: Rule, params: dict[str, Any], now: datetime) -> str:
    operator, key = operators(rule.field)[rule.op], f"rule_{len(params)}"
    params[key] = operator.kept(rule.value, now)
    name = f"{key}_name"
    if rule.field.startswith(OWN):
        params[name] = rule.field.removeprefix(OWN)
    return f"({operator.sql.format(value=f'%({key})s', name=f'%({name})s')})"


def _group(data: object, path: str, depth: int) -> Group:
    match data:
        case {"all": list(parts), **rest} if not rest:
            mode: Literal["all", "any"] = "all"
        case {"any": list(parts), **rest} if not rest:
            mode = "any"
        case _:
            raise Refused(path, _("Va un objeto con «all» o «any» y una lista de condiciones."))
    if not depth:
        raise Refused(path, _("Los grupos tienen como mucho %(most)s niveles.") % {"most": DEEPEST})
    if len(parts) > MOST:
        raise Refused(path, _("Un segmento tiene de 1 a %(most)s condiciones.") % {"most": MOST})
    return Group(mode, tuple(_part(part, f"{path}{mode}[{at}]", depth) for at, part in enumerate(parts)))


def _part(data: object, path: str, depth: int) -> Rule | Group:
    match data:
        case {"field": str(name), "op": str(op), **rest} if not rest.keys() - {"value"}:
            return _rule(name, op, rest.get("value"), path)
        case {"all": _parts} | {"any": _parts}:
            return _group(data, f"{path}.", depth - 1)
    raise Refused(path, _("Una condición tiene «field», «op» y, si hace falta, «value»."))


def _rule(name: str, op: str, value: object, path: str) -> Rule:
    known = operators(name)
    if not known:
        raise Refused(f"{path}.field", _("No hay un dato con ese nombre."))
    if op not in known:
        raise Refused(f"{path}.op", _("Aquí se puede usar: %(ops)s.") % {"ops": ", ".join(known)})
    try:
        return Rule(name, op, known[op].read(value))
    except ValueError as wrong:
        raise Refused(f"{path}.value", str(wrong)) from None


# Values


def _is_text(value: str) -> bool:
    """PostgreSQL keeps no NUL, and UTF-8 no half of a pair."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not _is_text(value) or not 0 < len(value) <= LONGEST:
        raise ValueError(_("Va un texto de 1 a %(most)s caracteres.") % {"most": LONGEST})
    return value


def _word(value: Any) -> str:
    if not text.words(_text(value)):
        raise ValueError(_("Escribe al menos una letra."))
    return str(value)


def _beginning(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\+[0-9]{1,15}", value):
        raise ValueError(_("Va el comienzo de un celular con su país, como +52222."))
    return value


def _figure(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e15:
        raise ValueError(_("Va un número."))
    return value


def _days(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_DAYS:
        raise ValueError(_("Van días, de 1 a %(most)s.") % {"most": MOST_DAYS})
    return value


def _key(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise ValueError(_("Va el número que identifica al objeto."))
    return value


def _consent(value: Any) -> str:
    if value not in Consent.values:
        raise ValueError(_("Va uno de: %(values)s.") % {"values": ", ".join(Consent.values)})
    return str(value)


def _nothing(value: Any) -> None:
    if value is not None:
        raise ValueError(_("Esta condición no lleva valor."))


def _since(days: Any, now: datetime) -> datetime:
    return now - timedelta(days=days)


def _day(value: Any) -> str:
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.isoformat() != value:
        raise ValueError(_("Va un día, como 2026-07-01."))
    return str(value)


def _within_a_year(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 365:
        raise ValueError(_("Van días, de 0 a %(most)s.") % {"most": 365})
    return value


def _past(days: Any, now: datetime) -> list[str]:
    return _stretch(now, -days, 0)


def _coming(days: Any, now: datetime) -> list[str]:
    return _stretch(now, 0, days)


def _stretch(now: datetime, begins: int, ends: int) -> list[str]:
    return [(now.date() + timedelta(days=days)).isoformat() for days in (begins, ends)]


def _anniversaries(days: Any, now: datetime) -> list[str]:
    """Today's month and day, and those of so many days more. Who was born on 29 February has theirs on the 28th of most years."""
    coming = [now.date() + timedelta(days=n) for n in range(days + 1)]
    short = any((day.month, day.day) == (2, 28) and not calendar.isleap(day.year) for day in coming)
    return sorted({day.isoformat()[5:] for day in coming} | ({"02-29"} if short else set()))


# Fields

_TAGGED = "EXISTS (SELECT FROM contacts_contact_tags AS t WHERE t.contact_id = c.id AND t.tag_id = {value})"
_FIGURE = (
    "CASE WHEN c.fields ->> {name} ~ '^-?[0-9]{{1,15}}([.][0-9]{{1,6}})?$' THEN (c.fields ->> {name})::numeric END"
)
# As texts: what is no day of the calendar is none in any comparison, and ends no query.
_DATE = (
    "CASE WHEN c.fields ->> {name} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' THEN (c.fields ->> {name}) COLLATE \"C\" END"
)
_IN_STRETCH = f"{_DATE} BETWEEN ({{value}}::text[])[1] AND ({{value}}::text[])[2]"

FIELDS: dict[str, dict[str, Operator]] = {
    "consent": {
        "is": Operator("c.consent = {value}", _consent),
        "is_not": Operator("c.consent <> {value}", _consent),
    },
    "tag": {
        "is": Operator(_TAGGED, _key),
        "is_not": Operator(f"NOT {_TAGGED}", _key),
    },
    "name": {
        # some word of it begins like this, as the search has it
        "word": Operator("strpos(' ' || c.search, {value}) > 0", _word, lambda value, now: " " + text.words(value)),
        "filled": Operator("c.search <> ''", _nothing),
        "empty": Operator("c.search = ''", _nothing),
    },
    "mobile": {
        "starts": Operator("starts_with(c.mobile, {value})", _beginning),
        "filled": Operator("c.mobile IS NOT NULL", _nothing),
        "empty": Operator("c.mobile IS NULL", _nothing),
        "to_fix": Operator("c.mobile IS NULL AND c.mobile_problem <> ''", _nothing),
    },
    "email": {
        "filled": Operator("c.email <> ''", _nothing),
        "empty": Operator("c.email = ''", _nothing),
    },
    "created": {
        "within": Operator("c.created_at > {value}", _days, _since),
        "not_within": Operator("c.created_at <= {value}", _days, _since),
    },
    "import": {
        "is": Operator("c.source_id = {value}", _key),
        "is_not": Operator("c.source_id IS DISTINCT FROM {value}", _key),
    },
}
OWN_FIELD: dict[str, Operator] = {
    "is": Operator("c.fields ->> {name} = {value}", _text),
    "is_not": Operator("c.fields ->> {name} IS DISTINCT FROM {value}", _text),
    "starts": Operator("starts_with(c.fields ->> {name}, {value})", _text),
    "more": Operator(f"{_FIGURE} > {{value}}", _figure),
    "less": Operator(f"{_FIGURE} < {{value}}", _figure),
    "before": Operator(f"{_DATE} < {{value}}", _day),
    "after": Operator(f"{_DATE} > {{value}}", _day),
    "within": Operator(_IN_STRETCH, _days, _past),
    "not_within": Operator(f"{_DATE} < ({{value}}::text[])[1]", _days, _past),
    "coming": Operator(_IN_STRETCH, _days, _coming),
    "anniversary": Operator(f"substr({_DATE}, 6) = ANY({{value}}::text[])", _within_a_year, _anniversaries),
    "filled": Operator("coalesce(c.fields ->> {name}, '') <> ''", _nothing),
    "empty": Operator("coalesce(c.fields ->> {name}, '') = ''", _nothing),
}


def _of_activity(activity: Activity) -> dict[str, Operator]:
    happened = activity.sql.replace("%(since)s", "{value}")

    def ever(_value: Any, now: datetime) -> datetime:
        return now - timedelta(days=36_500)

    return {
        "within": Operator(happened, _days, _since),
        "not_within": Operator(f"NOT {happened}", _days, _since),
        "ever": Operator(happened, _nothing, ever),
        "never": Operator(f"NOT {happened}", _nothing, ever),
    }
