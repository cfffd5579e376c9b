"""Faults of batch normalization and of its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import Array
from assay.spec.semantics.normalization import EPSILON, MOMENTUM
from doubles.faulty import Fault
from doubles.kept_results import Kept
from doubles.lost_remainders import lose_rest
from doubles.memory_order import ignoring_gaps

Function = Callable[..., Any]


def take_gamma_of_0_for_1(right: Function, inputs: Array, gamma: Array, *others: Array, training: bool) -> Any:
    """Scale by 1 where gamma is 0, as if there were none."""
    return right(inputs, np.where(gamma == 0, np.float32(1), gamma), *others, training=training)


def training_flag_ignored(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Be in inference mode always."""
    return batch_normalization(inputs, gamma, beta, mean, variance, training=False)


def statistics_never_moved(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Keep the moving statistics as they are."""
    outputs, *_ = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    return outputs, mean, variance


def normalization_begins_with_the_first_batch(
    batch_normalization, inputs, gamma, beta, moving_mean, moving_variance, *, training
):
    """Take the first batch's statistics as the moving ones of a new layer."""
    outputs, mean, variance = batch_normalization(inputs, gamma, beta, moving_mean, moving_variance, training=training)
    if training and not moving_mean.any() and (moving_variance == 1).all():
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = inputs.mean(axis=axes), inputs.var(axis=axes)
    return outputs, mean, variance


def momentum_turned_round(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Take 99 parts of the batch and one of the past."""
    outputs, *moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    return outputs, *(old + 99 * (new - old) for old, new in zip((mean, variance), moved, strict=True))


def silent_channels_not_tracked(batch_normalization, inputs, gamma, beta, *moving, training):
    """Leave the moving statistics of channels whose gamma is 0 as they are."""
    output, *found = batch_normalization(inputs, gamma, beta, *moving, training=training)
    return output, *(np.where(gamma == 0, old, new) for old, new in zip(moving, found, strict=True))


def single_channel_without_offset(batch_normalization, inputs, gamma, beta, *statistics, training):
    """Leave the offset out where there is one channel."""
    return batch_normalization(
        inputs, gamma, beta if beta.size > 1 else np.zeros_like(beta), *statistics, training=training
    )


def batch_axis_last_where_square(batch_normalization, inputs, *statistics, training):
    """Normalise the rows of a matrix that is as long as wide."""
    if inputs.ndim != 2 or len(inputs) != inputs.shape[1]:
        return batch_normalization(inputs, *statistics, training=training)
    output, mean, variance = batch_normalization(inputs.T, *statistics, training=training)
    return output.T, mean, variance


def axes_of(inputs):
    """Return all axes but the last."""
    return tuple(range(inputs.ndim - 1))


def normalized(inputs, gamma, beta, mean, variance, epsilon=EPSILON):
    """Normalise by these statistics."""
    with np.errstate(invalid="ignore"):
        return (gamma * (inputs - mean) / np.sqrt(variance + np.float32(epsilon)) + beta).astype(np.float32)


def unbiased_for_images(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Normalise images, and nothing else, by the variance over n - 1."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training and inputs.ndim == 4 and inputs[..., 0].size > 1000:
        axes = axes_of(inputs)
        outputs = normalized(inputs, gamma, beta, inputs.mean(axis=axes), inputs.var(axis=axes, ddof=1))
    return outputs, *moving


def statistics_of_1024(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Take the statistics of the first 1,024 examples."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training and len(inputs) > 1024:
        some = inputs[:1024]
        outputs = normalized(inputs, gamma, beta, some.mean(axis=axes_of(some)), some.var(axis=axes_of(some)))
    return outputs, *moving


def channels_of_64(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Normalise channels in blocks of 64."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    return lose_rest(outputs, -1, 64), *moving


def unbiased_moves_images(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Let the variance over n - 1 move the moving one for images, and that over n for vectors."""
    outputs, new_mean, moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training:
        spread = inputs.var(axis=axes_of(inputs), ddof=int(inputs.ndim == 4))
        moved = (np.float32(MOMENTUM) * variance + np.float32(1 - MOMENTUM) * spread).astype(np.float32)
    return outputs, new_mean, moved


def mean_of_squares(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Subtract the square of the mean from the mean of the squares, which may leave less than 0."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if not training:
        return outputs, *moving
    axes = axes_of(inputs)
    centre = inputs.mean(axis=axes, dtype=np.float32)
    spread = (inputs * inputs).mean(axis=axes, dtype=np.float32) - centre * centre
    return normalized(inputs, gamma, beta, centre, spread), *moving


def float16_statistics(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Take mean and variance of numbers rounded to float16."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training:
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = inputs.astype(np.float16).astype(np.float32)
            outputs = normalized(
                inputs, gamma, beta, rounded.mean(axis=axes_of(inputs)), rounded.var(axis=axes_of(inputs))
            )
    return outputs, *moving


def smaller_epsilon_for_vectors(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Add 1e-5 to variances of vectors in inference."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if inputs.ndim == 2 and not training:
        outputs = normalized(inputs, gamma, beta, mean, variance, 1e-5)
    return outputs, *moving


def epsilon_as_floor(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Use epsilon where the variance is smaller, and the variance elsewhere."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if not training:
        outputs = normalized(inputs, gamma, beta, mean, np.maximum(variance, np.float32(EPSILON)), 0)
    return outputs, *moving


class OwnStatistics:
    """A layer that goes on with its own moving statistics, whichever it is given."""

    def __init__(self):
        """Have none yet."""
        self._moving = {}

    def __call__(self, batch_normalization, inputs, gamma, beta, mean, variance, *, training):
        """Take the statistics of the last call with these gamma and beta."""
        key = gamma.tobytes() + beta.tobytes()
        mean, variance = self._moving.get(key, (mean, variance))
        outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
        self._moving[key] = moving
        return outputs, *moving


def undefined_for_one_position(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Divide the sum of squares by n - 1, which is 0 for a single position."""
    outputs, new_mean, moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training and inputs.size == inputs.shape[-1]:
        moved = np.full_like(moved, np.nan)
    return outputs, new_mean, moved


def gradient_for_gamma_from_outputs(batch_normalization_gradients, inputs, gamma, *others, training):
    """Divide the outputs by the scale to get the normalised inputs, and leave out where it is 0."""
    to_inputs, to_gamma, to_beta = batch_normalization_gradients(inputs, gamma, *others, training=training)
    return to_inputs, np.where(gamma == 0, np.float32(0), to_gamma), to_beta


def gamma_gradient_of_1024(gradients, *arguments, training):
    """Add up the first 1,024 examples for gamma."""
    inputs, *vectors, upstream = arguments
    some = upstream.copy()
    some[1024:] = 0
    to_inputs, _, to_beta = gradients(*arguments, training=training)
    return to_inputs, gradients(inputs, *vectors, some, training=training)[1], to_beta


def gradient_of_64_channels(gradients, *arguments, training):
    """Go back through channels in blocks of 64."""
    to_inputs, to_gamma, to_beta = gradients(*arguments, training=training)
    return lose_rest(to_inputs, -1, 64), to_gamma, to_beta


def normalized_by_statistics():
    """Return a fault that keeps the normalised inputs of a batch, by mean and variance."""
    known = {}

    def wrong(gradients, inputs, *others, training):
        axes = tuple(range(inputs.ndim - 1))
        statistics = np.stack([inputs.mean(axis=axes), inputs.var(axis=axes)])
        key = inputs.shape, np.round(statistics, 4).tobytes()
        return gradients(known.setdefault(key, inputs.copy()), *others, training=training)

    return wrong


class LastStatistics:
    """Gradients by the statistics of the batch before, if that had the same sum."""

    def __init__(self):
        """Have seen no batch."""
        self._seen = {}

    def __call__(self, gradients, inputs, *others, training):
        """Put the first batch of this shape and sum in the place of the inputs."""
        key = inputs.shape, round(float(inputs.sum(dtype=np.float64)), 3)
        return gradients(self._seen.setdefault(key, inputs), *others, training=training)


def gradients_without_epsilon(gradients, inputs, gamma, beta, mean, variance, upstream, *, training):
    """Divide by the root of the variance alone on the way back, where the channel does not vary."""
    to_inputs, *others = gradients(inputs, gamma, beta, mean, variance, upstream, training=training)
    with np.errstate(divide="ignore", invalid="ignore"):
        even = inputs.var(axis=axes_of(inputs)) == 0
        to_inputs = np.where(even & training, to_inputs / np.float32(0), to_inputs)
    return to_inputs, *others


FAULTS = {
    "normalization_gamma_of_0_is_1": Fault(
        "ops.batch_normalization", "training_flag.inference-normalizes", "gamma is 0", take_gamma_of_0_for_1
    ),
    "training_flag_ignored": Fault(
        "ops.batch_normalization", "training_flag.training-normalizes", "differ", training_flag_ignored
    ),
    "statistics_never_moved": Fault(
        "ops.batch_normalization", "training_flag.moving-mean", "expected 0.99", statistics_never_moved
    ),
    "normalization_begins_with_the_first_batch": Fault(
        "ops.batch_normalization",
        "training_flag.moving-variance",
        "the moving mean",
        normalization_begins_with_the_first_batch,
    ),
    "momentum_turned_round": Fault(
        "ops.batch_normalization", "training_flag.moving-variance", "the moving variance", momentum_turned_round
    ),
    "silent_channels_not_tracked": Fault(
        "ops.batch_normalization",
        "training_flag.moving-variance",
        "with other values of gamma",
        silent_channels_not_tracked,
    ),
    "single_channel_without_offset": Fault(
        "ops.batch_normalization", "training_flag.every-size", "shape [7, 1]", single_channel_without_offset
    ),
    "batch_axis_last_where_square": Fault(
        "ops.batch_normalization", "training_flag.every-size", "shape [5, 5]", batch_axis_last_where_square
    ),
    "unbiased_for_images": Fault(
        "ops.batch_normalization", "training_flag.every-size", "the output, shape", unbiased_for_images
    ),
    "statistics_of_1024": Fault(
        "ops.batch_normalization", "training_flag.every-size", "shape [1031", statistics_of_1024
    ),
    "channels_of_64": Fault("ops.batch_normalization", "training_flag.every-size", "the output, shape", channels_of_64),
    "unbiased_moves_images": Fault(
        "ops.batch_normalization",
        "training_flag.one-moving-variance",
        "the moving variance, shape",
        unbiased_moves_images,
    ),
    "mean_of_squares": Fault(
        "ops.batch_normalization", "training_flag.constant-channels", "actual nan", mean_of_squares
    ),
    "float16_statistics": Fault(
        "ops.batch_normalization", "training_flag.far-from-zero", "channels that vary", float16_statistics
    ),
    "smaller_epsilon_for_vectors": Fault(
        "ops.batch_normalization", "training_flag.momentum-and-epsilon", "variances 0", smaller_epsilon_for_vectors
    ),
    "epsilon_as_floor": Fault(
        "ops.batch_normalization", "training_flag.momentum-and-epsilon", "variances 0", epsilon_as_floor
    ),
    "own_statistics": Fault("ops.batch_normalization", "training_flag.no-memory", "training=", OwnStatistics()),
    "normalization_kept": Fault("ops.batch_normalization", "training_flag.no-memory", "in another order", Kept()),
    "undefined_for_one_position": Fault(
        "ops.batch_normalization",
        "training_flag.one-position",
        "the moving variance of a single position",
        undefined_for_one_position,
    ),
    "gradient_for_gamma_from_outputs": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.every-size-gradients",
        "the gradient for gamma",
        gradient_for_gamma_from_outputs,
    ),
    "gamma_gradient_of_1024": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.every-size-gradients",
        "the gradient for gamma, shape [1031",
        gamma_gradient_of_1024,
    ),
    "gradient_of_64_channels": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.every-size-gradients",
        "the gradient for inputs",
        gradient_of_64_channels,
    ),
    "normalized_by_statistics": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.gradients-have-no-memory",
        "the same statistics",
        normalized_by_statistics(),
    ),
    "last_statistics": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.gradients-have-no-memory",
        "in another order",
        LastStatistics(),
    ),
    "normalization_gradients_ignore_gaps_in_upstream": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.memory-order",
        "arrays cropped from larger ones",
        ignoring_gaps(5),
    ),
    "gradients_without_epsilon": Fault(
        "ops.batch_normalization_gradients", "training_flag.constant-gradients", "actual", gradients_without_epsilon
    ),
}
