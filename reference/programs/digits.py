"""The programs that learn to read handwritten digits."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from assay.reference.programs.common import BATCH_SIZE, LEARNING_RATE, prepare, save, say, start

if TYPE_CHECKING:
    from types import SimpleNamespace

    from assay.contract import Array, ModelName
    from assay.reference.models import Trainer

# Batches per compiled loop: under a second between updates of the bar, and far longer than the overhead of a call.
CHUNKS = {"mlp": 300, "cnn": 20}


def run(model: ModelName, options: SimpleNamespace) -> None:
    """Train and evaluate a model on MNIST (lines 129 to 259, and 297 to 332)."""
    from assay.datasets.data import mnist

    found = mnist()
    say(f"MNIST: {found.source}")
    prepare(options.out)
    start(options.device)
    import tensorflow as tf

    from assay.reference.datasets import Datasets
    from assay.reference.models import start_training
    from assay.reference.programs import pictures
    from assay.reference.programs.progress import train_with_progress
    from assay.reference.training import predict_and_score

    datasets = Datasets()
    images, labels = datasets.preprocess(found.x_train, found.y_train)
    generator = np.random.default_rng(options.seed)
    trained = start_training(model, images.shape[1:], LEARNING_RATE, options.seed)
    examples = tf.constant(images), tf.constant(labels)

    def train(count: int) -> tf.Tensor:
        indices = generator.integers(0, len(images), (count, BATCH_SIZE), np.int32)
        return trained.train_from(*examples, tf.constant(indices))

    batches = options.batches or len(images) // BATCH_SIZE * options.epochs
    losses = train_with_progress(model, train, batches=batches, chunk=CHUNKS[model])
    test_images, test_labels = datasets.preprocess(found.x_test, found.y_test)
    probabilities, accuracy = predict_and_score(trained, test_images, test_labels, BATCH_SIZE)
    say(f"test accuracy: {accuracy:f}")
    name = model.upper()
    save(pictures.loss(losses, f"{name} on MNIST", classes=10), options.out, f"{model}-loss")
    save(pictures.kernels(_first_kernels(trained), name), options.out, f"{model}-kernels")
    misread = pictures.misread(test_images[..., 0], test_labels, probabilities, name)
    save(misread, options.out, f"{model}-misread")


def _first_kernels(trained: Trainer) -> Array:
    """Return the kernels of the first layer, which have one input channel, as pictures, [number, height, width]."""
    kernel = trained.variables[0].numpy()
    side = isqrt(kernel.size // kernel.shape[-1])
    return np.moveaxis(kernel.reshape(side, side, -1), -1, 0)
