"""In: numbers with names. Out: SVG, as text to stand in a page: curves, bars with intervals, before and after. Pure.

Each has a title and a description that tells its numbers, for those who do not see it, and its numbers as text for
those who do. Ink is the page's own (currentColor) and follows it into the dark; series differ by dashes, not by colour
alone, and their colours are the page's --plot-1 … --plot-6 where it has them. What is no number leaves a gap. A long
curve is thinned to what can be seen, its peaks kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from zlib import crc32

from tuning.evaluation.sentences import number, say

Point = tuple[float, float]

COLOURS = ("#0f8a7e", "#c2620c", "#8a5fd0", "#2f7fc1", "#cf4d4d", "#768a12")  # 3:1 and more on light and on dark
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 4")
WIDTH, HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 28, 48, 44  # around what is drawn
_HEAD = 34  # of what has no axis upwards
_SEEN = 500  # points of a curve
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float
    low: float | None = None  # of the interval
    high: float | None = None
    tone: int = 0  # which of the colours: 0 for before, 1 for after


@dataclass(frozen=True, slots=True)
class Change:
    """One example."""

    before: float
    after: float
    name: str = ""  # shown where the mouse rests


def curves(
    title: str,
    series: Sequence[Series],
    *,
    across: str = "",
    up: str = "",
    language: str = "en",
    logarithmic: bool = False,
) -> str:
    """`across`, `up`: what the axes count. `logarithmic`: upwards, of numbers above 0."""
    drawn = [Series(one.name, [point for point in one.points if _drawable(point, logarithmic)]) for one in series]
    every = [point for one in drawn for point in one.points]
    described = " ".join(_described(one, language) for one in drawn if one.points)
    if not every:
        return _empty(title, language)
    legend = 18 * len(series) if len(series) > 1 else 0
    height = HEIGHT + legend
    x = _Scale.of([at for at, _ in every], _LEFT, WIDTH - _RIGHT)
    y = _Scale.of([to for _, to in every], HEIGHT - _BOTTOM, _TOP, logarithmic)
    inside = _axes(x, y, across, up, language)
    for at, one in enumerate(series):
        inside += _curve(one, at, x, y, logarithmic) + (_key(one.name, at, HEIGHT + 18 * at) if legend else "")
    return _svg(title, described, inside, height)


def bars(
    title: str, drawn: Sequence[Bar], *, language: str = "en", as_text: Callable[[float], str] | None = None
) -> str:
    """Lying ones, a line each, their numbers at the end. `as_text`: how a number is written; two decimals else."""
    shown = as_text or (lambda value: number(value, language))
    told = [bar for bar in drawn if math.isfinite(bar.value)]
    if not told:
        return _empty(title, language)
    ends = [
        end for bar in told for end in (0.0, bar.value, bar.low, bar.high) if end is not None and math.isfinite(end)
    ]
    scale = _Scale.of(ends, _LEFT + 110, WIDTH - 150, round_up=False)
    inside, top = "", float(_HEAD)
    for bar in told:
        inside += _bar(bar, top, scale, _told(bar, shown, language))
        top += 26
    zero = scale(0.0)
    inside += _line(zero, _HEAD - 4, zero, top, "opacity='.5'")
    described = " ".join(f"{bar.name}: {_told(bar, shown, language)}." for bar in told)
    return _svg(title, described, inside, int(top) + 12)


def scatter(
    title: str, changes: Sequence[Change], *, before: str = "", after: str = "", language: str = "en"
) -> str:  # fmt: skip
    """Each example at (before, after); above the dashed line it got higher."""
    told = [one for one in changes if math.isfinite(one.before) and math.isfinite(one.after)]
    if not told:
        return _empty(title, language)
    both = [value for one in told for value in (one.before, one.after)]
    x = _Scale.of(both, _LEFT, WIDTH - _RIGHT)
    y = _Scale.of(both, WIDTH - _BOTTOM, _TOP)
    low, high = x.low, x.high
    inside = _axes(x, y, before, after, language)
    inside += _line(x(low), y(low), x(high), y(high), "stroke-dasharray='5 5' opacity='.6'")
    for one in told:
        tip = f"{one.name}: {number(one.before, language)} → {number(one.after, language)}".removeprefix(": ")
        inside += (
            f"<circle cx='{x(one.before):.1f}' cy='{y(one.after):.1f}' r='4' {_ink(1, 'fill')} fill-opacity='.55'>"
        )
        inside += f"<title>{_text(tip)}</title></circle>"
    above, below = sum(one.after > one.before for one in told), sum(one.after < one.before for one in told)
    same = len(told) - above - below
    described = say("of_points", language, n=len(told), above=above, below=below, same=same)
    return _svg(title, described, inside, WIDTH)


# ── scales ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Scale:
    """From numbers to places; `ticks` are round numbers."""

    low: float
    high: float
    start: float  # the place of `low`
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    @classmethod
    def of(
        cls, values: Sequence[float], start: float, end: float, logarithmic: bool = False, round_up: bool = True
    ) -> _Scale:  # fmt: skip
        low, high = min(values), max(values)
        if logarithmic:
            ends = math.floor(math.log10(low)), math.ceil(math.log10(high))
            ends = ends if ends[0] < ends[1] else (ends[0], ends[0] + 1)
            every = range(ends[0], ends[1] + 1, max(1, (ends[1] - ends[0]) // _TICKS))
            return cls(10.0 ** ends[0], 10.0 ** ends[1], start, end, tuple(10.0**at for at in every), True)
        if low == high:
            low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0.0, 1.0)
        step = _round_step((high - low) / _TICKS)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = tuple(at * step for at in range(first, last + 1))
        return cls(ticks[0], ticks[-1], start, end, ticks) if round_up else cls(low, high, start, end, ticks)

    def __call__(self, value: float) -> float:
        low, high = (math.log10(self.low), math.log10(self.high)) if self.logarithmic else (self.low, self.high)
        at = math.log10(value) if self.logarithmic else value
        return self.start + (self.end - self.start) * (at - low) / (high - low)


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not under it."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(times * power for times in (1.0, 2.0, 5.0, 10.0) if times * power >= rough * (1 - 1e-9))


def _short(value: float, language: str) -> str:
    if value and abs(value) < 0.01:
        whole, power = f"{value:.2e}".split("e")
        return number(float(whole), language).rstrip("0").rstrip(".,") + f"e{int(power)}".replace("-", "−")
    for digits in (0, 1, 2):
        if math.isclose(round(value, digits), value, rel_tol=1e-6, abs_tol=1e-9):
            return number(value, language, digits)
    return number(value, language, 3)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _svg(title: str, described: str, inside: str, height: int) -> str:
    name = f"plot-{crc32((title + described).encode('utf-8', 'replace')):08x}"
    return (
        f"<svg class='plot' role='img' aria-labelledby='{name}-title {name}-about' viewBox='0 0 {WIDTH} {height}' "
        f"xmlns='http://www.w3.org/2000/svg' font-family='inherit' font-size='13' fill='currentColor' "
        f"style='width:100%;max-width:{WIDTH}px;height:auto;color:var(--ink,currentColor)'>"
        f"<title id='{name}-title'>{_text(title)}</title>"
        f"<desc id='{name}-about'>{_text(described)}</desc>"
        f"<text x='2' y='16' font-weight='600'>{_text(_cut(title, 64))}</text>{inside}</svg>"
    )


def _empty(title: str, language: str) -> str:
    sentence = say("no_numbers", language)
    return _svg(title, sentence, f"<text x='2' y='44' opacity='.75'>{_text(sentence)}</text>", 60)


def _axes(x: _Scale, y: _Scale, across: str, up: str, language: str) -> str:
    made = ""
    for tick in y.ticks:
        made += _line(x.start, y(tick), x.end, y(tick), "opacity='.15'")
        made += _tick(x.start - 6, y(tick) + 4, "end", _short(tick, language))
    for tick in x.ticks:
        made += _tick(x(tick), y.start + 17, "middle", _short(tick, language))
    made += _line(x.start, y.start, x.end, y.start, "opacity='.6'")
    made += f"<text x='{x.end:.1f}' y='{y.start + 35:.1f}' text-anchor='end'>{_text(_cut(across, 60))}</text>"
    return (
        made + f"<text x='{x.start:.1f}' y='{y.end - 5:.1f}' font-size='12' opacity='.75'>{_text(_cut(up, 60))}</text>"
    )


def _tick(x: float, y: float, anchor: str, text: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='12'>{text}</text>"


def _curve(one: Series, at: int, x: _Scale, y: _Scale, logarithmic: bool) -> str:
    made = ""
    for whole, run in groupby(one.points, key=lambda point: _drawable(point, logarithmic)):
        if not whole:
            continue
        points = list(_thinned(list(run)))
        if len(points) == 1:
            made += f"<circle cx='{x(points[0][0]):.1f}' cy='{y(points[0][1]):.1f}' r='3' {_ink(at, 'fill')}/>"
            continue
        places = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in points)
        dashes = f" stroke-dasharray='{_DASHES[at % len(_DASHES)]}'" if _DASHES[at % len(_DASHES)] else ""
        made += f"<polyline points='{places}' fill='none' {_ink(at, 'stroke')} stroke-width='2'{dashes}/>"
    return made


def _key(name: str, at: int, top: float) -> str:
    dashes = _DASHES[at % len(_DASHES)]
    line = f"stroke-dasharray='{dashes}' stroke-width='2' {_ink(at, 'stroke')}"
    return _line(_LEFT, top + 8, _LEFT + 34, top + 8, line) + (
        f"<text x='{_LEFT + 42}' y='{top + 12:.0f}'>{_text(_cut(name, 60))}</text>"
    )


def _bar(bar: Bar, top: float, scale: _Scale, text: str) -> str:
    ends = sorted((scale(0.0), scale(bar.value)))
    made = f"<text x='{_LEFT + 102}' y='{top + 14:.0f}' text-anchor='end'>{_text(_cut(bar.name, 20))}</text>"
    made += f"<rect x='{ends[0]:.1f}' y='{top + 2:.0f}' width='{max(ends[1] - ends[0], 1):.1f}' height='16' rx='2' "
    made += f"{_ink(bar.tone, 'fill')} fill-opacity='.8'><title>{_text(bar.name)}</title></rect>"
    if (between := _between(bar)) is not None:
        low, high = scale(between[0]), scale(between[1])
        made += _line(low, top + 10, high, top + 10, "stroke-width='1.5'")
        made += _line(low, top + 6, low, top + 14, "stroke-width='1.5'")
        made += _line(high, top + 6, high, top + 14, "stroke-width='1.5'")
    return made + f"<text x='{WIDTH - 2}' y='{top + 14:.0f}' text-anchor='end' font-size='12'>{_text(text)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, more: str = "") -> str:
    stroke = "" if "stroke:" in more else "stroke='currentColor' "
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' {stroke}{more}/>"


def _ink(at: int, what: str) -> str:
    which = at % len(COLOURS)
    return f"style='{what}:var(--plot-{which + 1},{COLOURS[which]})'"


# ── numbers and words ────────────────────────────────────────────────────────────────────────────────────────────────


def _drawable(point: Point, logarithmic: bool) -> bool:
    return all(map(math.isfinite, point)) and (not logarithmic or point[1] > 0)


def _thinned(points: Sequence[Point]) -> Iterator[Point]:
    """Of each stretch its first, lowest, highest and last."""
    if len(points) <= _SEEN:
        yield from points
        return
    size = math.ceil(4 * len(points) / _SEEN)
    for start in range(0, len(points), size):
        part = range(start, min(start + size, len(points)))
        kept = {part[0], part[-1], min(part, key=lambda at: points[at][1]), max(part, key=lambda at: points[at][1])}
        yield from (points[at] for at in sorted(kept))


def _described(one: Series, language: str) -> str:
    first, last = one.points[0], one.points[-1]
    low, high = (pick(one.points, key=lambda point: point[1]) for pick in (min, max))
    places = {"start": first[0], "end": last[0], "low_at": low[0], "high_at": high[0]}
    values = {"first": first[1], "last": last[1], "low": low[1], "high": high[1]}
    told = {name: _short(value, language) for name, value in places.items()}
    told |= {name: number(value, language, 3) for name, value in values.items()}
    return say("of_curve", language, name=one.name, **told)


def _between(bar: Bar) -> tuple[float, float] | None:
    if bar.low is None or bar.high is None or not (math.isfinite(bar.low) and math.isfinite(bar.high)):
        return None
    return bar.low, bar.high


def _told(bar: Bar, shown: Callable[[float], str], language: str) -> str:
    if (between := _between(bar)) is None:
        return shown(bar.value)
    low, high = map(shown, between)
    return say("between", language, value=shown(bar.value), low=low, high=high)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _text(text: str) -> str:
    """Fit for XML: what is no character there is left out, half a character becomes a mark."""
    kept = "".join(character for character in text if character >= " " or character in "\n\t")
    return escape(kept.encode("utf-8", "replace").decode(), quote=True)
