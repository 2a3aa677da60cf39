"""Who works in a business: invitations, roles, and that there is always an owner."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from pregon.accounts import members
from pregon.accounts.models import Member, Role, User
from tests import make

TEAM = "panel:settings_members"


@pytest.mark.django_db
def test_someone_new_is_invited_and_chooses_a_password() -> None:
    owner = make.member(make.account())
    response = make.signed_in(owner).post(reverse(TEAM), {"email": "ana@example.com", "role": "editor"}, follow=True)
    assert "Invitamos a ana@example.com" in response.content.decode()
    member = Member.objects.get(account=owner.account, user__email="ana@example.com")
    assert member.role == Role.EDITOR
    letter = mail.outbox[0]
    assert letter.to == ["ana@example.com"]
    link = re.search(r"http\S+", letter.body)
    assert link
    browser = Client()
    form = browser.get(link[0].removeprefix("http://127.0.0.1:8000"), follow=True)
    browser.post(form.wsgi_request.path, {"password1": "otra-clave-larga-7", "password2": "otra-clave-larga-7"})
    assert User.objects.get(email="ana@example.com").check_password("otra-clave-larga-7")


@pytest.mark.django_db
def test_someone_known_only_gets_another_seat() -> None:
    owner, known = make.member(make.account()), make.user("ana@example.com")
    member = members.invite(owner.account, "ANA@example.com", Role.VIEWER, by=owner.user)
    assert member.user == known
    assert "contraseña para" not in mail.outbox[0].body
    with pytest.raises(members.AlreadyMember):
        members.invite(owner.account, "ana@example.com", Role.OWNER, by=owner.user)
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_a_seat_is_not_for_whoever_signed_up_with_anothers_address() -> None:
    owner, impostor = make.member(make.account()), make.user("ana@example.com")
    address = EmailAddress.objects.create(user=impostor, email="ana@example.com", verified=False, primary=True)
    response = make.signed_in(owner).post(reverse(TEAM), {"email": "Ana@example.com", "role": "owner"}, follow=True)
    assert "aún no confirma su correo" in response.content.decode()
    assert not Member.objects.filter(user=impostor).exists()
    [letter] = mail.outbox
    assert letter.to == ["ana@example.com"]

    link = re.search(r"http\S+", letter.body)  # the mailbox's owner opens it
    assert link
    page = Client()
    page.get(link[0].partition("testserver")[2] or link[0].removeprefix("http://127.0.0.1:8000"))
    page.post(link[0].partition("testserver")[2] or link[0].removeprefix("http://127.0.0.1:8000"))
    address.refresh_from_db()
    assert address.verified
    assert members.invite(owner.account, "ana@example.com", Role.EDITOR, by=owner.user).user == impostor


@pytest.mark.django_db
def test_the_last_owner_stays() -> None:
    owner = make.member(make.account())
    make.member(owner.account, Role.MANAGER)
    client = make.signed_in(owner)
    for url, data in (("settings_member", {"role": "viewer"}), ("settings_member_remove", {})):
        response = client.post(reverse(f"panel:{url}", args=[owner.pk]), data, follow=True)
        assert "se quedaría sin titular" in response.content.decode()
    owner.refresh_from_db()
    assert owner.role == Role.OWNER


@pytest.mark.django_db
def test_roles_change_and_people_leave() -> None:
    owner = make.member(make.account())
    other = make.member(owner.account, Role.VIEWER)
    client = make.signed_in(owner)
    client.post(reverse("panel:settings_member", args=[other.pk]), {"role": "owner"})
    other.refresh_from_db()
    assert other.role == Role.OWNER
    response = client.post(reverse("panel:settings_member_remove", args=[owner.pk]))
    assert response.status_code == 302
    assert list(owner.account.members.all()) == [other]


@pytest.mark.django_db
def test_nonsense_is_refused() -> None:
    owner = make.member(make.account())
    client = make.signed_in(owner)
    assert client.post(reverse(TEAM), {"email": "no es un correo", "role": "editor"}).status_code == 422
    assert client.post(reverse(TEAM), {"email": "a@example.com", "role": "jefe"}).status_code == 422
    client.post(reverse("panel:settings_member", args=[owner.pk]), {"role": "jefe"})
    assert list(owner.account.members.values_list("role", flat=True)) == ["owner"]


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["settings_member", "settings_member_remove"])
def test_teammates_may_not_and_strangers_find_nothing(url: str) -> None:
    owner = make.member(make.account())
    teammate = make.member(owner.account, Role.MANAGER)
    stranger = make.member(make.account())
    address = reverse(f"panel:{url}", args=[owner.pk])
    assert make.signed_in(teammate).post(address, {"role": "viewer"}).status_code == 403
    assert make.signed_in(stranger).post(address, {"role": "viewer"}).status_code == 404
    assert make.signed_in(teammate).get(reverse(TEAM)).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both_leave() -> None:
    account = make.account()
    owners = [make.member(account), make.member(account)]

    def leave(member: Member) -> bool:
        try:
            members.remove(member)
        except members.LastOwner:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, owners)) == [False, True]
    assert account.members.count() == 1
