"""Segments: the list of them, the form that builds one, and how many people it has while one builds it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import finding
from pregon.contacts import segments as saved
from pregon.contacts.models import Segment
from pregon.contacts.rules import Group
from pregon.panel.forms.segments import FIRST, SegmentForm
from pregon.panel.views import contacts_sought


@require_GET
@access.member(Role.VIEWER)
def segments(request: access.Request) -> HttpResponse:
    """Each with what it says; how many people it has is asked for by itself."""
    groups = {segment: saved.rules_of(segment) for segment in request.account.segments.all()}
    names = saved.names(request.account, Group("all", tuple(groups.values())))
    rows = [
        {"segment": segment, "url": contacts_sought.Sought(segment=segment.pk).url(), **_told(group, names)}
        for segment, group in groups.items()
    ]
    context = {"rows": rows, "may_edit": request.member.may(Role.EDITOR)}
    return render(request, "panel/segments/segments.html", context)


@access.member(Role.EDITOR)
def segment_new(request: access.Request) -> HttpResponse:
    """From nothing, or from the sentence of the list of contacts."""
    sentence = contacts_sought.rules_of(request.account, contacts_sought.read(request.GET))
    return _edit(request, saved.new(request.account, request.user), sentence if sentence.parts else FIRST)


@access.member(Role.EDITOR)
def segment_edit(request: access.Request, pk: int) -> HttpResponse:
    segment = access.get(request.account.segments, pk)
    return _edit(request, segment, saved.rules_of(segment))


@require_POST
@access.member(Role.EDITOR)
def segment_delete(request: access.Request, pk: int) -> HttpResponse:
    """The people stay; what was chosen with it keeps its conditions."""
    access.get(request.account.segments, pk).delete()
    messages.success(request, _("Borramos el segmento. Las personas siguen en tus contactos."))
    return redirect("panel:segments")


@require_GET
@access.member(Role.VIEWER)
def segment_people(request: access.Request, pk: int) -> HttpResponse:
    """How many people a saved one has, as part of a page."""
    segment = access.get(request.account.segments, pk)
    return render(request, "panel/segments/count.html", _counted(request, saved.rules_of(segment)))


@require_GET
@access.member(Role.EDITOR)
def segment_count(request: access.Request) -> HttpResponse:
    """How many fit what the form says now, as part of a page."""
    form = SegmentForm(request.account, saved.new(request.account, None), None, request.GET)
    return render(request, "panel/segments/count.html", _counted(request, form.group()))


def _edit(request: access.Request, segment: Segment, group: Group) -> HttpResponse:
    """`act` adds a row, takes one away, or saves; only what is saved is asked for its name."""
    act = request.POST.get("act", "")
    form = SegmentForm(request.account, segment, group, request.POST if request.method == "POST" else None)
    if act == "save" and _save(form, segment):
        messages.success(request, _("Guardamos el segmento «%(name)s».") % {"name": segment.name})
        return redirect("panel:segments")
    if act != "save":
        form.errors.pop("name", None)
    shown = group if not form.is_bound else form.group() if act != "add" else None
    counted = _counted(request, shown)
    context = {"form": form, "segment": segment, **counted}
    return render(request, "panel/segments/segment.html", context)


def _save(form: SegmentForm, segment: Segment) -> bool:
    group = form.group()
    if not form.is_valid() or group is None:
        return False
    try:
        saved.save(segment, form.cleaned_data["name"], group)
    except saved.NameTaken as taken:
        form.add_error("name", str(taken))
        return False
    return True


def _counted(request: access.Request, group: Group | None) -> dict[str, Any]:
    """Nothing while a condition is not whole."""
    if group is None:
        return {"found": None, "words": ""}
    names = saved.names(request.account, group)
    return {"found": finding.count(finding.of(request.account, "", group)), **_told(group, names)}


def _told(group: Group, names: saved.Names) -> dict[str, Any]:
    """Its conditions in words, and whether one asks for what is no more."""
    return {"words": saved.describe(group, names), "outlived": saved.outlived(group, names)}
