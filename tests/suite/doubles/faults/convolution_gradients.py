"""Faults of the gradients of convolution."""

import numpy as np

from doubles.faulty import Fault
from doubles.kept_results import Kept
from doubles.lost_remainders import lose_rest
from doubles.memory_order import ignoring_gaps
from doubles.narrow_numbers import in_float16, round_to_bfloat16

BLOCK = 8


def kernel_gradient_not_summed(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Average the gradient of the kernel over the batch."""
    to_inputs, to_kernel, to_bias = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    return to_inputs, to_kernel / np.float32(2), to_bias


def one_by_one_without_gaps(conv2d_gradients, inputs, kernel, bias, upstream, *, strides, padding):
    """Give the pixels that a window of one never sees the gradient of a neighbour."""
    to_inputs, *others = conv2d_gradients(inputs, kernel, bias, upstream, strides=strides, padding=padding)
    if kernel.shape[:2] == (1, 1):
        seen = to_inputs[:, :: strides[0], :: strides[1]]
        to_inputs = np.repeat(np.repeat(seen, strides[0], 1), strides[1], 2)[:, : inputs.shape[1], : inputs.shape[2]]
    return to_inputs, *others


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


def gradients_of_blocks_in_float16(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Multiply float16 where channels and filters are multiples of 8."""
    if inputs.shape[-1] % BLOCK == kernel.shape[-1] % BLOCK == 0:
        inputs, kernel = in_float16(inputs), in_float16(kernel)
    return conv2d_gradients(inputs, kernel, bias, upstream, **options)


def bfloat16_gradient(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Multiply numbers of bfloat16 on the way back."""
    return conv2d_gradients(*map(round_to_bfloat16, (inputs, kernel)), bias, round_to_bfloat16(upstream), **options)


def clipped_gradient(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Clip gradients that nobody asked to be clipped."""
    return tuple(np.clip(one, -1e6, 1e6) for one in conv2d_gradients(inputs, kernel, bias, upstream, **options))


FAULTS = {
    "kernel_gradient_not_summed": Fault(
        "ops.conv2d_gradients", "convolution.kernel-gradient", "the gradient for kernel", kernel_gradient_not_summed
    ),
    "convolution_gradients_ignore_gaps_in_upstream": Fault(
        "ops.conv2d_gradients", "convolution.memory-order", "arrays cropped from larger ones (", ignoring_gaps(3)
    ),
    "one_by_one_without_gaps": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "window [1, 1", one_by_one_without_gaps
    ),
    "gradient_of_32_images": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "images [", gradient_of_32_images
    ),
    "averaged_over_many": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "images [", averaged_over_many
    ),
    "gradient_for_64_filters": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "images [", gradient_for_64_filters
    ),
    "bias_gradient_of_1024": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "images [", bias_gradient_of_1024
    ),
    "gradient_past_the_last_window": Fault(
        "ops.conv2d_gradients", "convolution.every-size-gradients", "images [", gradient_past_the_last_window
    ),
    "gradients_kept": Fault("ops.conv2d_gradients", "convolution.gradients-have-no-memory", "in another order", Kept()),
    "gradients_accumulated": Fault(
        "ops.conv2d_gradients", "convolution.gradients-have-no-memory", "in another order", Accumulated()
    ),
    "gradients_of_blocks_in_float16": Fault(
        "ops.conv2d_gradients",
        "convolution.full-float32-gradients",
        "the gradient for inputs",
        gradients_of_blocks_in_float16,
    ),
    "bfloat16_gradient": Fault(
        "ops.conv2d_gradients", "convolution.full-float32-gradients", "the gradient for", bfloat16_gradient
    ),
    "clipped_gradient": Fault("ops.conv2d_gradients", "convolution.full-float32-gradients", "actual", clipped_gradient),
}
