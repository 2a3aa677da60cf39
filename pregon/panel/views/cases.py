"""*Reportar un problema*: the form anyone may send, and the cases of a business with their threads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import forms as django_forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pregon.accounts import access, clients
from pregon.accounts.models import Member, User
from pregon.panel.forms import cases as forms
from pregon.promotions.models import Broadcast
from pregon.support import attachments, cases, keys, threads
from pregon.support.forms import ReplyForm
from pregon.support.models import Case, Module
from pregon.whatsapp.cloud import codes, errors

PAGE = 25


@dataclass(frozen=True)
class Stand:
    """Where the person stood: the sending, and Meta's code with its sentence. All may be empty."""

    broadcast: Broadcast | None
    code: int | None
    trace: str

    @property
    def sentence(self) -> str:
        return _(errors.classify(self.code).sentence) if self.code in codes.RULES else ""

    @property
    def context(self) -> dict[str, Any]:
        given = {"broadcast": self.broadcast.pk if self.broadcast else None, "code": self.code, "trace": self.trace}
        return {name: value for name, value in given.items() if value}

    def __bool__(self) -> bool:
        return bool(self.context)


# The form, for people with and without a business


@require_http_methods(["GET", "POST"])
@access.public
def case_new(request: HttpRequest) -> HttpResponse:
    """`broadcast`, `code`, `trace`, `link` and `module` of the address fill the form; else the page one came from does."""
    member: Member | None = getattr(request, "member", None)
    if request.method == "POST":
        form = forms.CaseForm(request.POST, request.FILES)
        if form.is_valid() and (case := _open(request, member, form)):
            return _thanks(request, case, member)
    else:
        form = forms.CaseForm(initial=_initial(request, member))
    context = {"form": form, "stand": _stand(member, form), "frame": _frame(member)}
    return render(request, "panel/cases/new.html", context, status=422 if form.errors else 200)


def _frame(member: Member | None) -> str:
    return "panel/shell.html" if member else "panel/plain.html"


def _initial(request: HttpRequest, member: Member | None) -> dict[str, Any]:
    given = {name: request.GET.get(name, "")[:500] for name in ("broadcast", "code", "trace", "link")}
    link = given["link"] or _came_from(request)
    guessed = Module.BROADCASTS if given["broadcast"] else forms.module_of(urlsplit(link).path)
    module = forms.known_module(request.GET.dict()) or guessed
    person = (
        {"email": request.user.email, "mobile": member.mobile if member else ""}
        if request.user.is_authenticated
        else {}
    )
    return given | person | {"link": link, "module": module}


def _came_from(request: HttpRequest) -> str:
    """The page of ours that led here; the form itself, and pages of others, say nothing."""
    came = request.headers.get("Referer", "")
    ours = urlsplit(came).netloc == request.get_host()
    return came[:500] if ours and urlsplit(came).path != request.path else ""


def _stand(member: Member | None, form: django_forms.Form) -> Stand:
    """A sending counts only if it is this business's own."""
    pk, code, trace = (form[name].value() for name in ("broadcast", "code", "trace"))
    found = None
    if member and str(pk or "").isdecimal() and len(str(pk)) < 19:
        found = Broadcast.objects.filter(account=member.account_id, pk=pk).select_related("promotion").first()
    number = int(code) if str(code or "").isdecimal() and len(str(code)) < 10 else None
    return Stand(found, number, str(trace or "")[:64])


def _open(request: HttpRequest, member: Member | None, form: forms.CaseForm) -> Case | None:
    given = form.cleaned_data
    report = cases.Report(
        module=given["module"],
        email=given["email"],
        detail=given["detail"],
        mobile=given["mobile"],
        link=given["link"],
        context=_stand(member, form).context,
        files=given["attached"],
    )
    try:
        return cases.open_case(report, sender(request, member))
    except cases.TooMany as refusal:
        form.add_error(None, str(refusal))
        return None


def sender(request: HttpRequest, member: Member | None) -> cases.Sender:
    user = request.user if isinstance(request.user, User) else None
    return cases.Sender(user, member.account if member else None, clients.address(request))


def _thanks(request: HttpRequest, case: Case, member: Member | None) -> HttpResponse:
    facts = {"n": case.pk, "email": case.email}
    words = _(
        "Creamos tu caso %(n)s. Lo lee una persona: te respondemos a %(email)s, y la respuesta también queda aquí."
    )
    messages.success(request, words % facts)
    if member:
        return redirect("panel:case", case.pk)
    return redirect("panel:case_link", keys.write(case))


# The cases of a business


