"""The sentence above the list of contacts, «Muestra a las personas con permiso con la etiqueta Centro…», as an address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from pregon.accounts.models import Account
from pregon.contacts import people
from pregon.contacts.models import Consent, Contact, Tag
from pregon.sending.models import Message, Status

CONSENTS = {"con": Consent.GRANTED, "sin": Consent.UNKNOWN, "baja": Consent.WITHDRAWN}
TO_FIX = "corregir"
WEEK, NEVER = "semana", "nunca"  # no promotion within 7 days, none ever


@dataclass(frozen=True)
class Sought:
    """What the address asks for; unknown values ask for everybody."""

    consent: str = ""
    """A key of CONSENTS, TO_FIX, or empty."""
    tag: int | None = None
    rest: str = ""
    """WEEK, NEVER, or empty: how long the person has had no promotion."""
    query: str = ""

    @property
    def asks(self) -> bool:
        return self != Sought()

    def url(self, **changes: object) -> str:
        """The list's address with some of this changed."""
        other = replace(self, **changes)  # type: ignore[arg-type]
        return reverse("panel:contacts") + other.query_string

    @property
    def query_string(self) -> str:
        given = [*self.hidden, *([("q", self.query)] if self.query else [])]
        return "?" + urlencode(given) if self.asks else ""

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Name and value of all but the search, for a form that keeps them."""
        given = (("permiso", self.consent), ("etiqueta", str(self.tag or "")), ("sin", self.rest))
        return [(name, value) for name, value in given if value]


def read(values: Mapping[str, str]) -> Sought:
    """From a query string or a form."""
    consent, tag, rest = values.get("permiso", ""), values.get("etiqueta", ""), values.get("sin", "")
    return Sought(
        consent=consent if consent in {*CONSENTS, TO_FIX} else "",
        tag=int(tag) if tag.isdecimal() and len(tag) < 19 else None,
        rest=rest if rest in (WEEK, NEVER) else "",
        query=values.get("q", "").replace("\x00", "").strip()[:80],
    )


def find(account: Account, sought: Sought) -> QuerySet[Contact]:
    """The people who fit the sentence."""
    filters = people.Filters(
        query=sought.query,
        consent=CONSENTS.get(sought.consent, ""),
        tag=sought.tag,
        to_fix=sought.consent == TO_FIX,
    )
    rows = people.find(account, filters)
    if not sought.rest:
        return rows
    got = Message.objects.filter(contact=OuterRef("pk"), batch__promotion__isnull=False).exclude(status=Status.OMITTED)
    if sought.rest == WEEK:
        got = got.filter(created_at__gt=timezone.now() - timedelta(days=7))
    return rows.exclude(Exists(got))


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
