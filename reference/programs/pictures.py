"""The pictures that the programs save."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from assay.contract import Array

INK, MUTED, GRID, BLUE, ORANGE = "#17212b", "#5b6874", "#d7dde2", "#0b62a8", "#b5490b"
STYLE = {
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlecolor": INK,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}
styled = matplotlib.style.context(["default", STYLE])

MOST_TILES = 40
# Gap between the tables of a convolution, in cells.
SPACE = 2.2
# A curve of more points is drawn as a mean with a range.
MOST_POINTS = 400
BINS = 200


@styled
def loss(losses: Array, title: str, classes: int) -> Figure:
    """Draw the loss of every batch, and the loss of guessing."""
    figure = Figure(figsize=(8, 4.5))
    axes = figure.add_subplot()
    batches = np.arange(1, len(losses) + 1)
    if len(losses) > MOST_POINTS:
        parts = np.array_split(batches, BINS)
        middle = [part.mean() for part in parts]
        low, mean, high = ([f(losses[part - 1]) for part in parts] for f in (np.min, np.mean, np.max))
        axes.plot(middle, mean, color=BLUE, label="mean of neighbouring batches")
        axes.fill_between(middle, low, high, color=BLUE, alpha=0.2, linewidth=0, label="their range")
    else:
        axes.plot(batches, losses, color=BLUE, marker="o" if len(losses) == 1 else "", label="loss of the batch")
    guess = f"guessing: ln {classes} = {math.log(classes):.3f}"
    axes.axhline(math.log(classes), color=ORANGE, linestyle="--", label=guess)
    axes.set(yscale="log", xlim=(0, len(losses) + 1), xlabel="batch", ylabel="cross entropy (log scale)")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid()
    # Outside the axes, since a curve may reach any corner.
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"{title}: the loss of every batch")
    return figure


@styled
def entropy(temperatures: Array, entropies: Array, marked: Sequence[float], classes: int) -> Figure:
    """Draw how the entropy of the next character grows with the temperature."""
    figure = Figure(figsize=(8, 4.5))
    axes = figure.add_subplot()
    axes.plot(temperatures, entropies, color=BLUE, label="mean over windows of the text")
    heights = np.interp(marked, temperatures, entropies)
    axes.plot(marked, heights, "o", color=BLUE, label="the four that are written at")
    for place, height in zip(marked, heights, strict=True):
        axes.annotate(f"{height:.2f}", (place, height), (-4, 6), textcoords="offset points", ha="right", color=INK)
    most = f"any character: ln {classes} = {math.log(classes):.3f}"
    axes.axhline(math.log(classes), color=ORANGE, linestyle="--", label=most)
    axes.set(xlim=(0, None), ylim=(0, None), xlabel="temperature", ylabel="entropy in nats")
    axes.grid()
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("How uncertain the RNN is about the next character")
    return figure


@styled
def scores(scores: Array, window: int, num_exploration_episodes: int) -> Figure:
    """Draw the score of every episode, the mean of `window` consecutive ones, and the period of exploration."""
    figure = Figure(figsize=(8, 4.5))
    axes = figure.add_subplot()
    episodes = np.arange(1, len(scores) + 1)
    axes.axvspan(0, num_exploration_episodes, color=GRID, alpha=0.5, linewidth=0, label="exploration falls")
    axes.plot(episodes, scores, ".", color=BLUE, alpha=0.4, label="score of the episode")
    if len(scores) >= window:
        means = np.convolve(scores, np.ones(window) / window, mode="valid")
        axes.plot(episodes[window - 1 :], means, color=BLUE, label=f"mean of the last {window}")
    axes.set(xlim=(0, len(scores) + 1), ylim=(0, None), xlabel="episode", ylabel="score")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid()
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("Deep Q-learning on CartPole: the score of every episode")
    return figure


@styled
def kernels(kernels: Array, network: str) -> Figure:
    """Draw the kernels [number, height, width] of the first layer on one sheet."""
    number, height, width = kernels.shape
    columns = next(count for count in range(math.ceil(math.sqrt(number)), number + 1) if number % count == 0)
    # Empty cells stay white.
    gap = max(1, width // 14)
    padded = np.pad(kernels, ((0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    rows = padded.reshape(number // columns, columns, height + gap, width + gap)
    sheet = rows.swapaxes(1, 2).reshape(-1, columns * (width + gap))[:-gap, :-gap]
    limit = np.quantile(np.abs(kernels), 0.99)
    figure = Figure(figsize=(8, 7 * sheet.shape[0] / sheet.shape[1] + 0.6))
    axes = figure.add_subplot()
    drawn = axes.imshow(sheet, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_axis_off()
    bar = figure.colorbar(drawn, label="weight", extend="both", shrink=0.6, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    figure.suptitle(f"What the first layer of the {network} looks for: {number} kernels of {height} by {width}")
    return figure


@styled
def misread(images: Array, labels: Array, probabilities: Array, network: str) -> Figure:
    """Draw the model's most confident mistakes."""
    predictions, confidence = probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    wrong = np.flatnonzero(predictions != labels)
    shown = wrong[np.argsort(-confidence[wrong])][:MOST_TILES]
    tiles = [Tile(images[i], f"{labels[i]} → {predictions[i]}", f"{confidence[i]:.1%}") for i in shown]
    title = f"The {network} misreads {len(wrong):,} of {len(labels):,} test images"
    return _tiles(tiles, title, "the mistakes that it is surest of: digit → what it is taken for, probability")


