"""Faults of convolution and pooling that show at some sizes, windows, values or calls, and not at others."""

import numpy as np

from assay.spec.semantics.convolution import pad_widths
from doubles.faulty import Fault


def round_to_bfloat16(array):
    """Keep 8 bits of each number's fraction, cut off."""
    return (np.ascontiguousarray(array).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).reshape(array.shape)


def lose_rest(array, axis, block):
    """Leave zeros where a block is not full, if there is a full one."""
    length = array.shape[axis]
    if length > block:
        array = array.copy()
        np.moveaxis(array, axis, 0)[length // block * block :] = 0
    return array


class Kept:
    """Results that are kept for arguments of the same shapes, sums and first elements."""

    def __init__(self):
        """Keep nothing."""
        self._results = {}

    def __call__(self, function, *arguments, **options):
        """Return what was kept, or ask the right function."""
        key = str(([*map(self._key, arguments)], options))
        if key not in self._results:
            self._results[key] = function(*arguments, **options)
        return self._results[key]

    @staticmethod
    def _key(argument):
        if not isinstance(argument, np.ndarray):
            return argument
        with np.errstate(invalid="ignore"):
            return argument.shape, float(argument.astype(np.float64).sum()), float(argument.flat[0])


def filters_of_64(conv2d, inputs, kernel, bias=None, **options):
    """Compute filters in blocks of 64, and leave the rest 0."""
    return lose_rest(conv2d(inputs, kernel, bias, **options), 3, 64)


def channels_of_4(conv2d, inputs, kernel, bias=None, **options):
    """Add up channels in blocks of 4, and forget the rest."""
    return conv2d(lose_rest(inputs, 3, 4), kernel, bias, **options)


def columns_of_32(conv2d, inputs, kernel, bias=None, **options):
    """Forget the bias in the columns that no block of 32 holds."""
    outputs = conv2d(inputs, kernel, bias, **options)
    start = outputs.shape[2] // 32 * 32
    if bias is not None and start:
        outputs = outputs.copy()
        outputs[:, :, start:] -= bias
    return outputs


def rows_of_256(conv2d, inputs, kernel, bias=None, **options):
    """Compute rows in blocks of 256."""
    return lose_rest(conv2d(inputs, kernel, bias, **options), 1, 256)


def images_of_16(conv2d, inputs, kernel, bias=None, **options):
    """Compute images in blocks of 16."""
    return lose_rest(conv2d(inputs, kernel, bias, **options), 0, 16)


def window_of_8(conv2d, inputs, kernel, bias=None, **options):
    """See no more than 8 rows of a window."""
    seen = kernel.copy()
    seen[8:] = 0
    return conv2d(inputs, seen, bias, **options)


def padded_by_one_stride(conv2d, inputs, kernel, bias=None, **options):
    """Pad both axes as the stride of the rows asks for."""
    down, right = options.get("strides", (1, 1))
    if options.get("padding") != "same":
        return conv2d(inputs, kernel, bias, **options)
    rows, columns = inputs.shape[1:3]
    widths = [
        pad_widths(size, window, down, "same") for size, window in zip((rows, columns), kernel.shape, strict=False)
    ]
    around = np.pad(inputs, ((0, 0), *widths, (0, 0)))
    # As many columns as there should be, whether the padding suits them or not.
    missing = (-(-columns // right) - 1) * right + kernel.shape[1] - around.shape[2]
    around = np.pad(around, ((0, 0), (0, 0), (0, max(missing, 0)), (0, 0)))
    return conv2d(around, kernel, bias, **options | {"padding": "valid"})[:, :, : -(-columns // right)].copy()


def bfloat16_inside(conv2d, inputs, kernel, bias=None, **options):
    """Multiply numbers of bfloat16."""
    return conv2d(round_to_bfloat16(inputs), round_to_bfloat16(kernel), bias, **options)


def clipped_at_float16(conv2d, inputs, kernel, bias=None, **options):
    """Keep outputs within the range of float16."""
    return np.clip(conv2d(inputs, kernel, bias, **options), -65504, 65504)


def activation_of_unit_strides(conv2d, inputs, kernel, bias=None, **options):
    """Forget the activation where the window moves by more than 1."""
    if options.get("strides", (1, 1)) != (1, 1):
        options = options | {"activation": None}
    return conv2d(inputs, kernel, bias, **options)


def activation_of_the_bias(conv2d, inputs, kernel, bias=None, **options):
    """Apply the activation where the bias is added, and nowhere else."""
    return conv2d(inputs, kernel, bias, **(options if bias is not None else options | {"activation": None}))


def relu_of_6(conv2d, inputs, kernel, bias=None, **options):
    """Cut ReLU off at 6, as networks for phones do."""
    outputs = conv2d(inputs, kernel, bias, **options)
    return np.minimum(outputs, np.float32(6)) if options.get("activation") == "relu" else outputs


class Border:
    """A padded buffer that is as large as the largest image so far, and is not cleared."""

    def __init__(self):
        """Have no buffer yet."""
        self._buffer = np.zeros((0, 0, 0, 0), np.float32)

    def __call__(self, conv2d, inputs, kernel, bias=None, **options):
        """Pad below and to the right with what is in the buffer."""
        before = self._buffer
        grown = [(0, max(new - old, 0)) for old, new in zip(before.shape, inputs.shape, strict=True)]
        self._buffer = np.pad(before, grown)
        seen = tuple(map(slice, inputs.shape))
        self._buffer[seen] = inputs
        outputs = conv2d(inputs, kernel, bias, **options)
        larger = before.shape[1] > inputs.shape[1] and before.shape[3] == inputs.shape[3]
        if options.get("padding") == "same" and larger and before.shape[0] >= len(inputs) and kernel.shape[0] > 1:
            outputs = outputs.copy()
            outputs[:, -1] += before[: len(inputs), inputs.shape[1]].sum()
        return outputs


def gradient_of_32_images(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Let the first 32 images alone move the kernel."""
    found = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    return found[0], conv2d_gradients(inputs[:32], kernel, bias, upstream[:32], **options)[1], found[2]


def averaged_over_many(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Average gradients over batches of more than 16 images, and add up smaller ones."""
    to_inputs, to_kernel, to_bias = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    count = np.float32(len(inputs) if len(inputs) > 16 else 1)
    return to_inputs, to_kernel / count, to_bias / count


def gradient_for_64_filters(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Give filters that no block of 64 holds no gradient."""
    to_inputs, to_kernel, to_bias = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    return to_inputs, lose_rest(to_kernel, 3, 64), to_bias


def bias_gradient_of_1024(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Add up no more than 1,024 places for the bias."""
    to_inputs, to_kernel, _ = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    return to_inputs, to_kernel, upstream.reshape(-1, upstream.shape[-1])[:1024].sum(axis=0)


def gradient_past_the_last_window(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Go on with the last row where strides leave rows over."""
    to_inputs, *others = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    rows = (upstream.shape[1] - 1) * options["strides"][0] + kernel.shape[0]
    if options["padding"] == "valid" and rows < inputs.shape[1]:
        to_inputs = to_inputs.copy()
        to_inputs[:, rows:] = to_inputs[:, rows - 1 : rows]
    return to_inputs, *others


class Accumulated:
    """Gradients that are added to those of the call before, as nobody sets them to 0."""

    def __init__(self):
        """Begin with none."""
        self._before = {}

    def __call__(self, conv2d_gradients, inputs, kernel, bias, upstream, **options):
        """Add the last gradient of a kernel of this shape and of these weights."""
        to_inputs, to_kernel, to_bias = conv2d_gradients(inputs, kernel, bias, upstream, **options)
        total = to_kernel + self._before.get(kernel.tobytes(), np.float32(0))
        self._before[kernel.tobytes()] = to_kernel
        return to_inputs, total, to_bias


def bfloat16_gradient(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Multiply numbers of bfloat16 on the way back."""
    return conv2d_gradients(*map(round_to_bfloat16, (inputs, kernel)), bias, round_to_bfloat16(upstream), **options)


def clipped_gradient(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Clip gradients that nobody asked to be clipped."""
    return tuple(np.clip(one, -1e6, 1e6) for one in conv2d_gradients(inputs, kernel, bias, upstream, **options))


def search_from_1e20(max_pool2d, inputs, **options):
    """Begin the search of the largest with -1e20."""
    return np.maximum(max_pool2d(inputs, **options), np.float32(-1e20))


def bfloat16_maximum(max_pool2d, inputs, **options):
    """Round what is pooled."""
    return round_to_bfloat16(max_pool2d(inputs, **options))


def finite_maximum(max_pool2d, inputs, **options):
    """Make what is infinite large."""
    return np.nan_to_num(max_pool2d(inputs, **options))


def channels_of_8(pool, inputs, *upstream, **options):
    """Pool channels in blocks of 8."""
    return lose_rest(pool(inputs, *upstream, **options), 3, 8)


def images_of_32(pool, inputs, *upstream, **options):
    """Pool images in blocks of 32."""
    return lose_rest(pool(inputs, *upstream, **options), 0, 32)


def rows_of_8(max_pool2d, inputs, *, pool_size, **options):
    """See no more than 8 rows of a window."""
    rows = min(pool_size[0], 8)
    return max_pool2d(inputs, pool_size=(rows, pool_size[1]), **options)[
        :, : rows_of(inputs, pool_size, options)
    ].copy()


def rows_of(inputs, pool_size, options):
    """Return how many rows of windows there are."""
    padding = sum(pad_widths(inputs.shape[1], pool_size[0], options["strides"][0], options["padding"]))
    return (inputs.shape[1] + padding - pool_size[0]) // options["strides"][0] + 1


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


def zeros_counted_forth(average_pool2d, inputs, **options):
    """Count the zeros in the forward pass, and not on the way back."""
    return count_zeros(average_pool2d, inputs, **options)


def border_repeated(average_pool2d, inputs, *, pool_size, strides, padding):
    """Repeat the border where an axis is padded on both sides, by two on one, as Keras 3.15 does on PyTorch."""
    axes = [*zip(inputs.shape[1:3], pool_size, strides, strict=True)]
    widths = [pad_widths(*axis, padding) for axis in axes]
    if not any(min(width) >= 1 and max(width) >= 2 for width in widths):
        return average_pool2d(inputs, pool_size=pool_size, strides=strides, padding=padding)
    around = np.pad(inputs, ((0, 0), *widths, (0, 0)), "edge")
    return average_pool2d(around, pool_size=pool_size, strides=strides, padding="valid")


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


EVERY = "convolution.every-size"
FORTH = {"filters_of_64": filters_of_64, "channels_of_4": channels_of_4, "columns_of_32": columns_of_32}
FORTH |= {"rows_of_256": rows_of_256, "images_of_16": images_of_16, "window_of_8": window_of_8}
FORTH |= {"padded_by_one_stride": padded_by_one_stride}
BACK = {"gradient_of_32_images": gradient_of_32_images, "averaged_over_many": averaged_over_many}
BACK |= {"gradient_for_64_filters": gradient_for_64_filters, "bias_gradient_of_1024": bias_gradient_of_1024}
BACK |= {"gradient_past_the_last_window": gradient_past_the_last_window}

CONVOLUTION_FAULTS = {
    **{name: Fault("ops.conv2d", EVERY, "images [", wrong) for name, wrong in FORTH.items()},
    **{name: Fault("ops.conv2d_gradients", f"{EVERY}-gradients", "images [", wrong) for name, wrong in BACK.items()},
    "convolution_kept": Fault("ops.conv2d", "convolution.no-memory", "in another order", Kept()),
    "border_not_cleared": Fault("ops.conv2d", "convolution.no-memory", "a smaller image after", Border()),
    "bfloat16_convolution": Fault("ops.conv2d", "convolution.full-float32", "elements differ", bfloat16_inside),
    "clipped_at_float16": Fault("ops.conv2d", "convolution.any-magnitude", "actual", clipped_at_float16),
    "activation_of_unit_strides": Fault(
        "ops.conv2d", "convolution.every-activation", "with activation", activation_of_unit_strides
    ),
    "activation_of_the_bias": Fault(
        "ops.conv2d", "convolution.every-activation", "without a bias", activation_of_the_bias
    ),
    "relu_of_6": Fault("ops.conv2d", "convolution.every-activation", "actual 6,", relu_of_6),
    "gradients_kept": Fault("ops.conv2d_gradients", "convolution.gradients-have-no-memory", "in another order", Kept()),
    "gradients_accumulated": Fault(
        "ops.conv2d_gradients", "convolution.gradients-have-no-memory", "in another order", Accumulated()
    ),
    "bfloat16_gradient": Fault(
        "ops.conv2d_gradients", "convolution.full-float32-gradients", "the gradient for", bfloat16_gradient
    ),
    "clipped_gradient": Fault("ops.conv2d_gradients", "convolution.full-float32-gradients", "actual", clipped_gradient),
    "search_from_1e20": Fault(
        "ops.max_pool2d", "convolution.max-of-any-numbers", "actual -1.00000002e+20", search_from_1e20
    ),
    "bfloat16_maximum": Fault("ops.max_pool2d", "convolution.max-of-any-numbers", "adjacent_floats", bfloat16_maximum),
    "finite_maximum": Fault("ops.max_pool2d", "convolution.max-of-any-numbers", "expected inf", finite_maximum),
    "max_channels_of_8": Fault("ops.max_pool2d", "convolution.max-pooling-every-size", "images [", channels_of_8),
    "max_rows_of_8": Fault("ops.max_pool2d", "convolution.max-pooling-every-size", "window [129, 1]", rows_of_8),
    "max_kept": Fault("ops.max_pool2d", "convolution.max-pooling-has-no-memory", "in another order", Kept()),
    "max_gradient_of_32_images": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-every-size", "images [", images_of_32
    ),
    "max_gradient_of_8_channels": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-every-size", "images [", channels_of_8
    ),
    "max_gradient_kept": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-has-no-memory", "in another order", Kept()
    ),
    "gradient_to_close_ones": Fault(
        "ops.max_pool2d_gradient",
        "convolution.max-gradient-of-any-numbers",
        "adjacent_floats",
        gradient_to_close_ones,
    ),
    "gradient_above_1e20": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-of-any-numbers", "extremes", gradient_above_1e20
    ),
    "zeros_in_large_windows": Fault(
        "ops.average_pool2d", "convolution.average-every-size", "images [", zeros_in_large_windows
    ),
    "zeros_of_one_channel": Fault(
        "ops.average_pool2d", "convolution.average-every-size", "images [", zeros_of_one_channel
    ),
    "border_repeated": Fault("ops.average_pool2d", "convolution.average-every-size", "[4, 4]", border_repeated),
    "zeros_counted_forth": Fault(
        "ops.average_pool2d", "convolution.average-gradient-belongs", "times upstream", zeros_counted_forth
    ),
    "average_channels_of_8": Fault("ops.average_pool2d", "convolution.average-every-size", "images [", channels_of_8),
    "average_kept": Fault("ops.average_pool2d", "convolution.average-has-no-memory", "another order", Kept()),
    "infinity_everywhere": Fault(
        "ops.average_pool2d", "convolution.average-of-any-numbers", "two infinite numbers", infinity_everywhere
    ),
    "summed_area_table": Fault(
        "ops.average_pool2d", "convolution.average-of-any-numbers", "drawn numbers", summed_area_table
    ),
    "zeros_counted_back": Fault(
        "ops.average_pool2d_gradient", "convolution.average-gradient-belongs", "times upstream", zeros_counted_back
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
    "average_gradient_kept": Fault(
        "ops.average_pool2d_gradient", "convolution.average-gradient-has-no-memory", "another upstream gradient", Kept()
    ),
}
