"""What and when: reusable messages, and each sending of one to some people."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account, Member
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number, Template


class Promotion(models.Model):
    """A reusable message; what it says is in its versions."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="promotions")
    name = models.CharField(_("nombre"), max_length=80)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["account", "-id"], name="promotion_by_account"),)

    def __str__(self) -> str:
        return self.name


class Way(models.TextChoices):
    """How a promotion reaches people."""

    TEMPLATE = "template", _("Una plantilla aprobada, con tus datos")  # its gaps are filled by `values`
    OWN = "own", _("Una plantilla propia")  # asunto is its header, detalle its body; Meta reviews it
    TEXT = "text", _("Texto libre, a quienes te escribieron en las últimas 24 horas")


class Version(models.Model):
    """What a promotion says, never changed: saving an edit makes the next version."""

    promotion = models.ForeignKey(Promotion, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    way = models.CharField(max_length=10, choices=Way, default=Way.TEMPLATE)
    template = models.ForeignKey(Template, models.PROTECT, null=True, blank=True, related_name="versions")
    subject = models.CharField(_("asunto"), max_length=60, blank=True)
    detail = models.TextField(_("detalle"), max_length=1024, blank=True)
    footer = models.CharField(_("pie"), max_length=60, blank=True)
    buttons = models.JSONField(default=list, blank=True)  # [{"kind": "reply"|"url"|"opt_out", "text": …, "url": …}]
    values = models.JSONField(
        default=dict, blank=True
    )  # template variable → text, where {{nombre}} etc. are contact fields
    fallbacks = models.JSONField(default=dict, blank=True)  # contact field → what to say where it is empty
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["promotion", "number"], name="version_once"),)

    def __str__(self) -> str:
        return f"{self.promotion} v{self.number}"


class Recurrence(models.Model):
    """A broadcast that repeats on the business's own clock. Each occurrence is a broadcast of its own; one at most is open."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Se repite")
        PAUSED = "paused", _("Repetición en pausa")
        ENDED = "ended", _("Ya no se repite")

    class Every(models.TextChoices):
        WEEK = "week", _("Cada semana")
        MONTH = "month", _("Cada mes")

    account = models.ForeignKey(Account, models.CASCADE, related_name="recurrences")
    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="recurrences")
    every = models.CharField(max_length=5, choices=Every)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)  # of a week; 0 is Monday
    month_day = models.PositiveSmallIntegerField(null=True, blank=True)  # of a month; a shorter one's last day instead
    at = models.TimeField()
    until = models.DateField(null=True, blank=True)  # not after this day
    times = models.PositiveSmallIntegerField(null=True, blank=True)  # so many occurrences, skipped ones included
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["status"], name="recurrence_active", condition=models.Q(status="active")),)

    def __str__(self) -> str:
        return f"{self.promotion} #{self.pk}"


class Broadcast(models.Model):
    """One sending of a promotion's version to one audience: reviewed, approved, scheduled, launched."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Por aprobar")
        SCHEDULED = "scheduled", _("Programado")
        WAITING = "waiting", _("Espera tu decisión")  # its time came, but something changed: it asks
        LAUNCHING = "launching", _("Preparando el envío")  # a worker freezes its list: see `frozen`
        LAUNCHED = "launched", _("Enviado")  # how far it is, its batch says
        DISCARDED = "discarded", _("Descartado")

    class Choice(models.TextChoices):
        """What to do when the quota does not reach everybody."""

        STOP = "stop", _("No enviar")
        FIT = "fit", _("Enviar hasta donde alcance")

    account = models.ForeignKey(Account, models.CASCADE, related_name="broadcasts")
    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="broadcasts")
    version = models.ForeignKey(Version, models.PROTECT, related_name="broadcasts")
    number = models.ForeignKey(Number, models.PROTECT, null=True, related_name="broadcasts")
    audience = models.JSONField(default=dict)  # as audiences.write has it: {"kind": "all"|"tags"|…, "ids": […]}
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    quota_choice = models.CharField(max_length=4, choices=Choice, default=Choice.STOP)
    omissions_seen_at = models.DateTimeField(null=True, blank=True)  # checklist: contactos revisados
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    approved_count = models.PositiveIntegerField(null=True, blank=True)  # recipients that were seen
    approval_lost = models.CharField(max_length=200, blank=True)  # why the signature went away
    scheduled_for = models.DateTimeField(null=True, blank=True)
    wait_reason = models.CharField(max_length=300, blank=True)
    frozen = models.PositiveIntegerField(default=0)  # while launching: people that are done …
    to_freeze = models.PositiveIntegerField(default=0)  # … of so many
    launched_at = models.DateTimeField(null=True, blank=True)
    launched_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    batch = models.OneToOneField(Batch, models.PROTECT, null=True, blank=True, related_name="broadcast")
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="retries")  # the first one
    recurrence = models.ForeignKey(Recurrence, models.PROTECT, null=True, blank=True, related_name="occurrences")
    occurrence = models.DateTimeField(null=True, blank=True)  # which one: the hour that its rule gave
    quiet_waived_until = models.DateTimeField(null=True, blank=True)  # until then someone sends it all the same
    quiet_waived_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    quality_accepted_at = models.DateTimeField(null=True, blank=True)  # although the number is rated low
    quality_accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    told_of = models.CharField(max_length=300, blank=True)  # why it stopped, as its people were told
    result_seen_at = models.DateTimeField(null=True, blank=True)  # checklist: resultado revisado, after the end
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["recurrence", "occurrence"], name="occurrence_once"),)
        indexes = (
            models.Index(fields=["account", "-id"], name="broadcast_by_account"),
            models.Index(fields=["scheduled_for"], name="broadcast_due", condition=models.Q(status="scheduled")),
            models.Index(fields=["id"], name="broadcast_launching", condition=models.Q(status="launching")),
        )

    def __str__(self) -> str:
        return f"{self.promotion} #{self.pk}"


class Trial(models.Model):
    """A promotion sent to a member's own phone: a batch of one, without a broadcast."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="trials")
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="trials")
    version = models.ForeignKey(Version, models.PROTECT, related_name="trials")
    batch = models.OneToOneField(Batch, models.PROTECT, related_name="trial")
    token = models.UUIDField()  # of the form that was sent: twice the same is one
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "token"], name="trial_once"),)
        indexes = (models.Index(fields=["account", "-created_at"], name="trial_by_account"),)

    def __str__(self) -> str:
        return f"{self.version} → {self.member}"


class Rate(models.Model):
    """What Meta charges for one delivered message, by category and market. Rows the provider edits."""

    class Category(models.TextChoices):
        MARKETING = "marketing", _("Promoción")
        UTILITY = "utility", _("Aviso o respuesta")  # also what Meta calls authentication and service

    category = models.CharField(max_length=10, choices=Category, default=Category.MARKETING)
    country = models.CharField(max_length=2)  # ISO 3166; "" is the rest of the world
    currency = models.CharField(max_length=3, default="USD")
    amount = models.DecimalField(max_digits=8, decimal_places=4)
    valid_from = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["category", "country", "currency", "valid_from"], name="rate_once"),
        )

    def __str__(self) -> str:
        return f"{self.category} {self.country} {self.amount} {self.currency}"
