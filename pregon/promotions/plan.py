"""When a broadcast would leave: how many people on which day, and when the last of them.

Played forward as the pumps do it: the broadcasts of a number take turns at its pace, all numbers of a Meta business share its
people of the day, those of yesterday come free minute by minute, and promotions rest in quiet hours. What is on its way or
scheduled goes along; what is paused does not. A stretch in which nothing changes is one step, however many leave in it.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db.models import Q

from pregon.accounts.models import Account
from pregon.promotions import quiet
from pregon.promotions.models import Broadcast
from pregon.sending import reach
from pregon.sending.models import Batch
from pregon.whatsapp.models import Number

FARTHEST = 366 * 86_400.0  # seconds: nobody plans beyond
COMING = (Broadcast.Status.SCHEDULED, Broadcast.Status.LAUNCHING)
DUST = 1e-6  # of a person or a second: what arithmetic leaves over


@dataclass
class Day:
    """Who gets it on a day of the business's own calendar; the first and the last of them at these hours."""

    day: date
    people: int
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Plan:
    """`days` are those on which somebody gets it; with `beyond` they add up to the people."""

    days: tuple[Day, ...]
    starts: datetime
    finishes: datetime
    limit: int | None = None  # Meta's people of a day, where some have to wait for it
    beyond: int = 0  # whom it does not reach within a year


@dataclass(frozen=True)
class Crowd:
    """People of one broadcast. Meta counts neither those whom its business reached today already nor those who wrote to it."""

    people: int
    again: int = 0
    wrote: int = 0

    @property
    def fresh_share(self) -> float:
        return (self.people - self.again - self.wrote) / self.people if self.people else 1.0

    @property
    def again_share(self) -> float:
        return self.again / self.people if self.people else 0.0


@dataclass(eq=False)
class Load:
    """What waits to leave through a number. Times are seconds since 1970."""

    account: Account
    number: Number
    crowd: Crowd
    starts: float
    awake_until: float = 0.0  # someone sends it in spite of the quiet hours until then
    goes: bool = False
    changes: float = 0.0  # `goes` holds until then

    def __post_init__(self) -> None:
        self.people = float(self.crowd.people)

    def look(self, at: float) -> None:
        """Whether its hour lets it leave."""
        if at >= self.changes:
            self.goes, self.changes = self._turn(at)

    def _turn(self, at: float) -> tuple[bool, float]:
        if at < self.starts:
            return False, self.starts
        if at < self.awake_until:
            return True, self.awake_until
        night = None if self.number.practice else quiet.span(self.account, _moment(at))
        if night is None:
            return True, math.inf
        begins, ends = night.start.timestamp(), night.end.timestamp()
        return (True, begins) if at < begins else (False, ends)


class Room:
    """How many more people the Meta business may write to; `leaving` are those of the day, the first to leave it first."""

    def __init__(self, limit: int | None, leaving: Iterable[tuple[float, float]] = ()) -> None:
        self.limit = limit
        self.leaving = deque(leaving)
        self.left = math.inf if limit is None else limit - sum(people for _when, people in self.leaving)

    def look(self, at: float) -> None:
        while self.leaving and self.leaving[0][0] <= at + DUST:
            self.left += self.leaving.popleft()[1]

    def changes(self, at: float, *, taking: bool) -> float:
        """Until when what is left stays as it is, but for those who are taken now: they are kept by the minute."""
        if self.limit is None:
            return math.inf
        return min(_next_minute(at) if taking else math.inf, self.leaving[0][0] if self.leaving else math.inf)

    def take(self, at: float, fresh: float, again: float) -> None:
        """So many were written to: new ones, and some of those who were about to leave the day."""
        if self.limit is None:
            return
        self.left -= fresh
        when, moved = _next_minute(at) - 60 + reach.SPAN.total_seconds(), 0.0
        while self.leaving and again - moved > DUST and self.leaving[0][0] < when:
            first, people = self.leaving.popleft()
            share = min(people, again - moved)
            moved += share
            if people > share:
                self.leaving.appendleft((first, people - share))
        self.leaving.append((when, fresh + moved))


def of(broadcast: Broadcast, number: Number, crowd: Crowd, now: datetime, *, batch: Batch | None = None) -> Plan:
    """As if it were launched through that number now, or at its hour. `batch` is its own, once it has one."""
    starts = max(now, broadcast.scheduled_for or now)
    own = Load(broadcast.account, number, crowd, starts.timestamp(), _waived(broadcast))
    limit = number.portfolio.daily_limit
    leaving = [] if limit is None else reach.minutes(number.portfolio_id, now)
    room = Room(limit, [(when.timestamp(), people) for when, people in leaving])
    return play([own, *_running(number, now, batch), *_scheduled(broadcast, number)], room, now)


