"""python -m bench.scale.model: what installations of several sizes need, simulated from the figures of `bench.scale`.

Reads var/bench/scale.json: what a message and a status cost is measured. The rest are the assumptions below. A peak day is
simulated second by second (how many workers until broadcasts end when their numbers' pace says?), the disks month by month.
"""

import heapq
import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from bench.scale.__main__ import RESULT

SIZES = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)  # messages a month

# Assumptions, all of them to be argued with.
BROADCAST = 1_284  # messages, on average; sizes are spread around it (log-normal, sigma 1.3)
SIGMA = 1.3
PACE = 80  # of a number, a second
PEAK_DAY = 3.0  # times an average day: the last Friday of November
HOURS = {
    9: 2,
    10: 6,
    11: 4,
    12: 3,
    13: 2,
    14: 1,
    15: 1,
    16: 2,
    17: 3,
    18: 4,
    19: 2,
    20: 1,
}  # when people press the button
FULL_HOUR = 0.3  # so many of an hour's broadcasts are planned for its first minute
STATUSES = 2.7  # sent, delivered and most of read, per message
BUSY = 0.7  # no worker and no database is planned beyond this share
IN_TIME = 1.1  # a broadcast is in time when it takes no longer than this times its own pace
MONTHS_KEPT = 13
ARRIVAL_BYTES = 900  # a kept status webhook with its index, compressed little: it is kept for ARRIVAL_DAYS
ARRIVAL_DAYS = 7
SERVER_CORES = 32  # of one large database server, with SERVER_GB of memory and SERVER_WAL bytes/s that its disks take
SERVER_GB = 256
SERVER_WAL = 200e6


@dataclass(frozen=True)
class Cost:
    """Measured: seconds of a core, bytes."""

    worker: float  # of a message, with its statuses
    postgres: float
    wal: float
    row: float
    row_indexes: float
    delete: float  # seconds to delete one row and to vacuum after it
    drop: float  # seconds to drop a month
    vacuum: float  # seconds per row of a vacuum of the whole table

    @property
    def worker_rate(self) -> float:
        """Messages a second that one worker (one core) sends, its share of the statuses read as well."""
        return BUSY / self.worker


@dataclass(frozen=True)
class Plan:
    """What one size needs on its peak day, and after MONTHS_KEPT."""

    messages: int
    peak: float  # messages a second, the busiest second as the numbers' pace would have it
    workers: int
    late: float  # share of broadcasts that were not in time, with so many workers
    database_cores: float  # in the busiest second
    wal: float  # bytes a second, then
    disk_gb: float
    hot_gb: float  # indexes that every message touches: plain, then by month
    hot_gb_by_month: float
    prune_hours: float  # of one month: by DELETE
    vacuum_hours: float  # of the plain table


def main() -> None:
    if not RESULT.exists():
        sys.exit(f"{RESULT} is not there: run python -m bench.scale first.")
    measured = cost({name: figure["value"] for name, figure in json.loads(RESULT.read_text()).items()})
    print(f"one worker: {measured.worker_rate:,.0f} msg/s planned; one server of {SERVER_CORES} cores: "
          f"{server_rate(measured):,.0f} msg/s with their statuses\n")  # fmt: skip
    print(table([plan(messages, measured) for messages in SIZES], measured))


def cost(figures: Mapping[str, float]) -> Cost:
    """Raises KeyError with the name of a figure that was not measured."""
    us = {part: figures[f"many.{part}_us"] for part in ("worker", "postgres")}  # at PACE: flushes are small
    status = {part: figures[f"rates.status.{part}_us"] for part in ("worker", "postgres")}
    rows, per_month = figures["partitions.rows"], figures["partitions.rows_of_a_month"]
    return Cost(
        worker=(us["worker"] + STATUSES * status["worker"]) / 1e6,
        postgres=(us["postgres"] + STATUSES * status["postgres"]) / 1e6,
        wal=figures["rates.1_worker.wal_bytes"] + STATUSES * figures["rates.status.wal_bytes"],
        row=figures["partitions.plain.bytes_per_row"],
        row_indexes=figures["partitions.plain.index_bytes_per_row"],
        delete=(figures["partitions.plain.prune_month_s"] + figures["partitions.plain.vacuum_after_prune_s"])
        / per_month,
        drop=figures["partitions.month.prune_month_s"],
        vacuum=figures["partitions.plain.vacuum_after_fill_s"] / rows,
    )


def server_rate(measured: Cost) -> float:
    """Messages a second that one database server carries: what ends first, cores or the disk of the log."""
    return min(SERVER_CORES * BUSY / measured.postgres, SERVER_WAL / measured.wal)


