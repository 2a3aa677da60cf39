"""Files of contacts on their way in, and the way back."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account


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
