"""What one does with many people at once: first a page that says what it does, in figures, then the act."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from pregon.accounts import access, clients
from pregon.accounts.models import Role
from pregon.contacts import consent, people, review, tag_names, tags, tally
from pregon.contacts.consent import Act
from pregon.contacts.models import Consent, Contact, Source
from pregon.panel import wording
from pregon.panel.forms.contacts import ConsentForm, TagsForm
from pregon.panel.views import contacts_review, contacts_sought

MOST = 1_000  # boxes in one form; "all of the sentence" has no bound


@dataclass(frozen=True)
class Chosen:
    """The people picked, or all whom the sentence of the list finds."""

    rows: QuerySet[Contact]
    hidden: list[tuple[str, str]]
    """What the page of the act sends again."""


@require_POST
@access.member(Role.EDITOR)
def contacts_bulk(request: access.Request) -> HttpResponse:
    """`act` is a key of ACTS; `pick` are ids, or `todas` stands for the sentence. Done only with `confirmed`."""
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    chosen = _chosen(request)
    counts = tally.count(chosen.rows)
    if not counts.total:
        messages.warning(request, _("Elige a quién: marca a una o más personas."))
        return redirect(_back(request))
    affected = AFFECTED[act](chosen.rows).count()
    if not affected:
        messages.warning(request, _("Con las personas elegidas no hay nada que cambiar."))
        return redirect(_back(request))
    confirmed = request.POST.get("confirmed") == "1"
    form = _form(request, act, confirmed=confirmed)
    if confirmed and (form is None or form.is_valid()):
        messages.success(request, ACTS[act](request, chosen.rows, form))
        return redirect(_back(request))
    context = {
        "act": act,
        "counts": counts,
        "affected": affected,
        "form": form,
        "hidden": chosen.hidden,
        "back": _back(request),
    }
    return render(request, "panel/contacts/bulk.html", context)


def _back(request: access.Request) -> str:
    """The page where they were picked."""
    kind = contacts_review.kind_of(request)
    return reverse("panel:review_kind", args=[kind]) if kind else contacts_sought.read(request.POST).url()


def _chosen(request: access.Request) -> Chosen:
    sentence = [
        (key, request.POST[key])
        for key in ("permiso", "etiqueta", "sin", "segmento", "q", contacts_review.KEY)
        if request.POST.get(key)
    ]
    if request.POST.get("todas"):
        kind = contacts_review.kind_of(request)
        sought = contacts_sought.find(request.account, contacts_sought.read(request.POST))
        rows = (review.people(request.account, kind) if kind else sought).people
        return Chosen(rows, [*sentence, ("todas", "1")])
    picked = [pk for pk in request.POST.getlist("pick")[:MOST] if pk.isdecimal() and len(pk) < 19]
    return Chosen(request.account.contacts.filter(pk__in=picked), sentence + [("pick", pk) for pk in picked])


def _form(request: access.Request, act: str, *, confirmed: bool) -> forms.Form | None:
    data = request.POST if confirmed else None
    if act == "tag":
        return TagsForm(request.account, data)
    return ConsentForm(data) if act == "consent" else None


def _all(rows: QuerySet[Contact]) -> QuerySet[Contact]:
    return rows


def _able(rows: QuerySet[Contact]) -> QuerySet[Contact]:
    """Who can give a permission: whom one can write to, and who has neither given nor withdrawn one."""
    return rows.filter(consent=Consent.UNKNOWN).exclude(mobile=None, meta_user_id=None)


def _still_in(rows: QuerySet[Contact]) -> QuerySet[Contact]:
    return rows.exclude(consent=Consent.WITHDRAWN)


def _tag(request: access.Request, rows: QuerySet[Contact], form: Any) -> str:
    names, taken = tag_names.split(form.cleaned_data["names"]), form.cleaned_data["take"]
    figure = rows.count()
    rows = request.account.contacts.filter(pk__in=list(rows.values_list("id", flat=True)))
    if names:
        tags.put(request.account, rows, names)
    if taken:
        tags.take(rows, taken)
    sentence = ngettext(
        "Cambiamos las etiquetas de %(n)s persona.", "Cambiamos las etiquetas de %(n)s personas.", figure
    )
    return sentence % {"n": wording.number(figure)}


def _consent(request: access.Request, rows: QuerySet[Contact], form: Any) -> str:
    said = Act(consent=Consent.GRANTED, source=Source.PANEL, **clients.actor(request), **form.evidence())
    done = consent.record_many(request.account, _able(rows).values_list("id", flat=True), said)
    sentence = ngettext("Registramos el permiso de %(n)s persona.", "Registramos el permiso de %(n)s personas.", done)
    return sentence % {"n": wording.number(done)}


def _opt_out(request: access.Request, rows: QuerySet[Contact], form: Any) -> str:
    said = Act(consent=Consent.WITHDRAWN, source=Source.PANEL, happened_at=timezone.now(), **clients.actor(request))
    done = consent.record_many(request.account, _still_in(rows).values_list("id", flat=True), said)
    sentence = ngettext("%(n)s persona ya no recibe promociones.", "%(n)s personas ya no reciben promociones.", done)
    return sentence % {"n": wording.number(done)}


def _delete(request: access.Request, rows: QuerySet[Contact], form: Any) -> str:
    done = people.delete(request.account, rows.values_list("id", flat=True), actor=request.user)
    sentence = ngettext(
        "Eliminamos a %(n)s persona de tus contactos.", "Eliminamos a %(n)s personas de tus contactos.", done
    )
    return sentence % {"n": wording.number(done)}


ACTS: dict[str, Callable[[access.Request, QuerySet[Contact], Any], str]] = {
    "tag": _tag,
    "consent": _consent,
    "opt_out": _opt_out,
    "delete": _delete,
}
AFFECTED = {"tag": _all, "consent": _able, "opt_out": _still_in, "delete": _all}
