"""Faults of convolution."""

import numpy as np

from assay.spec.semantics.convolution import pad_widths
from doubles.faulty import Fault
from doubles.kept_results import Kept
from doubles.lost_remainders import lose_rest
from doubles.memory_order import ignoring_gaps
from doubles.narrow_numbers import in_float16, round_to_bfloat16

BLOCK = 8


def kernel_flipped(conv2d, inputs, kernel, bias=None, **options):
    """Convolve as mathematics does."""
    return conv2d(inputs, kernel[::-1, ::-1].copy(), bias, **options)


def bias_added_twice(conv2d, inputs, kernel, bias=None, **options):
    """Add the bias once more."""
    return conv2d(inputs, kernel, None if bias is None else 2 * bias, **options)


def channels_first(conv2d, inputs, kernel, bias=None, **options):
    """Read the numbers as [batch, channels, height, width]."""
    batch, height, width, channels = inputs.shape
    return conv2d(np.moveaxis(inputs.reshape(batch, channels, height, width), 1, -1).copy(), kernel, bias, **options)


def same_padded_before(conv2d, inputs, kernel, bias=None, **options):
    """Put the odd row and column of zeros above and to the left."""
    mirrored = conv2d(inputs[:, ::-1, ::-1].copy(), kernel[::-1, ::-1].copy(), bias, **options)
    return (
        mirrored[:, ::-1, ::-1].copy() if options.get("padding") == "same" else conv2d(inputs, kernel, bias, **options)
    )


def stride_ignored(conv2d, inputs, kernel, bias=None, **options):
    """Move by one element at a time."""
    return conv2d(inputs, kernel, bias, **options | {"strides": (1, 1)})


