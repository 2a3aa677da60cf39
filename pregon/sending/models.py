"""The pipe: batches of messages on their way to Meta, and what became of each."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pregon.accounts.models import Account
from pregon.contacts.models import Contact
from pregon.quota.models import Period
from pregon.whatsapp.models import Number, Portfolio


class Status(models.TextChoices):
    """Where a message stands."""

    QUEUED = "queued", _("En espera")  # not written to yet, or returned to the queue
    ACCEPTED = "accepted", _("Aceptado")  # Meta took it
    FAILED = "failed", _("Fallido")  # Meta refused it, or a week passed without news
    UNCONFIRMED = "unconfirmed", _("Por confirmar")  # it may have left: never sent again by itself
    OMITTED = "omitted", _("Omitido")  # left out, at launch or at the last moment


class Delivery(models.IntegerChoices):
    """What Meta reported later; a rank: a report only ever raises it, so the order of arrival does not matter."""

    NONE = 0, _("Sin noticias")
    SENT = 1, _("Enviado")
    FAILED = 2, _("No entregado")
    DELIVERED = 3, _("Entregado")
    READ = 4, _("Leído")


class Omission(models.TextChoices):
    """Why someone is left out. The first that applies, in this order, wins."""

    OPT_OUT = "baja", _("De baja")
    NO_CONSENT = "sin_permiso", _("Sin permiso")
    INCOMPLETE = "numero_incompleto", _("Número incompleto")
    INVALID = "numero_invalido", _("Número inválido")
    COUNTRY = "pais_no_permitido", _("País no permitido")
    DUPLICATE = "duplicado", _("Duplicado")
    NO_WHATSAPP = "sin_whatsapp", _("Sin WhatsApp")
    META_WAIT = "espera_meta", _("Meta pide esperar")
    REPEATED = "ya_recibio", _("Ya recibieron")
    WINDOW = "fuera_de_ventana", _("Fuera de ventana")
    MISSING_DATA = "faltan_datos", _("Faltan datos")
    QUOTA = "cupo_agotado", _("Cupo agotado")
    META_LIMIT = "limite_meta", _("Límite de Meta")
    CANCELLED = "cancelado", _("Cancelado")
    EXPIRED = "vencido", _("Vencido")


class Batch(models.Model):
    """The sending side of one launched broadcast, or a single message. Its counters are sums over its messages."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Enviando")
        PAUSED = "paused", _("En pausa")
        CANCELLED = "cancelled", _("Detenido")  # nothing leaves any more; what was out may still be settled
        FINISHED = "finished", _("Terminado")  # nothing is queued

    class Hold(models.TextChoices):
        """Why a running batch waits until `held_until`, then goes on by itself."""

        NONE = "", _("Nada")
        QUIET = "quiet", _("Horas de silencio")
        LIMIT = "limit", _("Límite diario de Meta")

    class Cause(models.TextChoices):
        """Who paused it: what follows differs."""

        NONE = "", _("Nadie")
        PERSON = "person", _("Una persona")
        ENGINE = "engine", _("Lo que Meta contestó")  # its errors, or too many failures
        TEMPLATE = "template", _("La plantilla")  # it goes on only once Meta has approved it again
        QUALITY = "quality", _("La calidad del número")  # a person may go on knowingly

    account = models.ForeignKey(Account, models.CASCADE, related_name="batches")
    number = models.ForeignKey(Number, models.PROTECT, related_name="batches")
    period = models.ForeignKey(
        Period, models.PROTECT, related_name="batches"
    )  # reserved there; all that follows is booked there
    promotion = models.BigIntegerField(null=True)  # promotions.Promotion.id, opaque here: for "already received"
    payload = models.JSONField()  # the approved message with {{slots}}, as whatsapp.cloud.payloads.compile takes it
    slots = ArrayField(models.TextField(), default=list)  # the slots' names, in the order of Message.values
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    pause_reason = models.CharField(max_length=300, blank=True)
    pause_cause = models.CharField(max_length=8, choices=Cause, default=Cause.NONE, blank=True)
    held_from = models.DateTimeField(null=True, blank=True)  # when the quiet hours begin; null: at once
    held_until = models.DateTimeField(null=True, blank=True)  # nothing leaves before it
    hold = models.CharField(max_length=8, choices=Hold, default=Hold.NONE, blank=True)
    cursor = models.IntegerField(default=0)  # positions below it are in chunks
    watched_from = models.IntegerField(default=0)  # `health` looks at positions from here on
    queue_size = models.IntegerField(default=0)  # positions 0..queue_size-1 were queued at launch
    leased_at = models.DateTimeField(null=True, blank=True)  # batches of a number take turns by it
    ends_at = models.DateTimeField()  # what has not left by then is omitted as vencido
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)  # when nothing was queued any more
    closed_at = models.DateTimeField(null=True, blank=True)  # when nothing was unconfirmed either

    # counters, moved by sending.books with every transition
    queued = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)  # accepted and not reported failed
    failed = models.IntegerField(default=0)  # refused, or reported failed
    unconfirmed = models.IntegerField(default=0)
    omitted = models.IntegerField(default=0)
    sent = models.IntegerField(default=0)  # reported sent or further
    delivered = models.IntegerField(default=0)  # reported delivered or further
    read = models.IntegerField(default=0)

    class Meta:
        indexes = (
            models.Index(fields=["number", "leased_at"], name="batch_running", condition=models.Q(status="running")),
            models.Index(fields=["account", "-id"], name="batch_by_account"),
            models.Index(
                fields=["id"], name="batch_open", condition=models.Q(closed_at=None)
            ),  # those that metrics sum up
        )

    def __str__(self) -> str:
        return f"batch {self.pk}"

    @property
    def held(self) -> bool:
        """Whether it waits now: the same line as `outbox.AWAKE`."""
        now = timezone.now()
        begun = self.hold == self.Hold.LIMIT or self.held_from is None or self.held_from <= now
        return begun and self.held_until is not None and now < self.held_until

    @property
    def people(self) -> int:
        """The five buckets always add up to this."""
        return self.queued + self.accepted + self.failed + self.unconfirmed + self.omitted


