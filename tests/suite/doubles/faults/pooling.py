"""Faults of pooling and of its gradients."""

import numpy as np

from assay.alternatives.numpy.layers import MaxPool2D
from assay.alternatives.numpy.windows import Window
from assay.spec.semantics.convolution import pad_widths
from doubles.faulty import Fault
from doubles.kept_results import Kept
from doubles.lost_remainders import lose_rest
from doubles.memory_order import ignoring_gaps
from doubles.narrow_numbers import round_to_bfloat16

BYTE = 2**8


def pooled_at_every_element(max_pool2d, inputs, **options):
    """Move the window of a pooling layer by one."""
    return max_pool2d(inputs, **options | {"strides": (1, 1)})


def zeros_may_be_the_largest(max_pool2d, inputs, **options):
    """Pad with zeros before looking for the largest."""
    pooled = max_pool2d(inputs, **options)
    return np.maximum(pooled, 0) if options["padding"] == "same" else pooled


def channels_first_where_as_high(max_pool2d, inputs, **options):
    """Take images with as many rows as channels for channels-first, if the result has the right shape."""
    right = max_pool2d(inputs, **options)
    found = max_pool2d(inputs.swapaxes(1, 3), **options).swapaxes(1, 3)
    return found if inputs.shape[1] == inputs.shape[3] and found.shape == right.shape else right


def channels_of_8(pool, inputs, *upstream, **options):
    """Pool channels in blocks of 8."""
    return lose_rest(pool(inputs, *upstream, **options), 3, 8)


def rows_of(inputs, pool_size, options):
    """Return how many rows of windows there are."""
    padding = sum(pad_widths(inputs.shape[1], pool_size[0], options["strides"][0], options["padding"]))
    return (inputs.shape[1] + padding - pool_size[0]) // options["strides"][0] + 1


def rows_of_8(max_pool2d, inputs, *, pool_size, **options):
    """See no more than 8 rows of a window."""
    rows = min(pool_size[0], 8)
    return max_pool2d(inputs, pool_size=(rows, pool_size[1]), **options)[
        :, : rows_of(inputs, pool_size, options)
    ].copy()


def largest_of_256(max_pool2d, inputs, *, pool_size, strides, padding):
    """Look at 256 places of a window."""
    if np.prod(pool_size) <= BYTE or padding == "same":
        return max_pool2d(inputs, pool_size=pool_size, strides=strides, padding=padding)
    views = Window(tuple(pool_size), tuple(strides), padding).cut(inputs)
    return views.reshape(*views.shape[:3], -1, views.shape[-1])[:, :, :, :BYTE].max(axis=3)


def search_from_1e20(max_pool2d, inputs, **options):
    """Begin the search of the largest with -1e20."""
    return np.maximum(max_pool2d(inputs, **options), np.float32(-1e20))


def bfloat16_maximum(max_pool2d, inputs, **options):
    """Round what is pooled."""
    return round_to_bfloat16(max_pool2d(inputs, **options))


def finite_maximum(max_pool2d, inputs, **options):
    """Make what is infinite large."""
    return np.nan_to_num(max_pool2d(inputs, **options))


def count_zeros(average_pool2d, inputs, *, pool_size, strides, padding):
    """Average over the zeros beyond the image, too."""
    axes = zip(inputs.shape[1:3], pool_size, strides, strict=True)
    around = np.pad(inputs, ((0, 0), *(pad_widths(*axis, padding) for axis in axes), (0, 0)))
    return average_pool2d(around, pool_size=pool_size, strides=strides, padding="valid")


def zeros_in_large_windows(average_pool2d, inputs, **options):
    """Count the zeros in windows of more than 9 elements."""
    large = np.prod(options["pool_size"]) > 9
    return count_zeros(average_pool2d, inputs, **options) if large else average_pool2d(inputs, **options)


def zeros_of_one_channel(average_pool2d, inputs, **options):
    """Count the zeros where there is one channel."""
    one = inputs.shape[-1] == 1
    return count_zeros(average_pool2d, inputs, **options) if one else average_pool2d(inputs, **options)


def border_repeated(average_pool2d, inputs, *, pool_size, strides, padding):
    """Repeat the border where an axis is padded on both sides, by two on one, as Keras 3.15 does on PyTorch."""
    axes = [*zip(inputs.shape[1:3], pool_size, strides, strict=True)]
    widths = [pad_widths(*axis, padding) for axis in axes]
    if not any(min(width) >= 1 and max(width) >= 2 for width in widths):
        return average_pool2d(inputs, pool_size=pool_size, strides=strides, padding=padding)
    around = np.pad(inputs, ((0, 0), *widths, (0, 0)), "edge")
    return average_pool2d(around, pool_size=pool_size, strides=strides, padding="valid")


