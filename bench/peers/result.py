"""What one run of a peer gives, and all of them as a table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """What came of one run. `twice`: arrived beyond the first time."""

    name: str
    latency_ms: int
    messages: int
    arrived: int
    twice: int
    per_second: float


def table(rows: Sequence[Row]) -> str:
    lines = [f"{'':40}{'latency':>8}{'messages':>10}{'arrived':>9}{'twice':>7}{'per second':>12}"]
    lines += [
        f"{r.name:40}{r.latency_ms:>5} ms{r.messages:>10,}{r.arrived:>9,}{r.twice:>7}{r.per_second:>12,.0f}"
        for r in rows
    ]
    return "\n".join(lines)


def keep(rows: Sequence[Row], versions: Mapping[str, str], path: Path) -> None:
    """Those of earlier runs stay, unless the same was run again."""
    known = json.loads(path.read_text())["rows"] if path.exists() else []
    latest = {(row["name"], row["latency_ms"]): row for row in [*known, *map(asdict, rows)]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"versions": versions, "rows": list(latest.values())}, indent=1) + "\n")
