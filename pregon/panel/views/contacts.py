"""The list of contacts: the sum of their permissions, a sentence that filters, a search, pages."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import finding, listing
from pregon.contacts.finding import Count, Finding, Page
from pregon.contacts.tally import Counts
from pregon.panel.views import contacts_rows, contacts_sought
from pregon.panel.views.contacts_sought import Sought
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
    found = contacts_sought.find(request.account, sought)
    listed = _listed(request, sought, found)
    if request.htmx and not request.htmx.history_restore_request:
        response = render(request, "panel/contacts/list.html", listed)
    else:
        response = render(request, "panel/contacts/contacts.html", _head(request, sought, found.counts) | listed)
    patch_vary_headers(response, ("HX-Request",))
    return response


def _head(request: access.Request, sought: Sought, counts: Counts) -> dict[str, Any]:
    """What stands above the list."""
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


def _listed(request: access.Request, sought: Sought, found: Finding) -> dict[str, Any]:
    """The sentence, how many fit it, and one page of them."""
    page = finding.page(found, after=_key(request, "despues"), before=_key(request, "antes"))
    people, first, may_edit = listing.read(page.ids), _position(request, page), request.member.may(Role.EDITOR)
    last = first + len(people) - 1
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
        "rows": contacts_rows.drawn(people, may_edit=may_edit),
        # a sample may have missed whom the page shows
        "found": page.count if page.count.exact else Count(max(page.count.people, last), exact=False),
        "first": first,
        "last": last,
        "previous_url": _turn(sought, antes=page.before, desde=max(1, first - finding.PAGE)) if page.before else "",
        "next_url": _turn(sought, despues=page.after, desde=first + finding.PAGE) if page.after else "",
        "may_edit": may_edit,
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
