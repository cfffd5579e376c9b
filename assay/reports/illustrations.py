"""Figures of the report that are drawn from the definition alone."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from assay.reports.picture import (
    FIRST,
    INK,
    MUTED,
    SECOND,
    THIRD,
    WIDTH,
    Drawing,
    Picture,
    axes_of,
    bold,
    finish,
    log_ticks,
)


@cache
def from_definition() -> tuple[tuple[str, Picture], ...]:
    """Draw the figures that depend on the definition alone; return each with the name of its section."""
    drawings = {
        "linear_model": _linear_model,
        "dense": _activations,
        "softmax": _softmax,
        "cross_entropy": _cross_entropy,
        "convolution": _convolution,
    }
    return tuple((section, finish(draw, section)) for section, draw in drawings.items())


def _linear_model() -> Drawing:
    from assay.spec.semantics import models  # noqa: PLC0415

    steps = 100
    inputs = np.tile(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (steps, 1, 1))
    targets = np.tile(np.array([[10.0], [20.0]]), (steps, 1, 1))
    start = {name: np.zeros(shape) for name, shape in models.MODELS["linear"].shapes.items()}
    losses, end = models.train("linear", start, inputs, targets, learning_rate=0.01)
    figure, axes = axes_of()
    axes.semilogy(np.arange(1, steps + 1), losses, color=FIRST)
    axes.set(xlabel="step", ylabel="squared error (log scale)")
    log_ticks(axes)
    weights = ", ".join(f"{weight:.3f}" for weight in end["dense/kernel"].ravel())
    caption = (
        f"The document's first program, in float64: {steps} steps of gradient descent from zeros bring the "
        f"loss from {losses[0]:g} to {losses[-1]:.3g}; the kernel ends at ({weights}), the bias at "
        f"{end['dense/bias'][0]:.3f}."
    )
    alt = f"Falling line chart: from {losses[0]:g} at step 1 to {losses[-1]:.3g} at step {steps}."
    return Drawing(Picture("The linear model learns", caption, alt), figure)


def _activations() -> Drawing:
    from assay.spec.semantics.layers import ACTIVATIONS  # noqa: PLC0415

    inputs = np.linspace(-4, 4, 161)
    figure, axes = axes_of()
    labels = {
        "relu": (FIRST, 1.35, (-22, 4)),
        "tanh": (SECOND, 2.6, (10, -13)),
        "sigmoid": (THIRD, -2.9, (0, 6)),
    }
    for name, (colour, place, shift) in labels.items():
        activation = ACTIVATIONS[name]
        axes.plot(inputs, activation(inputs), color=colour)
        axes.annotate(name, (place, float(activation(np.array(place)))), shift, ha="center", **bold(colour))
    axes.set(xlabel="x", ylabel="f(x)", xlim=(-4, 4), ylim=(-1.2, 2.2))
    caption = (
        "The activation functions that the document names: ReLU cuts off what is negative, tanh keeps the "
        "output between -1 and 1, the sigmoid between 0 and 1."
    )
    alt = "Line chart of three functions from -4 to 4: relu is 0 and then x, tanh and sigmoid are S-shaped."
    return Drawing(Picture("Three activation functions", caption, alt), figure)


def _softmax() -> Drawing:
    from assay.spec.semantics.layers import softmax  # noqa: PLC0415

    logits = np.array([0.5, 1.0, 1.5, 2.0])
    figure, axes = axes_of()
    scaled = {scale: softmax(scale * logits) for scale in (1, 2, 4)}
    for place, (scale, colour) in enumerate(zip(scaled, (FIRST, SECOND, THIRD), strict=True)):
        where = np.arange(len(logits)) + 0.27 * (place - 1)
        axes.bar(where, scaled[scale], width=0.24, color=colour)
        label = "z" if scale == 1 else f"{scale}z"
        top = (where[-1], scaled[scale][-1])
        axes.annotate(label, top, (0, 3), ha="center", **bold(colour))
    axes.set_xticks(range(len(logits)), [f"{logit:g}" for logit in logits])
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="logit z", ylabel="probability", ylim=(0, 1))
    tops = ", ".join(f"{probabilities[-1]:.2f}" for probabilities in scaled.values())
    caption = (
        "Softmax brings out the largest element: the same four logits, taken once, twice and four times. The "
        f"probability of the largest goes {tops}."
    )
    alt = f"Bar chart of four probabilities for three scales; the largest is {tops}."
    return Drawing(Picture("How softmax emphasises the maximum", caption, alt), figure)


def _cross_entropy() -> Drawing:
    from assay.spec.semantics.losses import EPSILON  # noqa: PLC0415

    probabilities = np.logspace(-9, 0, 181)
    clipped = -np.log(np.clip(probabilities, EPSILON, 1 - EPSILON))
    figure, axes = axes_of()
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
    return Drawing(Picture("Cross entropy and its clip", caption, alt), figure)


def _convolution() -> Drawing:
    from assay.spec.semantics.convolution import conv2d  # noqa: PLC0415
    from assay.spec.vectors import read  # noqa: PLC0415

    example = read("convolution")
    image, kernel, bias = (np.array(example[name], float) for name in ("image", "W", "b"))
    result = conv2d(image[None, :, :, None], kernel[:, :, None, None], bias)[0, :, :, 0]
    sizes = [table.shape[0] for table in (image, kernel, result)]
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    places = figure.subplots(1, 3, width_ratios=sizes)
    titles = (f"image, {sizes[0]} by {sizes[0]}", "kernel", f"result, {sizes[2]} by {sizes[2]}")
    for axes, table, title in zip(places, (image, kernel, result), titles, strict=True):
        _cells(axes, table, title)
    # The window at its second position, and its result.
    for axes, corner, size in ((places[0], (0.5, -0.5), 3), (places[2], (0.5, -0.5), 1)):
        axes.add_patch(Rectangle(corner, size, size, fill=False, edgecolor=SECOND, linewidth=2, clip_on=False))
    window = image[:3, 1:4]
    terms = [(x, w) for x, w in zip(window.ravel(), kernel.ravel(), strict=True) if x * w]
    working = " + ".join(f"{x:g} x {w:g}" for x, w in terms)
    caption = (
        "The document's example, by the definition. The kernel moves over the image row by row; where the frame is, "
        f"its products and the bias come to {working} + {bias[0]:g} = {result[0, 1]:g}."
    )
    alt = f"Three tables of numbers: an image of {sizes[0]} by {sizes[0]}, a kernel, and the result."
    return Drawing(Picture("A convolution, number by number", caption, alt), figure)


def _cells(axes: Axes, table: NDArray[Any], title: str) -> None:
    rows, columns = table.shape
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal", title=title)
    for row, column in np.ndindex(rows, columns):
        number = table[row, column]
        axes.text(column, row, f"{number:g}", ha="center", va="center", color=INK if number else MUTED)
    axes.set_xticks(np.arange(columns + 1) - 0.5, labels=[])
    axes.set_yticks(np.arange(rows + 1) - 0.5, labels=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