@require_GET
@access.member()
def cases_list(request: access.Request) -> HttpResponse:
    """Newest first; `?estado=` is a status, `?antes=` the page's key."""
    status, before = request.GET.get("estado", ""), request.GET.get("antes", "")
    mine = Case.objects.filter(account=request.account)
    counted = mine.aggregate(**{name: Count("id", filter=Q(status=name)) for name in Case.Status.values})
    shown = mine.filter(status=status) if status in Case.Status.values else mine
    if before.isdecimal() and len(before) < 19:
        shown = shown.filter(pk__lt=int(before))
    rows = list(shown.annotate(messages=Count("replies")).order_by("-id")[: PAGE + 1])
    more = f"?antes={rows[PAGE - 1].pk}" + (f"&estado={status}" if status else "") if len(rows) > PAGE else ""
    facets, total = _facets(counted, status)
    context = {
        "cases": rows[:PAGE],
        "facets": facets,
        "total": total,
        "more": more,
        "first": request.path if before else "",
    }
    return render(request, "panel/cases/list.html", context)


LOOKS = {
    Case.Status.OPEN: ("waiting", "clock"),
    Case.Status.ANSWERED: ("accepted", "message-2"),
    Case.Status.CLOSED: ("omitted", "circle-check"),
}


def _facets(counted: Mapping[str, int], current: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What `{% facets %}` takes: the statuses with their figures, which add up to the total."""
    url = reverse("panel:cases")
    items = [
        {
            "figure": counted[status],
            "label": _plural(status, counted[status]),
            "url": f"{url}?estado={status}",
            "tone": LOOKS[status][0],
            "icon": LOOKS[status][1],
            "current": status == current,
        }
        for status in Case.Status
    ]
    total = {
        "figure": sum(counted[status] for status in Case.Status),
        "label": _("En total"),
        "url": url,
        "current": not current,
    }
    return items, total


def _plural(status: Case.Status, n: int) -> str:
    words = {
        Case.Status.OPEN: ngettext("Abierto", "Abiertos", n),
        Case.Status.ANSWERED: ngettext("Respondido", "Respondidos", n),
        Case.Status.CLOSED: ngettext("Cerrado", "Cerrados", n),
    }
    return words[status]


@require_http_methods(["GET", "POST"])
@access.member()
def case(request: access.Request, pk: int) -> HttpResponse:
    """The thread, and a box to add to it."""
    found = access.get(request.account.cases.select_related("created_by"), pk)
    here = reverse("panel:case", args=[pk])
    return _thread(request, found, here, "panel/shell.html")


@require_POST
@access.member()
def case_close(request: access.Request, pk: int) -> HttpResponse:
    """The person says it is solved."""
    cases.close(access.get(request.account.cases, pk))
    messages.success(request, _("Cerramos el caso. Si vuelve a pasar, escribe aquí y se abre otra vez."))
    return redirect("panel:case", pk)


@require_GET
@access.member()
def case_file(request: access.Request, pk: int, file: int) -> HttpResponseBase:
    return _download(access.get(request.account.cases, pk), file)


# The same thread behind the signed address of a letter


@require_http_methods(["GET", "POST"])
@access.public
def case_link(request: HttpRequest, key: str) -> HttpResponse:
    return _thread(request, _of_key(key), reverse("panel:case_link", args=[key]), "panel/plain.html")


@require_GET
@access.public
def case_link_file(request: HttpRequest, key: str, file: int) -> HttpResponseBase:
    return _download(_of_key(key), file)


def _of_key(key: str) -> Case:
    found = keys.read(key)
    if found is None:
        raise Http404
    return found


def _thread(request: HttpRequest, found: Case, here: str, frame: str) -> HttpResponse:
    form = ReplyForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _reply(request, found, form):
        messages.success(request, _("Agregamos tu mensaje al caso."))
        return redirect(here + "#final")
    context = {
        "case": found,
        "posts": threads.posts(found, here + "archivos/"),
        "about": threads.about(found),
        "form": form,
        "frame": frame,
        "in_panel": found.account_id is not None and frame == "panel/shell.html",
    }
    return render(request, "panel/cases/case.html", context, status=422 if form.errors else 200)


def _reply(request: HttpRequest, found: Case, form: ReplyForm) -> bool:
    author = request.user if isinstance(request.user, User) else None
    files: list[attachments.Upload] = form.cleaned_data["attached"]
    try:
        cases.reply(found, form.cleaned_data["body"], author=author, files=files)
    except cases.TooMany as refusal:
        form.add_error("body", str(refusal))
        return False
    return True


def _download(found: Case, file: int) -> FileResponse:
    return attachments.download(access.get(found.attachments, file))
