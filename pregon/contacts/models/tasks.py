"""What is done with many people at once."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account


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
    given = ArrayField(models.BigIntegerField(), default=list)  # contacts who got a tag
    people = ArrayField(models.BigIntegerField(), default=list)  # contacts who lost a tag, or got permission

    def __str__(self) -> str:
        return f"{len(self.given)} + {len(self.people)}"
