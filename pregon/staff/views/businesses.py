"""The businesses: their plan, quota and number at a glance; change of plan, pause and reactivation."""

from django.contrib import messages
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pregon.accounts import access, clients
from pregon.accounts.models import Account
from pregon.contacts import people
from pregon.contacts.models import Consent
from pregon.quota import ledger
from pregon.quota.models import Period
from pregon.staff import businesses as acts
from pregon.staff import forms, pages
from pregon.staff.models import Act
from pregon.subscriptions import changes
from pregon.support.models import Case

SHOWN = 8  # cases and acts on the page of a business


@require_GET
@access.staff
def businesses(request: access.Request) -> HttpResponse:
    """By name; `q` is part of a name or of a member's e-mail, `estado=pausa` those in pause."""
    query, paused = request.GET.get("q", "").replace("\x00", "").strip()[:80], request.GET.get("estado") == "pausa"
    rows = _listed(query)
    page = pages.cut(rows.filter(suspended_at__isnull=False) if paused else rows, request)
    counted = Account.objects.aggregate(all=Count("id"), paused=Count("id", filter=Q(suspended_at__isnull=False)))
    context = {"accounts": page.rows, "page": page, "query": query, "paused": paused, "counted": counted}
    return render(request, "staff/businesses.html", context | {"here": "businesses"})


def _listed(query: str) -> QuerySet[Account]:
    """With the month's figures (None where no month is open) and the cases that wait for us."""
    now = timezone.now()
    month = Period.objects.filter(account=OuterRef("pk"), starts_at__lte=now, ends_at__gt=now)
    waiting = Case.objects.filter(account=OuterRef("pk"), status=Case.Status.OPEN).order_by().values("account")
    rows = Account.objects.annotate(
        quota_taken=Subquery(month.values_list(F("used") + F("reserved"))[:1], output_field=IntegerField()),
        quota_limit=Subquery(month.values("limit")[:1]),
        waiting=Subquery(waiting.annotate(n=Count("id")).values("n"), output_field=IntegerField()),
    )
    if query:
        seats = Account.objects.filter(members__user__email__icontains=query).values("pk")
        rows = rows.filter(Q(name__icontains=query) | Q(pk__in=seats))
    return rows.select_related("subscription__plan").prefetch_related("numbers").order_by("name", "id")


@require_GET
@access.staff
def business(request: access.Request, pk: int) -> HttpResponse:
    return _page(request, access.get(Account.objects.all(), pk), forms.SuspensionForm())


def _page(
    request: access.Request, account: Account, form: forms.SuspensionForm, said: forms.ConsentForm | None = None
) -> HttpResponse:
    plan = changes.plan(account)
    context = {
        "account": account,
        "plan": plan,
        "period": ledger.current(account),
        "members": account.members.select_related("user").order_by("id"),
        "numbers": account.numbers.select_related("portfolio").order_by("practice", "id"),
        "cases": account.cases.order_by("-id")[:SHOWN],
        "acts": Act.objects.filter(account=account).select_related("actor").order_by("-id")[:SHOWN],
        "plan_form": forms.PlanChoiceForm(initial={"plan": plan}),
        "form": form,
        "consent_form": said or forms.ConsentForm(),
    }
    wrong = form.errors or (said and said.errors)
    with pages.clock_of(account):
        return render(request, "staff/business.html", context | {"here": "businesses"}, status=422 if wrong else 200)


@require_POST
@access.staff
def change_plan(request: access.Request, pk: int) -> HttpResponse:
    account = access.get(Account.objects.all(), pk)
    form = forms.PlanChoiceForm(request.POST)
    if form.is_valid():
        acts.change_plan(account, form.cleaned_data["plan"], request.user)
        words = _("%(account)s tiene ahora el plan %(plan)s.")
        messages.success(request, words % {"account": account, "plan": form.cleaned_data["plan"]})
    else:
        messages.error(request, _("Ese plan ya no existe. Elige otro."))
    return redirect("staff:business", pk)


@require_POST
@access.staff
def note_consent(request: access.Request, pk: int) -> HttpResponse:
    account = access.get(Account.objects.all(), pk)
    form = forms.ConsentForm(request.POST)
    if not (form.is_valid() and _note(request, account, form)):
        return _page(request, account, forms.SuspensionForm(), form)
    messages.success(request, _("Quedó anotado, con tu nombre."))
    return redirect("staff:business", pk)


def _note(request: access.Request, account: Account, form: forms.ConsentForm) -> bool:
    given = form.cleaned_data
    try:
        acts.note_consent(account, given["mobile"], Consent(given["act"]), given["why"], clients.actor(request))
    except (acts.Refused, people.BadNumber) as refusal:
        form.add_error("mobile", str(refusal))
        return False
    return True


@require_POST
@access.staff
def suspend(request: access.Request, pk: int) -> HttpResponse:
    account = access.get(Account.objects.all(), pk)
    form = forms.SuspensionForm(request.POST)
    if not form.is_valid():
        return _page(request, account, form)
    acts.suspend(account, form.cleaned_data["reason"], request.user)
    messages.success(request, _("%(account)s está en pausa: nada sale hasta que lo reactives.") % {"account": account})
    return redirect("staff:business", pk)


@require_POST
@access.staff
def reactivate(request: access.Request, pk: int) -> HttpResponse:
    account = access.get(Account.objects.all(), pk)
    acts.reactivate(account, request.user)
    messages.success(request, _("%(account)s puede enviar otra vez.") % {"account": account})
    return redirect("staff:business", pk)
