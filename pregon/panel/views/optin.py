"""Where strangers come: `/alta/…`, whose yes their own WhatsApp message proves, and `/baja/…`.

No answer tells whether a number is known.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from pregon.accounts import access, clients
from pregon.contacts import optin
from pregon.contacts.models import OptinPage, OptinRequest, OptinText
from pregon.panel.forms.optin import JoinForm, LeaveForm
from pregon.panel.views import optin_seen
from pregon.whatsapp import numbers
from pregon.whatsapp.models import Number


@require_http_methods(["GET", "POST"])
@access.public
def join(request: HttpRequest, slug: str) -> HttpResponse:
    page, number = _page(slug), None
    if page.enabled:
        number = numbers.written_to(page.account)
    if not page.enabled or (number is None and not page.takes_unconfirmed):
        return render(request, "panel/optin/closed.html", {"page": page})
    words = optin.latest(page)
    form = JoinForm(page, words, request.POST if request.method == "POST" else None)
    if form.is_valid() and (asked := _ask(request, words, form, number)):
        return redirect("panel:optin_thanks", slug, asked.code)
    context = {"page": page, "words": words, "privacy": optin.privacy(page.account), "form": form, "number": number}
    return render(request, "panel/optin/join.html", context, status=422 if form.errors else 200)


@require_GET
@access.public
def join_thanks(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """What is left to do; the part of it that tells so asks again until it is done, and then the browser loads the page."""
    asked, words = _asked(slug, code)
    part = "HX-Request" in request.headers
    if part and asked.confirmed_at:
        return HttpResponseClientRefresh()
    number = numbers.written_to(asked.account)
    chat = numbers.chat(number, _word(asked)) if number else ""
    context = {"page": words.page, "asked": asked, "number": number, "over": _over(asked), "word": _word(asked)}
    return render(request, "panel/optin/confirm.html" if part else "panel/optin/thanks.html", context | {"chat": chat})


@require_GET
@access.public
def join_qr(request: HttpRequest, slug: str) -> HttpResponse:
    return optin_seen.qr(optin_seen.address("optin", _page(slug).slug))


@require_GET
@access.public
def join_thanks_qr(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """For who filled in the form on a computer."""
    asked, _words = _asked(slug, code)
    number = numbers.written_to(asked.account)
    if number is None:
        raise Http404
    return optin_seen.qr(numbers.chat(number, _word(asked)))


@require_http_methods(["GET", "POST"])
@access.public
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Also while nobody may join."""
    page = _page(slug)
    form = LeaveForm(page.account, request.POST if request.method == "POST" else None)
    if form.is_valid() and _leave(request, page, form):
        return _gone(request, page.account.name)
    context = {"page": page, "leaving": optin.leaving(page.account), "form": form}
    return render(request, "panel/optin/leave.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@access.public
def leave_link(request: HttpRequest, key: str) -> HttpResponse:
    """One press: whoever only looks at a link, a messenger for its preview, takes nobody off a list."""
    contact = optin.whose(key)
    if contact is None:  # cut short, or of somebody who was deleted: whoever follows it still wants to leave
        return render(request, "panel/optin/leave_lost.html", status=404)
    if request.method == "POST":
        optin.leave_by_link(contact, clients.address(request))
        return _gone(request, contact.account.name)
    context = {"contact": contact, "leaving": optin.leaving(contact.account)}
    return render(request, "panel/optin/leave_link.html", context)


def _page(slug: str) -> OptinPage:
    found = OptinPage.objects.select_related("account").filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def _asked(slug: str, code: str) -> tuple[OptinRequest, OptinText]:
    rows = OptinRequest.objects.select_related("account", "shown__page__account")
    found = rows.filter(code=code.replace("\0", ""), shown__page__slug=slug).first()
    if found is None or found.shown is None:
        raise Http404
    return found, found.shown


def _ask(request: HttpRequest, words: OptinText, form: JoinForm, number: Number | None) -> OptinRequest | None:
    mobile, name = form.cleaned_data["mobile"], form.cleaned_data.get("name", "")
    try:
        asked = optin.ask(words.page, mobile, name=name, ip=clients.address(request), words=words)
    except optin.TooMany as refusal:
        form.add_error(None, str(refusal))
        return None
    if number is None:
        optin.take_unconfirmed(asked)
    return asked


def _leave(request: HttpRequest, page: OptinPage, form: LeaveForm) -> bool:
    try:
        optin.leave(page, form.cleaned_data["mobile"], clients.address(request))
    except optin.TooMany as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _gone(request: HttpRequest, business: str) -> HttpResponse:
    """The browser loads the page again, so that going back sends nothing twice."""
    messages.success(request, _("Listo. %(business)s ya no te manda promociones.") % {"business": business})
    return redirect(request.path)


def _word(asked: OptinRequest) -> str:
    return f"{optin.WORD} {asked.code}"


def _over(asked: OptinRequest) -> bool:
    return asked.confirmed_at is None and timezone.now() - asked.created_at > optin.KEPT
