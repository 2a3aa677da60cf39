"""Every door of the panel is guarded, on purpose, and opens to whom it should."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from pregon.accounts import access
from pregon.accounts.models import Role
from tests import make

OTHERS_OWN = ("allauth.",)  # sign-in itself


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


def test_every_address_says_who_may_come() -> None:
    unguarded = [
        f"{route} ({pattern.callback.__module__}.{pattern.callback.__name__})"
        for route, pattern in patterns(get_resolver())
        if not hasattr(pattern.callback, "access") and not pattern.callback.__module__.startswith(OTHERS_OWN)
    ]
    assert not unguarded


def test_staff_addresses_are_for_staff() -> None:
    found = {pattern.callback.access for route, pattern in patterns(get_resolver()) if route.startswith("staff/")}
    assert found <= {"staff"}


def test_public_addresses_are_few() -> None:
    """Add one here only after asking whether a stranger may really come."""
    found = {
        str(pattern.name)
        for _route, pattern in patterns(get_resolver())
        if getattr(pattern.callback, "access", "") == "public"
    }
    joining = {"optin", "optin_qr", "optin_thanks", "optin_thanks_qr", "optout", "optout_link"}
    others = {"healthz", "metrics", "theme", "language", "styleguide", "case_new", "case_link", "case_link_file"}
    assert found <= others | joining


@pytest.mark.django_db
class TestDoors:
    """An owner, a teammate, a stranger."""

    @access.member(Role.MANAGER)
    @staticmethod
    def view(request: access.Request) -> HttpResponse:
        return HttpResponse(request.account.name)

    @pytest.mark.parametrize(
        ("role", "allowed"), [(Role.OWNER, True), (Role.MANAGER, True), (Role.EDITOR, False), (Role.VIEWER, False)]
    )
    def test_each_role_covers_those_below(self, rf: RequestFactory, role: Role, allowed: bool) -> None:
        member = make.member(make.account(), role)
        request = rf.get("/")
        request.user, request.member = member.user, member  # type: ignore[attr-defined]
        if allowed:
            assert type(self).view(request).content.decode() == member.account.name
        else:
            with pytest.raises(PermissionDenied):
                type(self).view(request)

    def test_signed_out_people_go_to_sign_in_and_come_back(self, client: Client) -> None:
        response = client.get(reverse("panel:settings"))
        assert response.status_code == 302
        assert response["Location"] == reverse("account_login") + "?next=" + reverse("panel:settings")

    def test_a_person_without_a_business_is_told_so(self, client: Client) -> None:
        client.force_login(make.user(), backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.get(reverse("panel:settings")).status_code == 403

    def test_a_row_of_another_business_does_not_exist(self) -> None:
        mine, other = make.account(), make.account()
        contact = make.contact(other)
        assert access.get(other.contacts, contact.pk) == contact
        with pytest.raises(Http404):
            access.get(mine.contacts, contact.pk)

    def test_one_works_for_one_business_at_a_time_and_only_ones_own(self) -> None:
        first = make.member(make.account("Una"))
        second = make.member(make.account("Otra"), Role.VIEWER, user=first.user)
        client, switch = make.signed_in(first), reverse("panel:account_switch")
        assert "Una" in client.get(reverse("panel:settings")).content.decode()
        assert client.post(switch, {"account": second.account_id}).status_code == 302
        assert client.get(reverse("panel:settings")).wsgi_request.member == second  # type: ignore[attr-defined]
        assert client.post(switch, {"account": make.account("Ajena").pk}).status_code == 404
        assert client.post(switch, {"account": "x"}).status_code == 404

    def test_a_seat_that_was_taken_away_is_no_longer_entered(self) -> None:
        first = make.member(make.account("Una"))
        second = make.member(make.account("Otra"), user=first.user)
        client = make.signed_in(second)
        second.delete()
        assert client.get(reverse("panel:settings")).wsgi_request.member == first  # type: ignore[attr-defined]
