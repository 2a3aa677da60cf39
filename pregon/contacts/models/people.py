"""Contacts, what belongs to them, and what is known of several."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.contacts.models.imports import ContactImport


class Consent(models.TextChoices):
    """May we write to them? The act with the latest event time wins; ties go to the withdrawal."""

    UNKNOWN = "unknown", _("Sin permiso")
    GRANTED = "granted", _("Con permiso")
    WITHDRAWN = "withdrawn", _("Baja")


class MobileProblem(models.TextChoices):
    """Why a contact has no number one can write to."""

    NONE = "", ""
    INCOMPLETE = "incomplete", _("Número incompleto")
    INVALID = "invalid", _("Número inválido")


class Tag(models.Model):
    """A label of an account's own."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="tag_once_per_account"),)

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person of a business: name, mobile, permission.

    Neither here nor in its tags and acts does PostgreSQL check a reference (`db_constraint=False`): of a million people that
    took longer than the people (docs/decisions/0008). Whoever deletes takes what refers to it along, under the row's lock.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="contacts", db_index=False, db_constraint=False)
    name = models.CharField(_("nombre"), max_length=120, blank=True)
    # Compared byte by byte, so that an index finds what begins with something on every server.
    search = models.CharField(max_length=160, blank=True, editable=False, db_collation="C")  # text.fold(name)
    mobile = models.CharField(_("celular"), max_length=16, null=True, blank=True, db_collation="C")
    mobile_raw = models.CharField(max_length=60, blank=True)  # as it was given
    mobile_problem = models.CharField(max_length=10, choices=MobileProblem, blank=True, default="")
    email = models.EmailField(_("correo"), blank=True)
    meta_user_id = models.CharField(max_length=160, null=True, blank=True)
    fields = models.JSONField(default=dict, blank=True)  # the business's own columns: {"sucursal": "Centro"}
    consent = models.CharField(max_length=10, choices=Consent, default=Consent.UNKNOWN)  # set by contacts.consent alone
    consent_at = models.DateTimeField(null=True, blank=True)  # event time of the act that won
    last_inbound_at = models.DateTimeField(null=True, blank=True)  # opens the 24 h service window
    undelivered_at = models.DateTimeField(null=True, blank=True)  # the last 131026
    no_whatsapp_at = models.DateTimeField(null=True, blank=True)  # 131026 twice within 30 days
    cooled_at = models.DateTimeField(null=True, blank=True)  # the last 131049: Meta asks to wait 24 h
    source = models.ForeignKey(
        ContactImport, models.SET_NULL, null=True, blank=True, related_name="contacts", db_constraint=False
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts", through="ContactTag")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "mobile"], name="contact_mobile_once"),
            models.UniqueConstraint(
                fields=["account", "meta_user_id"], name="contact_meta_user_once", condition=~Q(meta_user_id=None)
            ),
            models.CheckConstraint(condition=Q(mobile=None) | Q(mobile_problem=""), name="contact_mobile_or_problem"),
        )
        indexes = (
            models.Index(fields=["account", "search", "id"], name="contact_by_name"),
            models.Index(fields=["account", "id"], name="contact_by_age"),
            models.Index(fields=["account", "consent", "mobile_problem"], name="contact_by_consent"),
            models.Index(fields=["account", "id"], name="contact_no_whatsapp", condition=~Q(no_whatsapp_at=None)),
        )  # and those of the search, over expressions: migration 0003_finding, `finding`

    def __str__(self) -> str:
        return self.name or self.mobile or "—"

    @property
    def reachable(self) -> bool:
        """Whether there is a number to write to, or Meta's id of someone who hides theirs."""
        return bool(self.mobile or self.meta_user_id)


class ContactTag(models.Model):
    """That a contact has a tag."""

    pk = models.CompositePrimaryKey("contact_id", "tag_id")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+", db_constraint=False)
    # That gave it to many at once: its undo takes this back, and not what was given again since.
    task = models.ForeignKey(
        "Task", models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        db_table = "contacts_contact_tags"

    def __str__(self) -> str:
        return f"{self.contact_id}: {self.tag_id}"


class Tally(models.Model):
    """How many more contacts of a kind an account has, since some statement: their sum is how many it has (`tally`).

    Written by triggers on `Contact`, insert-only, so that nobody waits for anybody; folded together now and then.
    """

    account = models.ForeignKey(Account, models.DO_NOTHING, related_name="+", db_constraint=False)
    consent = models.CharField(max_length=10, choices=Consent)
    to_fix = models.BooleanField()
    people = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.consent} {self.people:+}"


