"""The people of a business: invited by e-mail, with a role, and never without an owner.

LastOwner      the change would leave the business without an owner: nothing was changed
AlreadyMember  that person has a seat already
Unproved       somebody signed up with that address and has not shown that it is theirs
"""

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from pregon.accounts.models import Account, Member, Role, User


class LastOwner(Exception):
    def __init__(self) -> None:
        super().__init__(_("El negocio se quedaría sin titular. Da ese papel a otra persona antes."))


class AlreadyMember(Exception):
    def __init__(self) -> None:
        super().__init__(_("Esta persona ya está en tu equipo."))


class Unproved(Exception):
    def __init__(self) -> None:
        super().__init__(
            _("Esta persona aún no confirma su correo. Le enviamos un enlace: cuando lo abra, agrégala otra vez.")
        )


def invite(account: Account, email: str, role: Role, *, by: User) -> Member:
    """Give a person a seat and tell them by e-mail; who is new here gets a link to choose a password.

    Raises `AlreadyMember`, `Unproved`: a seat is for whoever reads that mailbox, not for whoever signed up with its address.
    """
    known = User.objects.filter(email__iexact=email).first()
    if known:
        _ask_for_proof(known)
    with transaction.atomic():
        user = known or User.objects.create_user(email)
        member, made = Member.objects.get_or_create(account=account, user=user, defaults={"role": role})
    if not made:
        raise AlreadyMember
    _tell(member, by)
    return member


def _ask_for_proof(user: User) -> None:
    """Who signed up has an address to confirm; who was invited chose a password through their mailbox and has none."""
    addresses = EmailAddress.objects.filter(user=user, email__iexact=user.email)
    if addresses.exists() and not addresses.filter(verified=True).exists():
        addresses[0].send_confirmation()
        raise Unproved


@transaction.atomic
def change_role(member: Member, role: Role) -> None:
    """Raises `LastOwner`."""
    _keep_an_owner(member, losing=role != Role.OWNER)
    Member.objects.filter(pk=member.pk).update(role=role)


@transaction.atomic
def remove(member: Member) -> None:
    """Take the seat away; what the person did stays under their name. Raises `LastOwner`."""
    _keep_an_owner(member, losing=True)
    member.delete()


def _keep_an_owner(member: Member, *, losing: bool) -> None:
    """The account's row is the lock: two owners who leave at once are counted one after the other."""
    Account.objects.select_for_update().get(pk=member.account_id)
    others = Member.objects.filter(account=member.account_id, role=Role.OWNER).exclude(pk=member.pk)
    if losing and not others.exists():
        raise LastOwner


def _tell(member: Member, by: User) -> None:
    new = not member.user.has_usable_password()
    context = {
        "member": member,
        "by": by,
        "new": new,
        "url": settings.PUBLIC_URL + (_password_path(member.user) if new else "/"),
    }
    subject = _("%(name)s te invita a %(business)s en Pregón") % {"name": by, "business": member.account}
    send_mail(subject, render_to_string("accounts/invitation.txt", context), None, [member.user.email])


def _password_path(user: User) -> str:
    """Where a person without a password chooses one; the link is good for Django's PASSWORD_RESET_TIMEOUT."""
    path = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return reverse("account_reset_password_from_key", kwargs=path)
