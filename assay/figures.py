"""The report's figures: from what the tests measured, and from the definition."""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]

# Stand-ins: in the page each becomes a property of the theme, so that one drawing suits light and dark.
INK, MUTED, GRID, CARD = "#17212b", "#5b6874", "#d7dde2", "#fefefe"
FIRST, SECOND, THIRD = "#0b62a8", "#b5490b", "#6a3fa0"
THEME = {
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

MOST_IMAGES = 36
MOST_POINTS = 400
BINS = 200
CLASSES = 10
SIDE = 28
LARGEST = 1e30
MOST_COUNTED = 10**9


class EvidenceError(ValueError):
    """The evidence has not the form that its figure needs."""


@dataclass(frozen=True)
class Tile:
    """A small picture, with what it shows.

    Attributes:
        source: a data URI.
        label: the digit that it is.
        prediction: the digit that it was taken for.
        confidence: the probability of the prediction.

    """

    source: str
    label: int
    prediction: int
    confidence: float


@dataclass(frozen=True)
class Count:
    """A cell of the confusion matrix.

    Attributes:
        number: how often.
        right: whether the digit was taken for itself.
        shade: from 0 to 1, among the right ones or among the wrong ones.

    """

    number: int
    right: bool
    shade: float


@dataclass(frozen=True)
class Picture:
    """One figure; one of svg, image, tiles and matrix is set.

    Attributes:
        title: in a few words.
        caption: what to see in it.
        alt: what it looks like, for those who cannot see it.
        svg: a drawing.
        image: the data URI of a pixel picture.
        tiles: small pictures.
        matrix: the confusion matrix, labels down and predictions across.

    """

    title: str
    caption: str
    alt: str
    svg: Markup | None = None
    image: str = ""
    tiles: tuple[Tile, ...] = ()
    matrix: tuple[tuple[Count, ...], ...] = ()


@dataclass(frozen=True)
class _Drawing:
    picture: Picture
    figure: Figure | None = None


def from_evidence(evidence: Mapping[str, Any], salt: str) -> tuple[list[Picture], list[str]]:
    """Draw what one row measured.

    Args:
        evidence: of the row; kinds that have no figure are passed over.
        salt: sets the drawings apart from all others in the page.

    Returns:
        The figures, and for each that cannot be drawn one line that says why.

    """
    pictures, notes = [], []
    for kind, draw in DRAWERS.items():
        if kind not in evidence:
            continue
        try:
            pictures.append(_finish(partial(draw, evidence[kind]), f"{salt}-{kind}"))
        except EvidenceError as error:
            notes.append(f"{kind.replace('_', ' ')}: {error}")
    return pictures, notes


@cache
def from_definition() -> tuple[tuple[str, Picture], ...]:
    """Draw what follows from the definition alone: the section's name, and its figure."""
    drawings = {
        "linear_model": _linear_model,
        "dense": _activations,
        "softmax": _softmax,
        "cross_entropy": _cross_entropy,
    }
    return tuple((section, _finish(draw, section)) for section, draw in drawings.items())


# --- Drawing -----------------------------------------------------------------------------------------------


def _finish(draw: Callable[[], _Drawing], salt: str) -> Picture:
    with matplotlib.style.context(["default", STYLE | {"svg.hashsalt": salt}]):
        drawing = draw()
        if drawing.figure is None:
            return drawing.picture
        return replace(drawing.picture, svg=_svg(drawing.figure, drawing.picture.alt))


def _axes(height: float = 2.7) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def _bold(colour: str) -> dict[str, Any]:
    return {"textcoords": "offset points", "color": colour, "weight": "bold"}


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


def _png(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    nothing: dict[str, Any] = {"Software": None}
    imsave(buffer, pixels, format="png", metadata=nothing)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


# --- Reading evidence --------------------------------------------------------------------------------------


def _get(evidence: object, key: str) -> Any:  # noqa: ANN401 - JSON of any form
    if not isinstance(evidence, Mapping):
        msg = "it is not an object"
        raise EvidenceError(msg)
    if key not in evidence:
        msg = f"it has no {key!r}"
        raise EvidenceError(msg)
    return evidence[key]


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        msg = f"{key!r} is not a number, or not a finite one"
        raise EvidenceError(msg)
    return float(value)


def _numbers(evidence: object, key: str, length: int | None = None) -> Numbers:
    values = _get(evidence, key)
    if not isinstance(values, list) or not values:
        msg = f"{key!r} is not a list of numbers"
        raise EvidenceError(msg)
    if length is not None and len(values) != length:
        msg = f"{key!r} has {len(values)} elements and not {length}"
        raise EvidenceError(msg)
    return np.array([_number(value, key) for value in values])


def _probability(value: object, key: str) -> float:
    number = _number(value, key)
    if not 0 <= number <= 1:
        msg = f"{key!r} is not between 0 and 1"
        raise EvidenceError(msg)
    return number


def _digits(evidence: object, key: str, length: int) -> list[int]:
    numbers = _numbers(evidence, key, length)
    if not set(numbers) <= set(range(CLASSES)):
        msg = f"{key!r} has something that is not a digit"
        raise EvidenceError(msg)
    return [int(number) for number in numbers]


def _images(evidence: object, dtype: str) -> NDArray[Any]:
    shape, text = _get(evidence, "shape"), _get(evidence, "images")
    match shape:
        case [int(count), 28, 28] if count > 0:
            pass
        case _:
            msg = "'shape' is not [n, 28, 28]"
            raise EvidenceError(msg)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        msg = "'images' is not base64"
        raise EvidenceError(msg) from None
    needed = count * SIDE * SIDE * np.dtype(dtype).itemsize
    if len(content) != needed:
        msg = f"'images' has {len(content)} bytes and not {needed}"
        raise EvidenceError(msg)
    return np.frombuffer(content, dtype).reshape(count, SIDE, SIDE)


# --- Figures of evidence -----------------------------------------------------------------------------------


def _training_curve(evidence: object) -> _Drawing:
    steps = _numbers(evidence, "steps")
    losses = _numbers(evidence, "losses", len(steps))
    if not (losses > 0).any() or (losses < 0).any() or (np.diff(steps) <= 0).any():
        msg = "the losses are not positive, or the steps do not rise"
        raise EvidenceError(msg)
    figure, axes = _axes()
    axes.set_yscale("log")
    smoothed = _plot_curve(axes, steps, losses)
    limited = _plot_limits(axes, evidence, steps)
    guessing = math.log(CLASSES)
    axes.axhline(guessing, color=SECOND, linestyle=(0, (4, 3)), linewidth=1.2)
    label = f"guessing: ln 10 = {guessing:.3f}"
    axes.annotate(label, (1, guessing), (-2, 4), ha="right", color=SECOND, **_on_axis(axes, "y"))
    axes.set(xlabel="batch", ylabel="cross entropy (log scale)")
    _log_ticks(axes)
    tail = max(1, len(losses) // 20)
    start, end = losses[0], losses[-tail:].mean()
    caption = (
        "The loss of the MLP, batch by batch. It begins near ln 10, the loss of a model that guesses one of "
        f"ten digits, and the last {tail} of the {len(losses)} recorded batches average {end:.3g}."
        + (" The line is the mean of neighbouring batches, the band their range." if smoothed else "")
        + (" Dotted: the limits." if limited else "")
    )
    alt = f"Line chart: the loss goes from {start:.3g} to {end:.3g} in {steps[-1]:g} batches."
    return _Drawing(Picture("Loss during training", caption, alt), figure)


def _plot_curve(axes: Axes, steps: Numbers, losses: Numbers) -> bool:
    smoothed = len(steps) > MOST_POINTS
    if smoothed:
        parts = [part for part in np.array_split(np.arange(len(steps)), BINS) if len(part)]
        middle = np.array([steps[part].mean() for part in parts])
        low, mean, high = (np.array([f(losses[part]) for part in parts]) for f in (np.min, np.mean, np.max))
        floor = losses[losses > 0].min()
        axes.fill_between(middle, np.maximum(low, floor), high, color=FIRST, alpha=0.25, linewidth=0)
        axes.plot(middle, mean, color=FIRST, linewidth=1.4)
    else:
        axes.plot(steps, losses, color=FIRST, linewidth=1.4, marker="o" if len(steps) == 1 else "")
    return smoothed


def _plot_limits(axes: Axes, evidence: object, steps: Numbers) -> bool:
    if not isinstance(evidence, Mapping) or evidence.get("limits") is None:
        return False
    limits = _numbers(evidence, "limits", len(steps))
    axes.plot(steps, limits, color=MUTED, linestyle=(0, (1, 2)), linewidth=1.4)
    return True


def _on_axis(axes: Axes, axis: str) -> dict[str, Any]:
    transform = axes.get_yaxis_transform() if axis == "y" else axes.get_xaxis_transform()
    return {"xycoords": transform, "textcoords": "offset points", "fontsize": 9}


def _log_ticks(axes: Axes) -> None:
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    # Less than two decades would show one label or none.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0)))  # noqa: PLR2004
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="y", which="minor", length=0, labelleft=False)


def _accuracy(evidence: object) -> _Drawing:
    value = _probability(_get(evidence, "value"), "value")
    limit = _probability(_get(evidence, "limit"), "limit")
    runs = sorted(_probability(run, "runs") for run in _numbers(evidence, "runs"))
    batches = _number(_get(evidence, "num_batches"), "num_batches")
    marks: list[tuple[float, str, str, Any]] = [(limit, f"limit {limit:.4f}", MUTED, (0, (4, 3)))]
    printed = evidence.get("printed") if isinstance(evidence, Mapping) else None
    if printed is not None:
        printed = _probability(printed, "printed")
        marks.append((printed, f"the document prints {printed:.4f}", SECOND, (0, (1, 1.5))))
    marks.append((value, f"this run {value:.4f}", INK, "solid"))
    figure = _strip(np.array(runs), marks)
    after = f"after {batches:,.0f} batches"
    caption = (
        f"Accuracy on the test images {after}: each dot is one of {len(runs)} stored reference runs, from "
        f"which the limit is computed. This run {'reaches it' if value >= limit else 'falls short of it'}."
    )
    alt = (
        f"Strip of dots: reference runs from {runs[0]:.4f} to {runs[-1]:.4f}; "
        + ", ".join(label for _, label, _, _ in marks)
        + "."
    )
    return _Drawing(Picture(f"Accuracy {after}", caption, alt), figure)


def _strip(runs: Numbers, marks: Sequence[tuple[float, str, str, Any]]) -> Figure:
    figure, axes = _axes(2.4)
    places = [*runs, *(mark[0] for mark in marks)]
    low, high = min(places), max(places)
    margin = 0.06 * (high - low) or 0.01
    axes.set_xlim(low - margin, high + margin)
    columns = np.round((runs - low) / (high - low + 2 * margin) * 60)
    heights = np.array([np.sum(columns[:index] == column) for index, column in enumerate(columns)], dtype=float)
    axes.plot(runs, heights, "o", color=FIRST, markersize=5, alpha=0.75, markeredgewidth=0, clip_on=False)
    # Labels stand above the dots, each on a level of its own: near values would write over each other.
    axes.set_ylim(-0.6, max(6.0, 1.9 * (heights.max() + 1)))
    for level, (place, label, colour, line) in enumerate(marks):
        top = 0.72 + 0.12 * level
        axes.plot([place, place], [0, top], color=colour, ls=line, lw=1.6, transform=axes.get_xaxis_transform())
        side, shift = ("right", (-5, -6)) if place > (low + high) / 2 else ("left", (5, -6))
        ground = {"facecolor": CARD, "edgecolor": "none", "pad": 0.8}
        axes.annotate(label, (place, top), shift, ha=side, color=colour, bbox=ground, **_on_axis(axes, "x"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("accuracy on the test images")
    return figure


def _misread(evidence: object) -> _Drawing:
    images = _images(evidence, "uint8")
    labels, predictions = (_digits(evidence, key, len(images)) for key in ("labels", "predictions"))
    confidence = [_probability(each, "confidence") for each in _numbers(evidence, "confidence", len(images))]
    tiles = tuple(
        Tile(_ink(image), label, prediction, sure)
        for image, label, prediction, sure in zip(images, labels, predictions, confidence, strict=True)
    )[:MOST_IMAGES]
    caption = (
        f"{len(tiles)} test images that the trained model misreads: what the image is, what the model takes "
        "it for, and the probability that it gives to its mistake."
    )
    return _Drawing(Picture("Misread digits", caption, "Handwritten digits, one picture each.", tiles=tiles))


def _ink(image: NDArray[Any]) -> str:
    # Black with the intensity as opacity, so that the page's own background is the paper.
    return _png(np.dstack([np.zeros((SIDE, SIDE, 3), np.uint8), image]))


def _kernels(evidence: object) -> _Drawing:
    kernels = _images(evidence, "<f4")
    if not np.isfinite(kernels).all():
        msg = "'images' has a number that is not finite"
        raise EvidenceError(msg)
    shown = kernels[:MOST_IMAGES]
    scale = float(np.quantile(np.abs(shown.astype(np.float64)), 0.99)) or 1.0
    colours = mpl.colormaps["RdBu_r"].resampled(65)
    pixels = colours(0.5 + 0.5 * np.clip(shown / scale, -1, 1), bytes=True)
    caption = (
        f"The weights from the 28 by 28 pixels to {len(shown)} of the hidden units, each unit drawn as an "
        "image. Red pixels excite it, blue ones inhibit it, white ones do not count; full colour is "
        f"{scale:.2g} or more."
    )
    alt = f"{len(shown)} pictures of weights in red, white and blue."
    return _Drawing(Picture("What the hidden units look at", caption, alt, image=_png(_montage(pixels))))


def _montage(pictures: NDArray[Any]) -> NDArray[np.uint8]:
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    pitch = SIDE + 2
    sheet = np.zeros((rows * pitch - 2, columns * pitch - 2, 4), np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet[row * pitch : row * pitch + SIDE, column * pitch : column * pitch + SIDE] = picture
    return sheet


def _confusion(evidence: object) -> _Drawing:
    matrix = _get(evidence, "matrix")
    whole = isinstance(matrix, list) and all(isinstance(row, list) and len(row) == CLASSES for row in matrix)
    if not whole or len(matrix) != CLASSES:
        msg = "'matrix' is not 10 by 10"
        raise EvidenceError(msg)
    counts = np.array([[_count(count) for count in row] for row in matrix])
    total, right = int(counts.sum()), int(counts.trace())
    caption = (
        f"How often each digit was taken for which, over {total:,} test images. {right:,} are on the "
        "diagonal, where the model is right; elsewhere, the stronger the colour, the commoner the mistake."
    )
    return _Drawing(Picture("Confusion matrix", caption, "Table of counts.", matrix=_shaded(counts)))


def _shaded(counts: NDArray[np.int64]) -> tuple[tuple[Count, ...], ...]:
    diagonal = np.eye(CLASSES, dtype=bool)
    most = np.where(diagonal, counts[diagonal].max(), counts[~diagonal].max())
    shades = counts / np.maximum(most, 1)
    return tuple(
        tuple(Count(int(number), row == column, float(shades[row, column])) for column, number in enumerate(numbers))
        for row, numbers in enumerate(counts)
    )


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COUNTED:
        msg = "'matrix' has something that is not a count"
        raise EvidenceError(msg)
    return value


DRAWERS: dict[str, Callable[[object], _Drawing]] = {
    "training_curve": _training_curve,
    "accuracy": _accuracy,
    "confusion": _confusion,
    "misread": _misread,
    "kernels": _kernels,
}


# --- Figures of the definition -----------------------------------------------------------------------------
# `spec.semantics` is imported where it is used: it brings autograd, which a page of evidence does not need.


def _linear_model() -> _Drawing:
    from spec.semantics import models  # noqa: PLC0415

    steps = 100
    inputs = np.tile(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (steps, 1, 1))
    targets = np.tile(np.array([[10.0], [20.0]]), (steps, 1, 1))
    start = {name: np.zeros(shape) for name, shape in models.MODELS["linear"].shapes.items()}
    losses, end = models.train("linear", start, inputs, targets, learning_rate=0.01)
    figure, axes = _axes()
    axes.semilogy(np.arange(1, steps + 1), losses, color=FIRST)
    axes.set(xlabel="step", ylabel="squared error (log scale)")
    _log_ticks(axes)
    weights = ", ".join(f"{weight:.3f}" for weight in end["dense/kernel"].ravel())
    caption = (
        f"The document's first program, in float64: {steps} steps of gradient descent from zeros bring the "
        f"loss from {losses[0]:g} to {losses[-1]:.3g}; the kernel ends at ({weights}), the bias at "
        f"{end['dense/bias'][0]:.3f}."
    )
    alt = f"Falling line chart: from {losses[0]:g} at step 1 to {losses[-1]:.3g} at step {steps}."
    return _Drawing(Picture("The linear model learns", caption, alt), figure)


def _softmax() -> _Drawing:
    from spec.semantics.layers import softmax  # noqa: PLC0415

    logits = np.array([0.5, 1.0, 1.5, 2.0])
    figure, axes = _axes()
    scaled = {scale: softmax(scale * logits) for scale in (1, 2, 4)}
    for place, (scale, colour) in enumerate(zip(scaled, (FIRST, SECOND, THIRD), strict=True)):
        where = np.arange(len(logits)) + 0.27 * (place - 1)
        axes.bar(where, scaled[scale], width=0.24, color=colour)
        label = "z" if scale == 1 else f"{scale}z"
        top = (where[-1], scaled[scale][-1])
        axes.annotate(label, top, (0, 3), ha="center", **_bold(colour))
    axes.set_xticks(range(len(logits)), [f"{logit:g}" for logit in logits])
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="logit z", ylabel="probability", ylim=(0, 1))
    tops = ", ".join(f"{probabilities[-1]:.2f}" for probabilities in scaled.values())
    caption = (
        "Softmax brings out the largest element: the same four logits, taken once, twice and four times. The "
        f"probability of the largest goes {tops}."
    )
    alt = f"Bar chart of four probabilities for three scales; the largest is {tops}."
    return _Drawing(Picture("How softmax emphasises the maximum", caption, alt), figure)


def _activations() -> _Drawing:
    from spec.semantics.layers import ACTIVATIONS  # noqa: PLC0415

    inputs = np.linspace(-4, 4, 161)
    figure, axes = _axes()
    labels = {
        "relu": (FIRST, 1.35, (-22, 4)),
        "tanh": (SECOND, 2.6, (10, -13)),
        "sigmoid": (THIRD, -2.9, (0, 6)),
    }
    for name, (colour, place, shift) in labels.items():
        activation = ACTIVATIONS[name]
        axes.plot(inputs, activation(inputs), color=colour)
        axes.annotate(name, (place, float(activation(np.float64(place)))), shift, ha="center", **_bold(colour))
    axes.set(xlabel="x", ylabel="f(x)", xlim=(-4, 4), ylim=(-1.2, 2.2))
    caption = (
        "The activation functions that the document names: ReLU cuts off what is negative, tanh keeps the "
        "output between -1 and 1, the sigmoid between 0 and 1."
    )
    alt = "Line chart of three functions from -4 to 4: relu is 0 and then x, tanh and sigmoid are S-shaped."
    return _Drawing(Picture("Three activation functions", caption, alt), figure)


def _cross_entropy() -> _Drawing:
    from spec.semantics.losses import EPSILON  # noqa: PLC0415

    probabilities = np.logspace(-9, 0, 181)
    clipped = -np.log(np.clip(probabilities, EPSILON, 1 - EPSILON))
    figure, axes = _axes()
    axes.semilogx(probabilities, -np.log(probabilities), color=MUTED, linestyle=(0, (3, 2)), linewidth=1.2)
    axes.semilogx(probabilities, clipped, color=FIRST)
    most = -math.log(EPSILON)
    axes.annotate(f"{most:.3f}", (1e-9, most), (4, -13), textcoords="offset points", color=FIRST)
    axes.annotate("-ln p", (3e-9, -math.log(3e-9)), (8, 2), textcoords="offset points", color=MUTED)
    axes.set(xlabel="p, the probability given to the true class (log scale)", ylabel="loss")
    axes.set(xlim=(1e-9, 1), ylim=(0, None))
    axes.yaxis.set_major_locator(MultipleLocator(5))
    caption = (
        "The cross entropy of one example: the less the true class was expected, the greater the loss. Keras "
        f"keeps p at least {EPSILON:g} away from 0 and 1, so no example costs more than {most:.3f}."
    )
    alt = f"Line chart: the loss falls from {most:.3f} for the smallest probabilities to 0 at p = 1."
    return _Drawing(Picture("Cross entropy and its clip", caption, alt), figure)
