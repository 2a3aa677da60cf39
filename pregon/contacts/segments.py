"""Segments: rules under a name, and rules in words.

NameTaken       the account has another segment of this name
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, User
from pregon.contacts import fields, rules
from pregon.contacts.models import Consent, Field, Segment
from pregon.contacts.rules import OWN, Group, Rule

changed = Signal()  # `segment` has other rules than before, in the transaction that saves them


class NameTaken(Exception):
    """Two segments of an account never have one name."""


class Names(NamedTuple):
    """What the ids, and the fields of the business's own, are called."""

    tags: Mapping[int, str]
    imports: Mapping[int, str]
    fields: Mapping[str, str]


def rules_of(segment: Segment) -> Group:
    return rules.parse(segment.definition)


def save(segment: Segment, name: str, group: Group) -> None:
    """Saves a new or changed segment. Raises NameTaken."""
    before = segment.definition if segment.pk else None
    segment.name, segment.definition = " ".join(name.split())[:60], rules.dump(group)
    try:
        with transaction.atomic():
            segment.save()
            if before not in (None, segment.definition):
                changed.send(Segment, segment=segment)
    except IntegrityError:
        raise NameTaken(_("Ya tienes un segmento con ese nombre.")) from None


def new(account: Account, actor: User | None) -> Segment:
    """One that is not saved yet."""
    return Segment(account=account, created_by=actor)


def names(account: Account, group: Group) -> Names:
    """Read only when a rule mentions one."""
    used = {rule.field for rule in rules.flat(group)}
    tags = account.tags.values_list("id", "name") if "tag" in used else ()
    imports = account.imports.values_list("id", "file_name") if "import" in used else ()
    kept = account.own_fields.exclude(work=Field.Work.DELETING)
    own = kept.values_list("name", "label") if any(name.startswith(OWN) for name in used) else ()
    return Names(dict(tags), dict(imports), dict(own))


def about(account: Account, names: Collection[str]) -> list[Segment]:
    """Those with a condition about one of these fields of the business's own."""
    asked = {OWN + name for name in names}
    saved = account.segments.all() if asked else ()
    return [segment for segment in saved if any(rule.field in asked for rule in rules.flat(rules_of(segment)))]


def outlived(group: Group, names: Names) -> bool:
    """Whether a condition asks for what is no more: nobody has it, and everybody lacks it."""
    return any(_is_gone(rule, names) for rule in rules.flat(group))


def _is_gone(rule: Rule, names: Names) -> bool:
    match rule.field:
        case "tag":
            return rule.value not in names.tags
        case "import":
            return rule.value not in names.imports
    return rule.field.startswith(OWN) and rule.field.removeprefix(OWN) not in names.fields


def describe(group: Group, names: Names) -> str:
    """«tienen la etiqueta Centro y no les has escrito en los últimos 30 días»: what follows «personas que»."""
    parts = [f"({describe(part, names)})" if isinstance(part, Group) else tell(part, names) for part in group.parts]
    return (_(" y ") if group.mode == "all" else _(" o ")).join(parts)


def tell(rule: Rule, names: Names) -> str:
    """One condition, as what people do or have."""
    if activity := rules.ACTIVITIES.get(rule.field):
        sentence = activity.words[rule.op]
        return str(sentence % {"days": rule.value} if rule.value is not None else sentence)
    if rule.field.startswith(OWN):
        name = rule.field.removeprefix(OWN)
        return _own(rule, name=names.fields.get(name) or gone(name))
    return _sentences(rule.field)[rule.op] % {"value": _called(rule, names)}


def gone(name: str) -> str:
    """What a field is called that is no more."""
    return _("«%(name)s», un dato que ya no existe") % {"name": name}


def _called(rule: Rule, names: Names) -> object:
    match rule.field:
        case "tag":
            return names.tags.get(int(rule.value or 0), _("que ya no existe"))
        case "import":
            return names.imports.get(int(rule.value or 0), _("que ya no existe"))
        case "consent":
            return Consent(str(rule.value)).label.lower()
    return rule.value


def _own(rule: Rule, name: str) -> str:
    op = rule.op
    if op == "anniversary" and fields.is_birthday(name):
        op = "birthday" if rule.value else "birthday_today"
    return {
        "birthday": _("cumplen años en los próximos %(value)s días, según %(name)s"),
        "birthday_today": _("cumplen años hoy, según %(name)s"),
        "is": _("tienen «%(value)s» en %(name)s"),
        "is_not": _("no tienen «%(value)s» en %(name)s"),
        "starts": _("tienen en %(name)s algo que empieza con «%(value)s»"),
        "more": _("tienen en %(name)s más de %(value)s"),
        "less": _("tienen en %(name)s menos de %(value)s"),
        "before": _("tienen en %(name)s un día antes del %(value)s"),
        "after": _("tienen en %(name)s un día después del %(value)s"),
        "within": _("tienen en %(name)s una fecha de los últimos %(value)s días"),
        "not_within": _("tienen en %(name)s una fecha de hace más de %(value)s días"),
        "coming": _("tienen en %(name)s una fecha de los próximos %(value)s días"),
        "anniversary": _("tienen en %(name)s una fecha que vuelve cada año, en los próximos %(value)s días"),
        "filled": _("tienen algo en %(name)s"),
        "empty": _("no tienen nada en %(name)s"),
    }[op] % {"name": name, "value": rule.value}


def _sentences(field: str) -> dict[str, str]:
    return {
        "consent": {"is": _("están %(value)s"), "is_not": _("no están %(value)s")},
        "tag": {"is": _("tienen la etiqueta %(value)s"), "is_not": _("no tienen la etiqueta %(value)s")},
        "name": {
            "word": _("tienen un nombre con «%(value)s»"),
            "filled": _("tienen nombre"),
            "empty": _("no tienen nombre"),
        },
        "mobile": {
            "starts": _("tienen un celular que empieza con %(value)s"),
            "filled": _("tienen un celular al que se puede escribir"),
            "empty": _("no tienen un celular al que se pueda escribir"),
            "to_fix": _("tienen un celular por corregir"),
        },
        "email": {"filled": _("tienen correo"), "empty": _("no tienen correo")},
        "created": {
            "within": _("llegaron en los últimos %(value)s días"),
            "not_within": _("llegaron hace más de %(value)s días"),
        },
        "import": {"is": _("llegaron en el archivo %(value)s"), "is_not": _("no llegaron en el archivo %(value)s")},
    }[field]
