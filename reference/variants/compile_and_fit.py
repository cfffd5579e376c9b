"""Training by Keras's compile and fit (lines 814 to 836). Everything else is the reference's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from assay.contract import Trained
from assay.reference import applications, models, text, training
from assay.reference.layers import OneHot
from assay.reference.models import RECIPES, Trainer

if TYPE_CHECKING:
    from assay.contract import Array, ModelName, NetworkName, Parameters


class Curve(tf.keras.callbacks.Callback):
    """Records the loss of every batch; Keras reports the mean since the last reset of its metrics."""

    def __init__(self) -> None:
        """Start without losses."""
        super().__init__()
        self.losses: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Reset the metrics."""
        self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Record the loss."""
        self.losses.append(logs["loss"])


def fit(model: tf.keras.Model, batches: tf.data.Dataset) -> Array:
    """Fit a compiled model to batches, in order; return the loss of each before its step."""
    curve = Curve()
    model.fit(batches.prefetch(tf.data.AUTOTUNE), verbose=0, callbacks=[curve])
    return np.array(curve.losses, np.float32)


def _rnn(input_shape: tuple[int, ...]) -> tf.keras.Model:
    num_chars = input_shape[-1]
    return tf.keras.Sequential(
        [
            tf.keras.Input((None,), dtype="int32"),
            OneHot(num_chars, name="one_hot"),
            tf.keras.layers.LSTM(256, name="cell"),
            tf.keras.layers.Dense(num_chars, name="dense"),
            tf.keras.layers.Softmax(name="softmax"),
        ]
    )


class Fitter(Trainer):
    """A compiled model, shared by all calls with its shape.

    Attributes:
        optimizer: Optimizer of Keras.

    """

    optimizer: Any

    def __init__(self, name: ModelName, input_shape: tuple[int, ...]) -> None:
        """Build and compile the model for examples of a shape."""
        self.model = _rnn(input_shape) if name == "rnn" else RECIPES[name].build(input_shape)
        self.variables = self.model.trainable_variables
        linear = name == "linear"
        self.optimizer = tf.keras.optimizers.SGD() if linear else tf.keras.optimizers.Adam()
        self.optimizer.build(self.variables)
        self.model.compile(self.optimizer, "mse" if linear else "sparse_categorical_crossentropy")

    def prepare(self, parameters: Parameters, learning_rate: float) -> Fitter:
        """Set every variable, and reset the optimizer."""
        self.assign(parameters)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        self.optimizer.learning_rate = learning_rate
        return self

    def train(self, batches: tf.data.Dataset) -> tuple[Array, Parameters]:
        """Fit the model; return the losses and the final parameters."""
        return fit(self.model, batches), self.parameters()


get_fitter = cache(Fitter)


def start_training(name: ModelName, input_shape: tuple[int, ...], learning_rate: float, seed: int) -> Fitter:
    """Return the fitter of a model, with new parameters."""
    return get_fitter(name, input_shape).prepare(models.initial_parameters(name, input_shape, seed), learning_rate)


class Models(models.Models):
    """See `assay.contract.Models`."""

    def train(
        self, model: ModelName, parameters: Parameters, inputs: Array, targets: Array, learning_rate: float
    ) -> tuple[Array, Parameters]:
        """Fit to the batches."""
        shape = models.shape_for(model, parameters, inputs.shape[2:])
        fitter = get_fitter(model, shape).prepare(parameters, learning_rate)
        return fitter.train(tf.data.Dataset.from_tensor_slices((inputs, targets)))


class Training(training.Training):
    """See `assay.contract.Training`."""

    def fit(
        self,
        model: ModelName,
        images: Array,
        labels: Array,
        *,
        num_batches: int,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Draw the indices of all batches in advance, and fit to the batches."""
        fitter = start_training(model, images.shape[1:], learning_rate, seed)
        indices = np.random.default_rng(seed).integers(0, len(images), (num_batches, batch_size))
        examples, targets = tf.constant(images), tf.constant(labels)
        batches = tf.data.Dataset.from_tensor_slices(indices)
        return Trained(
            *fitter.train(batches.map(lambda index: (tf.gather(examples, index), tf.gather(targets, index))))
        )


class Text(text.Text):
    """See `assay.contract.Text`."""

    def fit(
        self,
        indices: Array,
        num_chars: int,
        *,
        num_batches: int,
        batch_size: int,
        seq_length: int,
        learning_rate: float,
        seed: int,
    ) -> Trained:
        """Draw all windows in advance, and fit to them."""
        starts = text.draw_starts(indices, seq_length, (num_batches, batch_size), np.random.default_rng(seed))
        fitter = start_training("rnn", (seq_length, num_chars), learning_rate, seed)
        content, offsets = tf.constant(indices), tf.range(seq_length)

        def batch(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return tf.gather(content, start[:, None] + offsets), tf.gather(content, start + seq_length)

        return Trained(*fitter.train(tf.data.Dataset.from_tensor_slices(starts).map(batch)))


class Applications(applications.Applications):
    """See `assay.contract.Applications`."""

    def train(
        self, network: NetworkName, images: Array, labels: Array, *, classes: int, learning_rate: float, seed: int
    ) -> Array:
        """Fit to the batches."""
        model = applications.new(network, images.shape[2:], None, classes, seed)
        model.compile(tf.keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
        return fit(model, tf.data.Dataset.from_tensor_slices((images, labels)))
