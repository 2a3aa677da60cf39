"""What a text may say of each person: `{{nombre}}`, `{{correo}}`, or a column of the business's own: `{{sucursal}}`;
and `{{enlace_baja}}`, the link by which this person leaves.

A value is computed in two places, here for the preview and in SQL for everybody: a test keeps them equal. Values are
cut to `room`, so that no message outgrows Meta's limits once it is filled (132005).
"""

import re
from collections.abc import Mapping, Sequence

from django.db.models import Count, Q

from pregon.accounts.models import Account
from pregon.contacts import field_values, optin
from pregon.contacts import fields as own_fields
from pregon.contacts.models import Consent, Contact, Field

LEAVE = "enlace_baja"  # everybody has one
BUILT_IN = {
    "nombre": "name",
    "nombre_completo": "name",
    "celular": "mobile",
    "correo": "email",
    LEAVE: "id",
}  # → the contact's column
ROOMS = {"nombre": 25, "celular": 16}
ROOM = 60
SAMPLES = {
    "nombre": "Mariana",
    "nombre_completo": "Mariana Torres",
    "celular": "+522225550142",
    "correo": "mariana@example.com",
    LEAVE: "https://example.com/baja/c/1-0a1b2c3d4e5f/",
}
BLANKS = r"\u0009-\u000d\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # str.split's, beside " "
UNEVEN = f"[{BLANKS}]|^ | $|  "  # few texts are: to ask first costs a tenth of replacing
COMMA = ","
WRITTEN = {
    field_values.DAY_FIRST: ("^([0-9]+)-([0-9]+)-([0-9]+)$", r"\3/\2/\1"),
    field_values.MONTH_FIRST: ("^([0-9]+)-([0-9]+)-([0-9]+)$", r"\2/\3/\1"),
    COMMA: ("^(-?[0-9]+)[.]([0-9]+)$", r"\1,\2"),
}  # by style: a pattern and its replacement, for PostgreSQL and for Python
VARIABLE = re.compile(r"\w[\w .-]{0,59}").fullmatch

Styles = Mapping[str, str]
"""Keys of WRITTEN by field: 2026-07-01 is written 01/07/2026, and in the other Panama 07/01/2026."""


def room(name: str) -> int:
    """The most characters a value of this field takes in a message."""
    return len(optin.leave_url(10**12)) if name.lower() == LEAVE else ROOMS.get(name.lower(), ROOM)


def built_in(name: str) -> bool:
    return name.lower() in BUILT_IN


def sample(name: str, fallbacks: Mapping[str, str]) -> str:
    """An invented value: Meta's reviewers see examples, never a person's data."""
    return SAMPLES.get(name.lower()) or fallback(name, fallbacks) or name


def values(contact: Contact, names: Sequence[str], fallbacks: Mapping[str, str], styles: Styles) -> list[str]:
    """What fills the named fields for this person, in order; empty where there is neither a value nor a fallback."""
    found = (_written(_value(contact, name), styles.get(name)) for name in names)
    return [
        value[: room(name)].strip(" ") or fallback(name, fallbacks) for name, value in zip(names, found, strict=True)
    ]


def fallback(name: str, fallbacks: Mapping[str, str]) -> str:
    """What to say where a person lacks the field; nothing: such a person is omitted."""
    return fallbacks.get(name.lower() if built_in(name) else name, "").strip(" ")


def values_sql(names: Sequence[str], fallbacks: Mapping[str, str], styles: Styles) -> tuple[str, dict[str, object]]:
    """The same as a `text[]` expression over a contact `c` and its parameters; NULL where `values` is empty."""
    parts, params = [], dict[str, object]()
    for at, name in enumerate(names):
        params |= optin.leave_params() if name.lower() == LEAVE else {}
        params |= {f"field_{at}": name, f"room_{at}": room(name), f"fallback_{at}": fallback(name, fallbacks)}
        cut = f"btrim(left({_written_sql(_expression(name, at), styles.get(name))}, %(room_{at})s))"
        parts.append(f"coalesce(nullif({cut}, ''), nullif(%(fallback_{at})s::text, ''))")
    return f"ARRAY[{', '.join(parts)}]::text[]", params


