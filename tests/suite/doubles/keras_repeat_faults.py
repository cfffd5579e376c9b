"""Faults of Keras that only later calls show, with another array, size or number of examples, and lost gradients."""

import numpy as np
import tensorflow as tf

from doubles.faulty import Fault
from doubles.keras_faults import namespace_fault, with_layers


def tensors_cached(to_tensor, array, _cache={}):  # noqa: B006 - kept between calls
    """Convert each array once, although its owner may overwrite it."""
    if _cache.get("array") is not array:
        _cache.update(array=array, tensor=to_tensor(array))
    return _cache["tensor"]


def arrays_in_one_buffer(to_numpy, tensor, _buffers={}):  # noqa: B006 - kept between calls
    """Copy all tensors of one shape and type into the same buffer."""
    array = np.asarray(to_numpy(tensor))
    buffer = _buffers.setdefault((array.shape, array.dtype.name), np.empty_like(array))
    buffer[...] = array
    return buffer


def padding_of_the_first_image(namespace):
    """Add the rows and columns that the first image requires to every image."""

    class Conv2D(namespace.layers.Conv2D):
        def call(self, inputs):
            if self.padding != "same":
                return super().call(inputs)
            if not hasattr(self, "added"):
                sizes = zip(inputs.shape[1:3], self.kernel_size, self.strides, strict=True)
                totals = [max((-(-size // stride) - 1) * stride + window - size, 0) for size, window, stride in sizes]
                self.added = [(0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)]
            outputs = tf.nn.conv2d(inputs, self.kernel, self.strides, [list(pair) for pair in self.added])
            return self.activation(outputs + self.bias if self.use_bias else outputs)

    return with_layers(namespace, Conv2D=Conv2D)


def negative_pixels_without_gradient(namespace):
    """Pass a gradient through MaxPool2D only where the largest pixel is positive."""

    class MaxPool2D(namespace.layers.MaxPool2D):
        def call(self, inputs):
            outputs = super().call(inputs)
            return tf.where(outputs > 0, outputs, tf.stop_gradient(outputs))

    return with_layers(namespace, MaxPool2D=MaxPool2D)


def constant_statistics(namespace):
    """Pass no gradient through the mean and the variance of the batch."""

    class BatchNormalization(namespace.layers.BatchNormalization):
        def _moments(self, inputs, mask):
            return tuple(map(tf.stop_gradient, super()._moments(inputs, mask)))

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def moving_statistics_later(namespace):
    """From the second call in training mode on, use the moving statistics in it."""

    class BatchNormalization(namespace.layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            outputs = super().call(inputs, training=training, mask=mask)
            seen = self.__dict__.get("seen", False)
            self.__dict__["seen"] = seen or bool(training)
            return super().call(inputs, training=False) if training and seen else outputs

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def state_of_the_first_batch(namespace):
    """Return the initial state for the number of examples of the first call."""

    class LSTMCell(namespace.layers.LSTMCell):
        def get_initial_state(self, batch_size=None, **_options):
            self.__dict__.setdefault("examples", batch_size)
            return [tf.zeros((self.__dict__["examples"], self.units)) for _ in range(2)]

    return with_layers(namespace, LSTMCell=LSTMCell)


def vectors_stay_vectors(namespace):
    """Return a vector from Flatten as it is."""

    class Flatten(namespace.layers.Flatten):
        def call(self, inputs):
            return inputs if len(inputs.shape) == 1 else super().call(inputs)

    return with_layers(namespace, Flatten=Flatten)


def targets_to_integers(dataset, inputs, targets, batch_size):
    """Convert all targets to int32, as for labels."""
    return dataset(inputs, targets.astype(np.int32), batch_size)


def metric_with(**methods):
    """Return a wrong `sparse_categorical_accuracy`, whose class has other methods."""

    def wrong(right, **options):
        metric = right(**options)
        metric.__class__ = type("SparseCategoricalAccuracy", (type(metric),), methods)
        return metric

    return wrong


def call_of_the_batch(self, *args, **kwargs):
    """Return the accuracy of this call alone."""
    self.reset_state()
    return super(type(self), self).__call__(*args, **kwargs)


def update_if_sure(self, y_true, y_pred, sample_weight=None):
    """Count a prediction as correct only if more than half of the probability is on it."""
    count = tf.identity(self.count)
    super(type(self), self).update_state(y_true, y_pred, sample_weight)
    sure = tf.reduce_mean(tf.cast(tf.reduce_max(y_pred, axis=-1) > 0.5, self.count.dtype))
    self.count.assign(count + (self.count - count) * sure)


def update_along_the_steps(self, y_true, y_pred, sample_weight=None):
    """Look for the largest score along the steps, where there are as many of them as classes."""
    if len(y_pred.shape) == 3 and y_pred.shape[1] == y_pred.shape[2]:
        y_pred = tf.transpose(y_pred, (0, 2, 1))
    super(type(self), self).update_state(y_true, y_pred, sample_weight)


KERAS_REPEAT_FAULTS = {
    "tensors_cached": Fault(
        "keras.to_tensor", "custom_loss_metric.tensors-are-copies", "tensor 1 after later conversions", tensors_cached
    ),
    "arrays_in_one_buffer": Fault(
        "keras.to_numpy",
        "custom_loss_metric.tensors-are-copies",
        "array 0 after later assignments",
        arrays_in_one_buffer,
    ),
    "padding_of_the_first_image": namespace_fault(
        "model.images-of-other-sizes", "Conv2D of (7, 8)", padding_of_the_first_image
    ),
    "negative_pixels_without_gradient": namespace_fault(
        "model.images-pass-gradients", "the gradient of the pixels", negative_pixels_without_gradient
    ),
    "constant_statistics": namespace_fault(
        "model.images-pass-gradients", "the pixels after a step", constant_statistics
    ),
    "moving_statistics_later": namespace_fault(
        "training_flag.normalization-layer", "in training mode again", moving_statistics_later
    ),
    "state_of_the_first_batch": namespace_fault("rnn.get-initial-state", "of more examples", state_of_the_first_batch),
    "vectors_stay_vectors": namespace_fault("model.reshaping", "Flatten of a vector", vectors_stay_vectors),
    "targets_to_integers": Fault(
        "keras.dataset", "compile_fit.pipeline-keeps-pairs", "the loss of evaluate", targets_to_integers
    ),
    **{
        name: Fault("keras.sparse_categorical_accuracy", f"custom_loss_metric.{claim}", tells, metric_with(**methods))
        for name, claim, tells, methods in (
            (
                "call_of_the_batch",
                "robust-metric-computes",
                "the results of the calls",
                {"__call__": call_of_the_batch},
            ),
            (
                "update_if_sure",
                "robust-metric-close-scores",
                "the accuracy of near 1/4",
                {"update_state": update_if_sure},
            ),
            ("update_along_the_steps", "robust-metric-sequences", "== 1", {"update_state": update_along_the_steps}),
        )
    },
}