def plan(messages: int, measured: Cost, seed: int = 1) -> Plan:
    broadcasts = peak_day(messages, random.Random(seed))
    peak = max(load(broadcasts).values())
    workers = 1
    while (late := share_late(broadcasts, workers * measured.worker_rate)) > 0.01:
        workers += max(1, workers // 8)
    rate = min(peak, workers * measured.worker_rate)
    rows = messages * MONTHS_KEPT
    return Plan(
        messages=messages,
        peak=peak,
        workers=workers,
        late=late,
        database_cores=rate * measured.postgres,
        wal=rate * measured.wal,
        disk_gb=(rows * (measured.row + measured.row_indexes) + arrivals(messages)) / 1e9,
        hot_gb=rows * measured.row_indexes / 1e9,
        hot_gb_by_month=messages * measured.row_indexes / 1e9,
        prune_hours=messages * measured.delete / 3600,
        vacuum_hours=rows * measured.vacuum / 3600,
    )


def arrivals(messages: int) -> float:
    """Bytes."""
    return messages / 30 * ARRIVAL_DAYS * STATUSES * ARRIVAL_BYTES


def peak_day(messages: int, dice: random.Random) -> list[tuple[int, int]]:
    """(second of the day, messages) of each broadcast, in the order of their start."""
    left, day = messages / 30 * PEAK_DAY, []
    mean = BROADCAST / 2.718281828 ** (SIGMA**2 / 2)  # so that the average is BROADCAST
    while left > 0:
        size = max(1, round(mean * dice.lognormvariate(0, SIGMA)))
        [hour] = dice.choices(list(HOURS), list(HOURS.values()))
        second = dice.randrange(60) if dice.random() < FULL_HOUR else dice.randrange(3600)
        day.append((hour * 3600 + second, size))
        left -= size
    return sorted(day)


def load(broadcasts: list[tuple[int, int]]) -> dict[int, int]:
    """Messages of each second if nothing but the numbers' pace held them up."""
    edges: dict[int, int] = {}
    for start, size in broadcasts:
        edges[start] = edges.get(start, 0) + 1
        edges[start + ceil(size / PACE)] = edges.get(start + ceil(size / PACE), 0) - 1
    running, seconds = 0, {}
    for second in sorted(edges):
        running += edges[second]
        seconds[second] = running * PACE
    return seconds


def share_late(broadcasts: list[tuple[int, int]], capacity: float) -> float:
    """Of the broadcasts, when `capacity` messages a second are shared evenly among those that run.

    All that run have got the same since they run together: `level` is what one from the first second on would have got.
    """
    waiting, running = list(reversed(broadcasts)), list[tuple[float, int, int]]()
    late, second, level = 0, 0, 0.0
    while waiting or running:
        second = second if running else max(second, waiting[-1][0])
        while waiting and waiting[-1][0] <= second:
            start, size = waiting.pop()
            heapq.heappush(running, (level + size, start, size))
        level += min(PACE, capacity / len(running))
        second += 1
        while running and running[0][0] <= level:
            _level, start, size = heapq.heappop(running)
            late += second - start > size / PACE * IN_TIME + 2
    return late / len(broadcasts)


def table(plans: list[Plan], measured: Cost) -> str:
    rows = [["messages a month", *(f"{each.messages / 1e6:,.0f} M" for each in plans)], *_lines(plans, measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    return "\n".join([lines[0], _rule(widths), *lines[1:]])


def _rule(widths: list[int]) -> str:
    return "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def _lines(plans: list[Plan], measured: Cost) -> Iterator[list[str]]:
    yield ["busiest second, msg/s", *(f"{each.peak:,.0f}" for each in plans)]
    yield ["workers (a core each)", *(f"{each.workers:,}" for each in plans)]
    yield ["broadcasts that end late", *(f"{each.late:.1%}" for each in plans)]
    yield ["PostgreSQL, cores then", *(f"{each.database_cores:.1f}" for each in plans)]
    yield ["its log, MB/s then", *(f"{each.wal / 1e6:.1f}" for each in plans)]
    yield [f"disk for {MONTHS_KEPT} months, GB", *(f"{each.disk_gb:,.0f}" for each in plans)]
    yield ["indexes in use, one table, GB", *(f"{each.hot_gb:,.1f}" for each in plans)]
    yield ["indexes in use, by month, GB", *(f"{each.hot_gb_by_month:,.1f}" for each in plans)]
    yield ["pruning a month by DELETE, h", *(f"{each.prune_hours:,.2f}" for each in plans)]
    yield ["pruning by DROP, s", *(f"{measured.drop:.2f}" for _each in plans)]
    yield ["vacuum of the one table, h", *(f"{each.vacuum_hours:,.2f}" for each in plans)]
    yield ["database servers (Citus)", *(str(_servers(each, measured)) for each in plans)]


def _servers(each: Plan, measured: Cost) -> int:
    by_rate = ceil(min(each.peak, each.workers * measured.worker_rate) / server_rate(measured))
    return max(by_rate, ceil(each.hot_gb_by_month / (SERVER_GB / 2)))


if __name__ == "__main__":
    main()
