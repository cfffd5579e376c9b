"""Whole training runs."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np

from assay.alternatives.jax.losses import number_right
from assay.alternatives.jax.models import MODELS, descend, initial, outputs
from assay.contract import Array, ModelName, Parameters, Trained


class Training:
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
        """Draw the parameters with JAX, and the indices of every batch with NumPy."""
        places = np.random.default_rng(seed).integers(0, len(images), (num_batches, batch_size))
        parameters = initial(MODELS[model].initializers, jax.random.key(seed))
        return Trained(*descend(model, parameters, (places,), learning_rate, examples, (images, labels)))

    def evaluate(
        self, model: ModelName, parameters: Parameters, images: Array, labels: Array, batch_size: int
    ) -> float:
        """Count correct predictions over all batches."""
        starts = range(0, len(images), batch_size)
        batches = ((images[start : start + batch_size], labels[start : start + batch_size]) for start in starts)
        return int(sum(right(model, parameters, *batch) for batch in batches)) / len(images)


def examples(data: tuple[Array, Array], places: Array) -> tuple[Array, ...]:
    """Return the images and labels at these indices."""
    return tuple(values[places] for values in data)


@partial(jax.jit, static_argnames="model")
def right(model: ModelName, parameters: Parameters, images: jax.Array, labels: jax.Array) -> jax.Array:
    """Count correct predictions in a batch."""
    return number_right(labels, outputs(model, parameters, images)["softmax"])
