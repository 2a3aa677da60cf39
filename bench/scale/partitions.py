"""A year of messages in one table, and in a table per month: what each costs to fill, to settle, to keep and to prune.

Three shapes, side by side in tables of their own, with the columns and indexes of `sending_message`:
`plain` as it is; `month`, partitioned by `created_at`; `ids`, partitioned by ranges of the id that change with the month,
so that whoever knows an id (the pump, a webhook) touches one partition without knowing the month.
"""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import orjson
import psutil
from django.db import connection

from bench.figures import Figure
from bench.scale.debian import Server
from pregon.sending import outbox

MONTHS = 12
PER_MONTH = 500_000
SETTLED = 100_000  # of the newest month
FLUSH = 500  # messages of one settling statement
SHAPES = ("plain", "month", "ids")
KEYS = {
    "plain": ("id", "batch_id, position"),
    "month": ("id, created_at", "batch_id, position, created_at"),
    "ids": ("id", "batch_id, position, id"),
}
FILL = """
INSERT INTO trial (id, account_id, batch_id, position, contact_id, name, mobile, meta_user_id, "values", status, omission,
    delivery, charged, attempts, error_details, trace_id, created_at)
SELECT n, 1, n / 10000, n %% 10000, n %% 200000, 'María Fernanda ' || n %% 200000, '+5255' || lpad((n %% 200000)::text, 8, '0'),
    '', ARRAY['María Fernanda ' || n %% 200000], %(status)s, '', 0, false, 0, '', '', %(at)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
SIZES = """
SELECT sum(pg_table_size(relid)), sum(pg_indexes_size(relid)), coalesce(sum(n_tup_hot_upd) / nullif(sum(n_tup_upd), 0), 0)
FROM pg_stat_user_tables WHERE schemaname = 'scale' AND relname LIKE 'trial%'
"""


def measure(_server: Server, _home: Path, _host: str) -> list[Figure]:
    figures = [
        Figure("partitions.rows", MONTHS * PER_MONTH, "rows"),
        Figure("partitions.rows_of_a_month", PER_MONTH, "rows"),
    ]
    for shape in SHAPES:
        print(f"  {shape}", flush=True)
        run("CREATE SCHEMA scale")
        run("SET search_path = scale, public")
        _create(shape)
        figures += [Figure(f"partitions.{shape}.{name}", value, unit) for name, value, unit in _measure(shape)]
        run("DROP SCHEMA scale CASCADE")
    return figures


def _create(shape: str) -> None:
    key, position = KEYS[shape]
    by = {"plain": "", "month": "PARTITION BY RANGE (created_at)", "ids": "PARTITION BY RANGE (id)"}[shape]
    run(f"CREATE TABLE trial (LIKE public.sending_message INCLUDING DEFAULTS) {by}")
    if shape == "plain":
        run("ALTER TABLE trial SET (fillfactor = 70, autovacuum_enabled = off)")
    else:
        for month in range(MONTHS):
            bounds = f"FOR VALUES FROM ({_bound(shape, month)}) TO ({_bound(shape, month + 1)})"
            run(
                f"CREATE TABLE trial_{month} PARTITION OF trial {bounds} WITH (fillfactor = 70, autovacuum_enabled = off)"
            )
    run(f"ALTER TABLE trial ADD PRIMARY KEY ({key})")
    run(f"CREATE UNIQUE INDEX ON trial ({position})")
    run("CREATE INDEX ON trial (contact_id, created_at DESC)")
    run("CREATE TABLE wamid_trial (LIKE public.sending_wamid INCLUDING ALL)")


def _bound(shape: str, month: int) -> str:
    return f"'{_at(month)}'" if shape == "month" else str(month * PER_MONTH)


def _at(month: int) -> str:
    return f"{2026 + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z"


def _measure(shape: str) -> Iterator[tuple[str, float, str]]:
    fills = [_fill(month) for month in range(MONTHS)]
    yield "first_month_rows_per_core_s", round(PER_MONTH / fills[0]), "rows per core-second"
    yield "last_month_rows_per_core_s", round(PER_MONTH / fills[-1]), "rows per core-second"
    yield "vacuum_after_fill_s", _seconds("VACUUM ANALYZE trial"), "s"
    yield "settled_per_core_s", round(SETTLED / _settle("")), "rows per core-second"
    if shape == "month":  # whoever settles would have to know it
        yield (
            "settled_per_core_s_month_known",
            round(SETTLED / _settle(f"AND m.created_at = '{_at(MONTHS - 1)}'")),
            "rows per core-second",
        )
    yield "vacuum_after_settling_s", _seconds("VACUUM trial"), "s"
    run("SELECT pg_stat_force_next_flush()")
    table, indexes, hot = one(SIZES)
    yield "bytes_per_row", round(table / MONTHS / PER_MONTH, 1), "bytes"
    yield "index_bytes_per_row", round(indexes / MONTHS / PER_MONTH, 1), "bytes"
    yield "hot_updates", round(hot, 3), "of all"
    yield "newest_indexes_mb", _newest_indexes(shape), "MB"
    yield from _prune(shape)


def _fill(month: int) -> float:
    """Seconds of a core."""
    newest = month == MONTHS - 1
    first = month * PER_MONTH
    values = {
        "status": "queued" if newest else "accepted",
        "at": _at(month),
        "first": first,
        "last": first + PER_MONTH - 1,
    }
    started = _core()
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
    return _core() - started


def _settle(condition: str) -> float:
    """Seconds of a core, with the product's own statement; each call settles the next ones of the newest month."""
    statement = outbox.SETTLE.replace("sending_message", "trial").replace("sending_wamid", "wamid_trial")
    statement = statement.replace("m.id = r.id", f"m.id = r.id {condition}")
    [first] = one("SELECT min(id) FROM trial WHERE status = 'queued' AND id >= %s", [(MONTHS - 1) * PER_MONTH])
    started = _core()
    with connection.cursor() as cursor:
        for begin in range(first, first + SETTLED, FLUSH):
            results = [
                {"id": n, "wamid": f"wamid.HBgNNTIxNTUwMDAwMDAwMFUCABEYEjQ{n}"} for n in range(begin, begin + FLUSH)
            ]
            cursor.execute(statement, [orjson.dumps(results).decode()])
    seconds = _core() - started
    settled = one("SELECT count(*) FROM trial WHERE status = 'accepted' AND id >= %s", [(MONTHS - 1) * PER_MONTH])[0]
    assert settled % SETTLED == 0 and settled > 0, settled
    return seconds


