"""Figures of the report: their style, and their embedding in a page."""

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

# Placeholders: in the page, each becomes a CSS property of the theme, so that a drawing suits light and dark.
INK, MUTED, GRID, CARD = "#17212b", "#5b6874", "#d7dde2", "#fefefe"
FIRST, SECOND, THIRD = "#0b62a8", "#b5490b", "#6a3fa0"
# Placeholders for the series of a chart, each with its own CSS property.
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
# Width of a page on a phone in points. The text of a wider drawing would be too small.
WIDTH = 4.5


@dataclass(frozen=True)
class Tile:
    """A small picture of a digit, with its label.

    Attributes:
        source: A data URI.
        label: True digit.
        prediction: Predicted digit.
        confidence: Probability of the prediction.

    """

    source: str
    label: int
    prediction: int
    confidence: float


@dataclass(frozen=True)
class Count:
    """A cell of the confusion matrix.

    Attributes:
        number: Number of images.
        right: Whether the prediction is right.
        shade: Shade from 0 to 1, relative to the right or the wrong predictions.

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
        alt: Description for readers who cannot see the figure.
        svg: Drawing as SVG.
        image: Pixel image as a data URI.
        tiles: Small pictures.
        matrix: Confusion matrix: labels in rows, predictions in columns.
        samples: Texts, each with its heading.

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
    """A picture whose drawing is not rendered yet.

    Attributes:
        picture: The picture without its drawing.
        figure: Matplotlib figure, if any.

    """

    picture: Picture
    figure: Figure | None = None


def finish(draw: Callable[[], Drawing], salt: str) -> Picture:
    """Draw in the report's style; the salt makes the drawing's ids unique in the page."""
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
    """Return the style of a label on a curve."""
    return {"textcoords": "offset points", "color": colour, "weight": "bold"}


def on_axis(axes: Axes, axis: str) -> dict[str, Any]:
    """Return the placement of a label beside the x or the y axis."""
    transform = axes.get_yaxis_transform() if axis == "y" else axes.get_xaxis_transform()
    return {"xycoords": transform, "textcoords": "offset points", "fontsize": 9}


def log_ticks(axes: Axes) -> None:
    """Set a readable number of ticks on a logarithmic y axis."""
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    # With decades alone, a range below two decades would have at most one label.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0)))  # noqa: PLR2004
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="y", which="minor", length=0, labelleft=False)


def _svg(figure: Figure, alt: str) -> Markup:
    buffer = io.StringIO()
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    # Group names repeat in every drawing, but ids must be unique. The other removed parts are for standalone files.
    body = re.sub(r' id="[\w.]+_\d+"', "", text[text.index("<defs>") : text.rindex("</svg>")])
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL).replace("xlink:href", "href")
    body = body.replace("'DejaVu Sans'", "var(--sans)")
    for colour, name in THEME.items():
        body = body.replace(colour, f"var(--{name})")
    width, height = (72 * inches for inches in figure.get_size_inches())
    head = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {:g} {:g}">').format(alt, width, height)
    return head + Markup(f"{body}</svg>")  # noqa: S704 - matplotlib escapes all text that it writes


def png(pixels: NDArray[np.uint8]) -> str:
    """Return pixels as a PNG data URI."""
    buffer = io.BytesIO()
    nothing: dict[str, Any] = {"Software": None}
    imsave(buffer, pixels, format="png", metadata=nothing)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
