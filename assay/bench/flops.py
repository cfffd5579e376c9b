"""Lower bound on the cost of a step, derived from the definition of its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from assay.spec.semantics.convolution import conv2d
from assay.spec.semantics.models import MODELS

FLOAT_BYTES = 4
# Arrays read and written per parameter: Adam has two moments besides the parameter.
KEPT = {"adam": 3, "sgd": 1}


class Cost(NamedTuple):
    """Minimum cost for an implementation that multiplies as the definition does.

    Attributes:
        operations: Number of multiplications and additions in its products.
        bytes: Number of bytes of parameters and optimizer state that are read and written.
        footprint: Size in bytes of these arrays, which determines the speed of memory: a small model stays in a cache.

    """

    operations: int
    bytes: int
    footprint: int


class Product(NamedTuple):
    """The products of one kernel.

    Attributes:
        terms: Multiplications for one example.
        differentiable: Whether the gradient of its inputs is computed, which it is not for the first layer.

    """

    terms: int
    differentiable: bool


def training(model: str, batch_size: int, seq_length: int = 1) -> Cost:
    """Return the cost of a training step: the products, equally many for each factor's gradient, and the update."""
    terms = sum(product.terms * (3 if product.differentiable else 2) for product in list_products(model, seq_length))
    kept = KEPT[MODELS[model].optimizer] * FLOAT_BYTES * _parameters(model)
    return Cost(2 * batch_size * terms, 2 * kept, kept)


def inference(model: str, batch_size: int, seq_length: int = 1) -> Cost:
    """Return the cost of computing the outputs of a batch."""
    terms = sum(product.terms for product in list_products(model, seq_length))
    kept = FLOAT_BYTES * _parameters(model)
    return Cost(2 * batch_size * terms, kept, kept)


def learning(model: str, batch_size: int) -> Cost:
    """Return the cost of a Q-learning step: a training step, and the values of the next states."""
    step, ahead = training(model, batch_size), inference(model, batch_size)
    return step._replace(operations=step.operations + ahead.operations)


def writing(seq_length: int) -> Cost:
    """Return the cost of a generated character: one step of the cell for every window that will contain it."""
    cost = inference("rnn", seq_length, seq_length=2)
    dense = 2 * int(np.prod(MODELS["rnn"].shapes["dense/kernel"]))
    return cost._replace(operations=cost.operations - (seq_length - 1) * dense)


def list_products(model: str, seq_length: int = 1) -> Iterator[Product]:
    """Yield the products of every kernel, in order.

    Args:
        model: Name of the model, such as `cnn`.
        seq_length: Length of an example of the RNN. Products with one-hot vectors are look-ups and do not count, and
            neither does the first product with a state of zeros.

    """
    side = 28
    for index, (name, shape) in enumerate(MODELS[model].shapes.items()):
        match name.rpartition("/")[2], shape:
            case "recurrent_kernel", (units, sums):
                yield Product((seq_length - 1) * units * sums, differentiable=True)
            case "kernel", (window, _, channels, filters):
                yield Product(_taps(side, window) * channels * filters, differentiable=index > 0)
                side //= 2
            case "kernel", (inputs, units) if not name.startswith("cell/"):
                yield Product(inputs * units, differentiable=index > 0)


def _taps(side: int, window: int) -> int:
    # With inputs of ones, each output is the number of its terms, and padding does not count.
    ones = conv2d(np.ones((1, side, side, 1)), np.ones((window, window, 1, 1)), padding="same")
    return int(ones.sum())


def _parameters(model: str) -> int:
    return sum(int(np.prod(shape)) for shape in MODELS[model].shapes.values())
