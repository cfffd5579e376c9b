"""Training sets that reveal everything that happens inside `training.fit`.

If all examples are copies of one, every batch is known, and the training follows the definition's trajectory. With a
learning rate of 0 the parameters keep their initial values. Each loss is then the mean of known losses of single
examples, so it shows which examples the batch contains.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from assay.adapters.proxy import GroupProxy, NonConformanceError
from assay.contract import Array
from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import (
    FACTOR,
    bounds,
    is_well_conditioned,
    root_mean_square,
    to_float64,
)
from assay.spec.semantics import losses, models
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.precision import use_precision
from assay.testing.assertions import assert_form
from assay.testing.problems import Problem
from assay.testing.training.mnist_training import Examples

Tensors = dict[str, Array]


class Sizes(NamedTuple):
    """Sizes of a training. An implementation that compiles does so once for each of them.

    Attributes:
        num_examples: Number of examples in the training set.
        num_batches: Number of steps.
        batch_size: Examples in a batch.

    """

    num_examples: int
    num_batches: int
    batch_size: int


# Several epochs each: of two batches and a remainder, and of one batch and a remainder.
SMALL = Sizes(7, 12, 3)
OF_THE_DOCUMENT = Sizes(60, 20, 50)
# As many examples as the document's training set has, and few batches, which leave a rest beside blocks of up to 256.
WHOLE = Sizes(60_000, 20, 259)


class Fitted(NamedTuple):
    """Result of `training.fit`.

    Attributes:
        losses: Float32 [num_batches].
        parameters: Float32, by canonical name.

    """

    losses: Array
    parameters: Tensors


def fit(
    training: GroupProxy, model: str, sizes: Sizes, examples: Examples, *, learning_rate: float, seed: int
) -> Fitted:
    """Train a new model on the examples, and check the form of the result.

    Raises:
        NonConformanceError: A shape or a dtype is wrong, or a number is not finite.

    """
    options = {"num_batches": sizes.num_batches, "batch_size": sizes.batch_size, "learning_rate": learning_rate}
    curve, found = training.fit(model, *examples, **options, seed=seed)
    curve = assert_form("the losses", curve, (sizes.num_batches,))
    shapes = models.MODELS[model].shapes
    if found.keys() != shapes.keys():
        msg = f"expected the parameters {', '.join(shapes)}, got {', '.join(found)}"
        raise NonConformanceError(msg)
    parameters = {name: assert_form(name, found[name], shape) for name, shape in shapes.items()}
    infinite = [name for name, value in {"losses": curve, **parameters}.items() if not np.isfinite(value).all()]
    if infinite:
        msg = f"{infinite[0]}: expected finite numbers, got {parameters.get(infinite[0], curve)}"
        raise NonConformanceError(msg)
    return Fitted(curve, parameters)


def frozen_training(training: GroupProxy, sizes: Sizes, examples: Examples, seed: int) -> Fitted:
    """Train the MLP with a learning rate of 0."""
    return fit(training, "mlp", sizes, examples, learning_rate=0.0, seed=seed)


# Number of images that are tried until every step of a training is well-conditioned. One in two is.
ATTEMPTS = 50
# Number of powers of ten that an image's pixels span: epsilon is not small beside the gradients of the smallest ones.
DECADES = 4
# Keras clips probabilities within 1e-7 of 1. A loss above this is far from that.
LEAST_LOSS = 0.02
# Limit on a step of Adam, so that it changes a sum of 784 products by less than 1.
LONGEST = 4e-4


def copies_of_one(model: str, initial: Tensors, sizes: Sizes, learning_rate: float, seed: int) -> Problem:
    """Draw one example, and return the training in which every batch consists of copies of it.

    Args:
        model: Name of the model.
        initial: Initial parameters of the training.
        sizes: Sizes of the training.
        learning_rate: Learning rate of the training. The higher it is, the darker the image.
        seed: Seed of the example.

    Raises:
        NonConformanceError: No example gives well-conditioned steps, for instance because all parameters are 0.

    """
    batches = (sizes.num_batches, sizes.batch_size)
    for attempt in range(ATTEMPTS):
        generator = np.random.default_rng((seed, attempt))
        image = min(1.0, LONGEST / learning_rate) * 10 ** -generator.uniform(0, DECADES, (28, 28, 1))
        problem = Problem(
            model,
            initial,
            np.broadcast_to(image.astype(np.float32), (*batches, 28, 28, 1)),
            np.broadcast_to(generator.integers(0, 10, dtype=np.int32), batches),
        )
        if _is_clear(problem, learning_rate):
            return problem
    msg = f"none of {ATTEMPTS} images keeps every unit of the initial model away from the edge of its ReLU"
    raise NonConformanceError(msg)


def examples_of(problem: Problem, sizes: Sizes) -> Examples:
    """Return a training set of copies of the problem's only example."""
    first = problem.inputs[0, 0], problem.targets[0, 0]
    return Examples(*(np.broadcast_to(value, (sizes.num_examples, *value.shape)) for value in first))