class Segment(models.Model):
    """People by what they have in common, under a name."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="segments", db_index=False)
    name = models.CharField(_("nombre"), max_length=60)
    definition = models.JSONField()  # as `rules.dump` writes it
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="segment_once_per_account"),)

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """What changed on a person, by whom; append-only. `changes` writes and tells it."""

    class Source(models.TextChoices):
        PANEL = "panel", _("Panel")
        IMPORT = "import", _("Archivo")
        UNDO = "undo", _("Importación deshecha")
        WHATSAPP = "whatsapp", _("WhatsApp")

    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="changes", db_index=False, db_constraint=False
    )  # whoever deletes takes it along
    at = models.DateTimeField()  # when it happened
    source = models.CharField(max_length=10, choices=Source)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_constraint=False, db_index=False
    )
    import_file = models.ForeignKey(
        ContactImport, models.DO_NOTHING, null=True, related_name="+", db_column="import_id", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    # {"name": ["Rosa", "Rosa Elena"], "tags": [["VIP"], []], "own:zona": ["", "Norte"]}; empty: the person came
    changed = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["contact", "-at", "-id"], name="change_by_contact"),)

    def __str__(self) -> str:
        return f"{self.source} · {', '.join(self.changed)}"


class Pair(models.Model):
    """Two contacts who may be the same person (`pairs`), until they are merged or told apart."""

    class State(models.TextChoices):
        OPEN = "open", _("Por revisar")
        APART = "apart", _("Son distintas")

    account = models.ForeignKey(Account, models.CASCADE, related_name="pairs", db_index=False)
    low = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    high = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_constraint=False)  # the greater id of both
    why = models.CharField(max_length=60)  # keys of `likeness.Why`, joined by commas
    score = models.SmallIntegerField()  # 0 to 100: how surely
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["low", "high"], name="pair_once"),)
        indexes = (models.Index(fields=["account", "-score", "id"], name="pair_open", condition=Q(state="open")),)

    def __str__(self) -> str:
        return f"{self.low_id} · {self.high_id}"


class Merge(models.Model):
    """Two contacts that became one: what both were. The other's number and id lead to who was kept."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="merges", db_index=False)
    kept = models.ForeignKey(Contact, models.CASCADE, related_name="merges", db_constraint=False)
    lost_id = models.BigIntegerField(unique=True)  # the id that the other had
    lost_mobile = models.CharField(max_length=16, blank=True)  # E.164: a no that comes from it later is theirs
    lost = models.JSONField()  # as `merging.snapshot` writes it
    before = models.JSONField()  # the same of who was kept
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["account", "lost_mobile"], name="merge_by_mobile"),)

    def __str__(self) -> str:
        return f"{self.lost_id} → {self.kept_id}"


class Field(models.Model):
    """A datum of a business's own: what `Contact.fields` has under its name (`fields`)."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Texto")
        NUMBER = "number", _("Número")
        DATE = "date", _("Fecha")
        YES_NO = "yes_no", _("Sí o no")
        CHOICE = "choice", _("Opción de una lista")

    class Work(models.TextChoices):
        NONE = "", ""
        CHECKING = "checking", _("Revisando sus valores")  # whether they all fit the kind wanted
        CONVERTING = (
            "converting",
            _("Cambiando sus valores"),
        )  # written by the old kind, they are written by the new one
        DELETING = "deleting", _("Borrando sus valores")

    account = models.ForeignKey(Account, models.CASCADE, related_name="own_fields", db_index=False)
    name = models.CharField(max_length=60)  # for ever: the variable of messages, {{sucursal}}
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=200), default=list)
    place = models.PositiveSmallIntegerField(default=0)
    source = models.ForeignKey(ContactImport, models.SET_NULL, null=True, related_name="+")  # the file that brought it
    work = models.CharField(max_length=10, choices=Work, blank=True, default=Work.NONE)
    wanted = models.CharField(max_length=12, blank=True)  # the kind of column it is to become; empty: other options
    upto = models.BigIntegerField(default=0)  # the last contact that the work has come to
    problem = models.CharField(max_length=300, blank=True)  # why it is not as wanted

    class Meta:
        ordering = ("place", "id")
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="field_once_per_account"),)

    def __str__(self) -> str:
        return self.label

    @property
    def variable(self) -> str:
        """As a message has it."""
        return f"{{{{{self.name}}}}}"