class Chunk(models.Model):
    """A run of positions of a batch, leased by the pump of its number. No more than one second of pace."""

    class State(models.TextChoices):
        WAITING = "waiting", _("En espera")  # returned: some of its messages are due again at `due_at`
        LEASED = "leased", _("En curso")
        DONE = "done", _("Terminado")

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="chunks")
    first = models.IntegerField()
    end = models.IntegerField()  # exclusive
    horizon = models.IntegerField()  # positions below it may have left since leased_at (committed before any leaves)
    state = models.CharField(max_length=8, choices=State)
    leased_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["batch", "first"], name="chunk_once"),)
        indexes = (models.Index(fields=["batch", "state"], name="chunk_open", condition=~models.Q(state="done")),)

    def __str__(self) -> str:
        return f"{self.batch_id}[{self.first}:{self.end}]"


class Lease(models.Model):
    """Who pumps a number. The token grows with every takeover; a flush that carries an old one writes nothing."""

    number = models.OneToOneField(Number, models.CASCADE, primary_key=True, related_name="lease")
    token = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number_id} #{self.token}"


class Message(models.Model):
    """One person of a batch, whoever is left out included.

    No index mentions what changes while sending (status, delivery, wamid), so every update stays HOT. PostgreSQL checks none of
    the references: that took longer than the rows themselves (14 s a million) and locked every contact. The batch is made in
    the same transaction; a contact that is deleted meanwhile may leave its id behind, which reads like none.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="messages", db_index=False, db_constraint=False)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="messages", db_index=False, db_constraint=False)
    position = models.IntegerField()  # queued ones first, each group by contact id; see `intake.OMITTED_FROM`
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="messages", db_index=False, db_constraint=False
    )
    name = models.CharField(max_length=120, blank=True)  # as it was at launch
    mobile = models.CharField(max_length=16, blank=True)  # E.164
    meta_user_id = models.CharField(max_length=160, blank=True)
    values = ArrayField(models.TextField(), default=list)  # what fills the batch's slots, in their order
    status = models.CharField(max_length=12, choices=Status)
    omission = models.CharField(max_length=20, choices=Omission, blank=True, default="")
    delivery = models.SmallIntegerField(choices=Delivery, default=Delivery.NONE)
    charged = models.BooleanField(default=False)  # counts in the period's `used`
    attempts = models.SmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    error_code = models.IntegerField(null=True)
    error_details = models.CharField(max_length=300, blank=True, default="")
    trace_id = models.CharField(max_length=64, blank=True, default="")
    settled_at = models.DateTimeField(null=True)  # when its status was last written
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["batch", "position"], name="message_position"),)
        indexes = (models.Index(fields=["contact", "-created_at"], name="message_by_contact"),)

    def __str__(self) -> str:
        return f"message {self.pk}"


class Wamid(models.Model):
    """Meta's id of a message, insert-only: a reply quotes it."""

    wamid = models.CharField(max_length=160, primary_key=True)
    message = models.ForeignKey(Message, models.CASCADE, db_index=False, db_constraint=False, related_name="+")

    def __str__(self) -> str:
        return self.wamid


class Reply(models.Model):
    """What a person answered to one of our messages."""

    wamid = models.CharField(max_length=160, unique=True)  # Meta's id of their message: one arrives once
    account = models.ForeignKey(Account, models.CASCADE, related_name="replies")
    number = models.ForeignKey(Number, models.SET_NULL, null=True, related_name="+", db_index=False)  # they wrote to it
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="replies")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, db_constraint=False, related_name="replies")
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, related_name="replies")
    text = models.TextField(blank=True)
    opted_out = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.text[:40]


class Window(models.Model):
    """One row per Meta business whose people of the day are limited and counted; whoever counts holds it."""

    portfolio = models.OneToOneField(Portfolio, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"window of {self.portfolio_id}"


class Reached(models.Model):
    """A person whom a Meta business wrote to first, and when it last did. Rows leave with the day."""

    pk = models.CompositePrimaryKey("portfolio_id", "person")
    portfolio = models.ForeignKey(Portfolio, models.CASCADE, related_name="+", db_index=False)
    person = models.BigIntegerField()  # a hash: neither number nor name is kept here
    minute = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person} at {self.minute}"


class ReachedMinute(models.Model):
    """How many of `Reached` have this minute: what is counted is a sum of a day's minutes, however many the people are."""

    pk = models.CompositePrimaryKey("portfolio_id", "minute")
    portfolio = models.ForeignKey(Portfolio, models.CASCADE, related_name="+", db_index=False)
    minute = models.DateTimeField()
    people = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.people} at {self.minute}"
