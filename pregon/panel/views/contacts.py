"""The list of contacts: the sum of their permissions, a sentence that filters, a search, pages."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Max, Prefetch, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import export, history, people
from pregon.contacts.models import Contact, Tag
from pregon.panel import downloads
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
        head = _head(request, sought)
        all_of_them = None if sought.asks else head["counts"].total
        response = render(request, "panel/contacts/contacts.html", head | _listed(request, sought, all_of_them))
    patch_vary_headers(response, ("HX-Request",))
    return response


@require_GET
@access.member(Role.MANAGER)
def contacts_export(request: access.Request) -> HttpResponseBase:
    """The people of the sentence as a CSV that `import` reads again."""
    rows = contacts_sought.find(request.account, contacts_sought.read(request.GET))
    name = f"{slugify(request.account.name) or 'contactos'}-{timezone.localdate():%Y-%m-%d}.csv"
    return downloads.csv(export.csv(request.account, rows), name)


def _head(request: access.Request, sought: Sought) -> dict[str, Any]:
    """What stands above the list."""
    counts = people.counts(request.account.contacts.all())
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
        "may_export": request.member.may(Role.MANAGER),
    }


def _listed(request: access.Request, sought: Sought, found: int | None = None) -> dict[str, Any]:
    """The sentence and one page; `found` people fit it, if that was counted already."""
    rows = contacts_sought.find(request.account, sought)
    page = _page(request, rows)
    found = rows.count() if found is None else found
    tags = list(request.account.tags.all())
    first = _position(request, page, found)
    return {
        "sought": sought,
        "slots": (
            contacts_sought.consent_slot(sought),
            contacts_sought.tag_slot(sought, tags),
            contacts_sought.rest_slot(sought),
        ),
        "rows": _told(page.rows),
        "found": found,
        "first": first,
        "last": first + len(page.rows) - 1,
        "previous_url": _turn(sought, antes=page.before, desde=max(1, first - people.PAGE)) if page.before else "",
        "next_url": _turn(sought, despues=page.after, desde=first + people.PAGE) if page.after else "",
        "may_edit": request.member.may(Role.EDITOR),
    }


def _page(request: access.Request, rows: QuerySet[Contact]) -> people.Page:
    shown = rows.prefetch_related(Prefetch("tags", Tag.objects.order_by("name")))
    after, before = _anchor(request, "despues"), _anchor(request, "antes")
    return people.page(shown, after=after, before=before)


def _anchor(request: access.Request, key: str) -> Contact | None:
    """Somebody deleted meanwhile leads back to the first page."""
    pk = request.GET.get(key, "")
    return request.account.contacts.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None


def _position(request: access.Request, page: people.Page, found: int) -> int:
    """Which person of all stands first: counted along by the links, for keyset pages know no numbers."""
    given = request.GET.get("desde", "")
    if page.before is None or not given.isdecimal():
        return 1
    return max(1, min(int(given[:9]), found))


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
    return [
        {
            "person": row,
            "how": history.tell(entries[row.pk]) if row.pk in entries else history.tell_beginning(row),
            "since": entries[row.pk].happened_at if row.pk in entries else row.created_at,
            "last": last.get(row.pk),
        }
        for row in rows
    ]
