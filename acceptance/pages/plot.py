"""Plots as SVG inside a page: lines over steps, and how often values occur. Colours are the stylesheet's, so they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from acceptance.pages.plain_text import cleaned

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 30, 46
_COLOURS = ("one", "two", "three")
_MOST_POINTS = 600
_MOST_BINS = 30
_NEAR = 40
_BAR = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points (x, y) in order of x; those that are not finite are left out. `dots` marks each point."""

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Points (x, y) of one colour: a name of the stylesheet's (`one`, `two`, `three`, `good`, `bad`, `warn`)."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]


def lines(drawn: Sequence[Line], *, title: str, x: str, y: str) -> Markup:
    """An SVG with up to three lines, or an empty text if there is no point; `x` and `y` name the axes."""
    found = [
        (line, _thinned([one for one in line.points if math.isfinite(one[0]) and math.isfinite(one[1])]))
        for line in drawn
    ]
    found = [(line, points) for line, points in found if points]
    if not found:
        return Markup("")
    every = [point for _, points in found for point in points]
    frame = _Frame.around([one for one, _ in every], [one for _, one in every])
    parts = [frame.axes(x, y)]
    for colour, (line, points) in zip(_COLOURS, found, strict=False):
        placed = [(frame.x(one), frame.y(other)) for one, other in points]
        parts.append(
            f'<polyline class="{colour}" points="{" ".join(f"{left:.1f},{top:.1f}" for left, top in placed)}"/>'
        )
        if line.dots or len(placed) == 1:
            parts += [f'<circle class="{colour}" cx="{left:.1f}" cy="{top:.1f}" r="3"/>' for left, top in placed]
    return _svg(title, [_legend(list(zip([line.name for line, _ in found], _COLOURS, strict=False))), *parts])


def histogram(values: Iterable[float | None], *, title: str, x: str, limit: float | None = None) -> Markup:
    """An SVG of how often values occur, with a dashed line at `limit`, or an empty text if there is no value."""
    found = [value for value in values if value is not None and math.isfinite(value)]
    if not found:
        return Markup("")
    low, high = min(found), max(found)
    bins = min(max(round(2 * math.sqrt(len(found))), 5), _MOST_BINS)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in found:
        counts[min(int((value - low) / width), bins - 1)] += 1
    reach = [low, low + bins * width, *([] if limit is None else [limit])]
    frame = _Frame.around(reach, [0, max(counts)])
    parts = [frame.axes(x, "clips")]
    for number, count in enumerate(counts):
        left, right = frame.x(low + number * width), frame.x(low + (number + 1) * width)
        top = frame.y(count)
        if count:
            parts.append(
                f'<rect class="one" x="{left:.1f}" y="{top:.1f}" width="{max(right - left - 1, 1):.1f}" '
                f'height="{frame.y(0) - top:.1f}"/>'
            )
    if limit is not None:
        place = frame.x(limit)
        # Beside the ends of the picture the text goes to its middle: else it is cut.
        anchor = "start" if place < _LEFT + _NEAR else "end" if place > WIDTH - _RIGHT - _NEAR else "middle"
        parts.append(
            f'<path class="limit" d="M{place:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>'
            f'<text x="{place:.1f}" y="{_TOP - 8}" text-anchor="{anchor}">limit {limit:g}</text>'
        )
    return _svg(title, parts)


def scatter(groups: Sequence[Group], *, title: str, x: str, y: str) -> Markup:
    """An SVG with a dot for each point of up to three groups, or an empty text if there is no point. Dots on one place are drawn once."""
    found = [
        (group, [one for one in group.points if math.isfinite(one[0]) and math.isfinite(one[1])]) for group in groups
    ]
    found = [(group, points) for group, points in found if points]
    if not found:
        return Markup("")
    every = [point for _, points in found for point in points]
    frame = _Frame.around([one for one, _ in every], [one for _, one in every])
    parts = [_legend([(f"{group.name} ({len(points)})", group.colour) for group, points in found]), frame.axes(x, y)]
    for group, points in found:
        places = sorted({(round(frame.x(one)), round(frame.y(other))) for one, other in points})
        # A line of no length with round ends is a dot: a tenth of the bytes of a circle.
        drawn = "".join(f"M{left} {top}h0" for left, top in places)
        parts.append(f'<path class="dots {group.colour}" d="{drawn}"/>')
    return _svg(title, parts)


