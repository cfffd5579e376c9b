"""Faults of normalisation, dropout, reshape and flatten that show at some sizes, values, seeds or calls alone."""

import numpy as np

from assay.spec.semantics.normalization import EPSILON, MOMENTUM
from doubles.convolution_faults import Kept, lose_rest
from doubles.faulty import Fault


def normalized(inputs, gamma, beta, mean, variance, epsilon=EPSILON):
    """Normalise by these statistics."""
    with np.errstate(invalid="ignore"):
        return (gamma * (inputs - mean) / np.sqrt(variance + np.float32(epsilon)) + beta).astype(np.float32)


def axes_of(inputs):
    """Return all axes but the last."""
    return tuple(range(inputs.ndim - 1))


def mean_of_squares(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Subtract the square of the mean from the mean of the squares, which may leave less than 0."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if not training:
        return outputs, *moving
    axes = axes_of(inputs)
    centre = inputs.mean(axis=axes, dtype=np.float32)
    spread = (inputs * inputs).mean(axis=axes, dtype=np.float32) - centre * centre
    return normalized(inputs, gamma, beta, centre, spread), *moving


def unbiased_for_images(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Normalise images, and nothing else, by the variance over n - 1."""
    outputs, *moving = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training and inputs.ndim == 4 and inputs[..., 0].size > 1000:
        axes = axes_of(inputs)
        outputs = normalized(inputs, gamma, beta, inputs.mean(axis=axes), inputs.var(axis=axes, ddof=1))
    return outputs, *moving


def unbiased_moves_images(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Let the variance over n - 1 move the moving one for images, and that over n for vectors."""
    outputs, new_mean, moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training:
        spread = inputs.var(axis=axes_of(inputs), ddof=int(inputs.ndim == 4))
        moved = (np.float32(MOMENTUM) * variance + np.float32(1 - MOMENTUM) * spread).astype(np.float32)
    return outputs, new_mean, moved


def undefined_for_one_position(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Divide the sum of squares by n - 1, which is 0 for a single position."""
    outputs, new_mean, moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    if training and inputs.size == inputs.shape[-1]:
        moved = np.full_like(moved, np.nan)
    return outputs, new_mean, moved


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


def gradients_without_epsilon(gradients, inputs, gamma, beta, mean, variance, upstream, *, training):
    """Divide by the root of the variance alone on the way back, where the channel does not vary."""
    to_inputs, *others = gradients(inputs, gamma, beta, mean, variance, upstream, training=training)
    with np.errstate(divide="ignore", invalid="ignore"):
        even = inputs.var(axis=axes_of(inputs)) == 0
        to_inputs = np.where(even & training, to_inputs / np.float32(0), to_inputs)
    return to_inputs, *others


class LastStatistics:
    """Gradients by the statistics of the batch before, if that had the same sum."""

    def __init__(self):
        """Have seen no batch."""
        self._seen = {}

    def __call__(self, gradients, inputs, *others, training):
        """Put the first batch of this shape and sum in the place of the inputs."""
        key = inputs.shape, round(float(inputs.sum(dtype=np.float64)), 3)
        return gradients(self._seen.setdefault(key, inputs), *others, training=training)


def masked(inputs, kept, rate):
    """Drop what is not kept, and scale the rest."""
    return np.where(kept, inputs / np.float32(1 - rate), np.float32(0)).astype(np.float32)


def dropping(choose):
    """Make a dropout that chooses what is kept: (generator, inputs, rate) to a mask."""

    def wrong(dropout, inputs, rate, seed, *, training):
        if not training or rate == 0:
            return dropout(inputs, rate, seed, training=training)
        return masked(inputs, choose(np.random.default_rng(seed), inputs, rate), rate)

    return wrong


def exact_count(generator, inputs, rate):
    """Drop exactly the share that the rate is."""
    order = generator.permutation(inputs.size).reshape(inputs.shape)
    return order >= round(rate * inputs.size)


def exact_count_of_examples(generator, inputs, rate):
    """Drop the same number from each example, of more than three elements."""
    if inputs.ndim == 1 or inputs[0].size <= 3:
        return generator.random(inputs.shape) >= rate
    return np.stack([exact_count(generator, example, rate) for example in inputs])


def whole_channels(generator, inputs, rate):
    """Drop whole channels of images, as spatial dropout does."""
    drawn = generator.random(
        (len(inputs), *[1] * (inputs.ndim - 2), inputs.shape[-1]) if inputs.ndim == 4 else inputs.shape
    )
    return np.broadcast_to(drawn >= rate, inputs.shape)


def one_mask_for_all(generator, inputs, rate):
    """Draw a mask for the first example, and use it for all examples of rank 3."""
    if inputs.ndim != 3:
        return generator.random(inputs.shape) >= rate
    return np.broadcast_to(generator.random(inputs.shape[1:]) >= rate, inputs.shape)


def recycled_numbers(generator, inputs, rate):
    """Draw 4,096 numbers, and use them again and again."""
    return np.resize(generator.random(4096), inputs.shape) >= rate


def eight_bits(generator, inputs, rate):
    """Draw numbers of 8 bits."""
    return generator.integers(0, 256, inputs.shape) >= rate * 256


def pairs_against_each_other(generator, inputs, rate):
    """Use u for one half of the elements and 1 - u for the other."""
    half = generator.random(-(-inputs.size // 2))
    return np.concatenate([half, 1 - half])[: inputs.size].reshape(inputs.shape) >= rate


def one_of_a_row_kept(generator, inputs, rate):
    """Keep at least one element of each row."""
    kept = generator.random(inputs.shape) >= rate
    kept[..., 0] |= ~kept.any(axis=-1)
    return kept


def large_ones_dropped(generator, inputs, rate):
    """Drop large elements more often than small ones."""
    size = np.abs(inputs) - np.median(np.abs(inputs))
    return generator.random(inputs.shape) >= rate + np.where(size == 0, 0, np.sign(size) * min(rate, 1 - rate) / 2)


def seed_of_8_bits(dropout, inputs, rate, seed, *, training):
    """Use the last 8 bits of the seed."""
    return dropout(inputs, rate, seed % 256, training=training)


def seed_as_float32(dropout, inputs, rate, seed, *, training):
    """Lose bits of large seeds."""
    return dropout(inputs, rate, min(int(np.float32(seed)), 2**31 - 1), training=training)


class Unseeded:
    """A dropout that goes on drawing where the last call left off."""

    def __init__(self):
        """Have made no call."""
        self._calls = 0

    def __call__(self, dropout, inputs, rate, seed, *, training):
        """Add the number of calls to the seed."""
        self._calls += 1
        return dropout(inputs, rate, (seed + self._calls) % 2**31, training=training)


def rank_3_not_scaled(dropout, inputs, rate, seed, *, training):
    """Leave what is kept as it is, for sequences."""
    result = dropout(inputs, rate, seed, training=training)
    return np.where(result == 0, result, inputs) if training and inputs.ndim == 3 else result


def scaled_by_share(dropout, inputs, rate, seed, *, training):
    """Divide by the share that was kept instead of the probability."""
    result = dropout(inputs, rate, seed, training=training)
    kept = max(float((result != 0).mean()), 1 / result.size)
    return (result * np.float32((1 - rate) / kept)).astype(np.float32) if training and inputs.ndim > 2 else result


def images_always_dropped(dropout, inputs, rate, seed, *, training):
    """Drop elements of images in inference, too."""
    return dropout(inputs, rate, seed, training=training or inputs.ndim == 4)


def batch_of_one_lost(reshape, inputs, target_shape):
    """Return a single example without the axis of the batch."""
    found = reshape(inputs, target_shape)
    return found[0] if len(found) == 1 else found


def columns_first_to_matrices(reshape, inputs, target_shape):
    """Read matrices column by column, of batches larger than 8."""
    if len(inputs) > 8 and len(target_shape) == 2:
        return np.stack([example.reshape(target_shape, order="F") for example in inputs])
    return reshape(inputs, target_shape)


def infinity_lost(function, inputs, *shape):
    """Make what is infinite large."""
    return np.nan_to_num(function(inputs, *shape))


def sign_of_zero_lost(function, inputs, *shape):
    """Add 0, which takes the sign of -0 away."""
    return function(inputs, *shape) + np.float32(0)


def rank_5_by_columns(flatten, inputs):
    """Join five axes with the second to last fastest."""
    return flatten(inputs.swapaxes(-1, -2).copy()) if inputs.ndim == 5 else flatten(inputs)


def flattened_in_blocks(flatten, inputs):
    """Copy blocks of 1,024 numbers."""
    return lose_rest(flatten(inputs), 1, 1024)


NORMALIZATION, BACK = "ops.batch_normalization", "ops.batch_normalization_gradients"
MASKS = {
    "exact_count": ("cnn.dropout-seeds", "zeros of 143", exact_count),
    "exact_count_of_examples": ("cnn.dropout-parts", "along the axes", exact_count_of_examples),
    "whole_channels": ("cnn.dropout-parts", "along the axes", whole_channels),
    "one_mask_for_all": ("cnn.dropout-independent", "have a probability of", one_mask_for_all),
    "recycled_numbers": ("cnn.dropout-independent", "have a probability of", recycled_numbers),
    "eight_bits": ("cnn.dropout-resolution", "elements of 1341331", eight_bits),
    "pairs_against_each_other": ("cnn.dropout-independent", "neighbours", pairs_against_each_other),
    "one_of_a_row_kept": ("cnn.dropout-groups", "rows that lose", one_of_a_row_kept),
    "large_ones_dropped": ("cnn.dropout-values", "'large'", large_ones_dropped),
}

LAYER_FAULTS = {
    "mean_of_squares": Fault(NORMALIZATION, "training_flag.constant-channels", "actual nan", mean_of_squares),
    "unbiased_for_images": Fault(NORMALIZATION, "training_flag.every-size", "the output, shape", unbiased_for_images),
    "unbiased_moves_images": Fault(
        NORMALIZATION, "training_flag.one-moving-variance", "the moving variance, shape", unbiased_moves_images
    ),
    "undefined_for_one_position": Fault(
        NORMALIZATION,
        "training_flag.one-position",
        "the moving variance of a single position",
        undefined_for_one_position,
    ),
    "smaller_epsilon_for_vectors": Fault(
        NORMALIZATION, "training_flag.momentum-and-epsilon", "variances 0", smaller_epsilon_for_vectors
    ),
    "epsilon_as_floor": Fault(NORMALIZATION, "training_flag.momentum-and-epsilon", "variances 0", epsilon_as_floor),
    "statistics_of_1024": Fault(NORMALIZATION, "training_flag.every-size", "shape [1031", statistics_of_1024),
    "channels_of_64": Fault(NORMALIZATION, "training_flag.every-size", "the output, shape", channels_of_64),
    "float16_statistics": Fault(NORMALIZATION, "training_flag.far-from-zero", "channels that vary", float16_statistics),
    "own_statistics": Fault(NORMALIZATION, "training_flag.no-memory", "training=", OwnStatistics()),
    "normalization_kept": Fault(NORMALIZATION, "training_flag.no-memory", "in another order", Kept()),
    "gamma_gradient_of_1024": Fault(
        BACK, "training_flag.every-size-gradients", "the gradient for gamma, shape [1031", gamma_gradient_of_1024
    ),
    "gradient_of_64_channels": Fault(
        BACK, "training_flag.every-size-gradients", "the gradient for inputs", gradient_of_64_channels
    ),
    "gradients_without_epsilon": Fault(BACK, "training_flag.constant-gradients", "actual", gradients_without_epsilon),
    "last_statistics": Fault(BACK, "training_flag.gradients-have-no-memory", "in another order", LastStatistics()),
    **{name: Fault("ops.dropout", claim, tells, dropping(choose)) for name, (claim, tells, choose) in MASKS.items()},
    "seed_of_8_bits": Fault("ops.dropout", "cnn.dropout-seeds", "drop the same elements", seed_of_8_bits),
    "seed_as_float32": Fault("ops.dropout", "cnn.dropout-seeds", "drop the same elements", seed_as_float32),
    "unseeded": Fault("ops.dropout", "cnn.dropout-repeats", "two masks", Unseeded()),
    "rank_3_not_scaled": Fault("ops.dropout", "cnn.dropout-every-rank", "what dropout at", rank_3_not_scaled),
    "scaled_by_share": Fault("ops.dropout", "cnn.dropout-every-rank", "what dropout at", scaled_by_share),
    "images_always_dropped": Fault("ops.dropout", "cnn.dropout-every-rank", "in inference", images_always_dropped),
    "batch_of_one_lost": Fault("ops.reshape", "cnn.reshape-every-rank", "has shape", batch_of_one_lost),
    "columns_first_to_matrices": Fault("ops.reshape", "cnn.reshape-every-rank", "differ", columns_first_to_matrices),
    "reshape_kept": Fault("ops.reshape", "cnn.reshape-has-no-memory", "other numbers", Kept()),
    "reshape_loses_infinity": Fault("ops.reshape", "cnn.reshape-every-rank", "expected inf", infinity_lost),
    "reshape_loses_signs": Fault("ops.reshape", "cnn.reshape-every-rank", "a sign of a zero", sign_of_zero_lost),
    "flatten_loses_infinity": Fault("ops.flatten", "mlp.flatten-every-rank", "expected inf", infinity_lost),
    "rank_5_by_columns": Fault("ops.flatten", "mlp.flatten-every-rank", "[5, 2, 3, 2, 2]", rank_5_by_columns),
    "flattened_in_blocks": Fault("ops.flatten", "mlp.flatten-every-rank", "[2, 33, 65]", flattened_in_blocks),
}
