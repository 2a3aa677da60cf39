"""One contact: who they are, their permission, their history."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access, clients
from pregon.accounts.models import Role
from pregon.contacts import consent, merging, pairs, people
from pregon.contacts.models import Consent, Contact, Source
from pregon.lib import phones
from pregon.panel import wording
from pregon.panel.forms.contacts import ConsentForm, ContactForm
from pregon.panel.own_values import Own
from pregon.panel.views import contacts_timeline


@require_GET
@access.member(Role.VIEWER)
def contact(request: access.Request, pk: int) -> HttpResponse:
    """`ver` is a key of `contacts_timeline.SHOWN`, `tras` where a page of it ended. htmx gets the history alone."""
    theirs = request.account.contacts.select_related("source").prefetch_related("tags")
    person = theirs.filter(pk=pk).first()
    if person is None:
        return redirect("panel:contact", _become(request, pk))
    own = Own(request.account)
    shown = _history(request, person, own)
    if request.htmx and not request.htmx.history_restore_request:
        part = "history_items" if "tras" in request.GET else "history"
        response = render(request, f"panel/contacts/{part}.html", shown)
    else:
        response = render(request, "panel/contacts/contact.html", _head(request, person, own) | shown)
    patch_vary_headers(response, ("HX-Request",))
    return response


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def contact_new(request: access.Request) -> HttpResponse:
    form = ContactForm(request.account, None, request.POST or None)
    if form.is_valid() and (person := form.save(request.user)):
        words = _("Guardamos a %(name)s. Para escribirle promociones, registra su permiso.")
        messages.success(request, words % {"name": person})
        return redirect("panel:contact", person.pk)
    return render(request, "panel/contacts/contact_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def contact_edit(request: access.Request, pk: int) -> HttpResponse:
    person = access.get(request.account.contacts.select_related("account"), pk)
    form = ContactForm(request.account, person, request.POST or None)
    if form.is_valid() and (saved := form.save(request.user)):
        messages.success(request, _("Guardamos los cambios de %(name)s.") % {"name": saved})
        return redirect("panel:contact", pk)
    return render(request, "panel/contacts/contact_form.html", {"form": form, "person": person})


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def contact_delete(request: access.Request, pk: int) -> HttpResponse:
    person = access.get(request.account.contacts, pk)
    if request.method == "POST":
        people.delete(request.account, [pk], actor=request.user)
        messages.success(request, _("Eliminamos a %(name)s de tus contactos.") % {"name": person})
        return redirect("panel:contacts")
    return render(request, "panel/contacts/contact_delete.html", {"person": person, "sent": person.messages.count()})


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def contact_consent(request: access.Request, pk: int) -> HttpResponse:
    """Registers a permission with its evidence; over a baja only an owner can, with a later one."""
    person = access.get(request.account.contacts, pk)
    if not _may_grant(request, person):
        return render(request, "panel/contacts/consent_refused.html", {"person": person}, status=403)
    withdrawn_at = person.consent_at if person.consent == Consent.WITHDRAWN else None
    form = ConsentForm(request.POST or None, after=withdrawn_at)
    if form.is_valid():
        consent.record(person, Consent.GRANTED, source=Source.PANEL, **clients.actor(request), **form.evidence())
        messages.success(request, _("Registramos el permiso de %(name)s.") % {"name": person})
        return redirect("panel:contact", pk)
    return render(request, "panel/contacts/contact_consent.html", {"form": form, "person": person})


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def contact_withdraw(request: access.Request, pk: int) -> HttpResponse:
    person = access.get(request.account.contacts, pk)
    if request.method == "POST":
        said = request.POST.get("text", "").replace("\0", "").strip()[:240]
        how = clients.actor(request) | {"happened_at": timezone.now(), "text": said}
        consent.record(person, Consent.WITHDRAWN, source=Source.PANEL, **how)
        messages.success(request, _("%(name)s ya no recibe promociones.") % {"name": person})
        return redirect("panel:contact", pk)
    return render(request, "panel/contacts/contact_withdraw.html", {"person": person})


def _become(request: access.Request, pk: int) -> int:
    """The id of whoever a merged contact is now."""
    kept = merging.of_lost(request.account, pk)
    if kept is None:
        raise Http404
    return kept


def _may_grant(request: access.Request, person: Contact) -> bool:
    """Whom nobody can write to has no permission; a baja ends only by the person or an owner."""
    if not person.reachable or person.consent == Consent.GRANTED:
        return False
    return request.member.may(Role.OWNER if person.consent == Consent.WITHDRAWN else Role.EDITOR)


def _head(request: access.Request, person: Contact, own: Own) -> dict[str, Any]:
    likely = pairs.of(person).first()
    merges = person.merges.select_related("actor").order_by("-id")
    return {
        "own": own.pairs(person.fields),
        "merges": [(each, *(own.pairs(was["fields"]) for was in (each.before, each.lost))) for each in merges],
        "likely": likely,
        "twin": likely and (likely.high if likely.low == person else likely.low),
        "may_edit": request.member.may(Role.EDITOR),
        "may_grant": _may_grant(request, person),
        "may_take": request.member.may(Role.MANAGER),
        "may_erase": request.member.may(Role.OWNER),
        "line": _line(person.mobile) if person.mobile else {},
    }


def _history(request: access.Request, person: Contact, own: Own) -> dict[str, Any]:
    shown = request.GET.get("ver", "")
    shown = shown if shown in contacts_timeline.SHOWN else ""
    after = contacts_timeline.read_place(request.GET.get("tras", ""))
    page = contacts_timeline.page(person, shown, after, own)
    return {
        "person": person,
        "items": page.items,
        "choices": [
            (words, f"?ver={key}" if key else request.path, key == shown)
            for key, (words, _kinds) in contacts_timeline.SHOWN.items()
        ],
        "more_url": f"?{urlencode({'ver': shown, 'tras': page.after})}" if page.after else "",
    }


KINDS = {
    "mobile": gettext_lazy("Parece móvil"),
    "fixed": gettext_lazy("Parece fijo"),
    "voip": gettext_lazy("Parece de internet"),
    "toll_free": gettext_lazy("Parece gratuito para quien llama"),
}


def _line(mobile: str) -> dict[str, str]:
    """What the number itself tells: `country`, `kind` and `carrier`, each empty where it says nothing."""
    language = get_language() or "es"
    return {
        "country": wording.locale().territories.get(phones.country(mobile) or "", ""),
        "kind": str(KINDS.get(phones.kind(mobile), "")),
        "carrier": phones.carrier(mobile, language[:2]),
    }