def places_counted_in_a_byte(average_pool2d, inputs, *, pool_size, **options):
    """Divide by the number of places in a window, of 8 bits."""
    outputs, places = average_pool2d(inputs, pool_size=pool_size, **options), int(np.prod(pool_size))
    return outputs * np.float32(places / (places % BYTE)) if places > BYTE else outputs


def zeros_counted_forth(average_pool2d, inputs, **options):
    """Count the zeros in the forward pass, and not on the way back."""
    return count_zeros(average_pool2d, inputs, **options)


def infinity_everywhere(average_pool2d, inputs, **options):
    """Multiply all elements by 0 where the window is not, which infinite ones do not bear."""
    averaged = average_pool2d(inputs, **options)
    return np.where(np.isinf(inputs).any(axis=(1, 2), keepdims=True), np.float32(np.nan), averaged)


def summed_area_table(average_pool2d, inputs, **options):
    """Subtract running sums, which a large element leaves nothing of what comes after it."""
    if options["padding"] != "valid" or options["strides"] != (1, 1):
        return average_pool2d(inputs, **options)
    rows, columns = options["pool_size"]
    table = np.pad(inputs, ((0, 0), (1, 0), (1, 0), (0, 0))).cumsum(axis=1, dtype=np.float32)
    table = table.cumsum(axis=2, dtype=np.float32)
    sums = table[:, rows:, columns:] - table[:, :-rows, columns:] - table[:, rows:, :-columns]
    return (sums + table[:, :-rows, :-columns]) / np.float32(rows * columns)


def gradient_to_the_first(max_pool2d_gradient, inputs, upstream, **options):
    """Hand the gradient to the first element of the window, the largest or not."""
    return max_pool2d_gradient(np.zeros_like(inputs), upstream, **options)


def images_of_32(pool, inputs, *upstream, **options):
    """Pool images in blocks of 32."""
    return lose_rest(pool(inputs, *upstream, **options), 0, 32)


def places_in_a_byte(_gradient, inputs, upstream, *, pool_size, strides, padding):
    """Remember in a byte where in its window each largest element lies."""
    window = Window(tuple(pool_size), tuple(strides), padding)
    padded = window.pad(inputs, -np.inf)
    views = window.cut(padded)
    places = views.reshape(*views.shape[:3], -1, views.shape[-1]).argmax(axis=3).astype(np.uint8).astype(int)
    batch, rows, columns, channels = np.indices(places.shape)
    down, right = rows * strides[0] + places // pool_size[1], columns * strides[1] + places % pool_size[1]
    result = np.zeros_like(padded)
    np.add.at(result, (batch, down, right, channels), upstream)
    return window.crop(result, inputs.shape)


def positions_by_maxima():
    """Return a fault that keeps the positions of the largest elements, by the values of these."""
    known = {}

    def wrong(gradient, inputs, upstream, **options):
        window = Window(options["pool_size"], options["strides"], options["padding"])
        outputs, _ = MaxPool2D(window).forward({}, inputs)
        key = inputs.shape, *options.values(), outputs.tobytes()
        return gradient(known.setdefault(key, inputs.copy()), upstream, **options)

    return wrong


def gradient_to_close_ones(max_pool2d_gradient, inputs, upstream, **options):
    """Take numbers for equal that agree in five digits, and give all of them the whole gradient."""
    exact = max_pool2d_gradient(inputs, upstream, **options)
    with np.errstate(invalid="ignore"):
        rounded = max_pool2d_gradient(np.round(inputs / 0.01) * np.float32(0.01), upstream, **options)
    close = np.abs(inputs - 300).max() < 1
    return exact + rounded if close else exact


def gradient_above_1e20(max_pool2d_gradient, inputs, upstream, **options):
    """Give nothing to what is below the number that the search begins with."""
    return np.where(inputs < -1e20, np.float32(0), max_pool2d_gradient(inputs, upstream, **options))


def zeros_counted_back(average_pool2d_gradient, inputs, upstream, *, pool_size, strides, padding):
    """Hand back to the zeros beyond the image, too."""
    axes = zip(inputs.shape[1:3], pool_size, strides, strict=True)
    widths = ((0, 0), *(pad_widths(*axis, padding) for axis in axes), (0, 0))
    options = {"pool_size": pool_size, "strides": strides, "padding": "valid"}
    gradient = average_pool2d_gradient(np.pad(inputs, widths), upstream, **options)
    (above, _), (left, _) = widths[1:3]
    return gradient[:, above:, left:][:, : inputs.shape[1], : inputs.shape[2]].copy()


def zeros_counted_back_at_times(average_pool2d_gradient, inputs, upstream, **options):
    """Hand back to the zeros where the image has an odd number of rows."""
    odd = inputs.shape[1] % 2
    return (zeros_counted_back if odd else lambda f, *given, **named: f(*given, **named))(
        average_pool2d_gradient, inputs, upstream, **options
    )


