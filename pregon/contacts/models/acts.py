"""Consent: its acts with their evidence, where people join and leave, and erasure."""

from django.conf import settings
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.contacts.models.imports import ContactImport
from pregon.contacts.models.people import Consent, Contact


class Source(models.TextChoices):
    """The way an act of consent came."""

    IMPORT = "import", _("Archivo")
    PANEL = "panel", _("Panel")
    FORM = "form", _("Formulario")
    REPLY = "reply", _("Respuesta de la persona")
    BUTTON = "button", _("Botón del mensaje")
    META = "meta", _("Preferencia en WhatsApp")
    REFUSED = "refused", _("Meta: no quiere promociones")
    API = "api", _("Otro programa")
    STAFF = "staff", _("Soporte")


class ConsentEntry(models.Model):
    """One act of consent with its evidence, append-only."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="consent_entries", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="consent_entries", db_index=False, db_constraint=False
    )
    mobile_hash = models.CharField(max_length=64)  # consent.hash_of the number or user id: outlives the contact
    act = models.CharField(max_length=10, choices=Consent)  # "unknown": the number left the base, earlier grants lapse
    source = models.CharField(max_length=10, choices=Source)
    happened_at = models.DateTimeField()  # when the person acted: decides which act wins
    created_at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    # An undone import's yes counts for nothing; its row stays, as evidence of what was sent meanwhile.
    import_file = models.ForeignKey(
        ContactImport, models.DO_NOTHING, null=True, blank=True, related_name="+", db_column="import_id",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    row_no = models.IntegerField(null=True, blank=True)  # line of that file
    task = models.ForeignKey(  # that noted it for many at once; an undone one's yes counts for nothing either
        "Task", models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    text = models.TextField(blank=True)  # what was said or shown, whole
    ip = models.GenericIPAddressField(null=True, blank=True)  # of whoever acted in a browser: the person, or `actor`
    evidence = models.JSONField(
        default=dict
    )  # {"file": …, "statement": …} or {"wamid": …} or {"page": …, "version": …}
    revives = models.BooleanField(default=False)  # a grant of the person or an owner: may end an earlier withdrawal

    class Meta:
        indexes = (
            models.Index(fields=["contact", "-happened_at"], name="consent_by_contact"),
            # Of random keys a hash index costs two thirds of a tree, felt when a million come in.
            HashIndex(fields=["mobile_hash"], name="consent_by_hash"),
            # Few among the many of files: those who came by themselves are counted.
            models.Index(
                fields=["account", "happened_at"],
                name="consent_by_own_word",
                condition=Q(act="granted", source__in=["form", "reply"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.act} · {self.source}"


class Refusal(models.Model):
    """The "no" of a number, kept as a keyed hash also when nobody in the base has it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="refusals", db_index=False)
    mobile_hash = models.CharField(max_length=64)
    happened_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "mobile_hash"], name="refusal_once"),)

    def __str__(self) -> str:
        return self.mobile_hash[:8]


class OptinPage(models.Model):
    """Where people put themselves on an account's list, and take themselves off it: `/alta/<slug>/`, `/baja/<slug>/`."""

    account = models.OneToOneField(Account, models.CASCADE, related_name="optin_page")
    slug = models.CharField(max_length=60, unique=True)  # printed on posters: it never changes
    keyword = models.CharField(max_length=20, blank=True)  # means ALTA to this account, beside ALTA itself
    asks_name = models.BooleanField(default=True)
    takes_unconfirmed = models.BooleanField(default=False)  # without a number to write to, a form alone is a yes
    enabled = models.BooleanField(default=True)  # whether people may join; leaving is always possible
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug


class OptinText(models.Model):
    """What people read before they accept. Append-only: the latest is shown, and a proof names its version."""

    page = models.ForeignKey(OptinPage, models.CASCADE, related_name="texts", db_index=False)
    version = models.IntegerField()
    title = models.CharField(max_length=80)
    text = models.CharField(max_length=600)
    privacy_url = models.URLField(blank=True)  # the business's own privacy notice
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["page", "version"], name="optin_text_once"),)

    def __str__(self) -> str:
        return f"{self.version}: {self.title}"


class OptinRequest(models.Model):
    """A form that somebody sent with a number of which nobody knows yet whose it is. Kept some days (`optin.KEPT`)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="optin_requests", db_index=False)
    shown = models.ForeignKey(OptinText, models.CASCADE, null=True, related_name="+")  # null: a form to leave
    act = models.CharField(max_length=10, choices=Consent, default=Consent.GRANTED)
    words = models.TextField()  # what they read
    code = models.CharField(max_length=8, unique=True)  # comes back in the person's own message
    mobile = models.CharField(max_length=16)
    name = models.CharField(max_length=120, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # when it became an act of consent

    class Meta:
        indexes = (
            models.Index(fields=["account", "created_at"], name="optin_by_account"),
            models.Index(fields=["ip", "created_at"], name="optin_by_address"),
        )

    def __str__(self) -> str:
        return self.code


class Erasure(models.Model):
    """That a person's data were erased for good. What it knows of them is what their no is kept under."""

    class Reason(models.TextChoices):
        ASKED = "asked", _("Lo pidió la persona")
        NEEDLESS = "needless", _("Ya no hacen falta")
        WRONG = "wrong", _("Nunca debimos tenerlos")
        ORDERED = "ordered", _("Lo ordenó una autoridad")

    account = models.ForeignKey(Account, models.CASCADE, related_name="erasures", db_index=False)
    contact_id = models.BigIntegerField()  # which is no more: what a launch under way wrote down for it goes, too
    mobile_hash = models.CharField(max_length=64, blank=True)  # consent.hash_of the number; empty for who had none
    reason = models.CharField(max_length=10, choices=Reason)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    erased_at = models.DateTimeField(auto_now_add=True)
    left = models.JSONField(null=True)  # what a worker is still to look for (`sending.erasure.complete`); null: nothing

    class Meta:
        indexes = (
            models.Index(fields=["account", "-id"], name="erasure_by_account"),
            models.Index(fields=["erased_at"], name="erasure_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.reason} · {self.erased_at}"
