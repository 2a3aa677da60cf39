"""Groups that are read at the same time, and whoever works on the same people beside them, never wait in a circle.

Each case has its control: the same without `locks.take` ends in a deadlock, so it is the order that keeps it from one.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from pregon.contacts import consent, people
from pregon.contacts.models import Consent, Contact, Erasure, Refusal, Source
from pregon.sending import erasure, locks, marks, pump, references, replies, statuses
from pregon.sending.models import Delivery, Message
from pregon.webhooks import routing
from pregon.whatsapp.cloud import errors
from pregon.whatsapp.cloud.codes import Mark
from pregon.whatsapp.cloud.events import Event, InboundMessage, StatusEvent
from pregon.whatsapp.models import Number
from tests import make
from tests.sending import rows
from tests.sending.test_statuses import event

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 100
Read = Callable[[Sequence[Event]], None]


def baja(number: Number, mobile: str, *, user_id: str = "", text: str = "BAJA") -> InboundMessage:
    return InboundMessage(
        phone_number_id=number.phone_number_id, wamid=f"wamid.{mobile}", sender=mobile.lstrip("+"), user_id=user_id,
        profile_name="", at=datetime.now(UTC), kind="text", text=text,
    )  # fmt: skip


def read(events: Sequence[Event]) -> None:
    """As the inbox does."""
    with transaction.atomic():
        routing.route(events)


def read_unordered(events: Sequence[Event]) -> None:
    """The same acts, each lock where it is needed first."""
    with transaction.atomic():
        statuses.apply(event for event in events if isinstance(event, StatusEvent))
        replies.receive(event for event in events if isinstance(event, InboundMessage))


def together(*works: Callable[[], None]) -> int:
    """How many of them ended in a deadlock; all are started at once."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[], None]) -> bool:
        try:
            start.wait(10)
            work()
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            return True
        finally:
            connection.close()
        return False

    with ThreadPoolExecutor(len(works)) as pool:
        return sum(pool.map(one, works))


def crossing(read: Read) -> int:
    """Two groups in which the same people write in opposite orders."""
    number = rows.business(people=PEOPLE)
    mobiles = list(Contact.objects.order_by("id").values_list("mobile", flat=True))
    here = [baja(number, mobile or "") for mobile in mobiles]
    there = [baja(number, mobile or "") for mobile in reversed(mobiles)]
    deadlocks = together(lambda: read(here), lambda: read(there))
    assert deadlocks or not Contact.objects.exclude(consent=Consent.WITHDRAWN).exists()
    return deadlocks


def test_two_groups_with_the_same_people() -> None:
    assert crossing(read) == 0


def test_control_two_groups_without_the_order() -> None:
    assert crossing(read_unordered) == 1


def beside(first: Callable[[], object], second: Callable[[], object], read: Read, events: Sequence[Event]) -> int:
    """Somebody takes the first lock, and the second once the reader waits."""
    held = threading.Event()

    def work() -> None:
        with transaction.atomic():
            first()
            held.set()
            wait_until_someone_waits()
            second()

    def reader() -> None:
        assert held.wait(10)
        read(events)

    return together(work, reader)


def wait_until_someone_waits() -> None:
    """For a lock of this connection."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def importing(read: Read) -> int:
    """A file comes in while a contact and somebody unknown say BAJA."""
    number = rows.business(people=0)
    ana = make.contact(number.account)
    events = [baja(number, ana.mobile or ""), baja(number, "+522225550199")]
    return beside(lambda: consent.lock_base(number.account_id), lambda: lock(ana), read, events)


def lock(contact: Contact) -> None:
    Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)


def test_an_import_beside_it() -> None:
    assert importing(read) == 0


def test_control_an_import_without_the_order() -> None:
    assert importing(read_unordered) == 1


def deleting(read: Read) -> int:
    """A contact is deleted while Meta reports that its message failed."""
    message = Message.objects.select_related("batch__number", "contact").get(batch=rows.launch(rows.business(people=1)))
    contact = message.contact
    assert contact is not None
    failed = event(message, "failed", code=131026)
    ended = beside(lambda: lock(contact), lambda: Message.objects.update(contact=None), read, [failed])
    message.refresh_from_db()
    assert ended or message.delivery == Delivery.FAILED
    return ended


def test_a_contact_that_is_deleted_beside_it() -> None:
    assert deleting(read) == 0


def test_control_a_deleted_contact_without_the_order() -> None:
    assert deleting(read_unordered) == 1


def refusing(read: Read, leave: Callable[[Contact], object]) -> int:
    """A file comes in while Meta reports the refusal of somebody who has the number no more, and another's failure."""
    batch = rows.launch(rows.business(people=2))
    stays, refused = batch.messages.select_related("batch__number", "contact").order_by("contact_id")
    assert stays.contact and refused.contact
    person = stays.contact
    leave(refused.contact)
    events = [event(stays, "failed", code=131026), event(refused, "failed", code=131050)]
    ended = beside(lambda: consent.lock_base(batch.account_id, shared=True), lambda: lock(person), read, events)
    assert ended or Refusal.objects.get().mobile_hash == consent.hash_of(refused.mobile)
    return ended