def remaining(batch: Batch) -> Crowd:
    """Those who still wait. Whom a pump took in hand is counted already, whatever became of the message."""
    untouched = batch.queue_size - batch.cursor
    return Crowd(batch.queued, again=max(0, batch.queued - untouched))


def _beside(number: Number) -> Q:
    """Numbers whose broadcasts keep this one waiting."""
    same = Q(number=number)
    return same if number.portfolio.daily_limit is None else same | Q(number__portfolio=number.portfolio_id)


def _running(number: Number, now: datetime, but: Batch | None) -> list[Load]:
    rows = Batch.objects.filter(_beside(number), status=Batch.Status.RUNNING, queued__gt=0, broadcast__isnull=False)
    found = rows.exclude(pk=but.pk if but else 0).select_related("account", "number", "broadcast")
    return [
        Load(batch.account, batch.number, remaining(batch), now.timestamp(), _waived(batch.broadcast))
        for batch in found.order_by("pk")
    ]


def _scheduled(broadcast: Broadcast, number: Number) -> list[Load]:
    """Also those that are being launched."""
    rows = Broadcast.objects.filter(_beside(number), status__in=COMING, approved_count__gt=0).exclude(pk=broadcast.pk)
    return [
        Load(
            one.account,
            one.number,
            Crowd(one.approved_count),
            one.scheduled_for.timestamp() if one.scheduled_for else 0,
        )
        for one in rows.select_related("account", "number").order_by("pk")
        if one.number and one.approved_count
    ]


def _waived(broadcast: Broadcast) -> float:
    return broadcast.quiet_waived_until.timestamp() if broadcast.quiet_waived_until else 0.0


@dataclass
class Diary:
    """What became of the first load, as it is played."""

    account: Account
    days: list[Day] = field(default_factory=list)
    people: float = 0.0
    written: int = 0

    def note(self, at: float, seconds: float, people: float) -> None:
        """Whole people, by the day: what a step leaves of one is the next step's."""
        self.people += people
        whole = math.floor(self.people + DUST) - self.written
        if whole == 0:
            return
        self.written += whole
        starts, ends = _moment(at), _moment(at + seconds)
        day = starts.astimezone(self.account.zone).date()
        if self.days and self.days[-1].day == day:
            self.days[-1].people += whole
            self.days[-1].ends = ends
        else:
            self.days.append(Day(day, whole, starts, ends))


def play(loads: Sequence[Load], room: Room, now: datetime) -> Plan:
    """Everything forward until the first load has left."""
    own, begin = loads[0], now.timestamp()
    diary, at, waited = Diary(own.account), begin, False
    while own.people > DUST and at < begin + FARTHEST:
        room.look(at)
        waiting = [load for load in loads if load.people > DUST]
        for load in waiting:
            load.look(at)
        today = at < begin + reach.SPAN.total_seconds()
        going = [load for load in waiting if load.goes and (room.left > DUST or not _fresh(load, today))]
        waited |= own.goes and own not in going
        changes = min(
            room.changes(at, taking=bool(going)), _midnight(at, own.account), *(load.changes for load in waiting)
        )
        seconds = _step(going, room, changes - at, today)
        for load, people in _leaving(going, seconds):
            load.people -= people
            room.take(at, people * _fresh(load, today), people * load.crowd.again_share if today else 0.0)
            if load is own:
                diary.note(at, seconds, people)
        at += seconds
    return Plan(
        days=tuple(diary.days),
        starts=diary.days[0].starts if diary.days else now,
        finishes=diary.days[-1].ends if diary.days else now,
        limit=room.limit if waited else None,
        beyond=own.crowd.people - diary.written,
    )


def _step(going: Sequence[Load], room: Room, longest: float, today: bool) -> float:
    """Seconds until somebody has left altogether, the business's people are used up, or something else changes."""
    rates = _rates(going)
    fresh = sum(rate * _fresh(load, today) for load, rate in rates)
    return min([longest, *(load.people / rate for load, rate in rates), room.left / fresh if fresh else math.inf])


def _leaving(going: Sequence[Load], seconds: float) -> list[tuple[Load, float]]:
    return [(load, min(load.people, rate * seconds)) for load, rate in _rates(going)]


def _rates(going: Sequence[Load]) -> list[tuple[Load, float]]:
    """People a second: a number's broadcasts take turns."""
    beside = Counter(load.number.pk for load in going)
    return [(load, load.number.mps / beside[load.number.pk]) for load in going]


def _fresh(load: Load, today: bool) -> float:
    """The share of its people that Meta counts; in a day nobody will be of this one any more."""
    return load.crowd.fresh_share if today else 1.0


def _next_minute(at: float) -> float:
    return (math.floor(at / 60 + DUST) + 1) * 60.0


def _midnight(at: float, account: Account) -> float:
    tomorrow = _moment(at + DUST).astimezone(account.zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=account.zone).timestamp()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