def _core() -> float:
    """Seconds of a core that this session of PostgreSQL has used: what else runs on the machine does not count."""
    times = psutil.Process(int(one("SELECT pg_backend_pid()")[0])).cpu_times()
    return times.user + times.system


def _newest_indexes(shape: str) -> float:
    """What must stay in memory for sending to be fast."""
    table = "trial" if shape == "plain" else f"trial_{MONTHS - 1}"
    return round(one(f"SELECT pg_indexes_size('{table}')")[0] / 2**20, 1)


def _prune(shape: str) -> Iterator[tuple[str, float, str]]:
    """The oldest month goes: row by row, or its table at once."""
    statement = f"DELETE FROM trial WHERE id < {PER_MONTH}" if shape == "plain" else "DROP TABLE trial_0"
    before = one("SELECT pg_current_wal_insert_lsn()")[0]
    yield "prune_month_s", _seconds(statement), "s"
    yield (
        "prune_month_wal_mb",
        round(one("SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", [before])[0] / 2**20, 1),
        "MB",
    )
    yield "vacuum_after_prune_s", _seconds("VACUUM trial"), "s"


def _seconds(statement: str) -> float:
    started = time.perf_counter()
    run(statement)
    return round(time.perf_counter() - started, 3)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def one(statement: str, values: list[object] | None = None) -> tuple[float, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return tuple(float(value) if isinstance(value, Decimal) else value for value in cursor.fetchone())
