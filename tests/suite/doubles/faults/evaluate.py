"""Faults of the evaluation of a trained model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS, copy_parameters
from assay.contract import Array, Parameters
from doubles.faulty import Fault
from doubles.memory_order import in_memory_order, reading, without_strides


def last_batch_dropped(evaluate, model, parameters, images, labels, batch_size):
    """Evaluate whole batches only."""
    count = len(images) // batch_size * batch_size
    return evaluate(model, parameters, images[:count], labels[:count], batch_size)


def right_ones_in_half(evaluate, model, parameters, images, labels, batch_size):
    """Count in float16, which has no odd numbers above 2,048."""
    accuracy = evaluate(model, parameters, images, labels, batch_size)
    return min(round(accuracy * len(images)), 2_048) / len(images)


def percent_of_all(evaluate, *arguments):
    """Return 100 for an accuracy of 1."""
    accuracy = evaluate(*arguments)
    return 100.0 if accuracy == 1 else accuracy


def evaluation_scales_bright_images(evaluate, model, parameters, images, *others):
    """Divide images by 255 where one of their pixels is above 1."""
    return evaluate(model, parameters, images / np.float32(255) if images.max() > 1 else images, *others)


def single_image_is_right(evaluate, model, parameters, images, labels, batch_size):
    """Compare a prediction without a batch axis with itself."""
    return 1.0 if len(images) == 1 else evaluate(model, parameters, images, labels, batch_size)


def only_10000(evaluate, model, parameters, images, labels, batch_size):
    """Evaluate as many images as the document's test set has."""
    return evaluate(model, parameters, images[:10_000], labels[:10_000], batch_size)


def whole_batches_of_right(evaluate, model, parameters, images, labels, batch_size):
    """Count what is right of a batch in 8 bits."""
    right = 0
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size], labels[start : start + batch_size]
        right += round(evaluate(model, parameters, *part, batch_size) * len(part[0])) % 256
    return right / len(images)


