"""Ajustes: the people of the business and their roles."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from pregon.accounts import access, members
from pregon.accounts.models import Role
from pregon.panel.forms.settings import InviteForm


@require_http_methods(["GET", "POST"])
@access.member(Role.OWNER)
def settings_members(request: access.Request) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            members.invite(request.account, email, Role(form.cleaned_data["role"]), by=request.user)
        except (members.AlreadyMember, members.Unproved) as problem:
            form.add_error("email", str(problem))
        else:
            messages.success(request, _("Invitamos a %(email)s. Le llega un correo para entrar.") % {"email": email})
            return redirect("panel:settings_members")
    seats = request.account.members.select_related("user").order_by("id")
    page = {"form": form, "members": list(seats), "roles": Role.choices}
    return render(request, "panel/settings/members.html", page, status=422 if form.errors else 200)


@require_POST
@access.member(Role.OWNER)
def settings_member(request: access.Request, pk: int) -> HttpResponse:
    """Another role for a member."""
    member, role = access.get(request.account.members.all(), pk), request.POST.get("role", "")
    if role not in Role.values:
        messages.error(request, _("Elige un papel de la lista."))
        return redirect("panel:settings_members")
    try:
        members.change_role(member, Role(role))
    except members.LastOwner as problem:
        messages.error(request, str(problem))
    else:
        words = _("%(name)s ahora es %(role)s.") % {"name": member.user, "role": Role(role).label.lower()}
        messages.success(request, words)
    return redirect("panel:settings_members")


@require_POST
@access.member(Role.OWNER)
def settings_member_remove(request: access.Request, pk: int) -> HttpResponse:
    member = access.get(request.account.members.select_related("user"), pk)
    try:
        members.remove(member)
    except members.LastOwner as problem:
        messages.error(request, str(problem))
        return redirect("panel:settings_members")
    messages.success(request, _("%(name)s ya no está en tu equipo.") % {"name": member.user})
    return redirect("panel:home" if member.user_id == request.user.pk else "panel:settings_members")
