"""The program that learns to classify flowers."""

from __future__ import annotations

import logging
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

import numpy as np

from assay.errors import ErrorKind, UserError
from assay.reference.programs.common import BATCH_SIZE, LEARNING_RATE, prepare, save, say, start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import SimpleNamespace


def run(options: SimpleNamespace) -> None:
    """Train MobileNetV2 on tf_flowers (lines 366 to 388)."""
    prepare(options.out)
    start(options.device)
    for chatty in ("absl", "tensorflow"):
        # TensorFlow Datasets uses deprecated functions, even its own.
        logging.getLogger(chatty).setLevel(logging.ERROR)
    names = _class_names(mock=options.mock)
    from assay.reference.applications import training_step
    from assay.reference.flowers import load, pipeline, source
    from assay.reference.programs import pictures
    from assay.reference.programs.progress import Bar

    size = (options.image_size, options.image_size)
    step = training_step("MobileNetV2", (*size, 3), len(names), LEARNING_RATE, options.seed)
    losses = []
    with source(mock=options.mock):
        batches = pipeline(load(), size, shuffle_buffer=1024, batch_size=BATCH_SIZE, seed=options.seed)
        count = options.batches or int(batches.cardinality()) * options.epochs
        with Bar("flowers", count) as bar:
            for images, labels in islice(chain.from_iterable(repeat(batches)), count):
                loss, probabilities = step(images, labels)
                losses.append(float(loss))
                bar.advance(losses[-1:])
    say(f"loss: {losses[-1]:f}")
    save(pictures.loss(np.array(losses), "MobileNetV2 on tf_flowers", len(names)), options.out, "flowers-loss")
    last_batch = pictures.flowers(images.numpy(), labels.numpy(), probabilities.numpy(), names)
    save(last_batch, options.out, "flowers-last-batch")


def _class_names(*, mock: bool) -> Sequence[str]:
    """Prepare the data set, and return the names of its classes."""
    try:
        if not mock:
            _find()
        from assay.reference.flowers import Flowers

        return Flowers().info(mock=mock).class_names
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        problem = f"tf_flowers is not available: {reason}"
        raise UserError(ErrorKind.MISSING_DATA, problem, "With --mock, made-up images take its place") from error


def _find() -> None:
    """Fail early without a network: TensorFlow Datasets would try for minutes."""
    import tensorflow_datasets as tfds

    from assay.datasets.connectivity import reachable
    from assay.reference.flowers import NAME

    if not tfds.builder(NAME).is_prepared() and not reachable():
        message = "it is not on this machine, and the network cannot be reached"
        raise ConnectionError(message)