def pointwise_strides_begin_in_the_middle(conv2d, inputs, kernel, *bias, strides=(1, 1), **options):
    """Begin in the middle of the first stride where the window is a single pixel and both strides are alike."""
    if kernel.shape[:2] == (1, 1) and strides[0] == strides[1]:
        begins = [min(strides[0] // 2, (length - 1) % strides[0]) for length in inputs.shape[1:3]]
        inputs = np.roll(inputs, [-begin for begin in begins], axis=(1, 2))
    return conv2d(inputs, kernel, *bias, strides=strides, **options)


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


def signals_padded_before(conv2d, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Correlate one channel with one filter as `scipy.signal` does, which puts the odd row or column before."""
    if padding == "valid" or inputs.shape[-1] * kernel.shape[-1] != 1 or tuple(strides) != (1, 1):
        return conv2d(inputs, kernel, bias, strides=strides, padding=padding, activation=activation)
    height, width = kernel.shape[:2]
    margins = (height // 2, (height - 1) // 2), (width // 2, (width - 1) // 2)
    return conv2d(np.pad(inputs, ((0, 0), *margins, (0, 0))), kernel, bias, activation=activation)


def square_kernels_are_pointwise(conv2d, inputs, kernel, bias=None, **options):
    """Take images for channels-first where all axes are alike."""
    alike = len({*inputs.shape, *kernel.shape[2:]}) == 1
    return conv2d(np.moveaxis(inputs, 1, -1) if alike else inputs, kernel, bias, **options)


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


def cut(array):
    """Cut the last 16 bits of float32 off."""
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def coarse_with_many_channels(conv2d, inputs, kernel, bias=None, **options):
    """Cut the factors to bfloat16 where there are many channels."""
    if inputs.shape[-1] < 8:
        return conv2d(inputs, kernel, bias, **options)
    return conv2d(cut(inputs), cut(kernel), bias, **options)


def conv2d_of_blocks_in_float16(conv2d, inputs, kernel, *bias, **options):
    """Multiply float16 where channels and filters are multiples of 8."""
    if inputs.shape[-1] % BLOCK == kernel.shape[-1] % BLOCK == 0:
        inputs, kernel = in_float16(inputs), in_float16(kernel)
    return conv2d(inputs, kernel, *bias, **options)


def bfloat16_inside(conv2d, inputs, kernel, bias=None, **options):
    """Multiply numbers of bfloat16."""
    return conv2d(round_to_bfloat16(inputs), round_to_bfloat16(kernel), bias, **options)


def clipped_at_float16(conv2d, inputs, kernel, bias=None, **options):
    """Keep outputs within the range of float16."""
    return np.clip(conv2d(inputs, kernel, bias, **options), -65504, 65504)


def conv2d_activates_32_filters(conv2d, *arguments, activation=None, **options):
    """Leave out the activation of the filters after the first 32."""
    outputs = np.array(conv2d(*arguments, activation=activation, **options))
    outputs[..., 32:] = conv2d(*arguments, **options)[..., 32:]
    return outputs


def whole_images_without_activation(conv2d, inputs, kernel, bias=None, *, activation=None, **options):
    """Multiply matrices where the window is as large as the image, and leave the activation out."""
    whole = kernel.shape[:2] == inputs.shape[1:3] and options.get("padding", "valid") == "valid"
    return conv2d(inputs, kernel, bias, activation=None if whole else activation, **options)


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


FAULTS = {
    "kernel_flipped": Fault("ops.conv2d", "convolution.not-flipped", "actual 1, expected 9", kernel_flipped),
    "bias_added_twice": Fault("ops.conv2d", "convolution.bias-once", "a black image", bias_added_twice),
    "channels_first": Fault("ops.conv2d", "convolution.sum-over-channels", "differ", channels_first),
    "same_padded_before": Fault("ops.conv2d", "convolution.same-odd-one-after", "differ", same_padded_before),
    "stride_ignored": Fault("ops.conv2d", "convolution.strides-of-2", "has shape [1, 5, 5, 1]", stride_ignored),
    "pointwise_strides_begin_in_the_middle": Fault(
        "ops.conv2d", "convolution.every-size", "window [1, 1, 3, 2]", pointwise_strides_begin_in_the_middle
    ),
    "filters_of_64": Fault("ops.conv2d", "convolution.every-size", "images [", filters_of_64),
    "channels_of_4": Fault("ops.conv2d", "convolution.every-size", "images [", channels_of_4),
    "columns_of_32": Fault("ops.conv2d", "convolution.every-size", "images [", columns_of_32),
    "rows_of_256": Fault("ops.conv2d", "convolution.every-size", "images [", rows_of_256),
    "images_of_16": Fault("ops.conv2d", "convolution.every-size", "images [", images_of_16),
    "window_of_8": Fault("ops.conv2d", "convolution.every-size", "images [", window_of_8),
    "padded_by_one_stride": Fault("ops.conv2d", "convolution.every-size", "images [", padded_by_one_stride),
    "signals_padded_before": Fault(
        "ops.conv2d", "convolution.every-size", "images [3, 7, 6, 1]", signals_padded_before
    ),
    "square_kernels_are_pointwise": Fault(
        "ops.conv2d", "convolution.every-size", "images [3, 3, 3, 3]", square_kernels_are_pointwise
    ),
    "convolution_kept": Fault("ops.conv2d", "convolution.no-memory", "in another order", Kept()),
    "border_not_cleared": Fault("ops.conv2d", "convolution.no-memory", "a smaller image after", Border()),
    "convolution_ignores_gaps_in_images": Fault(
        "ops.conv2d", "convolution.memory-order", "arrays cropped from larger ones (", ignoring_gaps(0)
    ),
    "coarse_with_many_channels": Fault("ops.conv2d", "convolution.full-float32", "off", coarse_with_many_channels),
    "conv2d_of_blocks_in_float16": Fault(
        "ops.conv2d", "convolution.full-float32", "differ", conv2d_of_blocks_in_float16
    ),
    "bfloat16_convolution": Fault("ops.conv2d", "convolution.full-float32", "elements differ", bfloat16_inside),
    "clipped_at_float16": Fault("ops.conv2d", "convolution.any-magnitude", "actual", clipped_at_float16),
    "conv2d_activates_32_filters": Fault(
        "ops.conv2d", "convolution.every-activation", "with activation relu", conv2d_activates_32_filters
    ),
    "whole_images_without_activation": Fault(
        "ops.conv2d", "convolution.every-activation", "conv2d", whole_images_without_activation
    ),
    "activation_of_unit_strides": Fault(
        "ops.conv2d", "convolution.every-activation", "with activation", activation_of_unit_strides
    ),
    "activation_of_the_bias": Fault(
        "ops.conv2d", "convolution.every-activation", "without a bias", activation_of_the_bias
    ),
    "relu_of_6": Fault("ops.conv2d", "convolution.every-activation", "actual 6,", relu_of_6),
}
