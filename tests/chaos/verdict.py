"""What must hold after any trouble, in one place."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pregon.sending import references
from pregon.sending.models import Batch, Delivery, Message, Status
from tests.chaos.arena import Arena
from tests.sending.books import assert_balanced


@dataclass(frozen=True)
class Verdict:
    """What was found when all was quiet again."""

    trouble: str
    blows: int
    people: int  # the audience, whoever was left out included
    received: int  # messages of these people that the simulator took
    duplicates: int  # people whose message it took twice
    missing: int  # not taken, and without an honest word
    disowned: int  # taken, and by our word never sent
    unconfirmed: int
    unconfirmed_but_received: int  # with all webhooks in
    doubts: int  # messages that were in doubt at some time
    max_doubt: int  # after one blow
    doubt_within_bound: bool  # after each blow
    crashed: int  # processes that ended by themselves
    objections: list[str]  # the auditor's about buckets, counters, ledger and quota; and what the trouble itself saw
    notes: dict[str, Any]

    @property
    def good(self) -> bool:
        nobody = self.duplicates == self.missing == self.disowned == self.unconfirmed_but_received == 0
        return nobody and self.doubt_within_bound and not (self.crashed or self.objections)


def examine(arena: Arena, trouble: str, notes: dict[str, Any]) -> Verdict:
    """Compare what the simulator took with what our books say."""
    messages = {message.pk: message for message in Message.objects.filter(batch=arena.batch)}
    counts = _taken(arena, messages)
    doubts = arena.doubts()
    unconfirmed = [pk for pk, message in messages.items() if message.status == Status.UNCONFIRMED]
    return Verdict(
        trouble=trouble,
        blows=len(doubts),
        people=len(messages),
        received=sum(counts.values()),
        duplicates=sum(count > 1 for count in counts.values()),
        missing=sum(pk not in counts and not _excused(message) for pk, message in messages.items()),
        disowned=sum(_disowned(messages[pk]) for pk in counts),
        unconfirmed=len(unconfirmed),
        unconfirmed_but_received=sum(pk in counts for pk in unconfirmed),
        doubts=sum(doubts),
        max_doubt=max(doubts, default=0),
        doubt_within_bound=all(doubt <= bound for doubt, bound in zip(doubts, arena.bounds, strict=True)),
        crashed=sum(process.poll() is not None for process in arena.here.running),
        objections=arena.objections + _audit(arena.batch),
        notes=notes,
    )


def _taken(arena: Arena, ours: Iterable[int]) -> dict[int, int]:
    counts: dict[str, int] = arena.here.ask("received")["counts"]
    known = {references.read(reference): count for reference, count in counts.items()}
    return {pk: known[pk] for pk in ours if pk in known}


def _excused(message: Message) -> bool:
    """They got nothing, and the panel says so, or that nobody knows."""
    return message.status in {Status.FAILED, Status.OMITTED, Status.UNCONFIRMED}


def _disowned(message: Message) -> bool:
    refused = message.status == Status.FAILED and message.delivery == Delivery.NONE
    return refused or message.status in {Status.QUEUED, Status.OMITTED}


def _audit(batch: Batch) -> list[str]:
    try:
        assert_balanced(batch)
    except AssertionError as error:
        return [f"the books: {error}"]
    return []
