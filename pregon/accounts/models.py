"""Who: people, the businesses they work for, and their seats there."""

from datetime import time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Users(BaseUserManager["User"]):
    """Finds and makes people by their e-mail, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in; `is_staff` is the provider's team."""

    email = models.EmailField(_("correo"))
    name = models.CharField(_("nombre"), max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Users] = Users()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_unique"),)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def first_name(self) -> str:
        return (self.name or self.email.partition("@")[0]).split(" ")[0]


def check_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("«%(zone)s» no es una zona horaria."), params={"zone": value})


class Account(models.Model):
    """A business: the tenant. Meta's own "account" is only ever `waba_id`."""

    name = models.CharField(_("nombre del negocio"), max_length=120)
    country = models.CharField(_("país"), max_length=2, default="MX")  # ISO 3166, the default region of its numbers
    time_zone = models.CharField(
        _("zona horaria"), max_length=60, default="America/Mexico_City", validators=[check_time_zone]
    )
    address = models.CharField(_("dirección"), max_length=200, blank=True)
    repeat_days = models.PositiveSmallIntegerField(default=7)  # nobody gets the same promotion twice within these
    repeat_limit = models.PositiveSmallIntegerField(default=2)  # nor more promotions than this within them
    # Promotions rest in these hours of the business's own clock, also across midnight; null: they never do.
    quiet_from = models.TimeField(null=True, blank=True, default=time(21))
    quiet_until = models.TimeField(null=True, blank=True, default=time(9))
    keep_files_days = models.PositiveSmallIntegerField(
        default=30
    )  # that files of contacts are kept once they are through
    practice = models.BooleanField(default=False)  # promotions go to the virtual phones instead of to people
    suspended_at = models.DateTimeField(null=True, blank=True)  # set from above, read below: nothing leaves while set
    suspension_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="quiet_hours_have_two_ends",
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Role(models.TextChoices):
    """What a member may do; each includes those below it."""

    OWNER = "owner", _("titular")  # members, plan, number
    MANAGER = "manager", _("responsable")  # approves and sends
    EDITOR = "editor", _("edición")  # contacts and promotions
    VIEWER = "viewer", _("lectura")  # looks

    @property
    def rank(self) -> int:
        return [Role.VIEWER, Role.EDITOR, Role.MANAGER, Role.OWNER].index(self)

    def covers(self, other: "Role") -> bool:
        return self.rank >= other.rank


class Member(models.Model):
    """A person's seat in a business."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="members")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    mobile = models.CharField(max_length=16, blank=True)  # E.164
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "user"], name="member_once_per_account"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.account}"

    def may(self, role: Role) -> bool:
        return Role(self.role).covers(role)
