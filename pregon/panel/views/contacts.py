"""The list of contacts: the sum of their permissions, a sentence that filters, a search, pages."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Max, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import finding, history, tally
from pregon.contacts.finding import Count, Page
from pregon.contacts.models import ConsentEntry, Contact
from pregon.panel import wording
from pregon.panel.views import contacts_sought
from pregon.panel.views.contacts_sought import Sought
from pregon.sending.models import Status
from pregon.subscriptions import changes
from pregon.subscriptions.models import Module

FACETS = (
    ("con", "accepted", "user-check"),
    ("sin", "omitted", "user-question"),
    ("baja", "failed", "user-off"),
)


@require_GET
@access.member(Role.VIEWER)
def contacts(request: access.Request) -> HttpResponse:
    """People by name: the address filters (`contacts_sought`), `despues` and `antes` turn pages. htmx gets the list alone."""
    sought = contacts_sought.read(request.GET)
    if request.htmx and not request.htmx.history_restore_request:
        response = render(request, "panel/contacts/list.html", _listed(request, sought))
    else:
        response = render(request, "panel/contacts/contacts.html", _head(request, sought) | _listed(request, sought))
    patch_vary_headers(response, ("HX-Request",))
    return response


def _head(request: access.Request, sought: Sought) -> dict[str, Any]:
    """What stands above the list."""
    counts = tally.of(request.account)
    figures = (counts.granted, counts.unknown, counts.withdrawn)
    labels = (_("Con permiso"), _("Sin permiso"), _("De baja"))
    facets = [
        {"figure": figure, "label": label, "tone": tone, "icon": icon,
         "url": Sought(consent=key).url(), "current": sought.consent == key}
        for figure, label, (key, tone, icon) in zip(figures, labels, FACETS, strict=True)
    ]  # fmt: skip
    total = {"figure": counts.total, "label": _("En total"), "url": Sought().url(), "current": not sought.asks}
    return {
        "counts": counts,
        "facets": facets,
        "total": total,
        "fix_url": Sought(consent=contacts_sought.TO_FIX).url(),
        "included": changes.has_module(request.account, Module.WHATSAPP),
    }


def _listed(request: access.Request, sought: Sought) -> dict[str, Any]:
    """The sentence, how many fit it, and one page of them."""
    found = contacts_sought.find(request.account, sought)
    counted = finding.count(found)
    page = finding.page(found, counted, after=_key(request, "despues"), before=_key(request, "antes"))
    first = _position(request, page)
    last = first + len(page.rows) - 1
    tags = list(request.account.tags.all())
    saved = list(request.account.segments.all())
    return {
        "sought": sought,
        "slots": (
            contacts_sought.consent_slot(sought),
            contacts_sought.tag_slot(sought, tags),
            contacts_sought.rest_slot(sought),
            contacts_sought.segment_slot(sought, saved) if saved else None,
        ),
        "suggested": contacts_sought.suggest(sought, tags),
        "rows": _told(page.rows),
        # a sample may have missed whom the page shows
        "found": counted if counted.exact else Count(max(counted.people, last), exact=False),
        "first": first,
        "last": last,
        "previous_url": _turn(sought, antes=page.before, desde=max(1, first - finding.PAGE)) if page.before else "",
        "next_url": _turn(sought, despues=page.after, desde=first + finding.PAGE) if page.after else "",
        "may_edit": request.member.may(Role.EDITOR),
        "may_export": request.member.may(Role.MANAGER),
    }


def _key(request: access.Request, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _position(request: access.Request, page: Page) -> int:
    """Which person of all stands first: counted along by the links, for keyset pages know no numbers."""
    given = request.GET.get("desde", "")
    if page.before is None or not given.isdecimal():
        return 1
    return max(1, int(given[:9]))


def _turn(sought: Sought, **where: int | None) -> str:
    address = sought.url()
    return f"{address}{'&' if '?' in address else '?'}{urlencode(where)}"


def _told(rows: list[Contact]) -> list[dict[str, Any]]:
    """Each person with the act that made them what they are, and their last promotion."""
    entries = history.latest(rows)
    last = dict(
        Contact.objects.filter(pk__in=[row.pk for row in rows])
        .values_list("pk")
        .annotate(at=Max("messages__created_at", filter=~Q(messages__status=Status.OMITTED)))
    )
    never = _("Nunca")
    return [
        {"person": row, "how": _how(row, entries.get(row.pk)), "last": wording.day(last.get(row.pk)) or never}
        for row in rows
    ]


def _how(person: Contact, entry: ConsentEntry | None) -> str:
    """«Se apuntó en la tienda, 4 mar»."""
    if entry is None:
        return f"{history.tell_beginning(person)}, {wording.day(person.created_at)}"
    return f"{history.tell(entry)}, {wording.day(entry.happened_at)}"
