"""A business with two numbers, its people, its clock, and what must be true of it at any time."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from pregon.contacts.models import Consent, ConsentEntry, Contact, Source
from pregon.quota import ledger
from pregon.sending import outbox, reach
from pregon.sending.models import Batch, Chunk, Delivery, Lease, Message, Omission, Reached, ReachedMinute, Status
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import rows
from tests.sending.books import assert_closed, assert_counted, assert_quota
from tests.sending.clock import AWAY
from tests.sending.protocol.network import AGAIN, FATES, Network, Report

if TYPE_CHECKING:
    from tests.sending.protocol.holder import Holder

DAY = 86_400
PEOPLE = 5
LIMIT = 2 * PEOPLE + 3  # two broadcasts fit, a third does only after failures


class World:
    """Everything here speaks through the session of the thread: the panel's, the receiver's and the sweep's."""

    def __init__(self, most: int | None) -> None:
        """`most` is Meta's limit of people in 24 hours, of both numbers together."""
        account = make.account()
        self.period = make.period(account, limit=LIMIT)
        self.people = [make.contact(account) for _person in range(PEOPLE)]
        first = rows.number(account, daily_limit=most)
        self.numbers = [first, rows.number(account, portfolio=first.portfolio)]
        self.most = most
        self.reached: dict[str, float] = {}  # people, and when a worker last took them in hand
        self.network = Network()
        self.batches: list[Batch] = []
        self.allowed: set[int] = set()  # messages below a committed horizon at some time
        self.open: dict[int, set[int]] = {number.pk: set() for number in self.numbers}  # of those, without a result
        self.owners: dict[int, Holder | None] = {number.pk: None for number in self.numbers}  # who took it over last
        self.refused: set[int] = set()  # contacts that were without permission at some time
        self.left_out: set[int] = set()  # messages
        self.passed = 0.0  # seconds that were let pass

    @property
    def clock(self) -> float:
        """Seconds, as a worker's own clock counts them."""
        return self.passed + time.monotonic()

    def launch(self, number: Number) -> None:
        try:
            self.batches.append(rows.launch(number, promotion=1))
        except ledger.NotEnough:
            pass

    def set_consent(self, person: int, consent: Consent) -> None:
        contact = self.people[person]
        Contact.objects.filter(pk=contact.pk).update(consent=consent)
        self.refused.add(contact.pk)

    def pass_time(self, seconds: float) -> None:
        """All that is dated moves into the past, which is the same as if the clock went on."""
        self.passed += seconds
        by = timedelta(seconds=seconds)
        numbers = [number.pk for number in self.numbers]
        for table, own in (
            (Lease, Q(number__in=numbers)), (Batch, Q(number__in=numbers)),
            (Chunk, Q(batch__in=self.batches)), (Message, Q(batch__in=self.batches)),
        ):  # fmt: skip
            dates = [f.name for f in table._meta.fields if isinstance(f, models.DateTimeField)]
            table._default_manager.filter(own).update(**{name: models.F(name) - by for name in dates})
        if self.most is not None:
            self._pass_day(by)

    def _pass_day(self, by: timedelta) -> None:
        """By way of elsewhere: a minute may not meet another on its way."""
        for table in (Reached, ReachedMinute):
            for step in (by + AWAY, -AWAY):
                table._default_manager.filter(portfolio=self.numbers[0].portfolio_id).update(
                    minute=models.F("minute") - step
                )

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
        return {batch.pk for batch in going if not batch.held or batch.hold == Batch.Hold.LIMIT}

    def reported(self) -> set[int]:
        """Messages that Meta took, whatever it had answered."""
        return set(Message.objects.filter(batch__in=self.batches, delivery__gt=0).values_list("id", flat=True))

    def reach(self, people: Iterable[str]) -> None:
        """A worker takes them in hand."""
        self.reached |= dict.fromkeys(people, self.clock)
        of_the_day = sum(self.clock - at < DAY for at in self.reached.values())
        assert self.most is None or of_the_day <= self.most, f"{of_the_day} people in 24 hours"

    def consenting(self) -> set[int]:
        ids = [person.pk for person in self.people]
        return set(Contact.objects.filter(pk__in=ids, consent=Consent.GRANTED).values_list("id", flat=True))

    def contacts_of(self, messages: set[int]) -> set[int]:
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
            assert bool(batch.finished_at) == (batch.queued == 0)
            assert bool(batch.closed_at) == (batch.queued + batch.unconfirmed == 0)
        assert_quota(self.period.pk)
        self._check_day()
        of_mine = Message.objects.filter(batch__in=self.batches)
        doubtful = of_mine.filter(Q(status=Status.UNCONFIRMED) | Q(status=Status.FAILED, error_code=None))
        never_allowed = set(doubtful.values_list("id", flat=True)) - self.allowed
        assert not never_allowed, f"in doubt, though nobody could have sent them: {never_allowed}"
        said_no = ConsentEntry.objects.filter(account=self.period.account, source=Source.REFUSED).values("contact")
        assert not of_mine.filter(error_code=131050).exclude(contact__in=said_no).exists(), "a no was lost"
        assert not of_mine.filter(omission=Omission.EXPIRED, batch__ends_at__gt=timezone.now()).exists()
        before, self.left_out = self.left_out, set(of_mine.filter(status=Status.OMITTED).values_list("id", flat=True))
        assert before <= self.left_out

    def _check_day(self) -> None:
        """Everybody who counts is in one minute's sum."""
        counted = Q(portfolio=self.numbers[0].portfolio_id, minute__gt=timezone.now() - reach.SPAN)
        people = ReachedMinute.objects.filter(counted).aggregate(people=models.Sum("people", default=0))["people"]
        assert Reached.objects.filter(counted).count() == people

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
            fates = self.network.fates.get(message.pk, [])
            self._check_attempts(message, self.network.answers.get(message.pk, []))
            if fates and message.status != Status.OMITTED:
                self._check_reached(message, [report for fate in fates for report in FATES[fate]])
            else:
                self._check_unreached(message)

    def _check_attempts(self, message: Message, answers: list[str]) -> None:
        """What reached Meta is a try, and what may have: of the last answer perhaps nobody knows."""
        tries = sum(answer != "never connected" for answer in answers)
        assert tries <= message.attempts <= tries + (not answers or answers[-1] in AGAIN)

    def _check_unreached(self, message: Message) -> None:
        assert message.delivery == Delivery.NONE and not message.charged
        assert message.status in (Status.FAILED, Status.OMITTED), (message.status, message.position)
        if message.status == Status.OMITTED:
            assert set(self.network.answers.get(message.pk, [])) <= AGAIN
            self._check_omission(message)
        elif message.error_code is None:
            assert message.pk in self.allowed
        else:
            assert self.network.answers[message.pk]

    def _check_omission(self, message: Message) -> None:
        match message.omission:
            case Omission.OPT_OUT | Omission.NO_CONSENT:
                noted = ConsentEntry.objects.filter(contact=message.contact_id, source=Source.REFUSED)
                assert message.contact_id in self.refused or noted.exists()
            case Omission.CANCELLED:
                assert message.batch.status == Batch.Status.CANCELLED
            case omission:
                assert omission == Omission.EXPIRED

    def _check_reached(self, message: Message, reports: list[Report]) -> None:
        if not reports:  # a week of silence closes what Meta's answer did not settle
            assert message.status in (Status.ACCEPTED, Status.FAILED)
            return
        rank = max(Delivery[status.upper()] for status, _code in reports)
        assert message.delivery == rank
        if rank == Delivery.FAILED:
            assert message.status in (Status.ACCEPTED, Status.FAILED)
            assert (message.error_code, message.charged) == (min(code for _status, code in reports if code), False)
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
