"""The report's figures of what the tests measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from assay.reports.evidence import (
    CLASSES,
    MOST_IMAGES,
    MOST_POINTS,
    SIDE,
    EvidenceError,
    Numbers,
    as_count,
    as_number,
    as_probability,
    digit_list,
    field,
    image_array,
    number_list,
    text_list,
)
from assay.reports.picture import (
    CARD,
    FIRST,
    INK,
    MUTED,
    SECOND,
    Count,
    Drawing,
    Picture,
    Tile,
    axes_of,
    bold,
    finish,
    log_ticks,
    on_axis,
    png,
)

BINS = 200
MOST_BARS = 40
MOST_EPISODES = 5_000


def from_evidence(evidence: Mapping[str, Any], salt: str) -> tuple[list[Picture], list[str]]:
    """Draw the measurements of one row.

    Args:
        evidence: Evidence of the row; kinds without a figure are ignored.
        salt: Text that makes the ids of the drawing unique in the page.

    Returns:
        The figures, and a line with the reason for each that cannot be drawn.

    """
    pictures, notes = [], []
    for kind, draw in DRAWERS.items():
        if kind not in evidence:
            continue
        try:
            pictures.append(finish(partial(draw, evidence[kind]), f"{salt}-{kind}"))
        except EvidenceError as error:
            notes.append(f"{kind.replace('_', ' ')}: {error}")
    return pictures, notes


def _training_curve(evidence: object) -> Drawing:
    steps = number_list(evidence, "steps")
    losses = number_list(evidence, "losses", len(steps))
    if not (losses > 0).any() or (losses < 0).any() or (np.diff(steps) <= 0).any():
        msg = "the losses are not positive, or the steps do not rise"
        raise EvidenceError(msg)
    figure, axes = axes_of()
    axes.set_yscale("log")
    smoothed = _plot_curve(axes, steps, losses)
    limited = _plot_limits(axes, evidence, steps)
    classes = _classes(evidence)
    guessing = math.log(classes)
    axes.axhline(guessing, color=SECOND, linestyle=(0, (4, 3)), linewidth=1.2)
    label = f"guessing: ln {classes} = {guessing:.3f}"
    axes.annotate(label, (1, guessing), (-2, 4), ha="right", color=SECOND, **on_axis(axes, "y"))
    axes.set(xlabel="batch", ylabel="cross entropy (log scale)")
    log_ticks(axes)
    tail = max(1, len(losses) // 20)
    start, end = losses[0], losses[-tail:].mean()
    caption = (
        f"The loss, batch by batch. It begins near ln {classes}, the loss of a model that guesses one of {classes} "
        f"classes, and the last {tail} of the {len(losses)} recorded points average {end:.3g}."
        + (" The line is the mean of neighbouring batches, the band their range." if smoothed else "")
        + (" Dotted: the limits." if limited else "")
    )
    alt = f"Line chart: the loss goes from {start:.3g} to {end:.3g} in {steps[-1]:g} batches."
    return Drawing(Picture("Loss during training", caption, alt), figure)


def _classes(evidence: object) -> int:
    """Return the number of classes; ledgers without it are about digits."""
    if not isinstance(evidence, Mapping) or "classes" not in evidence:
        return CLASSES
    classes = as_number(evidence["classes"], "classes")
    if classes < 2:  # noqa: PLR2004 - guessing needs two classes
        msg = "'classes' is less than 2"
        raise EvidenceError(msg)
    return int(classes)


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
    limits = number_list(evidence, "limits", len(steps))
    axes.plot(steps, limits, color=MUTED, linestyle=(0, (1, 2)), linewidth=1.4)
    return True


def _accuracy(evidence: object) -> Drawing:
    value = as_probability(field(evidence, "value"), "value")
    limit = as_probability(field(evidence, "limit"), "limit")
    runs = sorted(as_probability(run, "runs") for run in number_list(evidence, "runs"))
    batches = as_number(field(evidence, "num_batches"), "num_batches")
    marks: list[tuple[float, str, str, Any]] = [(limit, f"limit {limit:.4f}", MUTED, (0, (4, 3)))]
    printed = evidence.get("printed") if isinstance(evidence, Mapping) else None
    if printed is not None:
        printed = as_probability(printed, "printed")
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
    return Drawing(Picture(f"Accuracy {after}", caption, alt), figure)


def _strip(runs: Numbers, marks: Sequence[tuple[float, str, str, Any]]) -> Figure:
    figure, axes = axes_of(2.4)
    places = [*runs, *(mark[0] for mark in marks)]
    low, high = min(places), max(places)
    margin = 0.06 * (high - low) or 0.01
    axes.set_xlim(low - margin, high + margin)
    columns = np.round((runs - low) / (high - low + 2 * margin) * 60)
    heights = np.array([np.sum(columns[:index] == column) for index, column in enumerate(columns)], dtype=float)
    axes.plot(runs, heights, "o", color=FIRST, markersize=5, alpha=0.75, markeredgewidth=0, clip_on=False)
    # Labels are above the dots, each on its own level, so that those of near values do not overlap.
    axes.set_ylim(-0.6, max(6.0, 1.9 * (heights.max() + 1)))
    for level, (place, label, colour, line) in enumerate(marks):
        top = 0.72 + 0.12 * level
        axes.plot([place, place], [0, top], color=colour, ls=line, lw=1.6, transform=axes.get_xaxis_transform())
        side, shift = ("right", (-5, -6)) if place > (low + high) / 2 else ("left", (5, -6))
        ground = {"facecolor": CARD, "edgecolor": "none", "pad": 0.8}
        axes.annotate(label, (place, top), shift, ha=side, color=colour, bbox=ground, **on_axis(axes, "x"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("accuracy on the test images")
    return figure


def _scores(evidence: object) -> Drawing:
    scores = number_list(evidence, "scores")[:MOST_EPISODES]
    limit, best = (as_number(field(evidence, name), name) for name in ("limit", "best"))
    window = as_number(field(evidence, "window"), "window")
    if not (1 <= window <= len(scores) and window.is_integer()) or limit < 0 or (scores < 0).any():
        msg = "there are fewer scores than 'window' says, or something is negative"
        raise EvidenceError(msg)
    count = int(window)
    episodes, steps = np.arange(1, len(scores) + 1), scores + 1
    figure, axes = axes_of()
    axes.plot(episodes, steps, ".", color=FIRST, alpha=0.4, markersize=4, markeredgewidth=0)
    axes.plot(episodes[count - 1 :], np.convolve(steps, np.ones(count) / count, mode="valid"), color=FIRST)
    axes.axhline(limit, color=SECOND, linestyle=(0, (4, 3)), linewidth=1.2)
    axes.annotate(f"limit {limit:.4g}", (1, limit), (-2, 4), ha="right", color=SECOND, **on_axis(axes, "y"))
    axes.set(xlabel="episode", ylabel="steps", ylim=(0, None))
    caption = (
        f"How long each of {len(scores)} episodes lasted, and the mean of {count} in a row. The best {count} have "
        f"{best:.4g} steps; the limit is the worst that the stored reference runs had of their best. What is learnt "
        "may be lost again, which the limit does not ask about."
    )
    alt = f"Dots and a line: episodes of {steps.min():g} to {steps.max():g} steps, at best {best:.4g} in the mean."
    return Drawing(Picture("How the agent learns", caption, alt), figure)


def _random_play(evidence: object) -> Drawing:
    lengths = number_list(evidence, "lengths")
    expected = as_number(field(evidence, "expected"), "expected")
    figure, axes = axes_of()
    # Bins with equally many whole numbers.
    low, width = lengths.min() - 0.5, max(1, math.ceil(np.ptp(lengths) / MOST_BARS))
    axes.hist(lengths, bins=low + width * np.arange(np.ptp(lengths) // width + 2), color=FIRST)
    axes.axvline(expected, color=SECOND, linestyle=(0, (4, 3)), linewidth=1.2)
    mean = f"mean by the definition: {expected:.4g}"
    axes.annotate(mean, (expected, 1), (5, -9), color=SECOND, **on_axis(axes, "x"))
    axes.set(xlabel="steps of an episode", ylabel="episodes")
    caption = f"How long {len(lengths)} episodes of random play lasted: {lengths.mean():.4g} steps in the mean."
    alt = f"Histogram from {lengths.min():g} to {lengths.max():g} steps."
    return Drawing(Picture("Random play", caption, alt), figure)


def _misread(evidence: object) -> Drawing:
    images = image_array(evidence, "uint8")
    labels, predictions = (digit_list(evidence, key, len(images)) for key in ("labels", "predictions"))
    confidence = [as_probability(each, "confidence") for each in number_list(evidence, "confidence", len(images))]
    tiles = tuple(
        Tile(_ink(image), label, prediction, sure)
        for image, label, prediction, sure in zip(images, labels, predictions, confidence, strict=True)
    )[:MOST_IMAGES]
    caption = (
        f"{len(tiles)} test images that the trained model misreads: what the image is, what the model takes "
        "it for, and the probability that it gives to its mistake."
    )
    return Drawing(Picture("Misread digits", caption, "Handwritten digits, one picture each.", tiles=tiles))


def _ink(image: NDArray[Any]) -> str:
    # Black with the intensity as opacity, so that the page's own background is the paper.
    return png(np.dstack([np.zeros((SIDE, SIDE, 3), np.uint8), image]))


def _kernels(evidence: object) -> Drawing:
    shown = image_array(evidence, "<f4")[:MOST_IMAGES]
    pixels, scale = _colour(shown)
    caption = (
        f"The weights from the 28 by 28 pixels to {len(shown)} of the hidden units, each unit drawn as an "
        f"image. {COLOURS} {scale:.2g} or more."
    )
    alt = f"{len(shown)} pictures of weights in red, white and blue."
    return Drawing(Picture("What the hidden units look at", caption, alt, image=png(_montage(pixels))))


def _filters(evidence: object) -> Drawing:
    shown = image_array(evidence, "<f4", side=None)[:MOST_IMAGES]
    side = shown.shape[-1]
    pixels, scale = _colour(shown)
    large = pixels.repeat(SIDE // side, axis=1).repeat(SIDE // side, axis=2)
    caption = (
        f"The kernels of {len(shown)} filters of the first convolution, {side} by {side} weights each: what a filter "
        f"looks for at every place of the image. {COLOURS} {scale:.2g} or more."
    )
    alt = f"{len(shown)} pictures of {side} by {side} weights in red, white and blue."
    return Drawing(Picture("What the first convolution looks for", caption, alt, image=png(_montage(large))))


COLOURS = "Red pixels excite it, blue ones inhibit it, white ones do not count; full colour is"


def _colour(weights: NDArray[Any]) -> tuple[NDArray[np.uint8], float]:
    """Return pixels [n, side, side, 4], and the weight with full colour."""
    if not np.isfinite(weights).all():
        msg = "'images' has a number that is not finite"
        raise EvidenceError(msg)
    scale = float(np.quantile(np.abs(weights.astype(np.float64)), 0.99)) or 1.0
    colours = mpl.colormaps["RdBu_r"].resampled(65)
    return colours(0.5 + 0.5 * np.clip(weights / scale, -1, 1), bytes=True), scale


def _montage(pictures: NDArray[Any]) -> NDArray[np.uint8]:
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    side = pictures.shape[1]
    pitch = side + 2
    sheet = np.zeros((rows * pitch - 2, columns * pitch - 2, 4), np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet[row * pitch : row * pitch + side, column * pitch : column * pitch + side] = picture
    return sheet


def _confusion(evidence: object) -> Drawing:
    matrix = field(evidence, "matrix")
    whole = isinstance(matrix, list) and all(isinstance(row, list) and len(row) == CLASSES for row in matrix)
    if not whole or len(matrix) != CLASSES:
        msg = "'matrix' is not 10 by 10"
        raise EvidenceError(msg)
    counts = np.array([[as_count(count) for count in row] for row in matrix])
    total, right = int(counts.sum()), int(counts.trace())
    caption = (
        f"How often each digit was taken for which, over {total:,} test images. {right:,} are on the "
        "diagonal, where the model is right; elsewhere, the stronger the colour, the commoner the mistake."
    )
    return Drawing(Picture("Confusion matrix", caption, "Table of counts.", matrix=_shade(counts)))


def _shade(counts: NDArray[np.int64]) -> tuple[tuple[Count, ...], ...]:
    diagonal = np.eye(CLASSES, dtype=bool)
    most = np.where(diagonal, counts[diagonal].max(), counts[~diagonal].max())
    shades = counts / np.maximum(most, 1)
    return tuple(
        tuple(Count(int(number), row == column, float(shades[row, column])) for column, number in enumerate(numbers))
        for row, numbers in enumerate(counts)
    )


def _samples(evidence: object) -> Drawing:
    temperatures = number_list(evidence, "temperatures")
    texts = text_list(evidence, "texts", len(temperatures))
    samples = tuple((f"temperature {one:g}", text) for one, text in zip(temperatures, texts, strict=True))
    caption = (
        f"What the trained network writes, {len(texts[0])} characters for each temperature, from one and the same "
        "beginning. The lower the temperature, the more it keeps to what is most probable."
    )
    return Drawing(Picture("Written by the network", caption, "Texts, one for each temperature.", samples=samples))


def _entropy(evidence: object) -> Drawing:
    temperatures = number_list(evidence, "temperatures")
    entropies = number_list(evidence, "entropies", len(temperatures))
    marked = number_list(evidence, "marked")
    classes = _classes(evidence)
    figure, axes = axes_of()
    axes.plot(temperatures, entropies, color=FIRST)
    heights = np.interp(marked, temperatures, entropies)
    axes.plot(marked, heights, "o", color=SECOND, markersize=5)
    for place, height in zip(marked, heights, strict=True):
        axes.annotate(f"{place:g}", (place, height), (-3, 6), ha="right", **bold(SECOND))
    axes.axhline(math.log(classes), color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
    label = f"any character: ln {classes} = {math.log(classes):.3f}"
    axes.annotate(label, (0, math.log(classes)), (4, -12), color=MUTED, **on_axis(axes, "y"))
    axes.set(xlabel="temperature", ylabel="entropy in nats", ylim=(0, None))
    ends = ", ".join(f"{height:.2f} at {place:g}" for place, height in zip(marked, heights, strict=True))
    caption = (
        "How uncertain the trained network is about the next character, on average over windows of the text, by "
        f"the temperature. Dots: the document's temperatures ({ends})."
    )
    alt = f"Rising line chart: the entropy goes from {entropies[0]:.2f} to {entropies[-1]:.2f}."
    return Drawing(Picture("Entropy and temperature", caption, alt), figure)


DRAWERS: dict[str, Callable[[object], Drawing]] = {
    "training_curve": _training_curve,
    "accuracy": _accuracy,
    "scores": _scores,
    "random_play": _random_play,
    "confusion": _confusion,
    "misread": _misread,
    "kernels": _kernels,
    "filters": _filters,
    "samples": _samples,
    "entropy": _entropy,
}
