"""Meta's limit of people a day, with real pumps and the simulator's own count: it is kept, and never asked for more."""

import asyncio
from datetime import timedelta

import pytest

from pregon.sending import outbox, reach
from pregon.sending.models import Batch
from pregon.sending.pump import Pump
from pregon.simulator import setup
from pregon.simulator.app import Simulator
from pregon.whatsapp.models import Number, Portfolio
from pregon.whatsapp.practice import TOKEN
from tests.sending import clock, rows

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT, EACH, BUSINESS = 5, 6, "2329417887457253"
TEMPLATE = {
    "type": "template",
    "template": {
        "name": "pedido_listo",
        "language": {"code": "es_MX"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "{{nombre}}"}, {"type": "text", "text": "A-118"}]}
        ],
    },
}


@pytest.fixture
def batches(simulator: Simulator) -> list[Batch]:
    """Two numbers of one Meta business, each with a broadcast to its own people."""
    portfolio = Portfolio.objects.create(meta_id=BUSINESS, daily_limit=LIMIT)
    simulator.world.wabas[setup.WABA_ID].business = BUSINESS
    simulator.world.settings.endings = False
    return [_launched(simulator, portfolio, f"10654035224292{n}") for n in (1, 2)]


def _launched(simulator: Simulator, portfolio: Portfolio, phone_number_id: str) -> Batch:
    told = {"id": phone_number_id, "display": "+52 222 555 0142", "waba_id": setup.WABA_ID, "name": "Panadería"}
    setup.configure(simulator.world, {"numbers": [told | {"tier": f"TIER_{LIMIT}", "mps": 1_000}]})
    number = rows.business(EACH, phone_number_id=phone_number_id, waba_id=setup.WABA_ID, portfolio=portfolio)
    number.token = TOKEN
    number.save()
    return rows.launch(number, payload=TEMPLATE)


async def _together(numbers: list[Number]) -> None:
    await asyncio.gather(*(Pump(number, idle=0.2).run() for number in numbers))


def pump(batches: list[Batch]) -> list[int]:
    """How many people each has reached after both numbers are through with what they may send."""
    asyncio.run(_together([batch.number for batch in batches]))
    for batch in batches:
        batch.refresh_from_db()
    return [batch.accepted for batch in batches]


def a_day_later(simulator: Simulator) -> None:
    clock.later(reach.SPAN + clock.MINUTE)
    for people in simulator.world.reached.values():
        for who in people:
            people[who] -= timedelta(hours=24).total_seconds()


def test_two_numbers_of_one_business_write_to_so_many_people_a_day(simulator: Simulator, batches: list[Batch]) -> None:
    assert sum(pump(batches)) == LIMIT
    assert all(batch.held and batch.hold == Batch.Hold.LIMIT and batch.status == "running" for batch in batches)
    assert outbox.numbers_with_work() == []
    for sent in (2 * LIMIT, 2 * EACH):
        a_day_later(simulator)
        assert sum(pump(batches)) == sent
    assert [batch.status for batch in batches] == ["finished", "finished"]
    assert simulator.world.beyond == 0


def test_control_without_our_count_meta_refuses(simulator: Simulator, batches: list[Batch]) -> None:
    Portfolio.objects.update(daily_limit=None)
    pump(batches)
    assert simulator.world.beyond > 0
    assert Number.objects.filter(stopped_at__isnull=False).exists()


def test_whoever_was_reserved_goes_on_although_the_rest_is_held(simulator: Simulator, batches: list[Batch]) -> None:
    """A chunk in hand when the next finds no room, and a message that is tried again, do not wait for tomorrow."""
    simulator.world.faults.throttle, simulator.world.faults.times = 1, 2
    assert pump(batches[:1]) == [LIMIT - 2]
    assert batches[0].held and simulator.world.faults.hits == 2
    clock.later(clock.MINUTE)
    assert batches[0].number_id in outbox.numbers_with_work()
    assert pump(batches[:1]) == [LIMIT]
    assert batches[0].held and batches[0].queued == EACH - LIMIT
