"""What Meta told us, kept raw before it was answered with 200."""

from django.db import models


class Arrival(models.Model):
    """One POST of Meta's, as it came. Read later, and again if need be."""

    body = models.BinaryField()  # the raw bytes; invalid JSON is kept too
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, default="")  # why it could not be read

    class Meta:
        # in the order in which `inbox.drain` reads: a backlog is never sorted
        indexes = (
            models.Index(fields=["attempts", "id"], name="arrival_waiting", condition=models.Q(processed_at=None)),
        )

    def __str__(self) -> str:
        return f"arrival {self.pk}"
