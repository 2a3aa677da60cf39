"""One contact: who they are, their permission and its history, their last messages."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access, clients
from pregon.accounts.models import Role
from pregon.contacts import consent, history, people
from pregon.contacts.models import Consent, Contact, Source
from pregon.panel.forms.contacts import ConsentForm, ContactForm
from pregon.panel.views import results_seen

LAST = 10  # messages that the page shows


@require_GET
@access.member(Role.VIEWER)
def contact(request: access.Request, pk: int) -> HttpResponse:
    person = access.get(request.account.contacts.prefetch_related("tags"), pk)
    acts = [{"entry": entry, "words": history.tell(entry)} for entry in history.of(person)[:50]]
    context = {
        "person": person,
        "acts": acts,
        "beginning": history.tell_beginning(person, silent=not acts),
        "messages_sent": _messages(person),
        "may_edit": request.member.may(Role.EDITOR),
        "may_grant": _may_grant(request, person),
    }
    return render(request, "panel/contacts/contact.html", context)


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


def _may_grant(request: access.Request, person: Contact) -> bool:
    """A bad number has no permission; a baja ends only by the person or an owner."""
    if person.mobile is None or person.consent == Consent.GRANTED:
        return False
    return request.member.may(Role.OWNER if person.consent == Consent.WITHDRAWN else Role.EDITOR)


def _messages(person: Contact) -> list[dict[str, Any]]:
    """Each with why it failed and what to do, if it did."""
    rows = person.messages.select_related("batch__broadcast__promotion").order_by("-created_at")[:LAST]
    return [{"row": message, "why": results_seen.why(message)} for message in rows]