@use_precision("float32")
def _is_clear(problem: Problem, learning_rate: float) -> bool:
    """Whether rounding can change neither a sign before a ReLU nor the direction of Adam's first step."""
    first = problem.inputs[0, :1], problem.targets[0, :1]
    single, double = (
        models.loss_and_gradients(problem.model, *arguments)[1]["dense1/bias"]
        for arguments in ((problem.parameters, *first), map(to_float64, (problem.parameters, *first)))
    )
    moving = double[double != 0]
    # The first step follows the sign of the gradient, so the gradient must be far larger than its rounding.
    if not moving.size or np.abs(moving).min() <= FACTOR**3 * root_mean_square(single - double):
        return False
    if not all(is_well_conditioned(*problem, learning_rate, adam=adam) for adam in Adam):
        return False
    parameters, inputs, targets = map(to_float64, _of_one(problem)[1:])
    curve, _ = models.train(problem.model, parameters, inputs, targets, learning_rate)
    return bool(curve.min() > LEAST_LOSS)


def _of_one(problem: Problem) -> Problem:
    """Return the same training with batches of one example."""
    return problem._replace(inputs=problem.inputs[:, :1], targets=problem.targets[:, :1])


class Known(NamedTuple):
    """Losses of single examples under known parameters.

    Attributes:
        losses: Losses of the definition, float64 [n].
        tolerance: Bound on the float32 error of the mean loss of a batch.

    """

    losses: Array
    tolerance: float


def losses_of_examples(parameters: Tensors, examples: Examples, batch_size: int) -> Known:
    """Compute the loss of each example under the parameters of an MLP."""

    def evaluate(parameters: Tensors, images: Array, labels: Array) -> Tensors:
        probabilities = models.layer_outputs("mlp", parameters, images)["softmax"]
        return {"losses": losses.sparse_categorical_crossentropy(labels, probabilities)}

    found = evaluate(*map(to_float64, (parameters, *examples)))["losses"]
    # The largest of n errors is at most sqrt(n) times their root mean square. The mean adds its own rounding.
    largest = np.sqrt(len(found)) * bounds(evaluate, "mlp", parameters, *examples)["losses"]
    return Known(found, float(largest + rounding.gamma(batch_size + rounding.DIVIDE) * found.max()))


class Decoded(NamedTuple):
    """The batches of a training, read from its losses.

    Attributes:
        counts: Number of examples of each kind in each batch, [num_batches, kinds].
        distances: Distance of each loss from that of the decoded batch, [num_batches].
        tolerance: Largest distance that is accepted.
        is_certain: Whether no other batch has a loss within the tolerance.

    """

    counts: Array
    distances: Array
    tolerance: float
    is_certain: bool


def decode(losses: Array, known: Known, batch_size: int) -> Decoded:
    """Find for each loss the batch of examples whose mean loss is nearest.

    Args:
        losses: Losses of a training with learning rate 0, [num_batches].
        known: Losses of single examples of each kind.
        batch_size: Examples in a batch.

    """
    kinds = len(known.losses)
    chosen = np.array([*combinations_with_replacement(range(kinds), batch_size)])
    counts = np.stack([(chosen == kind).sum(axis=1) for kind in range(kinds)], axis=1)
    means = counts @ known.losses / batch_size
    distances = np.abs(losses[:, None].astype(np.float64) - means)
    gap = np.diff(np.sort(means)).min()
    nearest = distances.argmin(axis=1)
    return Decoded(counts[nearest], distances.min(axis=1), known.tolerance, bool(gap > 2 * known.tolerance))


def certain(decoded: list[Decoded]) -> list[Decoded]:
    """Return the trainings whose batches can be distinguished.

    Raises:
        NonConformanceError: Different examples have the same loss, for instance because all parameters are 0.

    """
    found = [one for one in decoded if one.is_certain]
    if not found:
        msg = "under the initial parameters different examples have the same loss"
        raise NonConformanceError(msg)
    return found


def seven_examples(seed: int) -> Examples:
    """Draw images of black and white pixels, with different labels, for trainings of the size `SMALL`."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 2, (SMALL.num_examples, 28, 28, 1)).astype(np.float32)
    return Examples(images, generator.permutation(10)[: SMALL.num_examples].astype(np.int32))


def label_apart(parameters: Tensors, images: Array) -> Examples:
    """Give two images labels whose losses are far apart: the likeliest of the first, and the least likely of the other.

    Args:
        parameters: Parameters of an MLP.
        images: The images, which may be equal.

    """
    one, other = models.layer_outputs("mlp", to_float64(parameters), to_float64(images))["softmax"]
    return Examples(images, np.array([one.argmax(), other.argmin()], np.int32))


def separate_examples(seed: int) -> Examples:
    """Draw images, each with bright pixels that are black in the others, and different labels."""
    generator = np.random.default_rng(seed)
    pixels = generator.permutation(28 * 28) % SMALL.num_examples == np.arange(SMALL.num_examples)[:, None]
    images = pixels.reshape(-1, 28, 28, 1).astype(np.float32)
    return Examples(images, generator.permutation(10)[: SMALL.num_examples].astype(np.int32))


def alternate(two: Examples, sizes: Sizes) -> Examples:
    """Return a training set in which two examples alternate."""
    return Examples(*(np.resize(values, (sizes.num_examples, *values.shape[1:])) for values in two))
