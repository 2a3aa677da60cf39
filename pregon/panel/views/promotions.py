"""Promotions: what is said, saved to be said again."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.panel import modules
from pregon.panel.forms import promotions as forms
from pregon.panel.views import promotions_seen as seen
from pregon.promotions import broadcasts, drafts, problems
from pregon.promotions.models import Broadcast, Promotion, Version, Way
from pregon.subscriptions import changes
from pregon.subscriptions.models import Module
from pregon.whatsapp import numbers, templates
from pregon.whatsapp.models import Template
from pregon.whatsapp.problems import MetaProblem

PAGE = 25
TEMPLATES = 60  # that the chooser shows


@require_GET
@access.member(Role.VIEWER)
def promotions(request: access.Request) -> HttpResponseBase:
    """The saved ones, newest first; `q` searches, `archived=1` shows those put away, `before` is the page's key."""
    included = changes.has_module(request.account, Module.WHATSAPP)
    if not included and not request.account.promotions.exists():
        return modules.missing(request, Module.WHATSAPP)
    archived, query = request.GET.get("archived") == "1", request.GET.get("q", "").strip()[:80]
    rows = list(_page(_listed(request, archived=archived, query=query), request.GET.get("before", "")))
    context = {
        "promotions": rows[:PAGE], "query": query, "archived": archived, "included": included,
        "next_url": _next(request, rows), "first_url": request.path if request.GET.get("before") else "",
    }  # fmt: skip
    return render(request, "panel/promotions/promotions.html", context)


@require_GET
@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def promotion_new(request: access.Request, pk: int | None = None) -> HttpResponse:
    """Choose how it is sent, and with which template; with `pk` for a promotion that exists, which keeps its words."""
    promotion = access.get(request.account.promotions, pk) if pk else None
    number = numbers.active(request.account)
    known = templates.of(number).exclude(category="AUTHENTICATION")[:TEMPLATES] if number else []
    choices = sorted(map(seen.choice, known), key=lambda choice: bool(choice.obstacle or not choice.template.approved))
    editor = reverse("panel:promotion", args=[pk]) if pk else reverse("panel:promotion_write")
    context = {"promotion": promotion, "templates": choices, "editor": editor, "ways": Way}
    return render(request, "panel/promotions/choose.html", context)


@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def promotion_write(request: access.Request) -> HttpResponseBase:
    """The editor of one that is not saved yet; `way` and `template` come from the chooser."""
    frame = _frame(request, None)
    form = forms.PromotionForm(frame, forms.draft_for(frame, None), {}, request.POST or None)
    if request.method == "POST" and form.is_valid() and request.POST.get("act") != "preview":
        promotion = drafts.create(request.account, request.user, form.draft())
        return _after(request, promotion)
    return _editor(request, form)


@access.member(Role.VIEWER)
def promotion(request: access.Request, pk: int) -> HttpResponseBase:
    """One promotion: to look at, and for editors to change. `version=N` brings back what it said then."""
    found = access.get(request.account.promotions, pk)
    version = _version(found, request.GET.get("version", ""))
    last = drafts.written(version)
    frame = _frame(request, last)
    draft = forms.draft_for(frame, last)
    form = forms.PromotionForm(frame, draft, seen.lacking(request.account, draft), request.POST or None)
    if request.method != "POST":
        return _editor(request, form, found)
    if refusal := _refusal(request):
        return refusal
    if form.is_valid() and request.POST.get("act") != "preview":
        drafts.save(found, request.user, form.draft())
        return _after(request, found)
    return _editor(request, form, found)


@require_POST
@access.member(Role.EDITOR)
def promotion_preview(request: access.Request, pk: int | None = None) -> HttpResponse:
    """The phone with what is being typed, and beside it what is missing and what could be better."""
    found = access.get(request.account.promotions, pk) if pk else None
    frame = _frame(request, None)
    form = forms.PromotionForm(frame, drafts.Draft(""), {}, request.POST)
    return render(request, "panel/promotions/live.html", seen.live(request, form.draft(), found))


@require_POST
@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def promotion_duplicate(request: access.Request, pk: int) -> HttpResponse:
    """A copy, opened."""
    copy = drafts.duplicate(access.get(request.account.promotions, pk), request.user)
    messages.success(request, _("Hicimos una copia. Cámbiala a tu gusto."))
    return redirect("panel:promotion", copy.pk)


@require_POST
@access.member(Role.EDITOR)
def promotion_archive(request: access.Request, pk: int) -> HttpResponse:
    """Out of the list, or with `restore` back into it."""
    found = access.get(request.account.promotions, pk)
    if request.POST.get("restore"):
        drafts.restore(found)
        return redirect("panel:promotion", found.pk)
    try:
        drafts.archive(found)
    except drafts.Refused as refused:
        messages.error(request, str(refused))
        return redirect("panel:promotion", found.pk)
    messages.success(request, _("Archivamos «%(name)s». Sus resultados siguen aquí.") % {"name": found.name})
    return redirect("panel:promotions")


