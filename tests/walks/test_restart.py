"""A copy of its own beside the session's: scheduled, stopped, started again, where all is as it was and leaves once."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.walks import person
from tests.walks.people import Sheet
from tests.walks.person import Person
from tests.walks.running import Running, wait

pytestmark = pytest.mark.timeout(900)
SHEET = Sheet("Clientes de agosto", "850")
MEXICO = ZoneInfo("America/Mexico_City")
PROMOTION = "Charolas para tu posada"


@pytest.fixture
def second(home: Path, running: Running) -> Iterator[Running]:
    """Another copy, with another PORT and PREGON_HOME."""
    with Running(home) as copy:
        yield copy


def test_a_scheduled_sending_survives_a_restart_of_everything(second: Running, running: Running) -> None:
    lucia = Person(second)
    lucia.load(SHEET)
    the_other_copy_knows_nothing_of_it(running)
    lucia.prepare(PROMOTION, SHEET.tag)
    lucia.sign()
    review = lucia.path
    lucia.post(f"{review}programar/", at=in_a_moment().strftime("%Y-%m-%dT%H:%M"))
    assert "Sale el" in lucia.text
    assert second.stop() == 0
    password = second.password
    second.start()
    assert second.password == password
    the_data_is_there(lucia, review)
    leaves_once(lucia, second, review)


def in_a_moment() -> datetime:
    """The next full minute of the business's clock that leaves time to post it."""
    return (datetime.now(MEXICO) + timedelta(seconds=65)).replace(second=0, microsecond=0)


def the_other_copy_knows_nothing_of_it(running: Running) -> None:
    other = Person(running)
    assert SHEET.shown("0000") not in other.get(f"/contactos/?q={SHEET.wa_id('0000')[3:]}")


def the_data_is_there(lucia: Person, review: str) -> None:
    """Signed in as before, with the people and the promotion of before."""
    assert SHEET.shown("0000") in lucia.get(f"/contactos/?q={SHEET.wa_id('0000')[3:]}")
    assert PROMOTION in lucia.get(review)


def leaves_once(lucia: Person, copy: Running, review: str) -> None:
    wait(lambda: re.search("El envío va en camino|Resultado del envío", lucia.get(review)), 180)
    told = person.ended(copy, int(review.split("/")[2]))
    assert told["people"] == 12
    time.sleep(3)  # in which a second launch would be seen
    for ending in ("0000", "0005", "0014", "0305"):
        assert copy.ask(f"phones/{SHEET.wa_id(ending)}")["messages"] == 1
    assert copy.ask("received")["duplicates"] == []