def missing_sql(names: Sequence[str], fallbacks: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    """Whether one of `values` is empty, without making them: a condition over a contact `c`, and its parameters."""
    open_ = (name for name in names if not fallback(name, fallbacks) and name.lower() != LEAVE)
    needed = {f"needed_{at}": name for at, name in enumerate(open_)}
    tests = [f"coalesce({_raw(name, key)} !~ '[^{BLANKS} ]', true)" for key, name in needed.items()]
    return " OR ".join(tests) or "false", dict(needed)


def available(account: Account) -> list[str]:
    """The fields one may insert: the built-in ones, then the business's own whose names a text can hold."""
    return [*BUILT_IN, *(name for name in own_fields.names(account) if VARIABLE(name) and not built_in(name))]


def unknown(account: Account, names: Sequence[str]) -> list[str]:
    """Those that the account does not have: most likely a slip of the pen."""
    columns = [name for name in names if not built_in(name)]
    known = own_fields.names(account) if columns else []
    return [name for name in columns if name not in known]


def styles(account_id: int | None, names: Sequence[str]) -> Styles:
    """How dates and numbers among these fields are written in the account's country; without an account as they are kept."""
    own = [name for name in names if not built_in(name)]
    if not own or account_id is None:
        return {}
    kinds = (Field.Kind.DATE, Field.Kind.NUMBER)
    rows = Field.objects.filter(account=account_id, name__in=own, kind__in=kinds).select_related("account")
    return {row.name: style for row in rows if (style := _style(row))}


def _style(field: Field) -> str:
    if field.kind == Field.Kind.DATE:
        return field_values.order(field.account.country)
    return COMMA if field_values.point(field.account.country) == "," else ""


def lacking(account: Account, names: Sequence[str]) -> dict[str, int]:
    """How many people with permission have nothing in each field; only fields that somebody lacks."""
    names = [name for name in names if name.lower() != LEAVE]
    empty = {f"lacking_{at}": Count("pk", filter=_empty(name)) for at, name in enumerate(names)}
    if not empty:
        return {}
    counts = account.contacts.filter(consent=Consent.GRANTED).aggregate(**empty)
    return {name: counts[key] for name, key in zip(names, empty, strict=True) if counts[key]}


def _empty(name: str) -> Q:
    if not built_in(name):
        return Q(fields__contains={name: ""}) | ~Q(fields__has_key=name)
    column = {"celular": "mobile", "correo": "email"}.get(name.lower(), "name")
    return Q(**{column: ""}) | Q(**{f"{column}__isnull": True})


def _value(contact: Contact, name: str) -> str:
    if name.lower() == LEAVE:
        return optin.leave_url(contact.pk)
    match name.lower():
        case "nombre":
            return _single_spaced(contact.name).partition(" ")[0]
        case "nombre_completo":
            return _single_spaced(contact.name)
        case "celular":
            return contact.mobile or ""
        case "correo":
            return _single_spaced(contact.email)
    return _single_spaced(str(contact.fields.get(name) or ""))


def _written(value: str, style: str | None) -> str:
    return re.sub(*WRITTEN[style], value) if style else value


def _written_sql(expression: str, style: str | None) -> str:
    return "regexp_replace({}, '{}', '{}')".format(expression, *WRITTEN[style]) if style else expression


def _expression(name: str, at: int) -> str:
    if name.lower() == LEAVE:
        return optin.LEAVE_SQL.format(contact="c")
    even = _single_spaced_sql(_raw(name, f"field_{at}"))
    return f"split_part({even}, ' ', 1)" if name.lower() == "nombre" else even


def _raw(name: str, key: str) -> str:
    """As it is kept. `key` is the parameter that holds the name of a field of the business's own."""
    return f"c.{BUILT_IN[name.lower()]}" if built_in(name) else f"(c.fields ->> %({key})s)"


def _single_spaced(raw: str) -> str:
    return " ".join(raw.split())


def _single_spaced_sql(expression: str) -> str:
    even = f"btrim(regexp_replace({expression}, '[{BLANKS} ]+', ' ', 'g'))"
    return f"CASE WHEN {expression} ~ '{UNEVEN}' THEN {even} ELSE {expression} END"