@require_POST
@access.member(Role.EDITOR)
@modules.needs_module(Module.WHATSAPP)
def promotion_submit(request: access.Request, pk: int) -> HttpResponse:
    """Hand its latest version in at Meta."""
    return _submit(request, access.get(request.account.promotions, pk))


def _after(request: access.Request, promotion: Promotion) -> HttpResponse:
    """What the pressed button asks for beside saving."""
    match request.POST.get("act"):
        case "send":
            return _send(request, promotion)
        case "submit":
            return _submit(request, promotion)
    messages.success(request, _("Guardamos «%(name)s».") % {"name": promotion.name})
    return redirect("panel:promotion", promotion.pk)


def _send(request: access.Request, promotion: Promotion) -> HttpResponse:
    if problems.find(drafts.latest(promotion)):
        messages.warning(request, _("La guardamos, pero aún no se puede enviar. Mira qué falta."))
        return redirect("panel:promotion", promotion.pk)
    return redirect("panel:broadcast", broadcasts.prepare(promotion, request.user).pk)


def _submit(request: access.Request, promotion: Promotion) -> HttpResponse:
    try:
        drafts.submit_for_review(promotion, numbers.active(request.account))
    except (drafts.Refused, MetaProblem) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("La enviamos a Meta. Suele revisarla en minutos y aquí verás qué contestó."))
    return redirect("panel:promotion", promotion.pk)


def _refusal(request: access.Request) -> HttpResponse | None:
    """A viewer changes nothing; without the module what exists is only looked at."""
    if not request.member.may(Role.EDITOR):
        raise PermissionDenied(_("Tu papel en este negocio no permite esto. Pídelo a quien lo administra."))
    included = changes.has_module(request.account, Module.WHATSAPP)
    return None if included else modules.missing(request, Module.WHATSAPP)


def _editor(request: access.Request, form: forms.PromotionForm, promotion: Promotion | None = None) -> HttpResponse:
    context = seen.live(request, form.draft(), promotion) | seen.editor(request, form, promotion)
    return render(request, "panel/promotions/editor.html", context)


def _frame(request: access.Request, last: drafts.Draft | None) -> forms.Frame:
    """From the form, else from the chooser's link, else as it was saved. Raises `Http404` for what is not theirs."""
    asked = request.POST if request.method == "POST" else request.GET
    if "way" not in asked and last:
        return forms.Frame(Way(last.way), last.template if last.way == Way.TEMPLATE else None)
    way = asked.get("way", "")
    if way not in Way.values:
        raise Http404
    return forms.Frame(Way(way), _template(request, asked.get("template", "")) if way == Way.TEMPLATE else None)


def _template(request: access.Request, pk: str) -> Template | None:
    if not pk:
        return None
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        raise Http404
    return access.get(request.account.templates, int(pk))


def _version(promotion: Promotion, number: str) -> Version:
    versions = promotion.versions.select_related("template", "promotion__account")
    if number.isascii() and number.isdecimal() and len(number) < 9:
        return versions.filter(number=int(number)).first() or drafts.latest(promotion)
    return drafts.latest(promotion)


def _listed(request: access.Request, *, archived: bool, query: str) -> QuerySet[Promotion]:
    last = Version.objects.filter(promotion=OuterRef("pk")).order_by("-number")
    launched = Q(broadcasts__status=Broadcast.Status.LAUNCHED)
    return (
        request.account.promotions.filter(archived_at__isnull=not archived, name__icontains=query)
        .annotate(
            times=Count("broadcasts", filter=launched),
            last_sent=Max("broadcasts__launched_at"),
            reached=Sum("broadcasts__batch__accepted", default=0),
            saved_at=Subquery(last.values("created_at")[:1]),
            way=Subquery(last.values("way")[:1]),
            template_status=Subquery(last.values("template__status")[:1]),
        )
        .order_by(F("pk").desc())
    )


def _page(rows: QuerySet[Promotion], before: str) -> QuerySet[Promotion]:
    known = before.isascii() and before.isdecimal() and len(before) < 19
    return (rows.filter(pk__lt=int(before)) if known else rows)[: PAGE + 1]


def _next(request: access.Request, rows: list[Any]) -> str:
    if len(rows) <= PAGE:
        return ""
    kept = {key: request.GET[key] for key in ("q", "archived") if request.GET.get(key)}
    return "?" + urlencode(kept | {"before": rows[PAGE - 1].pk})
