"""Batch normalisation: arguments, their solution by the definition, and calls of an implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.error_bounds import image_rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import normalization
from assay.spec.semantics.normalization import Statistics
from assay.testing.assertions import assert_form


class NormalizationCase(NamedTuple):
    """Arguments of batch normalisation, float32.

    Attributes:
        inputs: [..., channels].
        gamma: [channels].
        beta: [channels].
        moving_mean: Moving mean before the call, [channels].
        moving_variance: Moving variance before the call, [channels].

    """

    inputs: Array
    gamma: Array
    beta: Array
    moving_mean: Array
    moving_variance: Array

    @property
    def moving(self) -> Statistics:
        """Moving statistics before the call."""
        return Statistics(self.moving_mean, self.moving_variance)


def draw_case(seed: int, shape: tuple[int, ...]) -> NormalizationCase:
    """Draw arguments of batch normalisation for inputs of a shape."""
    generator = np.random.default_rng(seed)
    shapes = (shape, *[shape[-1:]] * 4)
    inputs, gamma, beta, mean, variance = (generator.uniform(-1, 1, one).astype(np.float32) for one in shapes)
    return NormalizationCase(inputs, gamma, beta, mean, np.abs(variance))


def solve(case: NormalizationCase, *, training: bool) -> tuple[Array, Array]:
    """Return the output by the definition, and its bound."""
    exact = NormalizationCase(*map(to_float64, case))
    arguments = exact.inputs, exact.gamma, exact.beta, exact.moving
    output: Array = normalization.batch_normalization(*arguments, training=training)
    return output, image_rounding.batch_normalization(*arguments, training=training)


def definition_of(moving: Statistics, *, training: bool) -> Callable[..., Array]:
    """Return the definition as a function of inputs, gamma and beta."""

    def evaluate(inputs: Array, gamma: Array, beta: Array) -> Array:
        return normalization.batch_normalization(inputs, gamma, beta, moving, training=training)

    return evaluate


def normalize(ops: GroupProxy, case: NormalizationCase, *, training: bool) -> tuple[Array, Statistics]:
    """Run batch normalisation, and check the form of its results.

    Returns:
        The output, and the new moving statistics.

    """
    channels = case.gamma.shape
    outputs, *moving = ops.batch_normalization(*case, training=training)
    assert_form("the output", outputs, case.inputs.shape)
    mean, variance = (
        assert_form(f"the moving {what}", one, channels) for what, one in zip(Statistics._fields, moving, strict=True)
    )
    return outputs, Statistics(mean, variance)


def changes_statistics(keras: GroupProxy, model: Any, layer: Any, inputs: Array, **options: Any) -> bool:  # noqa: ANN401
    """Whether a call of a model changes the moving mean of a BatchNormalization inside it.

    Args:
        keras: Implementation of the group `keras`.
        model: The model.
        layer: A BatchNormalization of the model.
        inputs: Inputs of the call.
        options: Further arguments of the call.

    """
    before = np.array(keras.to_numpy(layer.moving_mean))
    model(keras.to_tensor(inputs), **options)
    return bool((keras.to_numpy(layer.moving_mean) != before).any())
