"""The predefined networks of `keras.applications`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from assay.alternatives.keras3.backend import to_array
from assay.contract import Architecture

if TYPE_CHECKING:
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
        model = getattr(keras.applications, network)(
            input_shape=input_shape, include_top=include_top, weights=weights, classes=classes
        )
        counts = [
            sum(int(np.prod(variable.shape)) for variable in variables)
            for variables in (model.trainable_weights, model.non_trainable_weights)
        ]
        return Architecture(model.input_shape[1:], model.output_shape[1:], *counts)

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
        return to_array(_new(network, images.shape[1:], weights, classes, seed)(images, training=training))

    def train(
        self, network: NetworkName, images: Array, labels: Array, *, classes: int, learning_rate: float, seed: int
    ) -> Array:
        """Take a step of Keras with every batch."""
        model = _new(network, images.shape[2:], None, classes, seed)
        model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
        return np.array([model.train_on_batch(*batch) for batch in zip(images, labels, strict=True)], np.float32)


def _new(
    network: NetworkName, input_shape: tuple[int, ...], weights: str | None, classes: int, seed: int
) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return getattr(keras.applications, network)(input_shape=input_shape, weights=weights, classes=classes)
