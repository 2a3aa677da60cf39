"""*Revisión*: what of the contacts wants a person's eye, by kind; mended in its row, or many at once."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import finding, history, pairs, people
from pregon.contacts import review as reviewing
from pregon.contacts.finding import Count
from pregon.contacts.models import Contact
from pregon.contacts.people import Details
from pregon.contacts.review import Kind, Reading
from pregon.lib import phones
from pregon.panel import wording
from pregon.panel.forms.contacts_review import CompleteForm, FixForm
from pregon.panel.views.broadcasts_found import key

KEY = "revision"  # in forms: the kind whose page one came from
MOST = 1_000  # numbers completed at once
SHOWN = 100  # of them on the page that asks first
PEOPLE = {*Kind} - {Kind.DUPLICATES}
Wrong = dict[str, Any]


@require_GET
@access.member(Role.EDITOR)
def review(request: access.Request) -> HttpResponse:
    """The kinds, each with how many."""
    return render(request, "panel/review/review.html", {"kinds": kinds(request)})


@require_GET
@access.member(Role.EDITOR)
def review_kind(request: access.Request, kind: str) -> HttpResponse:
    """The people of a kind; `despues` and `antes` turn pages."""
    return _page(request, _kind(kind))


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def review_fix(request: access.Request, kind: str, pk: int) -> HttpResponse:
    """One row, saved; what is wrong stands in it."""
    back = reverse("panel:review_kind", args=[_kind(kind)]) + _stretch(request)
    if request.method == "GET":  # the address of a row that was refused, from the browser's history
        return redirect(back)
    person = access.get(request.account.contacts.select_related("account").prefetch_related("tags"), pk)
    form = FixForm(request.POST)
    if wrong := _fix(request, person, form):
        return _page(request, _kind(kind), {"pk": pk, "words": wrong, **form.cleaned_data})
    messages.success(request, _("Guardamos los cambios de %(name)s.") % {"name": form.cleaned_data["name"] or person})
    return redirect(back)


@require_http_methods(["GET", "POST"])
@access.member(Role.EDITOR)
def review_complete(request: access.Request) -> HttpResponse:
    """What is missing before the picked numbers, then what each becomes; saved with `confirmed`."""
    if request.method == "GET":  # the address of the page, from the browser's history
        return redirect("panel:review")
    kind = _kind(request.POST.get(KEY, ""))
    chosen = _chosen(request, kind)
    form = CompleteForm(request.account.country, request.POST if "country" in request.POST else None)
    readings = _readings(request, chosen, form)
    ready = {reading.person.pk: reading.mobile for reading in readings if reading.mobile}
    if not chosen:
        messages.warning(request, _("Elige a quién: marca a una o más personas."))
        return redirect("panel:review_kind", kind)
    if ready and request.POST.get("confirmed"):
        _say_given(request, reviewing.give(request.account, ready, request.user))
        return redirect("panel:review_kind", kind)
    context = {
        "kind": kind, "title": title(kind), "form": form, "chosen": chosen, "readings": readings[:SHOWN],
        "ready": len(ready), "everybody": request.POST.get("todas"), "more": max(0, len(readings) - SHOWN),
    }  # fmt: skip
    return render(request, "panel/review/complete.html", context)


# What both pages of the queue show


def kinds(request: access.Request, current: Kind | None = None) -> list[dict[str, Any]]:
    """Every kind with its figure, in the order in which they are best mended."""
    counts = reviewing.counts(request.account)
    icons = ("users", "phone", "phone-x", "user-question", "device-mobile-off")
    return [
        {"title": title(kind), "words": _words(kind), "icon": icon, "figure": counts[kind], "current": kind == current,
         "url": address(kind)}
        for kind, icon in zip(Kind, icons, strict=True)
    ]  # fmt: skip


def address(kind: Kind) -> str:
    return reverse("panel:pairs") if kind == Kind.DUPLICATES else reverse("panel:review_kind", args=[kind])


def title(kind: Kind) -> str:
    return {
        Kind.DUPLICATES: _("Duplicados"),
        Kind.INCOMPLETE: _("Incompletos"),
        Kind.INVALID: _("Inválidos"),
        Kind.NO_CONSENT: _("Sin permiso"),
        Kind.NO_WHATSAPP: _("Sin WhatsApp"),
    }[kind]


def _words(kind: Kind) -> str:
    return {
        Kind.DUPLICATES: _("Parecen la misma persona dos veces. Compáralas y únelas, o di que son distintas."),
        Kind.INCOMPLETE: _("A su número le faltan cifras. Complétalo y podrás escribirles."),
        Kind.INVALID: _("Su número no existe tal como está escrito. Corrígelo o elimina el contacto."),
        Kind.NO_CONSENT: _("No reciben promociones. Si ya te dijeron que sí, regístralo con su prueba."),
        Kind.NO_WHATSAPP: _(
            "Meta avisó dos veces que ese número no tiene WhatsApp. No les escribimos durante 90 días."
        ),
    }[kind]


def kind_of(request: HttpRequest) -> Kind | None:
    """The kind of people from whose page a form came."""
    given = request.POST.get(KEY, "")
    return Kind(given) if given in PEOPLE else None


def _kind(given: str) -> Kind:
    if given not in PEOPLE:
        raise Http404
    return Kind(given)


# The people of a kind


def _page(request: access.Request, kind: Kind, wrong: Wrong | None = None) -> HttpResponse:
    listed = kinds(request, kind)
    found = Count(next(each["figure"] for each in listed if each["current"]))
    after, before = key(request.GET.get("despues", "")), key(request.GET.get("antes", ""))
    page = finding.page(reviewing.people(request.account, kind), found, after=after or None, before=before or None)
    first = max(1, key(request.GET.get("desde", ""))) if page.before else 1
    context = {
        "kind": kind,
        "title": title(kind),
        "words": _words(kind),
        "kinds": listed,
        "rows": [_row(request, kind, person, wrong) for person in page.rows],
        "found": found.people,
        "first": first,
        "last": first + len(page.rows) - 1,
        "previous_url": _turn(antes=page.before, desde=max(1, first - finding.PAGE)) if page.before else "",
        "next_url": _turn(despues=page.after, desde=first + finding.PAGE) if page.after else "",
        "stretch": _stretch(request),
        "mends": kind != Kind.NO_CONSENT,
        "most": MOST,
    }
    return render(request, "panel/review/kind.html", context)


def _turn(**where: int | None) -> str:
    return f"?{urlencode(where)}"


def _stretch(request: HttpRequest) -> str:
    """The query string of the page that is shown."""
    given = [(name, key(request.GET.get(name, ""))) for name in ("despues", "antes", "desde")]
    kept = [(name, value) for name, value in given if value]
    return "?" + urlencode(kept) if kept else ""


def _row(request: access.Request, kind: Kind, person: Contact, wrong: Wrong | None) -> dict[str, Any]:
    """What is typed in a row stays in it when it was wrong."""
    typed = wrong if wrong and wrong["pk"] == person.pk else {}
    return {
        "person": person,
        "why": _why(request, kind, person),
        "wrong": typed.get("words", ""),
        "name": typed.get("name", person.name),
        "mobile": typed.get("mobile", person.mobile or person.mobile_raw),
    }


def _why(request: access.Request, kind: Kind, person: Contact) -> str:
    if kind == Kind.NO_CONSENT:
        return f"{history.tell_beginning(person)}, {wording.day(person.created_at)}"
    if kind == Kind.NO_WHATSAPP:
        return _("Meta lo avisó el %(day)s") % {"day": wording.day(person.no_whatsapp_at)}
    read = phones.read(person.mobile_raw, request.account.country)
    return read.explanation if isinstance(read, phones.Problem) else _("Ahora sí se puede leer: guárdalo")


def _fix(request: access.Request, person: Contact, form: FixForm) -> str | SafeString:
    """Saves it, or says what is wrong."""
    if not form.is_valid():
        form.cleaned_data = {"name": request.POST.get("name", ""), "mobile": request.POST.get("mobile", "")}
        return str(next(iter(form.errors.values()))[0])
    typed = form.cleaned_data
    details = Details(typed["name"], typed["mobile"], person.email, [tag.name for tag in person.tags.all()])
    try:
        if person.mobile is None and typed["name"] == person.name:
            people.read_number(request.account, typed["mobile"])  # or nothing would have changed
        people.edit(person, details, actor=request.user)
    except people.BadNumber as error:
        return str(error)
    except people.AlreadyThere as error:
        two = pairs.put(person, error.contact)
        url = reverse("panel:pair", args=[two.low_id, two.high_id])
        words = _("Ya tienes este celular: es de")
        return format_html(
            '{} {}. <a class="p-link" href="{}">{}</a>', words, error.contact, url, _("Comparar a las dos")
        )
    pairs.recheck(request.account, [person.pk])
    return ""


# Many at once


def _chosen(request: access.Request, kind: Kind) -> list[Contact]:
    """The people picked of a kind, or all of it; MOST at most."""
    if request.POST.get("todas"):
        return list(reviewing.people(request.account, kind).people.order_by("id")[:MOST])
    picked = filter(None, map(key, request.POST.getlist("pick")[:MOST]))
    return list(request.account.contacts.filter(pk__in=picked, mobile=None).order_by("id"))


def _readings(request: access.Request, chosen: list[Contact], form: CompleteForm) -> list[Reading]:
    """Those that become a number first; none before the form says what is missing."""
    if not form.is_bound or not form.is_valid():
        return []
    given = form.cleaned_data
    readings = reviewing.reread(request.account, chosen, prefix=given["area"], region=given["country"])
    return sorted(readings, key=lambda reading: not reading.mobile)


def _say_given(request: access.Request, given: int) -> None:
    words = ngettext("Corregimos el número de %(n)s persona.", "Corregimos el número de %(n)s personas.", given)
    messages.success(request, words % {"n": wording.number(given)})
