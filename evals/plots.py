"""Plots as SVG to stand inside a page: drawn by matplotlib, coloured by the page's own CSS."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from evals.abstention import Point
from evals.metrics import Estimate
from rag.errors import DatelineError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What is drawn in these colours gets the CSS variable's, light or dark.
_INK, _MUTED, _RULE, _MARK, _BEFORE = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _RULE: "var(--rule)",
    _MARK: "var(--plot)",
    _BEFORE: "var(--before)",
}
_WIDTH, _LABELS, _RIGHT, _BOTTOM, _TOP, _ROW = 344, 138, 14, 20, 4, 18  # in CSS pixels
_SQUARE = 300
_LONGEST_LABEL = 21
_FONT = 11
_SAME = 0.005  # a share of the axis: two values nearer than this are drawn as one


@dataclass(frozen=True, slots=True)
class Row:
    """A category's estimate, the baseline's value beside it, None without one."""

    label: str
    estimate: Estimate
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A line, and the point on or beside it at which the run stood, if any."""

    points: tuple[Point, ...]
    stood: Point | None = None


class PlotError(DatelineError):
    """Plots cannot be drawn; the text says what to install."""


def check_plots() -> None:
    """Raises `PlotError` if matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ModuleNotFoundError as error:
        raise PlotError(
            f"an HTML report needs {error.name}, which is not installed: "
            "pip install 'dateline[report]'"
        ) from error


def interval_plot(name: str, label: str, rows: Sequence[Row]) -> str:
    """A dot and its 95 % interval for each row, the first being the whole; `label` is read out.

    `name` must be the plot's own on its page. The axis is 0 to 1 unless a value is beyond it.
    """
    height = _TOP + _BOTTOM + _ROW * len(rows)
    figure, axes = _axes(_WIDTH, height, (_LABELS, _BOTTOM, _WIDTH - _LABELS - _RIGHT))
    places = range(len(rows))
    most = max([1.0, *(max(row.estimate.high, row.before or 0) for row in rows)])
    axes.set_xlim(0, most if most == 1 else most * 1.05)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(places, [_label(row) for row in rows], parse_math=False)
    axes.tick_params(axis="y", labelcolor=_INK, pad=9)
    if most == 1:
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axes.grid(axis="x", color=_RULE, linewidth=0.8)
    for place, row in zip(places, rows, strict=True):
        ends = [row.estimate.low, row.estimate.high]
        color = _MARK if place else _INK
        axes.plot(ends, [place] * 2, color=color, linewidth=2, clip_on=False)
        if row.before is not None and abs(row.before - row.estimate.value) > _SAME * most:
            axes.plot([row.before], [place], "|", color=_BEFORE, ms=11, mew=2, clip_on=False)
        axes.plot([row.estimate.value], [place], "o", color=color, ms=6.5, clip_on=False)
    return _svg(figure, name, label)


def curve_plot(
    name: str, label: str, titles: tuple[str, str], curve: Curve, before: Curve | None = None
) -> str:
    """A curve in the unit square, the baseline's dashed behind it; `titles` are the axes'."""
    figure, axes = _axes(_WIDTH, _SQUARE - 44, (46, 42, _WIDTH - 46 - _RIGHT))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(titles[0], color=_MUTED)
    axes.set_ylabel(titles[1], color=_MUTED)
    for ticks in (axes.set_xticks, axes.set_yticks):
        ticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axes.grid(color=_RULE, linewidth=0.8)
    if before:
        _draw(axes, before, _BEFORE, dashed=True)
    _draw(axes, curve, _MARK)
    return _svg(figure, name, label)


def rank_plot(
    name: str, label: str, shares: Sequence[float], before: Sequence[float] | None = None
) -> str:
    """The share of questions with a hit within the first 1, 2, … passages."""
    figure, axes = _axes(_WIDTH, _SQUARE - 44, (46, 42, _WIDTH - 46 - _RIGHT))
    ranks = range(1, len(shares) + 1)
    axes.set_xlim(0.8, len(shares) + 0.2)
    axes.set_ylim(0, 1)
    axes.set_xticks(list(ranks))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axes.set_xlabel("passages read", color=_MUTED)
    axes.set_ylabel("questions with a hit", color=_MUTED)
    axes.grid(color=_RULE, linewidth=0.8)
    if before:
        axes.plot(ranks, before, "--", color=_BEFORE, linewidth=1.5, clip_on=False)
    axes.plot(ranks, shares, "o-", color=_MARK, linewidth=2, ms=5, clip_on=False)
    return _svg(figure, name, label)


def _draw(axes: Axes, curve: Curve, color: str, dashed: bool = False) -> None:
    if len(curve.points) > 1:
        xs, ys = [p.x for p in curve.points], [p.y for p in curve.points]
        style = "--" if dashed else "-"
        axes.plot(xs, ys, style, color=color, linewidth=1.5 if dashed else 2, clip_on=False)
    if curve.stood:
        axes.plot([curve.stood.x], [curve.stood.y], "o", color=color, ms=8, clip_on=False)


def _axes(width: int, height: int, place: tuple[int, int, int]) -> tuple[Figure, Axes]:
    """A figure in CSS pixels with one bare axes at (left, bottom, width) up to near its top."""
    from matplotlib.figure import Figure

    left, bottom, across = place
    figure = Figure(figsize=(width / 72, height / 72))  # an SVG's unit is 1/72 inch
    up = height - bottom - _TOP
    axes = figure.add_axes((left / width, bottom / height, across / width, up / height))
    axes.set_frame_on(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=5, labelsize=_FONT, labelcolor=_MUTED)
    axes.xaxis.label.set_fontsize(_FONT)
    axes.yaxis.label.set_fontsize(_FONT)
    return figure, axes


def _label(row: Row) -> str:
    """A row's label, cut to fit, and its number of questions."""
    label = _printable(row.label)
    short = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
    return f"{short} · {row.estimate.n}"


def _printable(text: str) -> str:
    """The text without what XML cannot carry, and newlines."""
    return "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)


def _svg(figure: Figure, name: str, label: str) -> str:
    import matplotlib

    out = io.BytesIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with (
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader's has it
        figure.savefig(out, format="svg", transparent=True, metadata=metadata)
    parser = etree.XMLParser(resolve_entities=False, remove_blank_text=True, remove_comments=True)
    return _inline(etree.fromstring(out.getvalue(), parser), label)


def _inline(svg: etree._Element, label: str) -> str:
    """The drawing as an element of an HTML page: no namespaces, groups or page-wide rules."""
    size = svg.get("viewBox", "")
    for element in svg.iter():
        element.tag = etree.QName(element).localname
        kept = {etree.QName(key).localname: _tidy(value) for key, value in element.items()}
        element.attrib.clear()
        for key, value in kept.items():
            if value and key != "clip-path":
                element.set(key, value)
    svg.attrib.clear()
    for key, value in (("viewBox", size), ("role", "img"), ("aria-label", _printable(label))):
        svg.set(key, value)
    for element in svg.xpath("//style | //clipPath | //path[@style='fill: none']"):
        element.getparent().remove(element)
    etree.strip_tags(svg, "g")
    etree.cleanup_namespaces(svg)
    return str(etree.tostring(svg, encoding="unicode"))


def _tidy(value: str) -> str:
    """An attribute in the page's colours and font, its numbers no finer than can be seen."""
    value = re.sub(r" font-family: [^;]*;?", "", value)
    value = re.sub(r"rotate\(-0 [^)]*\)", "", value)
    value = re.sub(r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}", value)
    for color, variable in _VARIABLES.items():
        value = value.replace(color, variable)
    return " ".join(value.split())
