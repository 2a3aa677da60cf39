"""Through what: the numbers a business sends from, and the templates Meta approved for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pregon.accounts.models import Account
from pregon.lib import crypto


class Portfolio(models.Model):
    """A Meta business. Its 24 h limit of unique people spans all of its numbers, whichever account uses them."""

    meta_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120, blank=True)
    daily_limit = models.PositiveIntegerField(null=True, blank=True)  # unique people in rolling 24 h; null: unlimited

    def __str__(self) -> str:
        return self.name or self.meta_id


class Quality(models.TextChoices):
    """Meta's opinion of a number, from its last seven days."""

    GREEN = "GREEN", pgettext_lazy("calidad", "Alta")
    YELLOW = "YELLOW", pgettext_lazy("calidad", "Media")
    RED = "RED", pgettext_lazy("calidad", "Baja")
    UNKNOWN = "UNKNOWN", _("Sin datos")


class Number(models.Model):
    """A phone number of the Cloud API, with what is needed to speak for it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="numbers")
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="numbers")
    phone_number_id = models.CharField(max_length=64, unique=True)  # Meta's id
    waba_id = models.CharField(max_length=64)
    display = models.CharField(max_length=32)  # as Meta writes it
    verified_name = models.CharField(max_length=120, blank=True)
    quality = models.CharField(max_length=10, choices=Quality, default=Quality.UNKNOWN)
    status = models.CharField(max_length=20, default="CONNECTED")  # Meta's word
    mps = models.PositiveIntegerField(default=80)  # messages per second that Meta allows
    practice = models.BooleanField(default=False)  # speaks to the simulator instead of Meta
    token_encrypted = models.TextField()
    stopped_at = models.DateTimeField(null=True, blank=True)  # nothing leaves through it while set
    stop_reason = models.CharField(max_length=200, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)  # when Meta last answered for it at a person's request
    stop_told_at = models.DateTimeField(null=True, blank=True)  # when its people were written about the stop
    synced_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.display

    @property
    def graph_url(self) -> str:
        """Base address of the API this number speaks to."""
        return settings.SIMULATOR_URL if self.practice else settings.GRAPH_URL

    @property
    def access(self) -> tuple[int, bool, str]:
        """What a pump needs to begin anew when it changes."""
        return self.mps, self.practice, self.token_encrypted

    @property
    def token(self) -> str:
        return crypto.decrypt(self.token_encrypted, settings.SECRET_KEYS)

    @token.setter
    def token(self, value: str) -> None:
        self.token_encrypted = crypto.encrypt(value, settings.SECRET_KEYS)


class Template(models.Model):
    """Our copy of a Meta template; `components` is Meta's own list."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="templates")
    waba_id = models.CharField(max_length=64)
    meta_id = models.CharField(max_length=64)
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=12)
    category = models.CharField(max_length=20)
    status = models.CharField(max_length=20)  # Meta's word: APPROVED, PENDING, REJECTED, PAUSED, DISABLED …
    rejected_reason = models.CharField(max_length=200, blank=True)
    parameter_format = models.CharField(max_length=12, default="POSITIONAL")
    components = models.JSONField(default=list)
    synced_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "waba_id", "name", "language"], name="template_once_per_waba"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"

    @property
    def approved(self) -> bool:
        return self.status == "APPROVED"

    @property
    def body_text(self) -> str:
        """What its body says, variables as they are."""
        bodies = (part for part in self.components if str(part.get("type")).upper() == "BODY")
        return next((str(part.get("text") or "") for part in bodies), "")
