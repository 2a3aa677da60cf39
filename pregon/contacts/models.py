"""Whom: people, their permission with its evidence, and the files they came in.

`db_index=False` where another index starts with the same column: each one less is felt when a file of 100,000 comes in.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account


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


class ContactImport(models.Model):
    """A file on its way in: read, mapped, reviewed, and only then added; and taken back, as long as nobody was written to."""

    class Status(models.TextChoices):
        READING = "reading", _("Leyendo")
        REVIEWING = "reviewing", _("En revisión")
        SAVING = "saving", _("Guardando")
        COMMITTED = "committed", _("Guardada")
        UNDOING = "undoing", _("Deshaciendo")
        UNDONE = "undone", _("Deshecha")
        DISCARDED = "discarded", _("Descartada")
        BROKEN = "broken", _("No se pudo leer")

    account = models.ForeignKey(Account, models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    file = models.FileField(upload_to="imports/%Y/%m/")
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the file, in hexadecimal: proves which one it was
    ip = models.GenericIPAddressField(null=True, blank=True)  # of `created_by`; its acts have none of their own
    headers = models.JSONField(default=list)  # names of the columns
    sample = models.JSONField(default=list)  # the first rows' cells
    mapping = models.JSONField(default=dict)  # {"name": 0, "mobile": 2, …}: field → column
    notices = models.JSONField(default=list)  # [line, sentence]: what was odd about the file
    language = models.CharField(max_length=10, default="es")  # of whoever brought it: the words of a worker
    statement = models.CharField(max_length=40, blank=True)  # where the permission comes from (statements.ALL)
    wording = models.CharField(max_length=300, blank=True)  # what people read when they accepted
    tag = models.CharField(max_length=60, blank=True)
    rejects = models.FileField(upload_to="imports/%Y/%m/", blank=True)  # CSV of what stayed out, once committed
    status = models.CharField(max_length=10, choices=Status, default=Status.READING)
    problem = models.CharField(max_length=300, blank=True)  # why it cannot be read, or not reviewed
    file_bytes = models.BigIntegerField(default=0)
    read_bytes = models.BigIntegerField(default=0)
    rows = models.IntegerField(default=0)  # of the file, as far as it was read
    given_tags = models.JSONField(default=list)  # the names in its column of tags
    read_as = models.JSONField(default=dict)  # {"edad": field_values.Reading, …}: how its own fields were read
    remarks = models.JSONField(default=dict)  # cells that stay empty, or are cut (`import_remarks`)
    reviews = models.JSONField(default=dict)  # per way of stating the permission: {"counts": …, "examples": …}
    counts = models.JSONField(default=dict)  # rows per outcome and `grants`: the sums of its parts, once committed
    taken_back = models.IntegerField(default=0)  # people that an undo has come to
    taken_upto = models.BigIntegerField(default=0)  # the last contact of these
    stayed = models.IntegerField(default=0)  # those of them that it left, because something happened with them since
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(
        null=True, blank=True
    )  # of two files of a business, the first claimed is saved first
    committed_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)  # from then on its permissions count for nothing
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = (
            models.Index(
                fields=["status"], name="import_underway", condition=Q(status__in=["reading", "saving", "undoing"])
            ),
        )

    def __str__(self) -> str:
        return self.file_name


class ImportPart(models.Model):
    """Some lines of a file that is saved, in one transaction. Whoever saves it holds its row."""

    import_file = models.ForeignKey(ContactImport, models.CASCADE, related_name="parts", db_column="import_id")
    after = models.IntegerField()  # a line; the part begins with the next row
    upto = models.IntegerField()
    rows = models.IntegerField()
    counts = models.JSONField(null=True)  # rows per outcome and `grants`; null: not saved yet

    class Meta:
        ordering = ("after",)

    def __str__(self) -> str:
        return f"{self.after}–{self.upto}"


class RememberedMapping(models.Model):
    """What the columns of a file were, for the next file with the same ones."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)  # of the folded headers, in their order
    mapping = models.JSONField()
    used_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "digest"], name="mapping_once"),)

    def __str__(self) -> str:
        return self.digest[:8]


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
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts", db_constraint=False)
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


