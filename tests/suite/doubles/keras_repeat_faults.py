"""Faults of Keras that only later calls show, with another array, size or number of examples, and lost gradients."""

import numpy as np

from doubles.custom_faults import tf
from doubles.faulty import Fault
from doubles.keras_faults import Changed, namespace_fault, with_layers, with_sequential


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


def further_arguments_lost(namespace):
    """Pass only the first argument by position to the call of a custom layer."""

    class Layer(namespace.layers.Layer):
        def __call__(self, *args, **options):
            return super().__call__(*args[:1], **options)

    return with_layers(namespace, Layer=Layer)


def with_sequential_methods(**methods):
    """Return a wrong namespace, whose Sequential has other methods."""

    def wrong(namespace):
        return with_sequential(namespace, type("Sequential", (namespace.Sequential,), methods))

    return wrong


def add_copy_of_built(self, layer, **options):
    """Add a copy of a layer that has variables."""
    super(type(self), self).add(layer.from_config(layer.get_config()) if layer.weights else layer, **options)


def add_to_shared_list(self, layer, _shared=[], **options):  # noqa: B006 - kept between calls
    """Begin every model that is made without layers with those added to earlier ones."""
    if not self._layers:
        for earlier in _shared:
            super(type(self), self).add(earlier, **options)
    _shared.append(layer)
    super(type(self), self).add(layer, **options)


def moments_without_gradient_kept(namespace):
    """Change nothing of an element in a step of Adam in which it has no gradient."""

    class Adam(namespace.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            index = self._get_variable_index(variable)
            states = self._momentums[index], self._velocities[index], variable
            before = [tf.identity(state) for state in states]
            super().update_step(gradient, variable, learning_rate)
            for state, kept in zip(states, before, strict=True):
                state.assign(tf.where(gradient == 0, kept, tf.convert_to_tensor(state)))

    return Changed(namespace, optimizers=Changed(namespace.optimizers, Adam=Adam))


def exponentials_overflow(namespace):
    """Compute tanh by exponentials, which overflow."""

    def tanh(x):
        return (tf.exp(2 * x) - 1) / (tf.exp(2 * x) + 1)

    return Changed(namespace, activations=Changed(namespace.activations, tanh=tanh))


def column_against_all(namespace):
    """Compare labels in a column with every prediction."""

    def sparse_categorical_accuracy(y_true, y_pred):
        found = tf.argmax(y_pred, axis=-1)
        return tf.cast(tf.cast(y_true, found.dtype) == found, "float32")

    changed = Changed(namespace.metrics, sparse_categorical_accuracy=sparse_categorical_accuracy)
    return Changed(namespace, metrics=changed)


def sums_over_examples_alone(namespace):
    """Divide by the number of examples, although a loss has a number for each element of images or sequences."""

    class Loss(namespace.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            loss = super().__call__(y_true, y_pred, sample_weight)
            mean = len(y_pred.shape) > 2 and self.reduction == "sum_over_batch_size"
            return loss * y_pred.shape[1] if mean else loss

    return Changed(namespace, losses=Changed(namespace.losses, Loss=Loss))


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
    "further_arguments_lost": namespace_fault(
        "custom_layer.further-arguments", "a tensor by position", further_arguments_lost
    ),
    "add_copy_of_built": namespace_fault(
        "sequential_functional.layers-as-given",
        "the layers of a second model",
        with_sequential_methods(add=add_copy_of_built),
    ),
    "add_to_shared_list": namespace_fault(
        "sequential_functional.add", "the layers of the", with_sequential_methods(add=add_to_shared_list)
    ),
    "moments_without_gradient_kept": namespace_fault(
        "model.adam-of-any-step", "after two steps", moments_without_gradient_kept
    ),
    "exponentials_overflow": namespace_fault("model.activations", "the function tanh", exponentials_overflow),
    "column_against_all": namespace_fault("model.accuracy-of-each-example", "in a column", column_against_all),
    "sums_over_examples_alone": namespace_fault(
        "custom_loss_metric.loss-of-elements", "the loss with {}", sums_over_examples_alone
    ),
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