def shares(groups: Sequence[tuple[str, int, str]], *, title: str) -> Markup:
    """A bar that (name, count, colour) divide among themselves, or an empty text if they are nothing."""
    total = sum(count for _, count, _ in groups)
    if not total:
        return Markup("")
    parts, left = [], 0.0
    for name, count, colour in groups:
        width = count / total * WIDTH
        if count:
            parts.append(
                f'<rect class="{colour}" x="{left:.1f}" y="0" width="{max(width - 2, 1):.1f}" height="{_BAR}">'
                f"<title>{_escaped(name)}: {count}</title></rect>"
            )
        left += width
    return Markup(
        f'<svg class="shares" viewBox="0 0 {WIDTH} {_BAR}" preserveAspectRatio="none" role="img" aria-label="{_escaped(title)}">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plotted range and where it lies in the picture."""

    xs: list[float]
    ys: list[float]
    """Places of the marks of both axes; the first and the last are the ends."""

    @classmethod
    def around(cls, xs: Sequence[float], ys: Sequence[float]) -> _Frame:
        return cls(_marks(min(xs), max(xs), 8), _marks(min(ys), max(ys), 5))

    def x(self, value: float) -> float:
        return _LEFT + (value - self.xs[0]) / (self.xs[-1] - self.xs[0]) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self.ys[0]) / (self.ys[-1] - self.ys[0]) * (HEIGHT - _TOP - _BOTTOM)

    def axes(self, x: str, y: str) -> str:
        """Grid, numbers and names."""
        bottom = HEIGHT - _BOTTOM
        across = "".join(
            f'<path class="grid" d="M{_LEFT} {self.y(one):.1f}H{WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 8}" y="{self.y(one) + 4:.1f}" text-anchor="end">{one:g}</text>'
            for one in self.ys
        )
        along = "".join(
            f'<text x="{self.x(one):.1f}" y="{bottom + 18}" text-anchor="middle">{one:g}</text>' for one in self.xs
        )
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        names = (
            f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{_escaped(x)}</text>'
            f'<text transform="translate(14 {(_TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">{_escaped(y)}</text>'
        )
        return f'{across}{along}<path class="axis" d="M{_LEFT} {bottom}H{WIDTH - _RIGHT}"/>{names}'


def _marks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, about `most` of them."""
    size = max(abs(low), abs(high))
    if high - low <= max(size * 1e-9, 1e-12):  # one value: room on both sides
        low, high = low - (size or 1.0) / 2, high + (size or 1.0) / 2
        if high - low < 1e-12:
            low, high = -0.5, 0.5
    rough = (high - low) / most
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most some hundred points, the last among them: more cannot be seen."""
    step = -(-len(points) // _MOST_POINTS)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _legend(names: Sequence[tuple[str, str]]) -> str:
    """Each (name, colour) beside a piece of its colour."""
    parts, left = [], float(_LEFT)
    for name, colour in names:
        parts.append(
            f'<rect class="{colour}" x="{left:.0f}" y="8" width="14" height="4"/>'
            f'<text class="{colour}" x="{left + 19:.0f}" y="14">{_escaped(name)}</text>'
        )
        left += 40 + 6.5 * len(name)
    return "".join(parts)


def _svg(title: str, parts: Sequence[str]) -> Markup:
    # Everything that comes from outside went through _escaped; the rest are numbers.
    return Markup(
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_escaped(title)}">'
        f"<title>{_escaped(title)}</title>{''.join(parts)}</svg>"
    )


def _escaped(text: str) -> str:
    return str(Markup.escape(cleaned(text)))