@styled
def flowers(images: Array, labels: Array, probabilities: Array, names: Sequence[str]) -> Figure:
    """Draw photographs with their predictions in training."""
    predictions, confidence = probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    right = predictions == labels
    tiles = [
        Tile(image, names[label], f"{names[prediction]} {sure:.0%}", BLUE if hit else ORANGE)
        for image, label, prediction, sure, hit in zip(images, labels, predictions, confidence, right, strict=True)
    ][:MOST_TILES]
    title = f"The last batch of training: {right.sum()} of {len(labels)} recognised"
    return _tiles(tiles, title, "above: what it is; below: what it is taken for, probability")


class Tile(NamedTuple):
    """A small picture with labels.

    Attributes:
        image: [height, width], from 0 to 1 in ink, or [height, width, 3].
        title: Title above it.
        note: Note below it.
        colour: Colour of the note.

    """

    image: Array
    title: str
    note: str
    colour: str = MUTED


def _tiles(tiles: Sequence[Tile], title: str, legend: str) -> Figure:
    columns = 8
    rows = max(1, math.ceil(len(tiles) / columns))
    height = 1.65 * rows + 1.05
    # A regular grid needs no layout solver; "none" is missing in Matplotlib's types.
    figure = Figure(figsize=(10, height), layout="none")  # type: ignore[arg-type, unused-ignore]
    figure.subplots_adjust(0.01, 0.6 / height, 0.99, 1 - 0.75 / height, wspace=0.08, hspace=0.5)
    for place, tile in enumerate(tiles, start=1):
        axes = figure.add_subplot(rows, columns, place)
        axes.imshow(tile.image, cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GRID)
        axes.set_title(tile.title, weight="bold", size=11)
        axes.set_xlabel(tile.note, color=tile.colour, size=9)
    figure.suptitle(title, y=1 - 0.12 / height, va="top")
    figure.supxlabel(legend, y=0.12 / height, size=10, color=MUTED)
    return figure


@styled
def convolution(image: Array, kernel: Array, bias: float, result: Array) -> Figure:
    """Draw image, kernel and result as tables of numbers, with the first window and its result marked."""
    figure = Figure(figsize=(10, 4.6))
    axes = figure.add_subplot()
    size = len(kernel)
    middle = len(image) / 2
    starts = {}
    right = 0.0
    for title, table, sign in (
        ("image", image, "*"),
        ("kernel W", kernel, f"+ {bias:g}  ="),
        ("result A", result, ""),
    ):
        starts[title] = right, middle - len(table) / 2
        _table(axes, table, *starts[title], f"{title}, {len(table)} by {len(table)}")
        axes.text(right + len(table) + SPACE / 2, middle, sign, ha="center", va="center", size=18)
        right += len(table) + SPACE
    for title, side in (("image", size), ("result A", 1)):
        axes.add_patch(Rectangle(starts[title], side, side, fill=False, edgecolor=ORANGE, linewidth=3, zorder=3))
    products = (image[:size, :size] * kernel).ravel()
    factors = zip(image[:size, :size].ravel(), kernel.ravel(), strict=True)
    terms = " + ".join(f"{a:g}·{w:g}" for (a, w), product in zip(factors, products, strict=True) if product)
    note = f"the marked window: {terms} + {bias:g} = {result[0, 0]:g}; all other products are 0"
    axes.text((right - SPACE) / 2, len(image) + 0.8, note, ha="center", color=ORANGE, size=11)
    axes.set(xlim=(-0.1, right - SPACE + 0.1), ylim=(len(image) + 1.1, -0.8), aspect="equal")
    axes.set_axis_off()
    figure.suptitle("A convolution without padding")
    return figure


def _table(axes: Axes, table: Array, left: float, top: float, title: str) -> None:
    height, width = table.shape
    limit = 2 * np.abs(table).max()
    where = (left, left + width, top + height, top)
    axes.imshow(table, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=where)
    for row, column in np.ndindex(table.shape):
        x, y = left + column, top + row
        axes.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=GRID, linewidth=0.8))
        axes.text(x + 0.5, y + 0.5, f"{table[row, column]:g}", ha="center", va="center", size=13)
    axes.text(left + width / 2, top - 0.25, title, ha="center", color=MUTED, size=11)