FAULTS = {
    "pooled_at_every_element": Fault("ops.max_pool2d", "convolution.pooled-size", "has shape", pooled_at_every_element),
    "zeros_may_be_the_largest": Fault(
        "ops.max_pool2d", "convolution.max-never-padding", "actual 0", zeros_may_be_the_largest
    ),
    "channels_first_where_as_high": Fault(
        "ops.max_pool2d", "convolution.max-pooling-every-size", "images [2, 4, 5, 4]", channels_first_where_as_high
    ),
    "max_channels_of_8": Fault("ops.max_pool2d", "convolution.max-pooling-every-size", "images [", channels_of_8),
    "max_rows_of_8": Fault("ops.max_pool2d", "convolution.max-pooling-every-size", "window [129, 1]", rows_of_8),
    "largest_of_256": Fault("ops.max_pool2d", "convolution.max-pooling-every-size", "window [17, 18]", largest_of_256),
    "max_kept": Fault("ops.max_pool2d", "convolution.max-pooling-has-no-memory", "in another order", Kept()),
    "search_from_1e20": Fault(
        "ops.max_pool2d", "convolution.max-of-any-numbers", "actual -1.00000002e+20", search_from_1e20
    ),
    "bfloat16_maximum": Fault("ops.max_pool2d", "convolution.max-of-any-numbers", "adjacent_floats", bfloat16_maximum),
    "finite_maximum": Fault("ops.max_pool2d", "convolution.max-of-any-numbers", "expected inf", finite_maximum),
    "zeros_in_large_windows": Fault(
        "ops.average_pool2d", "convolution.average-every-size", "images [", zeros_in_large_windows
    ),
    "zeros_of_one_channel": Fault(
        "ops.average_pool2d", "convolution.average-every-size", "images [", zeros_of_one_channel
    ),
    "border_repeated": Fault("ops.average_pool2d", "convolution.average-every-size", "[4, 4]", border_repeated),
    "average_channels_of_8": Fault("ops.average_pool2d", "convolution.average-every-size", "images [", channels_of_8),
    "places_counted_in_a_byte": Fault(
        "ops.average_pool2d", "convolution.average-every-size", "window [17, 18]", places_counted_in_a_byte
    ),
    "zeros_counted_forth": Fault(
        "ops.average_pool2d", "convolution.average-gradient-belongs", "times upstream", zeros_counted_forth
    ),
    "average_kept": Fault("ops.average_pool2d", "convolution.average-has-no-memory", "another order", Kept()),
    "average_ignores_gaps": Fault(
        "ops.average_pool2d", "convolution.pooling-memory-order", "arrays cropped from larger ones (", ignoring_gaps(0)
    ),
    "infinity_everywhere": Fault(
        "ops.average_pool2d", "convolution.average-of-any-numbers", "two infinite numbers", infinity_everywhere
    ),
    "summed_area_table": Fault(
        "ops.average_pool2d", "convolution.average-of-any-numbers", "drawn numbers", summed_area_table
    ),
    "gradient_to_the_first": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient", "actual 1, expected 0", gradient_to_the_first
    ),
    "max_gradient_of_32_images": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-every-size", "images [", images_of_32
    ),
    "max_gradient_of_8_channels": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-every-size", "images [", channels_of_8
    ),
    "places_in_a_byte": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-every-size", "window [17, 18]", places_in_a_byte
    ),
    "max_gradient_kept": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-has-no-memory", "in another order", Kept()
    ),
    "positions_by_maxima": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-has-no-memory", "windows mirrored", positions_by_maxima()
    ),
    "gradient_to_close_ones": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-of-any-numbers", "adjacent_floats", gradient_to_close_ones
    ),
    "gradient_above_1e20": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-of-any-numbers", "extremes", gradient_above_1e20
    ),
    "max_gradient_ignores_gaps_in_upstream": Fault(
        "ops.max_pool2d_gradient",
        "convolution.pooling-memory-order",
        "arrays cropped from larger ones (",
        ignoring_gaps(1),
    ),
    "zeros_counted_back_at_times": Fault(
        "ops.average_pool2d_gradient",
        "convolution.average-gradient-every-size",
        "images [",
        zeros_counted_back_at_times,
    ),
    "average_gradient_of_32_images": Fault(
        "ops.average_pool2d_gradient", "convolution.average-gradient-every-size", "images [", images_of_32
    ),
    "zeros_counted_back": Fault(
        "ops.average_pool2d_gradient", "convolution.average-gradient-belongs", "times upstream", zeros_counted_back
    ),
    "average_gradient_kept": Fault(
        "ops.average_pool2d_gradient", "convolution.average-gradient-has-no-memory", "another upstream gradient", Kept()
    ),
}
