"""Ajustes: the business's own fields, what they are called, what they are, and their order."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pregon.accounts import access
from pregon.accounts.models import Role
from pregon.contacts import field_work, fields
from pregon.contacts.models import Field
from pregon.panel.forms.own_fields import FieldForm


@require_GET
@access.member(Role.MANAGER)
def settings_fields(request: access.Request) -> HttpResponse:
    """The list; while one is changing, it asks again."""
    rows = fields.of(request.account)
    page = {"fields": rows, "working": any(row.work for row in rows), "most": fields.MOST}
    name = "fields_list" if request.htmx else "fields"
    return render(request, f"panel/settings/{name}.html", page)


@require_http_methods(["GET", "POST"])
@access.member(Role.MANAGER)
def settings_field(request: access.Request, pk: int) -> HttpResponse:
    field = _of(request, pk)
    form = FieldForm(field, request.POST if request.method == "POST" else None)
    if form.is_valid() and _save(form):
        field.refresh_from_db()
        if field.problem:
            messages.warning(request, field.problem)
            return redirect("panel:settings_field", pk)
        messages.success(request, _("Guardamos «%(name)s».") % {"name": field.label})
        return redirect("panel:settings_fields")
    return render(
        request, "panel/settings/field.html", {"form": form, "field": field}, status=422 if form.errors else 200
    )


@require_POST
@access.member(Role.MANAGER)
def settings_field_move(request: access.Request, pk: int) -> HttpResponse:
    """One place up or down."""
    fields.move(_of(request, pk), -1 if request.POST.get("to") == "up" else 1)
    return redirect("panel:settings_fields")


@require_POST
@access.member(Role.MANAGER)
def settings_field_delete(request: access.Request, pk: int) -> HttpResponse:
    """The field and everybody's value."""
    field = _of(request, pk)
    try:
        field_work.delete(field)
    except fields.Refused as refused:
        messages.warning(request, str(refused))
        return redirect("panel:settings_field", pk)
    field_work.go_on(field)
    messages.success(request, _("Borramos «%(name)s» de tus contactos.") % {"name": field.label})
    return redirect("panel:settings_fields")


def _of(request: access.Request, pk: int) -> Field:
    rows = request.account.own_fields.select_related("account").exclude(work=Field.Work.DELETING)
    return access.get(rows, pk)


def _save(form: FieldForm) -> bool:
    """What is wrong stands beside its control."""
    field, control = form.field, "label"
    try:
        fields.rename(field, form.cleaned_data["label"])
        control = "choices"
        if form.changes_options:
            field_work.change_choices(field, form.options())
            field_work.go_on(field)
        control = "kind"
        if kind := form.other_kind:
            field_work.change_kind(field, kind)
            field_work.go_on(field)
    except fields.Refused as refused:
        form.add_error(control, str(refused))
        return False
    return True
