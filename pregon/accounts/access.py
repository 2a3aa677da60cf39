"""The door to a tenant's rows: every view and job gets its account here, and every object through its account.

@access.member(Role.EDITOR)
def contact(request: access.Request, pk: int) -> HttpResponse:
    person = access.get(request.account.contacts, pk)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Manager, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from pregon.accounts.models import Account, Member, Role, User

SESSION_KEY = "account"
P = ParamSpec("P")
M = TypeVar("M", bound=Model)


class Request(HttpRequest):
    """A request whose seat was checked by `member`."""

    user: User
    member: Member
    account: Account
    htmx: HtmxDetails


View = Callable[Concatenate[Request, P], HttpResponseBase]


def current_member(request: HttpRequest) -> Member | None:
    """The seat chosen in the session, else the oldest one of this person; None when signed out or without any."""
    user = request.user
    if not isinstance(user, User):
        return None
    seats = Member.objects.filter(user=user).select_related("account").order_by("id")
    chosen = request.session.get(SESSION_KEY)
    seat = (seats.filter(account_id=chosen).first() if chosen else None) or seats.first()
    if seat:
        seat.user = user
    return seat


def choose(request: HttpRequest, account_id: int) -> None:
    """Remember which business this person works in; only one of their own."""
    if not isinstance(request.user, User) or not request.user.members.filter(account_id=account_id).exists():
        raise Http404
    request.session[SESSION_KEY] = account_id


def member(role: Role = Role.VIEWER) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Lets a view be reached only by members of the current account whose role covers `role`."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def checked(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if request.member is None:
                return no_account(request)
            if not request.member.may(role):
                raise PermissionDenied(_("Tu papel en este negocio no permite esto. Pídelo a quien lo administra."))
            request.account = request.member.account
            return view(request, *args, **kwargs)

        checked.access = f"member:{role}"  # type: ignore[attr-defined]
        return checked

    return decorate


def staff(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Lets a view be reached only by the provider's team; to others it does not exist."""

    @wraps(view)
    def checked(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    checked.access = "staff"  # type: ignore[attr-defined]
    return checked


def public(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Marks a view that signed-out people may reach, on purpose."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def no_account(request: Any) -> HttpResponse:
    """A person without a seat anywhere is told so; the provider's team has a site of its own."""
    if request.user.is_staff:
        return redirect("staff:cases")
    return render(request, "panel/no_account.html", status=403)


def get(rows: "Manager[M] | QuerySet[M]", pk: int) -> M:
    """The row of this account with that id. Raises `Http404`, whether it belongs to others or does not exist."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
