"""Trouble on purpose, seen by the product's own client: what is counted as received is the truth."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pregon.simulator import faults
from pregon.whatsapp.cloud import client, events, payloads
from pregon.whatsapp.cloud.client import Accepted, Rejected, Unanswered, Unsent
from tests.simulator.conftest import NUMBER, QUICK, TOKEN, Inbox, Running


def sent(meta: Running, count: int, *, timeout: float = 5.0) -> list[client.Outcome]:
    """Free text to so many people, one after the other."""

    async def run() -> list[client.Outcome]:
        async with client.Client(meta.url, NUMBER, TOKEN, timeout=timeout) as line:
            bodies = [
                payloads.addressed(payloads.text("Hola"), f"+5222255521{place:02d}", f"r{place}")
                for place in range(count)
            ]
            return [await line.send(body) for body in bodies]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "outcome", "received"),
    [
        ("reset", Unanswered, 0),
        ("reset_after", Unanswered, 1),
        ("gateway", Unanswered, 0),
        ("gateway_after", Unanswered, 1),
        ("internal", Unanswered, 0),
        ("internal_after", Unanswered, 1),
        ("hang", Unanswered, 0),
        ("hang_after", Unanswered, 1),
        ("unavailable", Rejected, 0),
        ("throttle", Rejected, 0),
    ],
)
def test_what_the_client_concludes(meta: Running, fault: str, outcome: type, received: int) -> None:
    meta.ask("/_sim/faults", {fault: 1, "hang_seconds": 1})
    (result,) = sent(meta, 1, timeout=0.4)
    assert isinstance(result, outcome)
    assert meta.ask("/_sim/received")[1]["counts"] == ({"r0": 1} if received else {})


def test_faults_strike_every_so_many_and_so_often(meta: Running) -> None:
    meta.ask("/_sim/faults", {"gateway": 3, "times": 2})
    outcomes = sent(meta, 12)
    assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Unanswered)] == [2, 5]
    assert meta.ask("/_sim/state")[1]["hits"] == 2
    meta.ask("/_sim/faults", {})
    assert all(isinstance(outcome, Accepted) for outcome in sent(meta, 3))


def test_the_port_can_be_closed_for_a_while(meta: Running) -> None:
    meta.ask("/_sim/faults", {"refuse_seconds": 0.5})
    assert isinstance(sent(meta, 1)[0], Unsent)

    async def until_open() -> None:
        async with asyncio.timeout(5):
            async with client.Client(meta.url, NUMBER, TOKEN) as line:
                body = payloads.addressed(payloads.text("Hola"), "+522225552199", "again")
                while not isinstance(await line.send(body), Accepted):
                    await asyncio.sleep(0.05)

    asyncio.run(until_open())
    assert meta.ask("/_sim/received")[1]["counts"] == {"again": 1}


def test_latency(meta: Running) -> None:
    meta.ask("/_sim/faults", {"latency_low": 300, "latency_high": 400})
    assert isinstance(sent(meta, 1, timeout=0.1)[0], Unanswered)


def test_a_message_sent_twice_is_seen(meta: Running) -> None:
    sent(meta, 1)
    sent(meta, 1)
    assert meta.ask("/_sim/received")[1]["duplicates"] == ["r0"]


def test_wrong_faults_are_named(meta: Running) -> None:
    status, answer = meta.ask("/_sim/faults", {"earthquake": 1})
    assert status == 400 and "earthquake" in answer["error"]


def test_the_first_of_several_faults_is_struck() -> None:
    both = faults.read({"hang": 2, "reset": 4})
    assert [both.next() for _ in range(4)] == ["", "hang", "", "reset"]


def test_webhooks_come_again_until_they_are_taken(meta: Running, inbox: Inbox) -> None:
    inbox.answers = [500, 503]
    meta.send("+522225552100", "r")
    meta.quiet()
    assert "sent" in inbox.statuses("r")
    assert meta.ask("/_sim/state")[1]["refused"] == 2


def test_webhooks_can_be_held_doubled_and_shuffled(meta: Running, inbox: Inbox) -> None:
    meta.ask("/_sim/faults", {"hold": True})
    meta.send("+522225550000", "r")
    assert meta.ask("/_sim/wait?seconds=0.5")[1] == {"quiet": False}
    assert inbox.posts == []
    meta.ask("/_sim/faults", {"duplicate": 1.0, "shuffle": True})
    meta.quiet()
    assert sorted(inbox.statuses("r")) == ["delivered", "delivered", "read", "read", "sent", "sent"]


def test_many_statuses_share_a_post(start: Callable[..., Running], inbox: Inbox) -> None:
    meta = start({"settings": QUICK | {"callback": inbox.url}, "numbers": []})
    meta.ask(f"/_sim/numbers/{NUMBER}", {"mps": 1000})
    meta.ask("/_sim/faults", {"hold": True})
    for place in range(40):
        meta.send(f"+5222255521{place:02d}", f"r{place}")
    inbox.until(lambda: meta.ask("/_sim/state")[1]["statuses"] == 0)
    meta.ask("/_sim/faults", {})
    meta.quiet()
    assert len(inbox.posts) <= 3  # as they come due together: a few milliseconds may part them
    assert len({event.reference for event in inbox.events if isinstance(event, events.StatusEvent)}) == 40


def test_a_restarted_simulator_goes_on(start: Callable[..., Running], inbox: Inbox, tmp_path: Path) -> None:
    state = tmp_path / "simulator.json"
    given = {"settings": QUICK | {"callback": inbox.url}}
    first = start(given, state=state)
    first.ask("/_sim/phones/+522225552100", {"name": "Ana"})
    first.ask("/_sim/faults", {"hold": True})
    first.send("+522225550000", "held")
    first.simulator.world.media["123"] = ("image/png", b"\x89PNG")
    inbox.until(lambda: first.ask("/_sim/state")[1]["statuses"] == 0)
    first.stop()
    assert state.stat().st_mode & 0o077 == 0
    second = start(given, state=state)
    second.quiet()
    assert inbox.statuses("held") == ["sent", "delivered", "read"]
    assert second.ask("/_sim/phones?q=ana")[1]["phones"][0]["number"] == "+52 222 555 2100"
    assert second.ask("/_sim/received")[1]["counts"] == {"held": 1}
    assert second.simulator.world.media["123"] == ("image/png", b"\x89PNG")


def test_a_killed_simulator_forgets_nothing_it_accepted(
    start: Callable[..., Running], inbox: Inbox, tmp_path: Path
) -> None:
    given = {"settings": QUICK | {"callback": inbox.url}}
    first = start(given, state=tmp_path / "first" / "simulator.json")
    first.ask("/_sim/faults", {"hold": True})
    first.send("+522225550000", "one")
    first.send("+522225550005", "two")
    left = tmp_path / "what a kill leaves"
    shutil.copytree(tmp_path / "first", left)
    [journal] = left.glob("*.journal")
    with journal.open("ab") as file:
        file.write(b'{"wamid": "wamid.cut')
    second = start(given, state=left / "simulator.json")
    second.quiet()
    assert second.ask("/_sim/received")[1]["counts"] == {"one": 1, "two": 1}
    assert (inbox.statuses("one"), inbox.statuses("two")) == (["sent", "delivered", "read"], ["sent", "delivered"])
    assert second.ask("/_sim/phones/+522225550000")[1]["messages"] == 1


def test_a_broken_state_file_is_no_reason_not_to_start(start: Callable[..., Running], tmp_path: Path) -> None:
    state = tmp_path / "simulator.json"
    state.write_text("{]")
    assert start({"settings": QUICK}, state=state).ask(f"/{NUMBER}")[0] == 200


def test_reset(meta: Running) -> None:
    sent(meta, 2)
    meta.ask("/_sim/setup", {"numbers": [{"id": "7", "display": "+57 300 123 4567", "waba_id": "8", "name": "Otra"}]})
    meta.ask("/_sim/reset", {})
    assert meta.ask("/_sim/received")[1]["total"] == 0 and meta.ask("/7")[0] == 200
    meta.ask("/_sim/reset", {"all": True})
    assert meta.ask("/7", token="practica")[0] == 400


def test_setups_and_calls_that_make_no_sense(meta: Running) -> None:
    assert meta.ask("/_sim/setup", {"planets": []})[0] == 400
    assert meta.ask("/_sim/setup", {"numbers": [{"id": "7"}]})[0] == 400
    assert meta.ask("/_sim/setup", {"phones": [{"number": "+522225552100", "persona": "poet"}]})[0] == 400
    assert meta.ask("/_sim/numbers/1", {})[0] == 404
    assert meta.ask(f"/_sim/numbers/{NUMBER}", {"colour": "red"})[0] == 400
    assert meta.ask("/_sim/phones/+1")[0] == 404
    assert meta.ask("/_sim/phones/+522225552100/reply", {"button": 0})[0] == 400
