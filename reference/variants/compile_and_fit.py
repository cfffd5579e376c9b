"""Keras's own way to train: compile and fit (lines 814 to 836). What has no fit in it is the reference's."""

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
    """Keeps the loss of every batch: what Keras says is the mean since its metrics were reset."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.losses: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Reset."""
        self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keep."""
        self.losses.append(logs["loss"])


def fit(model: tf.keras.Model, batches: tf.data.Dataset) -> Array:
    """Fit a model that is compiled to batches, in their order; return the losses, each from before the step."""
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
    """A model that is compiled, for every call that fits one of its shape.

    Attributes:
        optimizer: Keras's own.

    """

    optimizer: Any

    def __init__(self, name: ModelName, input_shape: tuple[int, ...]) -> None:
        """Build the model for examples of a shape, and leave the rest to Keras."""
        self.model = _rnn(input_shape) if name == "rnn" else RECIPES[name].build(input_shape)
        self.variables = self.model.trainable_variables
        linear = name == "linear"
        self.optimizer = tf.keras.optimizers.SGD() if linear else tf.keras.optimizers.Adam()
        self.optimizer.build(self.variables)
        self.model.compile(self.optimizer, "mse" if linear else "sparse_categorical_crossentropy")

    def prepare(self, parameters: Parameters, learning_rate: float) -> Fitter:
        """Set every variable, and forget what the optimizer has gathered."""
        self.assign(parameters)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        self.optimizer.learning_rate = learning_rate
        return self

    def train(self, batches: tf.data.Dataset) -> tuple[Array, Parameters]:
        """Fit; return the losses and the last parameters."""
        return fit(self.model, batches), self.parameters()


get_fitter = cache(Fitter)


def start_training(name: ModelName, input_shape: tuple[int, ...], learning_rate: float, seed: int) -> Fitter:
    """Return what fits a model, with new parameters."""
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
        """Draw the indices of all batches ahead."""
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
        """Draw all windows ahead."""
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
