"""Contacts who may be the same person: the list of pairs, and two of them side by side, to be merged or told apart."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import history, merging
from pregon.contacts import pairs as likely
from pregon.contacts.likeness import Why
from pregon.contacts.models import Consent, Contact, Pair
from pregon.contacts.review import Kind
from pregon.panel import wording
from pregon.panel.own_values import Own
from pregon.panel.views import contacts_review
from pregon.panel.views.broadcasts_found import key

PAGE = 50


@require_GET
@access.member(Role.EDITOR)
def pairs(request: access.Request) -> HttpResponse:
    """The surest first; `despues` is the last pair of the page before."""
    opened = likely.opened(request.account)
    anchor = opened.filter(pk=key(request.GET.get("despues", ""))).first()
    if anchor:
        opened = opened.filter(Q(score__lt=anchor.score) | Q(score=anchor.score, pk__gt=anchor.pk))
    rows = list(opened.select_related("low", "high")[: PAGE + 1])
    kinds = contacts_review.kinds(request, Kind.DUPLICATES)
    context = {
        "kinds": kinds,
        "title": contacts_review.title(Kind.DUPLICATES),
        "words": kinds[0]["words"],
        "found": kinds[0]["figure"],
        "rows": [{"pair": pair, "why": _tell(pair)} for pair in rows[:PAGE]],
        "begun": bool(anchor),
        "next_url": f"?despues={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
    }
    return render(request, "panel/review/pairs.html", context)


@require_POST
@access.member(Role.EDITOR)
def pairs_apart(request: access.Request) -> HttpResponse:
    """The picked pairs are of different people."""
    picked = filter(None, map(key, request.POST.getlist("pick")[: contacts_review.MOST]))
    done = likely.tell_apart(request.account, picked, request.user)
    if done:
        words = ngettext(
            "Anotamos que son personas distintas.", "Anotamos que las de %(n)s parejas son personas distintas.", done
        )
        messages.success(request, words % {"n": wording.number(done)})
    else:
        messages.warning(request, _("Elige al menos una pareja."))
    return redirect("panel:pairs")


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def pair(request: access.Request, low: int, high: int) -> HttpResponse:
    """Two people side by side; a POST makes them one, of `numero` whose number stays, each datum of whom it says.

    Their address are the people, not the pair: once they are one it leads to who that is.
    """
    rows = request.account.pairs.select_related("low__account", "high", "decided_by")
    found = rows.filter(low=low, high=high).first()
    if found is None:
        return _gone(request, low, high)
    if request.method == "POST" and request.POST.get("state", found.state) == found.state:
        return _merge(request, found)
    two = [found.low, found.high]
    context = {
        "pair": found,
        "why": _tell(found),
        "two": two,
        "rows": [row for row in _rows(*two) if any(cell["text"] for cell in row["cells"]) or "consents" in row],
        "outcome": _outcome(*two),
    }
    return render(request, "panel/review/pair.html", context)


def _merge(request: access.Request, pair: Pair) -> HttpResponse:
    one = key(request.POST.get("numero", ""))
    ids = [pair.low_id, pair.high_id]
    kept, lost = (ids[1], ids[0]) if one == ids[1] else (ids[0], ids[1])
    names = [*merging.CHOICES, *(name for name in request.POST if name.startswith(merging.OWN))]
    chosen = {name: key(request.POST.get(name, "")) for name in names}
    try:
        done = merging.merge(request.account, kept, lost, chosen, request.user)
    except merging.Gone as gone:
        messages.warning(request, str(gone))
        return redirect("panel:pairs")
    words = _("Ahora es una sola persona. Sus etiquetas, mensajes y permisos están en su ficha.")
    messages.success(request, _with_link(words, done.kept_id))
    return redirect("panel:pairs")


def _gone(request: access.Request, low: int, high: int) -> HttpResponse:
    """They were merged, or one was deleted or changed, in another tab or by somebody else."""
    known = {merging.of_lost(request.account, pk) or pk for pk in (low, high)}
    people = list(request.account.contacts.filter(pk__in=known).values_list("pk", flat=True))
    if not people:
        raise Http404
    words = {
        1: _("Una de las dos ya no está: alguien la unió o la eliminó."),
        2: _("Ya no están entre las parejas por revisar: sus datos cambiaron."),
    }[len(people)]
    words = _("Ya son una sola persona: alguien las unió.") if len(known) == 1 else words
    messages.warning(request, _with_link(words, people[0]))
    return redirect("panel:pairs")


def _with_link(words: str, person: int) -> SafeString:
    return format_html('{} <a href="{}">{}</a>', words, reverse("panel:contact", args=[person]), _("Ver la ficha"))


# What is compared


def _tell(pair: Pair) -> str:
    """«Mismo correo · nombre parecido»."""
    words = {
        Why.EMAIL: _("mismo correo"),
        Why.NUMBER: _("mismo número por corregir"),
        Why.NEAR_NUMBER: _("números casi iguales"),
        Why.NAME: _("mismo nombre"),
        Why.NEAR_NAME: _("nombre parecido"),
        Why.TAKEN: _("le escribiste a una el celular de la otra"),
        Why.META: _("WhatsApp dice que son la misma persona"),
    }
    told = " · ".join(words[Why(each)] for each in pair.why.split(","))
    return told[:1].upper() + told[1:]


def _rows(one: Contact, other: Contact) -> Iterator[dict[str, Any]]:
    """A datum each, with what both have; `name` is that of its choice, where there is one."""
    two = (one, other)
    yield _row(_("Nombre"), "name", two, [each.name for each in two])
    yield _row(_("Celular"), "numero" if one.mobile and other.mobile else "", two, [_number(each) for each in two])
    yield _row(_("Correo"), "email", two, [each.email for each in two])
    own = Own(one.account)
    for name in own.order([*one.fields, *other.fields]):
        yield _row(
            own.label(name), merging.OWN + name, two, [own.value(name, each.fields.get(name, "")) for each in two]
        )
    yield _row(_("Etiquetas"), "", two, [", ".join(sorted(tag.name for tag in each.tags.all())) for each in two])
    entries = history.latest(two)
    acts = [history.tell(entries[each.pk]) if each.pk in entries else "" for each in two]
    yield _row(_("Permiso"), "", two, acts) | {"consents": [each.consent for each in two]}
    yield _row(_("Mensajes"), "", two, _sent(two))
    yield _row(_("Llegó"), "", two, [wording.day(each.created_at) for each in two])


def _row(label: str, name: str, two: Sequence[Contact], texts: Sequence[str]) -> dict[str, Any]:
    """What is chosen unless somebody says otherwise: who has a number, and what only one of both has."""
    first = merging.keeper(*two)[0]
    asked = name and all(texts) and texts[0] != texts[1]
    cells = [{"pk": each.pk, "text": text, "chosen": each == first} for each, text in zip(two, texts, strict=True)]
    return {"label": label, "name": name if asked else "", "cells": cells, "differs": texts[0] != texts[1]}


def _number(person: Contact) -> str:
    if person.mobile:
        return wording.mobile(person.mobile)
    return f"{person.mobile_raw or '—'} · {person.get_mobile_problem_display()}"


def _sent(two: Sequence[Contact]) -> list[str]:
    rows = Contact.objects.filter(pk__in=[each.pk for each in two])
    sent = dict(rows.annotate(sent=Count("messages")).values_list("pk", "sent"))
    return [wording.number(sent.get(each.pk, 0)) for each in two]


def _outcome(one: Contact, other: Contact) -> tuple[str, str]:
    """Tone and sentence: the permission of who they become."""
    if Consent.WITHDRAWN in (one.consent, other.consent):
        return "failed", _("Queda de baja con cualquiera de los dos números: una de las dos lo pidió.")
    if one.mobile and other.mobile and one.consent != other.consent:
        return "waiting", _("El permiso es del número: queda el del celular que elijas, el del otro no pasa.")
    if merging.keeper(one, other)[0].consent == Consent.GRANTED:
        return "accepted", _("Queda con permiso, el que dio para el celular que se queda.")
    return "", _("Queda sin permiso: nadie lo ha dado para el celular que se queda.")
