"""What a person may ask for: all that is kept of them, the proof of their permission, and that it be erased."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import proof
from pregon.contacts.models import Contact, Erasure
from pregon.panel import downloads, proofs, records
from pregon.panel.forms.privacy import ErasureForm
from pregon.panel.views import settings_privacy
from pregon.sending import erasure


@require_GET
@access.member(Role.MANAGER)
def record_csv(request: access.Request, pk: int) -> HttpResponseBase:
    return downloads.csv(records.csv(_record(request, pk)), f"{_('expediente')}-{pk}.csv")


@require_GET
@access.member(Role.MANAGER)
def record_json(request: access.Request, pk: int) -> HttpResponse:
    return downloads.whole(records.json(_record(request, pk)), f"{_('expediente')}-{pk}.json")


@require_GET
@access.member(Role.MANAGER)
def record_pdf(request: access.Request, pk: int) -> HttpResponse:
    return downloads.whole(proofs.of_record(_record(request, pk)), f"{_('expediente')}-{pk}.pdf")


@require_GET
@access.member(Role.MANAGER)
def proof_csv(request: access.Request) -> HttpResponseBase:
    """Of everybody, however many they are."""
    return downloads.csv(proof.csv(proof.all_of(request.account)), f"{_('permisos')}.csv")


@require_GET
@access.member(Role.MANAGER)
def proof_pdf(request: access.Request) -> HttpResponse:
    return downloads.whole(proofs.of_everybody(request.account), f"{_('permisos')}.pdf")


@require_http_methods(["GET", "POST"])
@access.member(Role.OWNER)
def contact_erase(request: access.Request, pk: int) -> HttpResponse:
    """For good, unlike *Eliminar*."""
    person = access.get(request.account.contacts.select_related("account"), pk)
    form = ErasureForm(request.POST or None)
    if form.is_valid():
        return _erase(request, person, Erasure.Reason(form.cleaned_data["reason"]))
    page = {
        "form": form,
        "person": person,
        "files": erasure.under_way(request.account),
        "kept_files": settings_privacy.days(request.account.keep_files_days),
        "kept_arrivals": settings_privacy.days(settings.ARRIVALS_DAYS),
    }
    return render(request, "panel/contacts/contact_erase.html", page, status=422 if form.errors else 200)


def _erase(request: access.Request, person: Contact, reason: Erasure.Reason) -> HttpResponse:
    try:
        erasure.erase(person, reason=reason, actor=request.user)
    except (erasure.Underway, erasure.Leaving) as hindrance:
        messages.warning(request, str(hindrance))
        return redirect("panel:contact_erase", person.pk)
    except Contact.DoesNotExist as gone:  # deleted, erased or merged meanwhile: as if it had been before
        raise Http404 from gone
    told = _(
        "Borramos sus datos, y enseguida sus mensajes más antiguos. Queda anotado en Privacidad, sin decir de quién eran."
    )
    messages.success(request, told)
    return redirect("panel:contacts")


def _record(request: access.Request, pk: int) -> records.Record:
    people = request.account.contacts.select_related("account", "source").prefetch_related("tags")
    return records.of(access.get(people, pk))
