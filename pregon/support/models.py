"""Cases: what *Reportar un problema* creates, and what was answered."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account

SUBJECT = 90


class Module(models.TextChoices):
    """The part of the panel where the problem is."""

    CONTACTS = "contacts", _("Contactos")
    PROMOTIONS = "promotions", _("Promociones")
    TEMPLATES = "templates", _("Plantillas")
    BROADCASTS = "broadcasts", _("Envíos y resultados")
    NUMBER = "number", _("Número de WhatsApp")
    SUBSCRIPTION = "subscription", _("Mi suscripción y cupo")
    PRACTICE = "practice", _("Modo práctica")
    ACCESS = "access", _("Entrar a mi cuenta")
    OTHER = "other", _("Otro")


class Case(models.Model):
    """A problem someone reported."""

    class Status(models.TextChoices):
        OPEN = "open", _("Abierto")  # waits for the provider
        ANSWERED = "answered", _("Respondido")  # waits for the person
        CLOSED = "closed", _("Cerrado")

    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="cases")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.CharField(max_length=64, blank=True)  # crypto.keyed_hash of the network address it came from
    module = models.CharField(_("módulo"), max_length=30, choices=Module)
    email = models.EmailField(_("correo"))
    mobile = models.CharField(_("celular"), max_length=32, blank=True)
    link = models.CharField(_("enlace de la página"), max_length=500, blank=True)
    detail = models.TextField(_("detalle"), max_length=5000)
    context = models.JSONField(default=dict, blank=True)  # {"broadcast": 12, "code": 131049, "trace": "…"}
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)  # when it began to wait for whom it waits for

    class Meta:
        indexes = (
            models.Index(fields=["account", "-id"], name="case_by_account"),
            models.Index(fields=["status", "updated_at"], name="case_queue"),
            models.Index(fields=["created_at"], name="case_by_age"),
        )

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def subject(self) -> str:
        """The first line of the detail: what the case is called in lists."""
        first = self.detail.strip().partition("\n")[0].rstrip()
        return first if len(first) <= SUBJECT else first[: SUBJECT - 1].rstrip() + "…"


class Reply(models.Model):
    """One message in a case's thread."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_staff = models.BooleanField(default=False)
    body = models.TextField(_("respuesta"), max_length=5000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.body[:40]


class Attachment(models.Model):
    """A file that came with a case; served only to those who may see the case."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="attachments")
    # null: it came with the report itself
    reply = models.ForeignKey(Reply, models.CASCADE, null=True, related_name="attachments")
    file = models.FileField(upload_to="cases/%Y/%m/")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()  # bytes
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
