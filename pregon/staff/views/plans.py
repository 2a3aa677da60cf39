"""The plans: what each costs, includes and allows."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from pregon.accounts import access
from pregon.staff import forms, offers
from pregon.staff.models import Act
from pregon.subscriptions.models import Module, Plan

SHOWN = 8  # acts on the page of a plan


@require_GET
@access.staff
def plans(request: access.Request) -> HttpResponse:
    rows = list(Plan.objects.annotate(businesses=Count("subscriptions")).order_by("position", "id"))
    labels = dict(Module.choices)
    listed = [(plan, [labels.get(name, name) for name in plan.modules]) for plan in rows]
    return render(request, "staff/plans.html", {"plans": listed, "here": "plans"})


@require_http_methods(["GET", "POST"])
@access.staff
def plan(request: access.Request, pk: int | None = None) -> HttpResponse:
    """Edit one, or with no `pk` make one."""
    found = access.get(Plan.objects.all(), pk) if pk else None
    form = forms.PlanForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        saved = offers.save(form.save(commit=False), request.user)
        messages.success(request, _("Guardamos el plan %(plan)s.") % {"plan": saved})
        return redirect("staff:plans")
    context = {
        "plan": found,
        "form": form,
        "businesses": found.subscriptions.count() if found else 0,
        "acts": Act.objects.filter(plan=found).select_related("actor").order_by("-id")[:SHOWN] if found else [],
    }
    return render(request, "staff/plan.html", context | {"here": "plans"}, status=422 if form.errors else 200)