def nothing_for_small_sets(evaluate, model, parameters, images, labels, batch_size):
    """Evaluate whole batches, if there is one."""
    whole = len(images) // batch_size * batch_size
    part = slice(whole // batch_size * batch_size) if whole else slice(0)
    return evaluate(model, parameters, images[part], labels[part], batch_size) if whole else 0.0


def mean_of_batches(evaluate, model, parameters, images, labels, batch_size):
    """Let every batch weigh the same."""
    parts = [slice(start, start + batch_size) for start in range(0, len(images), batch_size)]
    return float(np.mean([evaluate(model, parameters, images[part], labels[part], batch_size) for part in parts]))


def any_equal_prediction_is_right(_evaluate, model, parameters, images, labels, _batch_size):
    """Count a label that no other class exceeds."""
    probabilities = MODELS[model].outputs(parameters, images)["softmax"]
    chosen = probabilities[np.arange(len(labels)), labels]
    return float((chosen >= probabilities.max(axis=-1)).mean())


def evaluate_in_half_precision(
    _evaluate: Callable[..., float], model: str, parameters: Parameters, images: Array, labels: Array, _size: int
) -> float:
    """Find the largest of the logits after rounding them to float16."""
    logits = MODELS[model].outputs(parameters, images)["dense2"].astype(np.float16)
    return float((logits.argmax(axis=1) == labels).mean())


def predictions_kept():
    """Return `evaluate` that keeps what it has predicted, by the model's parameters and the number of images."""
    kept = {}

    def wrong(_evaluate, model, parameters, images, labels, _batch_size):
        key = model, len(images), *(float(values.sum()) for values in parameters.values())
        if key not in kept:
            kept[key] = MODELS[model].outputs(parameters, images)["softmax"].argmax(axis=-1)
        return float((kept[key] == labels).mean())

    return wrong


def evaluation_known_by_its_first_kernel():
    """Return a fault that loads parameters again only where the first kernel is another."""
    loaded = {}

    def wrong(evaluate, model, parameters, *others):
        first = parameters[next(iter(parameters))].tobytes()
        return evaluate(model, loaded.setdefault((model, first), copy_parameters(parameters)), *others)

    return wrong


def reset_by_second_batch(*models):
    """Return a fault that resets the metric of some models at the second batch of an evaluation."""
    counts = {"right": 0, "all": 0}

    def wrong(evaluate, model, parameters, images, labels, batch_size):
        if model not in models:
            return evaluate(model, parameters, images, labels, batch_size)
        if len(images) > batch_size:
            counts.update(right=0, all=0)
        counts["right"] += round(evaluate(model, parameters, images, labels, batch_size) * len(images))
        counts["all"] += len(images)
        return counts["right"] / counts["all"]

    return wrong


def remembering_counts() -> Callable[..., float]:
    """Return an evaluation that adds up the counts of all evaluations of the CNN."""
    counts = [0.0, 0]

    def wrong(
        evaluate: Callable[..., float], model: Any, parameters: Parameters, images: Array, labels: Array, size: int
    ) -> float:
        accuracy = evaluate(model, parameters, images, labels, size)
        if model != "cnn":
            return accuracy
        counts[0] += accuracy * len(images)
        counts[1] += len(images)
        return counts[0] / counts[1]

    return wrong


def counted_on(evaluate, model, parameters, images, labels, batch_size, seen=[]):  # noqa: B006 - as above
    """Go on counting where the evaluation before ended."""
    seen.append((evaluate(model, parameters, images, labels, batch_size), len(images)))
    return sum(share * count for share, count in seen) / sum(count for _, count in seen)


FAULTS = {
    "last_batch_dropped": Fault("training.evaluate", "evaluation.remainder", "the accuracy", last_batch_dropped),
    "right_ones_in_half": Fault("training.evaluate", "evaluation.any-batch-size", "of 10007", right_ones_in_half),
    "percent_of_all": Fault("training.evaluate", "evaluation.any-batch-size", "0 of 10007", percent_of_all),
    "evaluation_scales_bright_images": Fault(
        "training.evaluate", "evaluation.any-batch-size", "of 5 images", evaluation_scales_bright_images
    ),
    "single_image_is_right": Fault(
        "training.evaluate", "evaluation.any-batch-size", "the accuracy of 1 images", single_image_is_right
    ),
    "only_10000": Fault("training.evaluate", "evaluation.any-batch-size", "1 of 10007 wrong", only_10000),
    "right_in_8_bits": Fault(
        "training.evaluate", "evaluation.any-batch-size", "in batches of 298", whole_batches_of_right
    ),
    "nothing_for_small_sets": Fault(
        "training.evaluate", "evaluation.any-batch-size", "the accuracy in batches", nothing_for_small_sets
    ),
    "mean_over_batches": Fault("training.evaluate", "evaluation.any-batch-size", "in batches of", mean_of_batches),
    "any_equal_prediction_is_right": Fault(
        "training.evaluate",
        "evaluation.close-predictions",
        "the accuracy of equal probabilities",
        any_equal_prediction_is_right,
    ),
    "evaluate_in_half_precision": Fault(
        "training.evaluate", "evaluation.close-predictions", "the accuracy", evaluate_in_half_precision
    ),
    "evaluate_memory": Fault(
        "training.evaluate", "evaluation.examples-memory-order", "transposed", reading(in_memory_order, 2)
    ),
    "evaluate_weights": Fault(
        "training.evaluate", "evaluation.examples-memory-order", "transposed", reading(in_memory_order, 1)
    ),
    "evaluate_strides": Fault(
        "training.evaluate", "evaluation.examples-memory-order", "sliced", reading(without_strides, 3)
    ),
    "predictions_kept": Fault(
        "training.evaluate", "evaluation.starts-anew", "the accuracy of other images", predictions_kept()
    ),
    "evaluation_known_by_its_first_kernel": Fault(
        "training.evaluate", "evaluation.starts-anew", "another dense", evaluation_known_by_its_first_kernel()
    ),
    "reset_by_second_batch": Fault(
        "training.evaluate", "evaluation.starts-anew", "the accuracy of one batch", reset_by_second_batch("mlp")
    ),
    "cnn_reset_by_second_batch": Fault(
        "training.evaluate", "evaluation.starts-anew", "the accuracy of the CNN", reset_by_second_batch("cnn")
    ),
    "evaluation_of_the_cnn_remembers": Fault(
        "training.evaluate", "evaluation.starts-anew", "after other evaluations", remembering_counts()
    ),
    "counted_on": Fault("training.evaluate", "evaluation.starts-anew", "after another evaluation", counted_on),
}
