"""The predefined networks of `tf.keras.applications`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from assay.contract import Architecture
from assay.reference.models import crossentropy
from assay.reference.optimizers import Adam
from assay.reference.seeding import use_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.contract import Array, NetworkName


class Applications:
    """See `assay.contract.Applications`."""

    def build(
        self,
        network: NetworkName,
        *,
        input_shape: tuple[int, int, int] | None = None,
        include_top: bool = True,
        weights: str | None = None,
        classes: int = 1000,
    ) -> Architecture:
        """Call the constructor, and describe the network."""
        model = getattr(tf.keras.applications, network)(
            input_shape=input_shape, include_top=include_top, weights=weights, classes=classes
        )
        return Architecture(
            model.input_shape[1:],
            model.output_shape[1:],
            _count(model.trainable_weights),
            _count(model.non_trainable_weights),
        )

    def predict(
        self,
        network: NetworkName,
        images: Array,
        *,
        training: bool,
        seed: int,
        weights: str | None = None,
        classes: int = 1000,
    ) -> Array:
        """Build the network for images of this size, and call it in the given mode."""
        return new(network, images.shape[1:], weights, classes, seed)(tf.constant(images), training=training).numpy()

    def train(
        self, network: NetworkName, images: Array, labels: Array, *, classes: int, learning_rate: float, seed: int
    ) -> Array:
        """Take one step with every batch."""
        # Eager, as in the document: compiling such a network takes as long as several steps.
        step = training_step(network, images.shape[2:], classes, learning_rate, seed, compiled=False)
        batches = zip(images, labels, strict=True)
        losses = [step(tf.constant(batch), tf.constant(targets))[0] for batch, targets in batches]
        return np.array(losses, np.float32)


def training_step(
    network: NetworkName,
    input_shape: tuple[int, ...],
    classes: int,
    learning_rate: float,
    seed: int,
    *,
    compiled: bool = True,
) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Build a network; return a function from a batch to its loss and probabilities before the step (381 to 387)."""
    model = new(network, input_shape, None, classes, seed)
    optimizer = Adam(model.trainable_variables)
    optimizer.learning_rate.assign(learning_rate)

    def step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            probabilities = model(images, training=True)
            loss = crossentropy(labels, probabilities)
        optimizer.apply(tape.gradient(loss, model.trainable_variables))
        return loss, probabilities

    # Prevents a separate compilation for the last batch of an epoch, which is smaller.
    signature = [tf.TensorSpec([None, *input_shape]), tf.TensorSpec([None], tf.int32)]
    return tf.function(step, input_signature=signature) if compiled else step


def new(
    network: NetworkName, input_shape: tuple[int, ...], weights: str | None, classes: int, seed: int
) -> tf.keras.Model:
    """Build a network, with weights drawn from a seed unless they are pre-trained."""
    with use_seed(seed):
        return getattr(tf.keras.applications, network)(input_shape=input_shape, weights=weights, classes=classes)


def _count(variables: Sequence[tf.Variable]) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)
