"""One broadcast on its way through real processes, for a trouble to strike at."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

from django.db import Error, connection, transaction
from django.utils import timezone

from pregon.accounts.models import Account
from pregon.sending.hand import Limits
from pregon.sending.models import Batch
from pregon.simulator import setup
from pregon.webhooks.models import Arrival
from pregon.whatsapp.cloud import payloads
from pregon.whatsapp.models import Number, Portfolio
from tests import make
from tests.chaos.processes import Installation, Process, wait_until
from tests.chaos.wire import Wire
from tests.sending import rows

T = TypeVar("T")

MPS = 80  # Meta's own default: a sync in between finds the same
PATIENCE = 180.0  # seconds beyond what the pace takes: the machine may be busy
KEPT = 20  # messages of a blow's share that are not waited for: about what a kill leaves in doubt
PAYLOAD = payloads.template(
    "promo_general",
    "es_MX",
    [
        payloads.header(payloads.text_parameter("Charolas para tu posada")),
        payloads.body(payloads.text_parameter("{{nombre}}"), payloads.text_parameter("aparta tu charola.")),
    ],
)
# Ordinary people: the last four digits of the numbers are none of the simulator's special ones. Every fiftieth gave no permission.
PEOPLE = """
INSERT INTO contacts_contact (account_id, name, search, mobile, mobile_raw, mobile_problem, email, fields, consent,
    consent_at, created_at, updated_at)
SELECT %s, 'Persona ' || n, 'persona ' || n, '+52222' || lpad((n + 1000 * (1 + n / 9000))::text, 7, '0'), '', '', '', '{}',
    CASE WHEN n %% 50 = 0 THEN 'unknown' ELSE 'granted' END, now(), now(), now() FROM generate_series(1, %s) n
"""
# In doubt now, or settled by a webhook alone: Meta's own answer would have left its name for the message.
DOUBTED = """
SELECT m.id FROM sending_message m WHERE m.batch_id = %s AND (m.status = 'unconfirmed' OR m.status <> 'queued' AND m.delivery > 0
    AND NOT EXISTS (SELECT 1 FROM sending_wamid w WHERE w.message_id = m.id))
"""


class Arena:
    """A business with its people and one launched broadcast. Leave it with `close`, so that no other one meets its messages."""

    def __init__(self, here: Installation, messages: int, seed: int) -> None:
        self.here = here
        self.chance = random.Random(seed)
        self.marks: list[int] = []
        self.bounds: list[int] = []  # for each blow, how many it may leave in doubt
        self.objections: list[str] = []  # what a trouble saw that must not be
        self.workers: list[Process] = []
        self.wires = ExitStack()
        self.calm()
        self.batch = _launch(here, messages)
        limits = Limits.of(MPS)
        self.doubt_bound = limits.concurrency + limits.flush

    def calm(self, *, webhooks: bool = True) -> None:
        """The simulator as it is without trouble, after a restart too. It may keep its webhooks back until it is asked again."""
        self.here.ask("setup", {"settings": {"delay": 0.2}})
        self.here.ask("faults", {"latency_low": 20, "latency_high": 120, "hold": not webhooks})

    def worker(self, simulator_url: str = "") -> Process:
        """`simulator_url`: its own way to the simulator."""
        return self.start("pregon", "worker", PREGON_SIMULATOR_URL=simulator_url or self.here.simulator_url)

    def start(self, *command: str, **environment: str) -> Process:
        """A worker of another kind."""
        self.workers.append(self.here.start(*command, **environment))
        return self.workers[-1]

    def wire(self) -> Wire:
        """A way to the simulator that can go wrong."""
        return self.wires.enter_context(Wire(self.here.port + 2, self.chance.randrange(1_000)))

    def kill(self, worker: Process) -> None:
        self.workers.remove(worker)
        self.here.kill(worker)

    def blow(self) -> None:
        """Call it just before: what turns doubtful until the next one is due to this one."""
        self.marks.append(len(self.doubted()))
        self.bounds.append(self.doubt_bound)

    def doubts(self) -> list[int]:
        """How many messages each blow left in doubt."""
        ends = [*self.marks[1:], len(self.doubted())]
        return [after - before for before, after in zip(self.marks, ends, strict=True)]

    def doubted(self) -> set[int]:
        """The messages that are in doubt or once were."""

        def ask() -> set[int]:
            with connection.cursor() as cursor:
                cursor.execute(DOUBTED, [self.batch.pk])
                return {message for (message,) in cursor.fetchall()}

        return persist(ask)

    def queued(self) -> int:
        return persist(lambda: int(Batch.objects.values_list("queued", flat=True).get(pk=self.batch.pk)))

    def rounds(self, blows: int) -> Iterator[int]:
        """How many blows are left, this one included; fewer when everything was sent before."""
        for left in range(blows, 0, -1):
            if self.queued() == 0:
                return
            yield left

    def let_it_send(self, blows_left: int) -> None:
        """Until messages leave, and then for a random while that spares enough for the blows that follow."""
        before = self.queued()
        self.see_one_leave()
        share = before / (blows_left + 1) - KEPT
        time.sleep(self.chance.uniform(0, 2 * max(share, 0) / MPS))

    def see_one_leave(self) -> None:
        """Or that none is left: on a slow machine all may have left since it was asked."""
        before = self.queued()
        wait_until(lambda: self.queued() < max(before, 1))

    def let_it_write(self, lost: int) -> None:
        """Until so many are in doubt since the last blow: a slow machine writes them late, and the next blow is not their cause."""
        wait_until(lambda: len(self.doubted()) >= self.marks[-1] + lost)

    def finish(self) -> None:
        """Wait until all was sent and every webhook read."""
        wait_until(self.all_sent, PATIENCE + 3 * self.batch.queue_size / MPS)
        wait_until(self._quiet, PATIENCE)

    def all_sent(self) -> bool:
        return self.queued() == 0

    def _quiet(self) -> bool:
        """Every webhook was sent, kept and read."""
        state = self.here.ask("state")
        return not (state["statuses"] or state["webhooks"] or Arrival.objects.filter(processed_at=None).exists())

    def close(self) -> None:
        for worker in list(self.workers):
            self.kill(worker)
        self.wires.close()
        Account.objects.filter(pk=self.batch.account_id).update(suspended_at=timezone.now())


def persist(question: Callable[[], T]) -> T:
    """What the database answers, once it does."""
    deadline = time.monotonic() + 90
    while True:
        try:
            return question()
        except Error:
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.05)


@transaction.atomic
def _launch(here: Installation, messages: int) -> Batch:
    number = _number(messages)
    told = {"id": number.phone_number_id, "display": number.display, "waba_id": number.waba_id, "name": "La Espiga"}
    here.ask("setup", {"numbers": [told | {"mps": MPS, "tier": "TIER_UNLIMITED"}]})
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [number.account_id, messages])
    return rows.launch(number, payload=PAYLOAD, slots=["nombre"])


def _number(messages: int) -> Number:
    account = make.account()
    make.period(account, limit=messages)
    portfolio = Portfolio.objects.create(meta_id=f"portafolio-{account.pk}", daily_limit=None)
    number = make.number(account, portfolio=portfolio, waba_id=setup.WABA_ID, mps=MPS, practice=True)
    number.token = setup.TOKEN
    number.save()
    return number