class Before(models.Model):
    """What a contact was before an import changed it; of those whom it brought in nothing has to be kept."""

    import_file = models.ForeignKey(
        ContactImport, models.CASCADE, related_name="+", db_column="import_id", db_constraint=False
    )
    contact_id = models.BigIntegerField()
    name = models.CharField(max_length=120)
    search = models.CharField(max_length=160)
    email = models.CharField(max_length=254)
    fields = models.JSONField()
    new_tags = ArrayField(models.BigIntegerField())  # those that the import gave
    changed_at = models.DateTimeField()  # the contact's `updated_at` since; another one says that it changed again

    class Meta:
        db_table = "contacts_before"

    def __str__(self) -> str:
        return self.name


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


class Task(models.Model):
    """What is done with many people: a few at once, more by a worker, a part at a time (`bulk`)."""

    class Kind(models.TextChoices):
        TAG = "tag", _("Etiquetar")
        CONSENT = "consent", _("Registrar permiso")
        OPT_OUT = "opt_out", _("Dar de baja")
        DELETE = "delete", _("Eliminar")
        EXPORT = "export", _("Descargar")

    class Status(models.TextChoices):
        WAITING = "waiting", _("Espera su turno")
        RUNNING = "running", _("En marcha")
        DONE = "done", _("Terminada")
        STOPPED = "stopped", _("Detenida")
        BROKEN = "broken", _("No se pudo")
        UNDOING = "undoing", _("Deshaciendo")
        UNDONE = "undone", _("Deshecha")

    account = models.ForeignKey(Account, models.CASCADE, related_name="tasks", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    args = models.JSONField(default=dict)  # of its kind: see `bulk.start`
    audience = models.JSONField()  # as `bulk_people.Chosen.dump` writes it
    upto = models.BigIntegerField()  # the last contact at the click: who comes later is not in it
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    total = models.IntegerField()  # people it was for at the click
    done = models.IntegerField(default=0)  # people it has come to
    last_id = models.BigIntegerField(default=0)  # the last of these
    changed = models.IntegerField(default=0)  # those of them whom it changed
    restored = models.IntegerField(default=0)  # those of them whom an undo has come to
    file = models.FileField(upload_to="exports/%Y/%m/", blank=True)  # of an export, until it expires
    file_bytes = models.BigIntegerField(default=0)  # of its rows so far
    problem = models.CharField(max_length=300, blank=True)  # why it broke off
    language = models.CharField(max_length=10, default="es")  # of whoever asked for it
    ip = models.CharField(max_length=45, blank=True)  # where the click came from
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)  # from then on its permissions count for nothing
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = (
            models.Index(fields=["account", "-id"], name="task_by_account"),
            models.Index(
                fields=["status"], name="task_underway", condition=Q(status__in=["waiting", "running", "undoing"])
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class TaskPart(models.Model):
    """What one part of a task changed, kept for the way back."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="parts")
    links = ArrayField(models.BigIntegerField(), default=list)  # between contacts and tags, that it made
    people = ArrayField(models.BigIntegerField(), default=list)  # contacts who lost a tag, or got permission

    def __str__(self) -> str:
        return f"{len(self.links)} + {len(self.people)}"


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
    wanted = models.CharField(max_length=12, blank=True)  # the kind of column it is to become (`field_values`)
    upto = models.BigIntegerField(default=0)  # the last contact that the work has come to
    problem = models.CharField(max_length=300, blank=True)  # why the kind wanted cannot be

    class Meta:
        ordering = ("place", "id")
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="field_once_per_account"),)

    def __str__(self) -> str:
        return self.label

    @property
    def variable(self) -> str:
        """As a message has it."""
        return f"{{{{{self.name}}}}}"


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

    class Meta:
        indexes = (
            models.Index(fields=["account", "-id"], name="erasure_by_account"),
            models.Index(fields=["erased_at"], name="erasure_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.reason} · {self.erased_at}"
