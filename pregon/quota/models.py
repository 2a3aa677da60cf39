"""How much: the month's quota of a business, and every change of it."""

from datetime import datetime, timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account

# A range of one account: ranges need no extension of PostgreSQL where plain equality beside `&&` would need btree_gist.
OWN = Func(F("account"), F("account"), Value("[]"), function="int8range")
DAYS = Func(F("starts_at"), F("ends_at"), function="tstzrange")


class Period(models.Model):
    """One month of an account's quota. The counters are the ledger's sums, and the database holds `used + reserved <= limit`."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="periods")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()  # exclusive
    limit = models.PositiveIntegerField(default=0)
    used = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)
    lapsing = models.PositiveIntegerField(default=0)  # taken from the limit as soon as messages are given back

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "starts_at"], name="period_starts_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="period_has_length"),
            models.CheckConstraint(condition=Q(limit__gte=F("used") + F("reserved")), name="quota_within_limit"),
            models.CheckConstraint(
                condition=Q(lapsing=0) | Q(limit=F("used") + F("reserved")), name="period_lapses_before_it_lends"
            ),
            ExclusionConstraint(name="period_alone_in_its_days", expressions=[(OWN, "&&"), (DAYS, "&&")]),
        )

    def __str__(self) -> str:
        return f"{self.used} + {self.reserved} / {self.limit}"

    @property
    def last_moment(self) -> datetime:
        """Of its last day: `ends_at` is the beginning of the next period."""
        return self.ends_at - timedelta(microseconds=1)

    @property
    def remaining(self) -> int:
        return self.limit - self.used - self.reserved


class Kind(models.TextChoices):
    """Why the quota changed."""

    GRANT = "grant", _("Cupo del plan")  # limit + n
    LAPSE = "lapse", _("Cupo retirado")  # limit - n; what is used or reserved waits in `lapsing`
    RESERVE = "reserve", _("Reservados")  # reserved + n
    CONSUME = "consume", _("Usados")  # reserved - n, used + n
    RELEASE = "release", _("Liberados")  # reserved - n
    REFUND = "refund", _("Devueltos")  # used - n
    RECHARGE = "recharge", _("Usados otra vez")  # used + n: delivery was proved after a refund or a release
    UNCHARGED = "uncharged", _("Sin cobrar")  # the same, but there was no room: nothing moves


class LedgerEntry(models.Model):
    """One change of a period, append-only; the sums of its deltas are the period's counters."""

    period = models.ForeignKey(Period, models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=10, choices=Kind)
    amount = models.PositiveIntegerField()  # messages
    limit_delta = models.IntegerField(default=0)
    used_delta = models.IntegerField(default=0)
    reserved_delta = models.IntegerField(default=0)
    lapsing_delta = models.IntegerField(default=0)
    reference = models.CharField(max_length=60, blank=True)  # "batch:12", "plan:premium"
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["period", "-id"], name="ledger_by_period"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
