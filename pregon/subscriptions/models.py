"""Who pays: the plans, and which one a business has."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account


class Module(models.TextChoices):
    """What a plan switches on."""

    CONTACTS = "contacts", _("Contactos")
    WHATSAPP = "whatsapp", _("Promociones WhatsApp")
    REPORTS = "reports", _("Resultados y exportación")
    API = "api", _("Conexión con otros programas")


class Plan(models.Model):
    """A row the provider edits: Starter, Profesional, Premium."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("nombre"), max_length=40)
    summary = models.CharField(_("resumen"), max_length=160, blank=True)
    modules = ArrayField(models.CharField(max_length=20, choices=Module), default=list, verbose_name=_("módulos"))
    monthly_limit = models.PositiveIntegerField(_("mensajes de WhatsApp al mes"), default=0)
    price = models.DecimalField(_("precio al mes"), max_digits=10, decimal_places=2)
    currency = models.CharField(_("moneda"), max_length=3, default="USD")
    position = models.PositiveSmallIntegerField(default=0)
    is_public = models.BooleanField(_("se ofrece"), default=True)
    is_initial = models.BooleanField(_("con él empieza un negocio nuevo"), default=False)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["is_initial"], condition=models.Q(is_initial=True), name="plan_initial_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """The plan of one account. The month starts on `anchor_day`, or on the last day of a month that lacks it."""

    account = models.OneToOneField(Account, models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    anchor_day = models.PositiveSmallIntegerField()  # 1..31
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account} · {self.plan}"
