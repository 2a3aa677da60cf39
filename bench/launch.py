"""How long it takes to freeze a million people and reserve their messages, and to say beforehand what would happen."""

import resource
import threading
import time
from statistics import median

from django.db import connection

from bench.figures import Figure, at_most
from bench.send import add_people
from pregon.accounts.models import Member
from pregon.promotions import audiences, forecast, launch
from pregon.promotions.models import Broadcast
from pregon.quota import ledger
from pregon.sending.models import Message, Omission, Status
from tests import make
from tests.sending.books import assert_balanced

LIST = 1_000_000
REVIEWED = 100_000
ROUNDS = 3
MEMORY_MB = 16  # a list of a million as text would be a hundred

# The usual reasons to leave somebody out, each by its own share of the ids.
FLAWS = """
UPDATE contacts_contact SET consent = CASE WHEN id %% 33 = 0 THEN 'withdrawn' WHEN id %% 20 = 0 THEN 'unknown' ELSE consent END,
    mobile_problem = CASE WHEN id %% 101 = 0 THEN 'incomplete' WHEN id %% 211 = 0 THEN 'invalid' ELSE '' END,
    mobile = CASE WHEN id %% 101 = 0 OR id %% 211 = 0 THEN NULL
        WHEN id %% 199 = 0 THEN '+1212' || lpad((id %% 10000000)::text, 7, '0') ELSE mobile END,
    no_whatsapp_at = CASE WHEN id %% 97 = 0 THEN now() END,
    cooled_at = CASE WHEN id %% 89 = 0 THEN now() END,
    name = CASE WHEN id %% 83 = 0 THEN '' ELSE name END
WHERE account_id = %s AND 0 IN (id %% 20, id %% 33, id %% 83, id %% 89, id %% 97, id %% 101, id %% 199, id %% 211)
"""
TAGS = """
INSERT INTO contacts_contact_tags (contact_id, tag_id)
SELECT id, CASE WHEN id %% 2 = 0 THEN %(even)s ELSE %(odd)s END FROM contacts_contact WHERE account_id = %(account)s
"""
EARLIER = """
INSERT INTO sending_message (account_id, batch_id, position, contact_id, name, mobile, meta_user_id, "values", status, omission,
    delivery, charged, attempts, error_details, trace_id, created_at)
SELECT account_id, %(batch)s, row_number() OVER (ORDER BY id) - 1, id, name, coalesce(mobile, ''), '', '{}', 'accepted', '',
    3, false, 0, '', '', now() FROM contacts_contact WHERE account_id = %(account)s AND id %% 50 = 1
"""
EXPECTED = {
    Omission.OPT_OUT, Omission.NO_CONSENT, Omission.INCOMPLETE, Omission.INVALID, Omission.COUNTRY, Omission.NO_WHATSAPP,
    Omission.META_WAIT, Omission.REPEATED, Omission.MISSING_DATA,
}  # fmt: skip


def measure() -> list[Figure]:
    hundred_thousand = _broadcast(REVIEWED)
    reviewed = median(_review(hundred_thousand) for _round in range(ROUNDS))
    million = _broadcast(LIST)
    return [
        at_most("launch.seconds_1m", _launch(million), "s", 20),
        at_most("forecast.seconds_100k", reviewed, "s", 0.5),
    ]


def _broadcast(people: int) -> Broadcast:
    """Approved, to two tags of a business of that size, which sent the same promotion to some of them this week."""
    member = make.business()
    ledger.grant(member.account.periods.get().pk, people, "extra")
    promoted = make.promotion(member.account, fallbacks={})
    tags = _people(member, people)
    earlier = make.batch(member.account, promoted)
    with connection.cursor() as cursor:
        cursor.execute(EARLIER, {"batch": earlier.pk, "account": member.account_id})
        cursor.execute("VACUUM ANALYZE contacts_contact, contacts_contact_tags, sending_message")
    audience = audiences.write(audiences.define(audiences.Kind.TAGS, tags))
    return make.broadcast(member.account, promoted, approved_by=member.user, audience=audience)


def _people(member: Member, people: int) -> tuple[int, int]:
    add_people(member.account, people)
    even, odd = (make.tag(member.account, name).pk for name in ("Centro", "Norte"))
    with connection.cursor() as cursor:
        cursor.execute(FLAWS, [member.account_id])
        cursor.execute(TAGS, {"even": even, "odd": odd, "account": member.account_id})
    return even, odd


def _review(broadcast: Broadcast) -> float:
    started = time.perf_counter()
    predicted = forecast.forecast(broadcast)
    assert predicted.people == REVIEWED
    assert set(predicted.omissions) == EXPECTED
    return time.perf_counter() - started


def _launch(broadcast: Broadcast) -> float:
    """From the click until messages and reservation are committed, a worker doing it; its page is asked all the while."""
    predicted, memory = forecast.forecast(broadcast), _memory_mb()
    watch = Watch(broadcast)
    watch.start()
    started = time.perf_counter()
    assert launch.launch(broadcast, None) is None
    assert launch.launch_due(broadcast.pk)
    seconds = time.perf_counter() - started
    watch.join(10)
    assert len(watch.seen) > 10, f"progress was not shown: {watch.seen}"
    assert _memory_mb() - memory < MEMORY_MB
    _assert_right(broadcast, predicted)
    return seconds


class Watch(threading.Thread):
    """Reads the progress as the page does, until the launch is over."""

    def __init__(self, broadcast: Broadcast) -> None:
        super().__init__(daemon=True)
        self.broadcast_id = broadcast.pk
        self.seen: set[int] = set()

    def run(self) -> None:
        status = ""
        while status != Broadcast.Status.LAUNCHED:
            status, frozen = Broadcast.objects.values_list("status", "frozen").get(pk=self.broadcast_id)
            self.seen.add(frozen)
            time.sleep(0.05)
        connection.close()


def _assert_right(broadcast: Broadcast, predicted: forecast.Forecast) -> None:
    broadcast.refresh_from_db()
    batch = broadcast.batch
    assert batch is not None, broadcast.wait_reason
    assert (batch.people, batch.queued, batch.omitted) == (LIST, predicted.recipients, predicted.omitted)
    assert batch.period.reserved == batch.queued
    assert set(predicted.omissions) == EXPECTED
    for omission, figure in predicted.omissions.items():
        assert Message.objects.filter(batch=batch, status=Status.OMITTED, omission=omission).count() == figure, omission
    assert_balanced(batch)


def _memory_mb() -> float:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
