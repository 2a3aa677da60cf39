"""Where the shapes go: pure geometry for bars, the meter and the chart.

Widths are SVG attributes («57.40%»), for the CSP refuses `style`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise

LEAST = 1.6  # % of the bar: a segment above zero is always seen, so that no failure disappears

PATTERN_CLASS = {
    "accepted": "f-acc",
    "failed": "f-fai",
    "omitted": "f-omi",
    "waiting": "f-wai",
    "soft": "f-soft",
    "queued": "f-soft",
}
PATTERN_ICON = {
    "accepted": "circle-check",
    "failed": "circle-x",
    "omitted": "circle-minus",
    "waiting": "clock-question",
    "queued": "hourglass",
}


@dataclass(frozen=True)
class Part:
    """One figure of a sum. `pattern` is a key of PATTERN_CLASS, or empty: no key, no segment."""

    figure: int
    label: str | Promise
    pattern: str = ""
    caption: str | Promise = ""
    url: str = ""

    @property
    def fill(self) -> str:
        return PATTERN_CLASS.get(self.pattern, "")

    @property
    def icon(self) -> str:
        return PATTERN_ICON.get(self.pattern, "")


class SumDoesNotClose(ValueError):
    """Parts that do not add up to their total: the page would lie. Read all figures in one query."""


def parts_of(raw: Sequence[object]) -> list[Part]:
    """Parts, or tuples in the order of Part's fields."""
    return [item if isinstance(item, Part) else Part(*item) for item in raw]  # type: ignore[misc]


def closed(parts: Sequence[Part], total: int) -> Sequence[Part]:
    """The same parts, once they add up to the total.

    Raises:
        SumDoesNotClose: they do not.
    """
    if (found := sum(part.figure for part in parts)) != total:
        raise SumDoesNotClose(f"{' + '.join(str(part.figure) for part in parts)} = {found}, not {total}")
    return parts


def shares(figures: Sequence[int], whole: int) -> list[float]:
    """Percentages of the whole; each above zero at least LEAST, paid for by the larger ones in proportion."""
    if whole <= 0:
        return [0.0 for _ in figures]
    rest = max(whole - sum(figures), 0)
    exact = [100 * figure / whole for figure in [*figures, rest]]
    return raised(exact, set())[: len(figures)]


def raised(exact: Sequence[float], small: set[int]) -> list[float]:
    """The shares with those of `small` at LEAST; what shrinks under it for that is raised as well."""
    large = sum(share for at, share in enumerate(exact) if at not in small)
    scale = (100 - LEAST * len(small)) / large if large else 1.0
    fair = [LEAST if at in small else share * scale for at, share in enumerate(exact)]
    under = {at for at, share in enumerate(fair) if 0 < share < LEAST}
    return raised(exact, small | under) if under else fair


def percentage(share: float) -> str:
    return f"{share:.2f}%"


def segments(parts: Sequence[Part], whole: int) -> list[dict[str, str]]:
    """`x`, `width` and `fill` of each segment above zero; a part without a pattern leaves its room to the track."""
    drawn, x = [], 0.0
    for part, share in zip(parts, shares([part.figure for part in parts], whole), strict=True):
        if share and part.fill:
            drawn.append({"x": percentage(x), "width": percentage(share), "fill": part.fill})
        x += share
    return drawn


@dataclass(frozen=True)
class Meter:
    """The quota against the days of its period."""

    day: int
    days: int
    used: str
    reserved_at: str
    reserved: str
    today: str
    label_before: bool  # the words stand left of the pin once there is no room at its right


def meter(used: int, reserved: int, limit: int, period: tuple[date, date], today: date) -> Meter:
    """`period` is its first and last day, both included."""
    first, last = period
    days = max((last - first).days + 1, 1)
    day = min(max((today - first).days + 1, 1), days)
    used_share, reserved_share = shares([used, reserved], max(limit, used + reserved))
    at = 100 * day / days
    return Meter(
        day=day,
        days=days,
        used=percentage(used_share),
        reserved_at=percentage(used_share),
        reserved=percentage(reserved_share),
        today=percentage(at),
        label_before=at > 55,
    )


@dataclass(frozen=True)
class Line:
    """One line of the chart: `points` are (x between 0 and 1, figure), sorted."""

    label: str | Promise
    points: Sequence[tuple[float, int]]

    @property
    def last(self) -> int:
        return self.points[-1][1] if self.points else 0


@dataclass(frozen=True)
class Canvas:
    width: int
    left: int = 36
    room: int = 104  # for the words at the end of each line
    top: int = 22
    bottom: int = 220

    @property
    def right(self) -> int:
        return self.width - self.room


def round_up(figure: int) -> int:
    """The next friendly top of a scale that three whole steps divide: 412 → 450."""
    power = 1
    while True:
        for step in (1, 2, 5, 10, 15, 20, 25):
            if figure <= 3 * step * power:
                return 3 * step * power
        power *= 10


def height_of(figure: int, top: int, canvas: Canvas) -> float:
    return canvas.bottom - figure / top * (canvas.bottom - canvas.top)


def across(x: float, canvas: Canvas) -> float:
    return canvas.left + x * (canvas.right - canvas.left)


def polyline(line: Line, top: int, canvas: Canvas) -> str:
    """SVG points, one decimal, whatever the locale."""
    points = ((across(x, canvas), height_of(figure, top, canvas)) for x, figure in line.points)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def label_heights(lines: Sequence[Line], top: int, canvas: Canvas) -> list[str]:
    """Where the words of each line go: beside its end, at least 16 px from one another."""
    wanted = [height_of(line.last, top, canvas) + 4 for line in lines]
    placed: dict[int, float] = {}
    lowest = canvas.bottom + 4.0 + 16
    for index in sorted(range(len(wanted)), key=lambda i: -wanted[i]):
        lowest = min(wanted[index], lowest - 16)
        placed[index] = lowest
    return [f"{placed[index]:.1f}" for index in range(len(wanted))]


def chart(lines: Sequence[Line], marks: Sequence[tuple[float, str]], top: int, canvas: Canvas) -> dict[str, object]:
    """All that components/chart_drawing.html draws at one width, as SVG attributes already written."""
    shown = [polyline(line, top, canvas) for line in lines]
    drawn = zip(lines, shown, label_heights(lines, top, canvas), strict=True)
    steps = [top * n // 3 for n in range(4)]
    anchors = ("start", *("middle" for _ in marks[1:-1]), "end")[: len(marks)]
    floor = f"{canvas.right},{canvas.bottom} {canvas.left},{canvas.bottom}"
    return {
        "canvas": {"width": canvas.width, "left": canvas.left, "right": canvas.right, "text": canvas.right + 8},
        "grid": [(f"{(y := height_of(step, top, canvas)):.1f}", f"{y + 4:.1f}", step) for step in steps],
        "area": f"M{shown[0]} {floor}z" if shown and shown[0] else "",
        "lines": [{"line": line, "points": points, "y": y, "order": n} for n, (line, points, y) in enumerate(drawn, 1)],
        "marks": [
            (f"{across(x, canvas):.1f}", anchor, words) for (x, words), anchor in zip(marks, anchors, strict=True)
        ],
    }