def delete(contact: Contact) -> None:
    people.delete(contact.account, [contact.pk], actor=make.user())


def correct(contact: Contact) -> None:
    people.edit(contact, people.Details(contact.name, "222 555 0199"), actor=make.user())


@pytest.mark.parametrize("leave", [delete, correct])
def test_an_import_beside_the_refusal_of_a_number_that_left(leave: Callable[[Contact], object]) -> None:
    assert refusing(read, leave) == 0


@pytest.mark.parametrize("leave", [delete, correct])
def test_control_an_import_beside_such_a_refusal_without_the_order(leave: Callable[[Contact], object]) -> None:
    assert refusing(read_unordered, leave) == 1


def heard(events: Sequence[Event]) -> list[tuple[int, Mark]]:
    """The same failures, as a pump has them of Meta's answers."""
    failed = [event for event in events if isinstance(event, StatusEvent) and event.error_code]
    told = [(references.read(event.reference), errors.classify(event.error_code or 0).mark) for event in failed]
    return [(message, mark) for message, mark in told if message and mark]


def test_an_import_beside_a_pump_that_hears_of_such_a_refusal() -> None:
    assert refusing(lambda events: pump.heed(heard(events)), delete) == 0


def test_control_an_import_beside_a_pump_without_the_order() -> None:
    assert refusing(lambda events: marks.note(heard(events)), delete) == 1


def test_a_person_who_is_erased_beside_it() -> None:
    """The erasure waits for the base when Meta reports that a message to the person failed."""
    message = Message.objects.select_related("batch__number", "contact").get(batch=rows.launch(rows.business(people=1)))
    contact, actor, failed = message.contact, make.user(), event(message, "failed", code=131026)
    assert contact is not None
    person = Contact.objects.select_related("account").get(pk=contact.pk)

    def report() -> None:
        read([failed])
        connection.close()

    def erase(_events: Sequence[Event]) -> None:
        erasure.erase(person, reason=Erasure.Reason.ASKED, actor=actor)

    with ThreadPoolExecutor(1) as pool:
        reports: list[Future[None]] = []

        def start() -> None:
            reports.append(pool.submit(report))
            wait(reports, 1)

        assert beside(lambda: consent.lock_base(person.account_id, shared=True), start, erase, []) == 0
        reports[0].result(10)
    message.refresh_from_db()
    assert (message.delivery, message.contact_id, message.mobile) == (Delivery.FAILED, None, "")


def test_only_the_bases_of_those_who_speak_from_outside_are_locked() -> None:
    number = rows.business(people=0)
    ana = make.contact(number.account)
    for said, bases in ((baja(number, ana.mobile or ""), 0), (baja(number, "+522225550199"), 1)):
        with transaction.atomic(), connection.cursor() as cursor:
            locks.take([said])
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            assert cursor.fetchone() == (bases,)


@pytest.mark.parametrize(
    ("mobile", "user_id", "text", "bases"),
    [
        ("known", "MX.1", "hola", []),  # nothing is news
        ("known", "MX.2", "hola", ["ShareLock"]),  # another id
        ("", "MX.1", "BAJA", []),
        ("", "MX.3", "hola", []),
        ("", "MX.3", "BAJA", ["ExclusiveLock"]),  # of a stranger
        ("+522225550199", "MX.0", "hola", ["ExclusiveLock"]),  # a contact gets a number
    ],
)
def test_bases_are_locked_for_what_is_news(mobile: str, user_id: str, text: str, bases: list[str]) -> None:
    number = rows.business(people=0)
    ana = make.contact(number.account, meta_user_id="MX.1")
    make.contact(number.account, mobile=None, meta_user_id="MX.0")
    sender = ana.mobile or "" if mobile == "known" else mobile
    with transaction.atomic(), connection.cursor() as cursor:
        locks.take([baja(number, sender, user_id=user_id, text=text)])
        cursor.execute("SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert [mode for (mode,) in cursor.fetchall()] == bases


def test_a_no_of_whoever_hides_their_number_is_not_missed_by_who_learns_whose_it_is() -> None:
    """It is being written for an id that is nobody's, while a message says whose the id is."""
    number = rows.business(people=0)
    ana = make.contact(number.account)

    def refuse() -> None:
        consent.withdraw_number(number.account, "", user_id="MX.1", source=Source.REPLY, happened_at=datetime.now(UTC))

    shown = baja(number, ana.mobile or "", user_id="MX.1", text="hola")
    assert beside(refuse, lambda: None, read, [shown]) == 0
    ana.refresh_from_db()
    assert ana.consent == Consent.WITHDRAWN
