"""One figure of the report: how it looks, and how it becomes part of a page."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import matplotlib.style
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.ticker import FuncFormatter, LogLocator
from numpy.typing import NDArray

# Stand-ins: in the page each becomes a property of the theme, so that one drawing suits light and dark.
INK, MUTED, GRID, CARD = "#17212b", "#5b6874", "#d7dde2", "#fefefe"
FIRST, SECOND, THIRD = "#0b62a8", "#b5490b", "#6a3fa0"
# One for each series of a chart. They differ from the colours above, as each has a property of its own.
SERIES = ("#0b62a9", "#b5490c", "#177440", "#6a3fa1", "#a81460", "#0f6a87", "#7a5c01", "#56636e")
THEME = {
    **{colour: f"s{number}" for number, colour in enumerate(SERIES, start=1)},
    INK: "ink",
    MUTED: "muted",
    GRID: "line",
    CARD: "card",
    FIRST: "first",
    SECOND: "second",
    THIRD: "third",
}
STYLE = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "lines.linewidth": 1.8,
}
# A page is as wide as this many points on a phone, where the text of a wider drawing would be too small.
WIDTH = 4.5


@dataclass(frozen=True)
class Tile:
    """A small picture, with what it shows.

    Attributes:
        source: A data URI.
        label: The digit that it is.
        prediction: The digit that it was taken for.
        confidence: The probability of the prediction.

    """

    source: str
    label: int
    prediction: int
    confidence: float


@dataclass(frozen=True)
class Count:
    """A cell of the confusion matrix.

    Attributes:
        number: Number of repetitions.
        right: Whether the digit was taken for itself.
        shade: Shade from 0 to 1, among the right ones or among the wrong ones.

    """

    number: int
    right: bool
    shade: float


@dataclass(frozen=True)
class Picture:
    """One figure; one of svg, image, tiles, matrix and samples is set.

    Attributes:
        title: Title in a few words.
        caption: Caption.
        alt: Description for readers who cannot see it.
        svg: A drawing.
        image: The data URI of a pixel picture.
        tiles: Small pictures.
        matrix: The confusion matrix, labels down and predictions across.
        samples: Texts, each with what it is headed by.

    """

    title: str
    caption: str
    alt: str
    svg: Markup | None = None
    image: str = ""
    tiles: tuple[Tile, ...] = ()
    matrix: tuple[tuple[Count, ...], ...] = ()
    samples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A picture on its way: what it says, and what is still to be turned into a drawing.

    Attributes:
        picture: The picture without its drawing.
        figure: Figure of matplotlib, where there is one.

    """

    picture: Picture
    figure: Figure | None = None


def finish(draw: Callable[[], Drawing], salt: str) -> Picture:
    """Draw in the report's style; the salt sets the drawing apart from all others in the page."""
    with matplotlib.style.context(["default", STYLE | {"svg.hashsalt": salt}]):
        drawing = draw()
        if drawing.figure is None:
            return drawing.picture
        return replace(drawing.picture, svg=_svg(drawing.figure, drawing.picture.alt))


def axes_of(height: float = 2.7) -> tuple[Figure, Axes]:
    """Return an empty figure of a height in inches, and its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def bold(colour: str) -> dict[str, Any]:
    """Return how a label on a curve is written in a colour."""
    return {"textcoords": "offset points", "color": colour, "weight": "bold"}


def on_axis(axes: Axes, axis: str) -> dict[str, Any]:
    """Return how a label is placed beside the x or the y axis."""
    transform = axes.get_yaxis_transform() if axis == "y" else axes.get_xaxis_transform()
    return {"xycoords": transform, "textcoords": "offset points", "fontsize": 9}


def log_ticks(axes: Axes) -> None:
    """Put as many ticks on a logarithmic y axis as can be read."""
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    # Less than two decades would show one label or none.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0)))  # noqa: PLR2004
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="y", which="minor", length=0, labelleft=False)


def _svg(figure: Figure, alt: str) -> Markup:
    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    # The groups' names repeat in every drawing, and ids must not. The rest serves a file of its own.
    body = re.sub(r' id="[\w.]+_\d+"', "", text[text.index("<defs>") : text.rindex("</svg>")])
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL).replace("xlink:href", "href")
    body = body.replace("'DejaVu Sans'", "var(--sans)")
    for colour, name in THEME.items():
        body = body.replace(colour, f"var(--{name})")
    width, height = (72 * inches for inches in figure.get_size_inches())
    head = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {:g} {:g}">').format(alt, width, height)
    return head + Markup(f"{body}</svg>")  # noqa: S704 - matplotlib escapes all text that it writes


def png(pixels: NDArray[np.uint8]) -> str:
    """Turn pixels into a data URI."""
    buffer = io.BytesIO()
    nothing: dict[str, Any] = {"Software": None}
    imsave(buffer, pixels, format="png", metadata=nothing)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
