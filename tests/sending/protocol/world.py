"""A business with two numbers, its people, its clock, and what must be true of it at any time."""

from datetime import timedelta

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from pregon.contacts.models import Consent, Contact
from pregon.quota import ledger
from pregon.sending import outbox
from pregon.sending.models import Batch, Chunk, Delivery, Lease, Message, Omission, Status
from pregon.sending.pump import Pump
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import rows
from tests.sending.books import assert_closed, assert_counted, assert_quota
from tests.sending.protocol.network import FATES, Network

PEOPLE = 5
LIMIT = 2 * PEOPLE + 3  # two broadcasts fit, a third does only after failures


class World:
    """Everything here speaks through the session of the thread: the panel's, the receiver's and the sweep's."""

    def __init__(self) -> None:
        account = make.account()
        self.period = make.period(account, limit=LIMIT)
        self.people = [make.contact(account) for _person in range(PEOPLE)]
        self.numbers = [rows.number(account), rows.number(account)]
        self.network = Network()
        self.batches: list[Batch] = []
        self.allowed: set[int] = set()  # messages below a committed horizon at some time
        self.open: dict[int, set[int]] = {number.pk: set() for number in self.numbers}  # of those, without a result
        self.owners: dict[int, Pump | None] = {number.pk: None for number in self.numbers}  # who took it over last
        self.refused: set[int] = set()  # contacts that were without permission at some time
        self.clock = 0.0  # seconds

    def launch(self, number: Number) -> None:
        try:
            self.batches.append(rows.launch(number))
        except ledger.NotEnough:
            pass

    def set_consent(self, person: int, consent: Consent) -> None:
        contact = self.people[person]
        Contact.objects.filter(pk=contact.pk).update(consent=consent)
        self.refused.add(contact.pk)

    def pass_time(self, seconds: float) -> None:
        """All that is dated moves into the past, which is the same as if the clock went on."""
        self.clock += seconds
        by = timedelta(seconds=seconds)
        numbers = [number.pk for number in self.numbers]
        for table, own in (
            (Lease, Q(number__in=numbers)), (Batch, Q(number__in=numbers)),
            (Chunk, Q(batch__in=self.batches)), (Message, Q(batch__in=self.batches)),
        ):  # fmt: skip
            dates = [f.name for f in table._meta.fields if isinstance(f, models.DateTimeField)]
            table._default_manager.filter(own).update(**{name: models.F(name) - by for name in dates})

    def wait_for_ended_sessions(self, number: Number) -> None:
        """A successor ends the session of a holder whose lease is over; the server takes a moment for it."""
        with connection.cursor() as cursor:
            for _try in range(1_000):
                cursor.execute(EXPIRED_HOLDERS, [number.pk])
                if cursor.fetchone() is None:
                    return

    def waiting(self) -> set[int]:
        return set(Message.objects.filter(batch__in=self.batches, status=Status.QUEUED).values_list("id", flat=True))

    def may_send(self) -> set[int]:
        """Ids of batches whose messages may leave now."""
        running = Batch.objects.filter(pk__in=[b.pk for b in self.batches], status=Batch.Status.RUNNING)
        going = running.filter(ends_at__gt=timezone.now(), number__stopped_at=None, account__suspended_at=None)
        return {batch.pk for batch in going if not batch.held}

    def consenting(self) -> set[int]:
        ids = [person.pk for person in self.people]
        return set(Contact.objects.filter(pk__in=ids, consent=Consent.GRANTED).values_list("id", flat=True))

    def contacts_of(self, messages: list[int]) -> set[int]:
        return set(Message.objects.filter(pk__in=messages).values_list("contact_id", flat=True))

    def assert_would_not_leave_twice(self, message_id: int) -> None:
        """If everything died this moment, nobody would send this message again: it is settled, or below a horizon."""
        with connection.cursor() as cursor:
            cursor.execute(UNCOVERED, [message_id])
            assert cursor.fetchone() is None, f"message {message_id} leaves without a committed horizon"

    def check(self) -> None:
        """What holds after every step."""
        for batch in self.batches:
            assert_counted(batch)
        assert_quota(self.period.pk)
        of_mine = Message.objects.filter(batch__in=self.batches)
        doubtful = of_mine.filter(Q(status=Status.UNCONFIRMED) | Q(status=Status.FAILED, error_code=None))
        never_allowed = set(doubtful.values_list("id", flat=True)) - self.allowed
        assert not never_allowed, f"in doubt, though nobody could have sent them: {never_allowed}"
        assert not of_mine.filter(omission=Omission.EXPIRED, batch__ends_at__gt=timezone.now()).exists()

    def mend(self) -> None:
        """Nothing stands in the way of sending any more."""
        for batch in self.batches:
            outbox.resume(batch.pk)
        Number.objects.filter(pk__in=[number.pk for number in self.numbers]).update(stopped_at=None)

    def check_the_end(self) -> None:
        """Everybody has an honest end: what reached people is accepted or reported failed, the rest has its reason."""
        for batch in self.batches:
            assert_closed(batch)
        for message in Message.objects.filter(batch__in=self.batches).select_related("batch"):
            fate = self.network.fates.get(message.pk)
            if fate is None:
                self._check_unreached(message)
            else:
                self._check_reached(message, FATES[fate])

    def _check_unreached(self, message: Message) -> None:
        assert message.delivery == Delivery.NONE and not message.charged
        assert message.status in (Status.FAILED, Status.OMITTED), (message.status, message.position)
        if message.status == Status.OMITTED:
            self._check_omission(message)
        elif message.error_code is None:
            assert message.pk in self.allowed
        else:
            assert self.network.answers[message.pk]

    def _check_omission(self, message: Message) -> None:
        match message.omission:
            case Omission.OPT_OUT | Omission.NO_CONSENT:
                assert message.contact_id in self.refused
            case Omission.CANCELLED:
                assert message.batch.status == Batch.Status.CANCELLED
            case omission:
                assert omission == Omission.EXPIRED

    def _check_reached(self, message: Message, reports: tuple[tuple[str, int | None], ...]) -> None:
        if not reports:  # a week of silence closes what Meta's answer did not settle
            assert message.status in (Status.ACCEPTED, Status.FAILED)
            return
        rank, code = max((Delivery[status.upper()], code or 0) for status, code in reports)
        assert message.delivery == rank
        if rank == Delivery.FAILED:
            assert message.status in (Status.ACCEPTED, Status.FAILED)
            assert (message.error_code, message.charged) == (code, False)
        else:
            assert message.status == Status.ACCEPTED and message.error_code is None


EXPIRED_HOLDERS = """
SELECT 1 FROM pg_locks held JOIN sending_lease lease ON lease.number_id = held.objid AND lease.expires_at < now()
WHERE held.locktype = 'advisory' AND lease.number_id = %s AND held.granted
"""
UNCOVERED = """
SELECT 1 FROM sending_message m WHERE m.id = %s AND m.status = 'queued' AND NOT EXISTS (
    SELECT 1 FROM sending_chunk c WHERE c.batch_id = m.batch_id AND c.state = 'leased' AND c.first <= m.position
        AND m.position < c.horizon AND (m.not_before IS NULL OR m.not_before <= c.leased_at)
)
"""
