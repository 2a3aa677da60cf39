"""What the provider did to businesses and plans, append-only."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.subscriptions.models import Plan


class What(models.TextChoices):
    SUSPENDED = "suspended", _("Puso en pausa el negocio")
    REACTIVATED = "reactivated", _("Reactivó el negocio")
    PLAN_CHANGED = "plan_changed", _("Cambió el plan")
    PLAN_EDITED = "plan_edited", _("Editó el plan")
    CONSENT_NOTED = "consent_noted", _("Anotó un permiso o una baja")


class Act(models.Model):
    """One act: who, when, what, and in words why or from what to what."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="staff_acts")  # null: about a plan
    plan = models.ForeignKey(Plan, models.CASCADE, null=True, related_name="staff_acts")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    what = models.CharField(max_length=20, choices=What)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["account", "-id"], name="act_by_account"),)

    def __str__(self) -> str:
        return f"{self.what} {self.detail}"
