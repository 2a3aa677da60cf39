"""The sentence above the list of contacts, «Muestra a las personas con permiso con la etiqueta Centro…», as an address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts import finding, segments
from pregon.contacts.finding import Finding
from pregon.contacts.models import Consent, Segment, Tag
from pregon.contacts.rules import Group, Rule
from pregon.lib import text
from pregon.panel import navigation

CONSENTS = {"con": Consent.GRANTED, "sin": Consent.UNKNOWN, "baja": Consent.WITHDRAWN}
TO_FIX = "corregir"
WEEK, NEVER = "semana", "nunca"  # no promotion within 7 days, none ever
TO_FIX_RULE = Rule("mobile", "to_fix")
WEEK_RULE, NEVER_RULE = Rule("written", "not_within", 7), Rule("written", "never")


@dataclass(frozen=True)
class Sought:
    """What the address asks for; unknown values ask for everybody."""

    consent: str = ""
    """A key of CONSENTS, TO_FIX, or empty."""
    tag: int | None = None
    rest: str = ""
    """WEEK, NEVER, or empty: how long the person has had no promotion."""
    segment: int | None = None
    query: str = ""

    @property
    def asks(self) -> bool:
        return self != Sought()

    def url(self, **changes: object) -> str:
        """The list's address with some of this changed."""
        other = replace(self, **changes)  # type: ignore[arg-type]
        return navigation.address("panel:contacts") + other.query_string

    @property
    def query_string(self) -> str:
        given = [*self.hidden, *([("q", self.query)] if self.query else [])]
        return "?" + urlencode(given) if self.asks else ""

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Name and value of all but the search, for a form that keeps them."""
        given = (
            ("permiso", self.consent),
            ("etiqueta", str(self.tag or "")),
            ("sin", self.rest),
            ("segmento", str(self.segment or "")),
        )
        return [(name, value) for name, value in given if value]


def read(values: Mapping[str, str]) -> Sought:
    """From a query string or a form."""
    consent, rest = values.get("permiso", ""), values.get("sin", "")
    return Sought(
        consent=consent if consent in {*CONSENTS, TO_FIX} else "",
        tag=_key(values.get("etiqueta", "")),
        rest=rest if rest in (WEEK, NEVER) else "",
        segment=_key(values.get("segmento", "")),
        query=values.get("q", "").strip()[:80],
    )


def find(account: Account, sought: Sought) -> Finding:
    """The people who fit the sentence."""
    return finding.of(account, sought.query, rules_of(account, sought))


def _key(value: str) -> int | None:
    return int(value) if value.isdecimal() and len(value) < 19 else None


def rules_of(account: Account, sought: Sought) -> Group:
    """What the sentence says beside the search; a segment that is gone fits nobody."""
    parts: list[Rule | Group] = []
    if sought.consent:
        parts.append(TO_FIX_RULE if sought.consent == TO_FIX else Rule("consent", "is", CONSENTS[sought.consent]))
    if sought.tag is not None:
        parts.append(Rule("tag", "is", sought.tag))
    if sought.rest:
        parts.append(NEVER_RULE if sought.rest == NEVER else WEEK_RULE)
    if sought.segment is not None:
        segment = account.segments.filter(pk=sought.segment).first()
        parts.append(segments.rules_of(segment) if segment else Group("any"))
    return Group("all", tuple(parts))


def consent_slot(sought: Sought) -> tuple[str, list[tuple[str, str, bool]]]:
    """(chosen words, options) of the first slot."""
    words = {
        "": _("todas las personas"),
        "con": _("las personas con permiso"),
        "sin": _("las personas sin permiso"),
        "baja": _("las personas de baja"),
        TO_FIX: _("las personas por corregir"),
    }
    return words[sought.consent], [(words[key], sought.url(consent=key), key == sought.consent) for key in words]


def tag_slot(sought: Sought, tags: list[Tag]) -> tuple[str, list[tuple[str, str, bool]]]:
    words = {None: _("cualquier etiqueta")} | {tag.pk: tag.name for tag in tags}
    options = [(name, sought.url(tag=pk), pk == sought.tag) for pk, name in words.items()]
    return words.get(sought.tag, _("una etiqueta borrada")), options


def rest_slot(sought: Sought) -> tuple[str, list[tuple[str, str, bool]]]:
    words = {
        "": _("recibieron o no promociones"),
        WEEK: _("no recibieron promociones en 7 días"),
        NEVER: _("nunca recibieron una promoción"),
    }
    return words[sought.rest], [(words[key], sought.url(rest=key), key == sought.rest) for key in words]


def segment_slot(sought: Sought, saved: list[Segment]) -> tuple[str, list[tuple[str, str, bool]]]:
    words = {None: _("cualquier segmento")} | {segment.pk: segment.name for segment in saved}
    options = [(name, sought.url(segment=pk), pk == sought.segment) for pk, name in words.items()]
    return words.get(sought.segment, _("un segmento borrado")), options


def suggest(sought: Sought, tags: list[Tag]) -> list[tuple[str, str]]:
    """Labels that begin with what was typed, each with the address of its people."""
    typed = text.fold(sought.query)
    fitting = [tag for tag in tags if typed and f" {text.fold(tag.name)}".find(f" {typed}") >= 0]
    return [(tag.name, sought.url(tag=tag.pk, query="")) for tag in fitting if tag.pk != sought.tag][:5]
