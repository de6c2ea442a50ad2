"""Charts as inline SVG, drawn by matplotlib: no script, readable offline, in any browser, in print and in notebooks."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 8.6  # inches, of 72 px each
BLUE, GREEN, RED, GREY, LIGHT = "#2a5d9f", "#1b6e3c", "#b3261e", "#8a8f98", "#c8ccd2"
# Text stays text: the reader's own fonts show it, Chinese too, and it can be searched and copied.
_STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "tfrec", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": LIGHT, "axes.labelcolor": "#60656f",
    "xtick.color": "#60656f", "ytick.color": "#1d2026", "axes.titlesize": 10, "text.parse_math": False,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        label: its name.
        points: (across, up) each, in order.
        colour: any of matplotlib's.
        width: of the line in points; 0 draws the points alone.
        dashed: whether the line is.
    """

    label: str
    points: Sequence[Sequence[float]]
    colour: str = BLUE
    width: float = 1.6
    dashed: bool = False


def draw(title: str, height: float, paint: Callable[[Axes], Any], width: float = WIDTH) -> Markup:
    """A chart as an `<svg>` element.

    Args:
        title: what screen readers are told.
        height: in inches.
        paint: draws on the axes.
        width: in inches.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out = io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts count, not matplotlib's
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(out.getvalue(), title)


def intervals(title: str, rows: Sequence[tuple[str, float, float | None, float | None]], across: str = "") -> Markup:
    """Differences with their intervals, a row each, the first one on top, beside a line at 0.

    Args:
        title: what screen readers are told.
        rows: (label, value, low, high) each; without low and high, a point alone.
        across: what the axis measures.
    """

    def paint(axes: Axes) -> None:
        axes.axvline(0, color=LIGHT, linewidth=1)
        for place, (_, value, low, high) in enumerate(rows):
            if low is None or high is None:
                axes.plot([value], [place], "o", color=GREY, markersize=5)
                continue
            colour = GREEN if low > 0 else RED if high < 0 else GREY
            axes.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
            axes.plot([value], [place], "o", color=colour, markersize=5)
        _rows(axes, [row[0] for row in rows], across)

    return draw(title, 0.6 + 0.26 * len(rows), paint)


def bars(title: str, values: Mapping[str, float], across: str = "", form: str = "{:.3g}") -> Markup:
    """A bar for each name, the first one on top, with its value.

    Args:
        title: what screen readers are told.
        values: by name.
        across: what the axis measures.
        form: of a value beside its bar.
    """

    def paint(axes: Axes) -> None:
        for place, value in enumerate(values.values()):
            axes.barh(place, value, height=0.62, color=BLUE)
            axes.annotate(form.format(value), (value, place), (4, 0), textcoords="offset points", va="center")
        axes.margins(x=0.12)
        _rows(axes, list(values), across)

    return draw(title, 0.6 + 0.26 * len(values), paint)


def lines(title: str, curves: Sequence[Line], across: str, up: str, legend: bool = True) -> Markup:
    """Curves over one axis.

    Args:
        title: what screen readers are told.
        curves: in the order they are painted.
        across, up: what the axes measure.
        legend: whether names are listed.
    """

    def paint(axes: Axes) -> None:
        for curve in curves:
            x, y = np.asarray(curve.points, np.float64).reshape(-1, 2).T
            style = ("--" if curve.dashed else "-") if curve.width else ""
            marker = "" if curve.dashed else "o"
            axes.plot(
                x, y, linestyle=style or "none", marker=marker, markersize=3.5, color=curve.colour,
                linewidth=curve.width, label=curve.label,
            )  # fmt: skip
        axes.set(xlabel=across, ylabel=up)
        if legend:
            axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))

    return draw(title, 3.2, paint)


def _rows(axes: Axes, labels: Sequence[str], across: str) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(across)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _inline(svg: str, title: str) -> Markup:
    """What matplotlib wrote, as a part of a page: without what only a file of its own needs."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    return Markup(svg.replace("<svg", Markup('<svg role="img" aria-label="{}"').format(title), 1))
