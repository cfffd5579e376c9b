"""Faults of convolution, pooling, the CNN, normalisation and the pipeline of images."""

import numpy as np

from doubles.faulty import Fault


def kernel_flipped(conv2d, inputs, kernel, bias=None, **options):
    """Convolve as mathematics does."""
    return conv2d(inputs, kernel[::-1, ::-1].copy(), bias, **options)


def same_padded_before(conv2d, inputs, kernel, bias=None, **options):
    """Put the odd row and column of zeros above and to the left."""
    mirrored = conv2d(inputs[:, ::-1, ::-1].copy(), kernel[::-1, ::-1].copy(), bias, **options)
    return (
        mirrored[:, ::-1, ::-1].copy() if options.get("padding") == "same" else conv2d(inputs, kernel, bias, **options)
    )


def stride_ignored(conv2d, inputs, kernel, bias=None, **options):
    """Move by one element at a time."""
    return conv2d(inputs, kernel, bias, **options | {"strides": (1, 1)})


def channels_first(conv2d, inputs, kernel, bias=None, **options):
    """Read the numbers as [batch, channels, height, width]."""
    batch, height, width, channels = inputs.shape
    return conv2d(np.moveaxis(inputs.reshape(batch, channels, height, width), 1, -1).copy(), kernel, bias, **options)


def bias_added_twice(conv2d, inputs, kernel, bias=None, **options):
    """Add the bias once more."""
    return conv2d(inputs, kernel, None if bias is None else 2 * bias, **options)


def kernel_gradient_not_summed(conv2d_gradients, inputs, kernel, bias, upstream, **options):
    """Average the gradient of the kernel over the batch."""
    to_inputs, to_kernel, to_bias = conv2d_gradients(inputs, kernel, bias, upstream, **options)
    return to_inputs, to_kernel / np.float32(2), to_bias


def pooled_at_every_element(max_pool2d, inputs, **options):
    """Move the window of a pooling layer by one."""
    return max_pool2d(inputs, **options | {"strides": (1, 1)})


def zeros_may_be_the_largest(max_pool2d, inputs, **options):
    """Pad with zeros before looking for the largest."""
    pooled = max_pool2d(inputs, **options)
    return np.maximum(pooled, 0) if options["padding"] == "same" else pooled


def gradient_to_the_first(max_pool2d_gradient, inputs, upstream, **options):
    """Hand the gradient to the first element of the window, the largest or not."""
    return max_pool2d_gradient(np.zeros_like(inputs), upstream, **options)


def reshaped_by_columns(_reshape, inputs, target_shape):
    """Read and write the first axis of an example fastest."""
    return np.stack([example.reshape(target_shape, order="F") for example in inputs])


def convolution_without_relu(layer_outputs, model, parameters, inputs):
    """Leave what is negative in the first convolution."""
    outputs = dict(layer_outputs(model, parameters, inputs))
    if model == "cnn":
        outputs["conv1"] = np.where(outputs["conv1"] == 0, np.float32(-1), outputs["conv1"])
    return outputs


def statistics_never_moved(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Keep the moving statistics as they are."""
    outputs, *_ = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    return outputs, mean, variance


def training_flag_ignored(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Be in inference mode always."""
    return batch_normalization(inputs, gamma, beta, mean, variance, training=False)


def momentum_turned_round(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Take 99 parts of the batch and one of the past."""
    outputs, *moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    return outputs, *(old + 99 * (new - old) for old, new in zip((mean, variance), moved, strict=True))


def dropped_but_not_scaled(dropout, inputs, rate, seed, *, training):
    """Leave what is kept as it is."""
    dropped = dropout(inputs, rate, seed, training=training)
    return np.where(dropped == 0, dropped, inputs) if training else dropped


def images_not_scaled(image_batches, images, labels, **options):
    """Leave the numbers between 0 and 255."""
    return [(batch * np.float32(255), found) for batch, found in image_batches(images, labels, **options)]


def same_order_every_epoch(image_batches, images, labels, *, epochs, **options):
    """Shuffle once for all epochs."""
    return image_batches(images, labels, epochs=1, **options) * epochs


def too_small_is_fine(build, network, *, input_shape=None, **options):
    """Take images of any size."""
    try:
        return build(network, input_shape=input_shape, **options)
    except ValueError:
        return build(network, input_shape=(96, 96, 3), **options | {"weights": None, "classes": 1000})


IMAGE_FAULTS = {
    "kernel_flipped": Fault("ops.conv2d", "convolution.not-flipped", "actual 1, expected 9", kernel_flipped),
    "same_padded_before": Fault("ops.conv2d", "convolution.same-odd-one-after", "differ", same_padded_before),
    "stride_ignored": Fault("ops.conv2d", "convolution.strides-of-2", "has shape [1, 5, 5, 1]", stride_ignored),
    "channels_first": Fault("ops.conv2d", "convolution.sum-over-channels", "differ", channels_first),
    "bias_added_twice": Fault("ops.conv2d", "convolution.bias-once", "a black image", bias_added_twice),
    "kernel_gradient_not_summed": Fault(
        "ops.conv2d_gradients", "convolution.kernel-gradient", "the gradient for kernel", kernel_gradient_not_summed
    ),
    "pooled_at_every_element": Fault("ops.max_pool2d", "convolution.pooled-size", "has shape", pooled_at_every_element),
    "zeros_may_be_the_largest": Fault(
        "ops.max_pool2d", "convolution.max-never-padding", "actual 0", zeros_may_be_the_largest
    ),
    "gradient_to_the_first": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient", "actual 1, expected 0", gradient_to_the_first
    ),
    "reshaped_by_columns": Fault("ops.reshape", "convolution.image-as-vector", "differ", reshaped_by_columns),
    "convolution_without_relu": Fault("models.layer_outputs", "cnn.rectified", "conv1", convolution_without_relu),
    "dropped_but_not_scaled": Fault("ops.dropout", "cnn.dropout-training", "expected 1.33", dropped_but_not_scaled),
    "statistics_never_moved": Fault(
        "ops.batch_normalization", "training_flag.moving-mean", "expected 0.99", statistics_never_moved
    ),
    "momentum_turned_round": Fault(
        "ops.batch_normalization", "training_flag.moving-variance", "the moving variance", momentum_turned_round
    ),
    "training_flag_ignored": Fault(
        "ops.batch_normalization", "training_flag.training-normalizes", "differ", training_flag_ignored
    ),
    "images_not_scaled": Fault("flowers.image_batches", "flowers.scaled-to-1", "255", images_not_scaled),
    "same_order_every_epoch": Fault(
        "flowers.image_batches", "flowers.shuffled-anew", "only 1 have an order", same_order_every_epoch
    ),
    "too_small_is_fine": Fault("applications.build", "applications.too-small", "is accepted", too_small_is_fine),
}
