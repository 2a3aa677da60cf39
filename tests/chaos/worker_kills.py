"""The worker is killed with -9 at random instants in the middle of a broadcast, again and again."""

import random
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from pregon.quota import ledger
from pregon.sending import outbox, references
from pregon.sending.models import Batch, Message, Status
from pregon.sending.pump import Limits
from pregon.simulator import setup
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import payloads
from pregon.whatsapp.models import Number
from tests import make
from tests.chaos.processes import Installation, wait_until
from tests.sending.books import assert_balanced

MPS = 80  # Meta's own default: a sync in between finds the same
TYPICAL_DOUBT = 20
PAYLOAD = payloads.template(
    "promo_general",
    "es_MX",
    [
        payloads.header(payloads.text_parameter("Charolas para tu posada")),
        payloads.body(payloads.text_parameter("{{nombre}}"), payloads.text_parameter("aparta tu charola.")),
    ],
)
# Ordinary people: the last four digits of the numbers are none of the simulator's special ones.
PEOPLE = """
INSERT INTO contacts_contact (account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent,
    consent_at, created_at, updated_at)
SELECT %s, 'Persona ' || n, 'persona ' || n, '+52222' || lpad((n + 1000 * (1 + n / 9000))::text, 7, '0'), '', '', '', '{}',
    'granted', now(), now(), now() FROM generate_series(1, %s) n
"""
AUDIENCE = """
SELECT id AS contact_id, name, mobile, meta_user_id, ARRAY[name]::text[] AS "values", '' AS omission
FROM contacts_contact WHERE account_id = %(account)s
"""
IN_DOUBT = """
SELECT count(*) FROM sending_chunk c JOIN sending_message m ON m.batch_id = c.batch_id AND m.position >= c.first
    AND m.position < c.horizon AND m.status = 'queued' AND (m.not_before IS NULL OR m.not_before <= c.leased_at)
WHERE c.state = 'leased'
"""


@dataclass(frozen=True)
class Report:
    """What was found when all was quiet again."""

    kills: int
    received: int  # messages that the simulator took
    duplicates: int  # taken twice
    missing: int  # in the audience, not taken, and without an honest word
    unconfirmed: int
    max_doubt_per_kill: int
    doubt_bound: int  # concurrency + flush
    unconfirmed_but_received: int  # with all webhooks in
    never_received_unconfirmed: int
    quota_ok: bool

    @property
    def good(self) -> bool:
        bounded = self.max_doubt_per_kill <= self.doubt_bound
        nobody = self.duplicates == self.missing == self.unconfirmed_but_received == 0
        return nobody and bounded and self.quota_ok


def run(home: Path, database_url: str, *, kills: int, messages: int, seed: int) -> Report:
    """A broadcast to `messages` people through real processes, and `kills` of its worker on the way."""
    chance = random.Random(seed)
    with Installation(home, database_url) as here:
        here.ask("setup", {"settings": {"delay": 0.5}})
        here.ask(f"numbers/{setup.NUMBER_ID}", {"mps": MPS})
        here.ask("faults", {"latency_low": 20, "latency_high": 120})
        batch = _launch(messages)
        doubts = [_one_life(here, chance, batch, kills - n) for n in range(kills)]
        here.worker()
        wait_until(lambda: _finished(batch), 120)
        wait_until(lambda: _quiet(here), 120)
        return _report(here, batch, doubts)


def _one_life(here: Installation, chance: random.Random, batch: Batch, left: int) -> int:
    """Start a worker, let it send for a random while, kill it; returns how many messages it left in doubt."""
    before = _queued(batch)
    worker = here.worker()
    wait_until(lambda: _queued(batch) < before, 60)
    share = before / (left + 1) - TYPICAL_DOUBT  # so that something is left for those after it
    time.sleep(chance.uniform(0, 2 * max(share, 0) / MPS))
    here.kill(worker)
    with connection.cursor() as cursor:
        cursor.execute(IN_DOUBT)
        return int(cursor.fetchone()[0])


@transaction.atomic
def _launch(messages: int) -> Batch:
    number = _number(messages)
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [number.account_id, messages])
    period = ledger.current(number.account)
    assert period is not None
    ends_at = timezone.now() + timedelta(hours=72)
    batch = Batch.objects.create(
        account=number.account, number=number, period=period, payload=PAYLOAD, slots=["nombre"], ends_at=ends_at
    )
    queued = outbox.enqueue(batch, AUDIENCE, {"account": number.account_id}).queued
    ledger.reserve(period.pk, queued, f"batch:{batch.pk}")
    return batch


def _number(messages: int) -> Number:
    account = make.account()
    make.period(account, limit=messages)
    number = make.number(account, phone_number_id=setup.NUMBER_ID, waba_id=setup.WABA_ID, mps=MPS, practice=True)
    number.token = setup.TOKEN
    number.save()
    return number


def _queued(batch: Batch) -> int:
    return int(Batch.objects.values_list("queued", flat=True).get(pk=batch.pk))


def _finished(batch: Batch) -> bool:
    return _queued(batch) == 0


def _quiet(here: Installation) -> bool:
    """Every webhook was sent, kept and read."""
    state = here.ask("state")
    return not (state["statuses"] or state["webhooks"] or Arrival.objects.filter(processed_at=None).exists())


def _report(here: Installation, batch: Batch, doubts: list[int]) -> Report:
    received = here.ask("received")
    status = dict(Message.objects.filter(batch=batch).values_list("id", "status"))
    taken = {message for reference in received["counts"] if (message := references.read(reference)) is not None}
    honest = {
        message for message, word in status.items() if word in {Status.FAILED, Status.OMITTED, Status.UNCONFIRMED}
    }
    unconfirmed = {message for message, word in status.items() if word == Status.UNCONFIRMED}
    limits = Limits.of(MPS)
    return Report(
        kills=len(doubts),
        received=received["total"],
        duplicates=len(received["duplicates"]),
        missing=len(set(status) - taken - honest),
        unconfirmed=len(unconfirmed),
        max_doubt_per_kill=max(doubts, default=0),
        doubt_bound=limits.concurrency + limits.flush,
        unconfirmed_but_received=len(unconfirmed & taken),
        never_received_unconfirmed=len(unconfirmed - taken),
        quota_ok=_quota_ok(batch),
    )


def _quota_ok(batch: Batch) -> bool:
    try:
        assert_balanced(batch)
    except AssertionError as error:
        print(error)
        return False
    return True
